"""An error with its traceback, and the log of one request, as lines to read."""

import json
from typing import Any

from .. import format as f
from ..loglines import LogLine, drawn_lines
from ..widgets.line_view import Part
from ..wishes import pretty
from .sheet import Lines


def error_lines(error: str, payload: str) -> Lines:
    """An error's type and message, then its traceback if the payload has one, else the payload."""
    lines: Lines = [[(line, "error")] for line in error.split("\n")]
    trace = trace_of(payload)
    if trace:
        lines.append([("Traceback (most recent call last):", "dim")])
        return lines + [[(piece, "")] for frame in trace for piece in frame.rstrip("\n").split("\n")]
    if payload:
        lines += [[(line, "dim")] for line in pretty(payload).split("\n")]
    return lines


def trace_of(payload: str) -> list[str]:
    """The frames of an error's traceback; none if the payload has none."""
    try:
        told = json.loads(payload)
    except ValueError:
        return []
    trace = told.get("stackTrace") if isinstance(told, dict) else None
    return [f.clean(str(frame)) for frame in trace] if isinstance(trace, list) else []


def log_lines(life: dict[str, Any]) -> Lines:
    """The log of one request: time, then text, wrapped where it is shown."""
    lines: Lines = []
    for raw in life.get("lines", ()):
        lines += [one_log_line(line) for line in drawn_lines(raw)]
    return lines


def one_log_line(line: LogLine) -> list[Part]:
    """A log line without the names that are known already."""
    style = "error" if line.is_error else "dim" if line.kind == "platform" else ""
    lead = f.clock_ms(line.at) if line.first else " " * 12
    return [(f"{lead} {line.text}", style)]
