"""A terminal that nobody sees: takes what a program writes, and tells what the screen shows."""

from collections.abc import Mapping
from typing import Any

from rich.terminal_theme import SVG_EXPORT_THEME

from ..format import clean
from .extra import record_extra
from .frame import Frame, Look, Row, Run, joined

_NAMES = ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")
_COLOURS = {
    **{name: SVG_EXPORT_THEME.ansi_colors[at].hex for at, name in enumerate(_NAMES)},
    **{f"bright{name}": SVG_EXPORT_THEME.ansi_colors[at + 8].hex for at, name in enumerate(_NAMES)},
}


class Emulator:
    """`front` and `ground` are what the terminal has of its own, "#rrggbb"."""

    def __init__(self, columns: int, rows: int, front: str, ground: str) -> None:
        with record_extra():
            import pyte
        self._screen: Any = pyte.Screen(columns, rows)
        self._stream = pyte.Stream(self._screen)
        self._front, self._ground = front, ground
        self._looks: dict[tuple[Any, ...], Look] = {}
        self._rows: list[Row] = [()] * rows

    def feed(self, data: str) -> None:
        """The program writes this."""
        self._stream.feed(data)

    def resize(self, columns: int, rows: int) -> None:
        self._screen.resize(rows, columns)
        self._rows = [()] * rows
        self._screen.dirty.update(range(rows))

    def frame(self) -> Frame:
        """What the screen shows now."""
        for row in self._screen.dirty:
            if row < len(self._rows):
                self._rows[row] = self._row(self._screen.buffer[row])
        self._screen.dirty.clear()
        return Frame(self._screen.columns, tuple(self._rows))

    def _row(self, cells: Mapping[int, Any]) -> Row:
        runs: list[Run] = []
        column = 0
        while column < self._screen.columns:
            cell = cells[column]
            look = self._look(cell)
            text = clean(cell.data) or " "  # the second half of a wide letter whose first half was written over
            runs.append(Run(text, look))
            column += max(1, runs[-1].width)
        return joined(runs)

    def _look(self, cell: Any) -> Look:
        found = self._looks.get(cell[1:])
        if found is None:
            front, ground = self._colour(cell.fg, self._front), self._colour(cell.bg, self._ground)
            if cell.reverse:
                front, ground = ground, front
            found = Look(front, ground, cell.bold, cell.italics, cell.underscore, cell.strikethrough)
            self._looks[cell[1:]] = found
        return found

    def _colour(self, told: str, own: str) -> str:
        return own if told == "default" else _COLOURS.get(told) or f"#{told}"
