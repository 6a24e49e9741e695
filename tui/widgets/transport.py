"""The line under the panes of a replay: the whole recording from end to end, and where in it one is."""

from collections.abc import Callable
from itertools import groupby
from operator import itemgetter

from textual import events

from ..bounds import place
from ..format import FAILED, RUNNING, THROTTLED
from ..model import Model
from .line_view import OneLine, Part

_BAR, _PASSED, _HERE = "─", "━", "●"
_LOWEST = 20  # lines of a terminal that has one to spare


class Transport(OneLine):
    """Marks where something failed; a click goes there. No line at all where nothing is replayed."""

    def __init__(self, model: Model, go: Callable[[float], None]) -> None:
        """`go` goes so far into the recording, from 0 to 1."""
        super().__init__(id="transport")
        self._model, self._go = model, go
        self._bar = (0, 1)  # its first cell, and how many it has

    def look(self) -> None:
        """Come or go, and say what is true now."""
        self.display = self._model.replay is not None and self.app.size.height >= _LOWEST
        self.refresh()

    def left(self) -> list[Part]:
        bounds, time = self._model.replay, self._model.time
        if bounds is None:
            return []
        lead = f" {RUNNING if time.rate else THROTTLED} {place(time.now() - bounds.first)} "
        tail = f" {place(bounds.length)} "
        width = max(1, self.size.width - len(lead) - len(tail))
        self._bar = (len(lead), width)
        return [(lead, "accent"), *self._cells(width), (tail, "dim")]

    def _cells(self, width: int) -> list[Part]:
        """The bar: what has passed, what is to come, each failure, and on top of all the place where one is."""
        bounds = self._model.replay
        if bounds is None:
            return []
        here = min(width - 1, int(bounds.part(self._model.time.now()) * width))
        cells: list[Part] = [(_PASSED, "accent") if at < here else (_BAR, "dim") for at in range(width)]
        for part, count in enumerate(bounds.failures):
            if count:
                cells[min(width - 1, part * width // len(bounds.failures))] = (FAILED, "error")
        cells[here] = (_HERE, "title")
        return [("".join(text for text, _ in same), style) for style, same in groupby(cells, key=itemgetter(1))]

    def on_click(self, event: events.Click) -> None:
        first, width = self._bar
        part = (event.x - first) / max(1, width - 1)
        if 0 <= part <= 1:
            self._go(part)
