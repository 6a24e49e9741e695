"""At most 255 colours for a whole film, exact wherever that is possible."""

from collections import Counter
from collections.abc import Iterable
from functools import cache

from .frame import Frame, Look, between

MOST = 255
"""Colours. One more number is kept for "as before"."""
_SHADES = (5, 4, 3, 2)
"""How finely the edge of a letter may be drawn: steps from the ground to the front, both counted."""


class Palette:
    """Number of a colour -> the colour. As many steps of each look as there is room for."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._cells = _used(frames)
        for steps in _SHADES:
            colours = self._with(steps)
            if len(colours) <= MOST:
                break
        self.steps = steps
        self.colours = sorted(colours, key=lambda one: (-colours[one], one))[:MOST]
        self._numbers = {colour: number for number, colour in enumerate(self.colours)}

    @property
    def is_exact(self) -> bool:
        """Whether every look has both its colours; else some have one that is near."""
        return len(self._with(2)) <= MOST

    def _with(self, steps: int) -> Counter[str]:
        """All colours if letters are drawn in so many steps, and in how many cells each is."""
        colours: Counter[str] = Counter()
        for (front, ground), cells in self._cells.items():
            for step in range(steps):
                colours[between(ground, front, step / (steps - 1))] += cells
        return colours

    def number(self, colour: str) -> int:
        """Of this colour, or of the one that is nearest to it."""
        if colour not in self._numbers:
            self._numbers[colour] = min(range(len(self.colours)), key=lambda at: _distance(self.colours[at], colour))
        return self._numbers[colour]

    def shades(self, look: Look) -> list[int]:
        """For each of the 256 shades of grey of a letter the number of its colour."""
        last = self.steps - 1
        numbers = [self.number(between(look.ground, look.front, step / last)) for step in range(self.steps)]
        return [numbers[round(grey / 255 * last)] for grey in range(256)]

    @property
    def bytes(self) -> bytes:
        """Red, green and blue of each."""
        return b"".join(bytes(_rgb(colour)) for colour in self.colours)


def _used(frames: Iterable[Frame]) -> Counter[tuple[str, str]]:
    """Front and ground -> in how many cells; where nothing is written only the ground is used."""
    cells: Counter[tuple[str, str]] = Counter()
    for frame in frames:
        cells[frame.ground, frame.ground] += 1  # around the screen
        for row in frame.rows:
            for run in row:
                front, ground = run.look.front, run.look.ground
                is_blank = run.text.isspace() and not (run.look.underline or run.look.strike)
                cells[ground if is_blank else front, ground] += len(run.text)
    return cells


@cache
def _rgb(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _distance(one: str, other: str) -> int:
    """How different two colours look: the eye sees green best."""
    red, green, blue = (a - b for a, b in zip(_rgb(one), _rgb(other), strict=True))
    return 2 * red * red + 4 * green * green + 3 * blue * blue
