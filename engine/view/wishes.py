"""What a client wants to see: which view, filtered and sorted how, and how much of it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..core.level import LEVELS
from ..store import Window

_LIMIT_MAX = 500


class View(NamedTuple):
    """What one pane shows."""

    kind: str  # one of KINDS
    window: Window


KINDS = ("queue", "inflight", "retries", "dlq", "logs", "functions", "timeline")


def parse_view(name: str, wish: Mapping[str, Any]) -> View:
    """A view from what a client sent. Raises ValueError with the key, the value and what is allowed."""
    kind = wish.get("view")
    if kind not in KINDS:
        raise ValueError(f"{name}.view: {kind!r} is not a view; use one of {', '.join(KINDS)}")
    numbers = {}
    for key, default, most in (("offset", 0, 2**31), ("limit", 50, _LIMIT_MAX)):
        value = wish.get(key, default)
        if not isinstance(value, int) or not 0 <= value <= most:
            raise ValueError(f"{name}.{key}: {value!r} is not allowed; use a whole number from 0 to {most}")
        numbers[key] = value
    words = str(wish.get("filter", "")).split()
    window = Window(
        str(wish.get("sort", "")),
        bool(wish.get("descending", False)),
        numbers["offset"],
        numbers["limit"],
        words=tuple(word.lower() for word in words if not word.startswith(("!", "fn:", "family:"))),
        not_words=tuple(word[1:].lower() for word in words if word.startswith("!") and len(word) > 1),
        functions=tuple(word.removeprefix("fn:") for word in words if word.startswith("fn:")),
        family=next((word.removeprefix("family:") for word in words if word.startswith("family:")), ""),
        error=None if wish.get("error") is None else str(wish["error"]),
        by_error=bool(wish.get("by_error", False)),
        level=_level(name, wish.get("level") or ""),
    )
    newest_first = kind in ("dlq", "timeline") and not window.sort
    return View(kind, window._replace(descending=window.descending != newest_first))


def _level(name: str, level: Any) -> str:
    if level and level not in LEVELS:
        raise ValueError(f"{name}.level: {level!r} is not a level; use one of {', '.join(LEVELS)}, or none")
    return str(level)


def matches(window: Window, function: str, text: str) -> bool:
    """Does this text hold every word of the filter, and none of those marked with `!`?"""
    if window.functions and function not in window.functions:
        return False
    text = text.lower()
    return all(word in text for word in window.words) and not any(word in text for word in window.not_words)
