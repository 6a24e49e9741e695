"""Rows in memory: filtered, in order, and cut to a window. They stand as the store would have them."""

from typing import Any

from ..core.level import is_at_least
from ..core.log import LogLine
from ..store import Window
from ..store.peek import QUEUED_SORTS
from .wishes import matches

Row = dict[str, Any]


def as_row(line: LogLine) -> Row:
    """A log line as plain values."""
    return {
        "id": line.number,
        "at": line.at,
        "function": line.function,
        "request_id": line.request_id,
        "attempt": line.attempt,
        "kind": line.kind,
        "text": line.text,
        "stream": line.stream,
    }


def queued_place(window: Window, row: Row) -> tuple[Any, Any]:
    value = row[window.sort if window.sort in QUEUED_SORTS else "due_at"]
    return "" if value is None else value, row["seq"]


def is_behind_cursor(window: Window, row: Row) -> bool:
    if window.after is None:
        return True
    place = queued_place(window, row)
    return place < window.after if window.descending else place > window.after


def line_matches(window: Window, line: LogLine) -> bool:
    """Does a log line match the filter, and is it as bad as the window's level?"""
    if not window.is_about(line.request_id):
        return False
    return is_at_least(line, window.level) and matches(window, line.function, words_of_line(line))


def words_of_line(line: LogLine) -> str:
    """The text that a filter of log lines looks at."""
    return f"{line.text} {line.function} {line.request_id}"


def cut(window: Window, rows: list[Row], default: str) -> tuple[int, list[Row]]:
    """Filter, sort and cut rows that are in memory."""
    if window.is_filtered:
        rows = [row for row in rows if row_matches(window, row)]
    total = len(rows)
    rows.sort(key=lambda row: _place(window, row, default), reverse=window.descending)
    if window.after is not None:
        value, id_ = window.after
        last = (value is not None, 0 if value is None else value, id_)
        rows = [row for row in rows if (_place(window, row, default) < last) == window.descending and row["id"] != id_]
    return total, rows[window.offset : window.offset + window.limit]


def row_matches(window: Window, row: Row) -> bool:
    """Does a row in memory match the filter?"""
    return window.is_about(row["id"]) and matches(window, str(row.get("function", row["id"])), words_of(row))


def _place(window: Window, row: Row, default: str) -> tuple[bool, Any, str]:
    value = row[sort_key(window, row, default)]
    return value is not None, 0 if value is None else value, row["id"]


def sort_key(window: Window, row: Row, default: str) -> str:
    return window.sort if isinstance(row.get(window.sort, ()), str | int | float | None) else default


def words_of(row: Row) -> str:
    return " ".join(str(row.get(key) or "") for key in _SEARCHED)


_SEARCHED = ("function", "id", "source", "reason", "error", "handler", "state", "condition")
