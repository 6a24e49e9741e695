"""What stands beside a request's calls: its cost, and where its log is, as lines to read."""

from typing import Any

from ..calls import called_by
from .bill_lines import bill_lines
from .environment_lines import streams_of
from .sheet import Lines

Life = dict[str, Any]


def call_lines(life: Life) -> Lines:
    """What stands below the tree of calls: what is missing in it, and what the request itself cost."""
    lines: Lines = []
    if not life.get("caller"):
        lines.append([("It was not called by an invocation of this engine.", "dim")])
    elif not life["caller"].get("function"):
        lines.append([(f"{called_by(life)}; nothing more is known of it.", "dim")])
    if not life.get("calls"):
        lines.append([("It has called no function of this engine.", "dim")])
    bill = life.get("bill") or {}
    if not bill.get("requests"):
        return [*lines, [("", "")], [("It has cost nothing.", "dim")]]
    head: Lines = [[("", "")], [("Cost on AWS, all attempts together, at the memory the function has now", "title")]]
    return [*lines, *head, *bill_lines(bill)]


def stream_lines(life: Life) -> Lines:
    """Where CloudWatch would have its log."""
    streams = streams_of(life)
    if not life.get("log_group") or not streams:
        return []
    return [[("group  ", "dim"), (str(life["log_group"]), "dim")]] + [
        [("stream ", "dim"), (stream, "dim")] for stream in streams
    ]
