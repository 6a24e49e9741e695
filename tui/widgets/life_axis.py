"""Draws the rows of a life on their axis."""

from collections.abc import Callable
from typing import Any

from rich.cells import cell_len
from rich.text import Text
from textual.geometry import Size
from textual.strip import Strip

from .. import life_picture, life_rows
from ..axis import ruler
from ..format import DEAD, OK, clock_ms, counted, fit, money
from .line_view import LineView

_LABEL = 8


class LifeAxis(LineView, can_focus=False):
    """As high as it has rows, plus the ruler."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(id="axis")
        self._now = now
        self._rows: list[life_rows.Span] = []
        self._start = ""

    def show(self, life: dict[str, Any] | None, title: str) -> None:
        """Show a life as it is now."""
        self.border_title = Text(title)
        before = len(self._rows)
        self._rows = life_rows.spans(life, self._now()) if life else []
        self.border_subtitle = Text(_facts(life) if life else "")
        if len(self._rows) != before:
            self.virtual_size = Size(0, len(self._rows) + 1)
            self.styles.height = len(self._rows) + 3
        self.refresh()

    def draw(self, y: int, width: int) -> Strip:
        if not self._rows:
            return self.strip_of([], width)
        room = max(12, min(width - _LABEL - 50, width * 48 // 100))
        scale = life_rows.scale_of(self._rows, room)
        if y == 0:
            return self.strip_of([(" " * _LABEL + ruler(scale), "dim")], width)
        at = y - 1 + self.scroll_offset.y
        if at >= len(self._rows):
            return self.strip_of([], width)
        row = self._rows[at]
        if row.kind.startswith("end") and cell_len(row.words) > width - _LABEL - room - 3:
            return self.strip_of(_end_across(row), width)
        words = fit(row.words, max(0, width - _LABEL - room - 3)).rstrip()
        label = (fit(" " + row.label, _LABEL), "dim")
        return self.strip_of(
            [label, *life_picture.drawn(row, scale), ("  " + words, life_picture.style_of(row))], width
        )


def _facts(life: dict[str, Any]) -> str:
    """When it came, and what it has cost so far: each attempt costs anew."""
    words, bill = f"accepted {clock_ms(float(life['accepted_at']))}", life.get("bill") or {}
    if not bill.get("requests"):
        return words
    attempts = f" for {counted(bill['requests'], 'attempt')}" if life["kind"] == "event" else ""
    return f"{words} · cost {money(bill['cost'])}{attempts}"


def _end_across(row: life_rows.Span) -> list[tuple[str, str]]:
    glyph = {"end-ok": OK, "end-error": DEAD}[row.kind] if row.label else " "
    return [(fit(" " + row.label, _LABEL), "dim"), (f"{glyph} {row.words}", life_picture.style_of(row))]
