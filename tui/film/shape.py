"""What is drawn of a sign that no font is asked for: in pixels from the top left of its cell."""

from typing import NamedTuple

FULL = 255
Point = tuple[float, float]


class Box(NamedTuple):
    """A rectangle of whole pixels, its right and bottom edges outside; `ink` is 0 (nothing) to 255."""

    left: int
    top: int
    right: int
    bottom: int
    ink: int = FULL


class Stroke(NamedTuple):
    """A line with round ends through some points. Its edges are smooth."""

    points: tuple[Point, ...]
    width: float


class Shape(NamedTuple):
    boxes: tuple[Box, ...] = ()
    strokes: tuple[Stroke, ...] = ()


class Cell(NamedTuple):
    """The size of a cell and how thick a light line is, all in pixels."""

    width: int
    height: int
    thin: int

    @property
    def middle(self) -> Point:
        """Left and top of where a light line's crossing is."""
        return (self.width - self.thin) // 2, (self.height - self.thin) // 2
