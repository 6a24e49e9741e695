"""A request's caller, its calls, its cost and its log streams, as lines to read."""

from typing import Any

from ..calls import SHOWN, call_words, called_by
from .bill_lines import bill_lines
from .sheet import Lines

Life = dict[str, Any]


def call_lines(life: Life, now: float) -> Lines:
    """Who called it, whom it called, what it cost."""
    caller = called_by(life)
    lines: Lines = [[(f"c  {caller}" if caller else "It was not called by an invocation of this engine.", "")]]
    calls = life.get("calls") or []
    if not calls:
        lines.append([("It has called no function of this engine.", "dim")])
    for number, call in enumerate(calls, 1):
        key = f"{number}  " if number <= SHOWN else "   "
        lines.append([(key, "accent"), (f"→ {call_words(call, now)}", "error" if call.get("error") else "")])
    bill = life.get("bill") or {}
    if not bill.get("requests"):
        return [*lines, [("", "")], [("It has cost nothing.", "dim")]]
    head: Lines = [[("", "")], [("Cost on AWS, all attempts together, at the memory the function has now", "title")]]
    return [*lines, *head, *bill_lines(bill)]


def stream_lines(life: Life) -> Lines:
    """Where CloudWatch would have its log."""
    attempts = [*life["attempts"], life.get("running") or {}]
    streams = list(dict.fromkeys(str(one["environment"]) for one in attempts if one.get("environment")))
    if not life.get("log_group") or not streams:
        return []
    return [[("group  ", "dim"), (str(life["log_group"]), "dim")]] + [
        [("stream ", "dim"), (stream, "dim")] for stream in streams
    ]
