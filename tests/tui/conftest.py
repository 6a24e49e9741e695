"""Makes the fake engine importable by its name, and painting as quick as tests are."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def paint_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lamtop.tui.screens.paint.SHORTEST", 0.02)
