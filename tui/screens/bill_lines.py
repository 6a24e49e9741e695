"""A bill, item by item, as lines to read."""

from typing import Any

from .. import format as f
from ..widgets.line_view import Part
from .sheet import Lines

_NAME = 15  # cells of a line's name


def fact(name: str, value: str, style: str = "") -> list[Part]:
    """A line with a name in front."""
    return [(f"{name:{_NAME}} ", "dim"), (value, style)]


def bill_lines(bill: dict[str, Any]) -> Lines:
    """A bill, item by item."""
    billed = f.span(int(bill["billed_ms"]) / 1000)
    items = [
        ("requests", f.number(int(bill["requests"])), bill["request_cost"]),
        ("duration", f"{_gb_seconds(bill['gb_seconds'])}, {billed} billed", bill["duration_cost"]),
        ("total", "", bill["cost"]),
    ]
    lines: Lines = [fact(name, f"{what:30}{f.money(dollars):>12}") for name, what, dollars in items]
    if bill["waited_cost"]:
        waited = f"{_gb_seconds(bill['waited_gb_seconds'])} waiting for others"
        lines.append(fact("of it waiting", f"{waited:30}{f.money(bill['waited_cost']):>12}", "warning"))
        part = f.share(bill["waited_cost"] / bill["cost"])
        lines.append([(f"Double billing: {part} of the bill was spent waiting for other functions.", "warning")])
    return [*lines, fact("prices", f"{bill['prices']}, no free tier", "dim")]


def _gb_seconds(amount: float) -> str:
    return f"{amount:,.3g} GB-s" if amount < 1000 else f"{amount:,.0f} GB-s"
