"""Makes the fake engine importable by its name, and painting as quick as tests are."""

import sys
from pathlib import Path
from typing import Any

import pytest
from textual.css.stylesheet import Stylesheet

from lamtop.tui.app import Lamtop
from lamtop.tui.pace import Pace

sys.path.insert(0, str(Path(__file__).parent))

_parse = Stylesheet._parse_rules
_parsed: dict[Any, Any] = {}


def _parse_once(sheet: Stylesheet, css: str, *given: Any, **named: Any) -> Any:
    """Every app has the same style sheets, and to parse them takes a fifth of a short test."""
    key = (css, repr(given), repr(named), repr(sorted(sheet._variables.items())))
    if key not in _parsed:
        _parsed[key] = _parse(sheet, css, *given, **named)
    return _parsed[key]


@pytest.fixture(autouse=True)
def paint_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lamtop, "pace", Pace(paint=0.02))
    monkeypatch.setattr(Stylesheet, "_parse_rules", _parse_once)
