"""How bad a log line is, as far as it says so itself."""

import re

from .log import LogLine

LEVELS = ("WARN", "ERROR")
"""What a log can be narrowed down to: each includes those behind it."""

_SAYS = re.compile(
    r'^\s*(?:\[(?P<text>[A-Z]+)\]|(?P<bare>[A-Z]+)\b|\{.*?"(?:level|log_level)":\s*"(?P<json>[A-Za-z]+)")'
)
_RANKS = {"WARN": 1, "WARNING": 1, "ERROR": 2, "CRITICAL": 2, "FATAL": 2}
_ERRORS = ("Traceback (most recent call last)", "Task timed out", "Status: error", "Status: timeout")
_HEAD = 4_000  # characters that are looked at


def rank(line: LogLine) -> int:
    """0 for a line that names no level or a low one, 1 for a warning, 2 for an error and worse."""
    text = line.text[:_HEAD]
    said = _SAYS.match(text)
    word = next(filter(None, said.groups()), "").upper() if said else ""
    return _RANKS.get(word, 0) or 2 * any(one in text for one in _ERRORS)


def is_at_least(line: LogLine, level: str) -> bool:
    """Is a line as bad as this level, or worse? Every line is as bad as "", which is none."""
    return not level or rank(line) > LEVELS.index(level)
