"""The words of tapes: numbers, durations, quoted texts. One that makes no sense raises ValueError, saying what does."""

import json
import re

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_TIMES = re.compile(r"(.+?)\s+x(\d+)")
TIMES_MAX = 2_000


def unquoted(text: str, usage: str) -> str:
    """The text without quotes around it. `usage` says what was expected, if nothing is left."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if usage and not text:
        raise ValueError(f"nothing there; expected {usage}")
    return text


def duration(text: str, usage: str) -> float:
    """Seconds of "500ms", "2s", "4m", "6h"."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no duration (500ms, 2s, 4m, 6h); expected {usage}")
    return float(found[1]) * _UNITS[found[2]]


def factor(text: str, usage: str) -> float:
    """The number of "16x"."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)x", text)
    if found is None or float(found[1]) > 100_000:
        raise ValueError(f"{text!r} is no speed (0x, 1x, 16x); expected {usage}")
    return float(found[1])


def whole(text: str, least: int, most: int, usage: str) -> int:
    """A whole number within these bounds."""
    if not text.isdecimal() or not least <= int(text) <= most:
        raise ValueError(f"{text!r} is no whole number from {least} to {most}; expected {usage}")
    return int(text)


def with_times(text: str) -> tuple[str, int]:
    """The text without an "x3" at its end, and that number: 1 where there is none."""
    found = _TIMES.fullmatch(text)
    return (found[1], whole(found[2], 1, TIMES_MAX, "xN")) if found else (text, 1)


def json_text(text: str) -> str:
    """The text, if it is JSON."""
    try:
        json.loads(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no JSON ({error}); expected send FUNCTION [JSON] [xN]") from None
    return text
