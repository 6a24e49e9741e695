"""What stands under the picture of a tape: its caption, the keys that are pressed, and how fast time passes.

It is no part of the monitor, which does not know that it is filmed.
"""

from dataclasses import dataclass

from rich.cells import cell_len

from .. import format as f
from ..film.frame import Look, Row, Run
from ..time_words import speed_words

ROWS = 2
_CAPS = 3  # that are shown at once
_CAP_STAYS = 1.8  # seconds of film after the last key


@dataclass(frozen=True)
class Colours:
    ground: str
    words: str
    faint: str
    cap: str
    cap_ground: str
    time: str


_COLOURS = {
    "dark": Colours("#1E2A38", "#FFFFFF", "#93A4B8", "#12181F", "#E8EEF5", "#FFC473"),
    "light": Colours("#D9E4F0", "#10151B", "#526274", "#FFFFFF", "#2B3A4A", "#855000"),
}
_COLOURS["terminal"] = _COLOURS["dark"]


@dataclass
class Cap:
    """A key that was pressed."""

    key: str
    does: str
    times: int = 1


class Strip:
    """The caption and the keys of the moment. All times are seconds of film."""

    def __init__(self, theme: str) -> None:
        self._colours = _COLOURS[theme]
        self.caption = ""
        self.note = ""  # what the player itself has to say, at the right
        self._caps: list[Cap] = []
        self._until = 0.0

    def pressed(self, key: str, does: str, at: float) -> None:
        """Show a key, in front of what it does."""
        if at >= self._until:
            self._caps.clear()
        if self._caps and (self._caps[-1].key, self._caps[-1].does) == (key, does):
            self._caps[-1].times += 1
        else:
            self._caps.append(Cap(key, does))
            del self._caps[:-_CAPS]
        self._until = at + _CAP_STAYS

    def rows(self, width: int, at: float, rate: float) -> tuple[Row, ...]:
        """The lines, at this moment of the film, at which so many engine seconds pass in one of it."""
        caps = self._caps if at < self._until else []
        pace = [] if rate == 1.0 else [(f"▸▸ {speed_words(rate)} ", self._look(self._colours.time, bold=True))]
        caption = [(" ▌", self._look("#0178D4")), (self.caption, self._look(self._colours.words, bold=True))]
        note = [(f"{self.note} ", self._look(self._colours.faint))] if self.note else []
        return self._row(caption, pace, width), self._row(self._cap_parts(caps), note, width)

    def _cap_parts(self, caps: list[Cap]) -> list[tuple[str, Look]]:
        parts = [("  ", self._look(self._colours.faint))]
        for cap in caps:
            parts.append((f" {cap.key} ", Look(self._colours.cap, self._colours.cap_ground, bold=True)))
            does = cap.does if cap is caps[-1] else ""
            words = " ".join(filter(None, (does, f"×{cap.times}" if cap.times > 1 else "")))
            parts.append((f" {words}   " if words else " ", self._look(self._colours.faint)))
        return parts

    def _look(self, colour: str, *, bold: bool = False) -> Look:
        return Look(colour, self._colours.ground, bold=bold)

    def _row(self, left: list[tuple[str, Look]], right: list[tuple[str, Look]], width: int) -> Row:
        """So many cells, whatever is too long cut: first what is at the left."""
        after = _fitted(right, width)
        before = _fitted(left, width - sum(run.width for run in after))
        gap = width - sum(run.width for run in (*before, *after))
        runs = (*before, Run(" " * gap, self._look(self._colours.faint)), *after)
        return tuple(run for run in runs if run.text)


def _fitted(parts: list[tuple[str, Look]], room: int) -> list[Run]:
    """At most so many cells of these. A caption may hold what a handler said: nothing in it commands a terminal."""
    runs = []
    for text, look in parts:
        text = f.one_line(f.clean(text))
        runs.append(Run(f.fit(text, min(room, cell_len(text))), look))
        room -= runs[-1].width
    return runs
