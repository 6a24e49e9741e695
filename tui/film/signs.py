"""The signs of states that the font has not: each a few strokes of a pen."""

import math

from .shape import Cell, Point, Shape, Stroke

_Lines = tuple[tuple[Point, ...], ...]
"""Points in parts of the square that a sign fills: (0, 0) is its top left, (1, 1) its bottom right."""


def _circle(start: float, end: float, radius: float = 0.5) -> tuple[Point, ...]:
    """A part of a circle in that square; degrees, clockwise from the right."""
    turns = [math.radians(start + (end - start) * at / 24) for at in range(25)]
    return tuple((0.5 + radius * math.cos(turn), 0.5 + radius * math.sin(turn)) for turn in turns)


_CHECK: _Lines = (((0.02, 0.58), (0.34, 0.94), (0.98, 0.1)),)
_CROSS: _Lines = (((0.08, 0.08), (0.92, 0.92)), ((0.92, 0.08), (0.08, 0.92)))
_RHOMB: _Lines = (((0.5, -0.35), (1.0, 0.5), (0.5, 1.35), (0.0, 0.5), (0.5, -0.35)),)
_SIGNS: dict[str, _Lines] = {
    "✓": _CHECK,
    "✔": _CHECK,
    "✗": _CROSS,
    "✘": _CROSS,
    "‖": (((0.28, -0.2), (0.28, 1.2)), ((0.72, -0.2), (0.72, 1.2))),
    "↯": (((0.66, -0.4), (0.14, 0.52), (0.82, 0.44), (0.36, 1.3)), ((0.22, 0.86), (0.36, 1.3), (0.78, 1.06))),
    "↻": (_circle(60, 300), ((1.0, -0.2), (1.0, 0.24), (0.5, 0.24))),
    "⇒": (((0.0, 0.3), (0.7, 0.3)), ((0.0, 0.7), (0.7, 0.7)), ((0.5, -0.05), (1.0, 0.5), (0.5, 1.05))),
    "○": (_circle(0, 360),),
    "�": (*_RHOMB, ((0.5, 0.1), (0.5, 0.55)), ((0.5, 0.88), (0.5, 0.9))),
}
_THICK = "✔✘"
_MIDDLE = 0.53  # of the cell's height: where the middle of small letters and digits is


def sign_shape(sign: str, cell: Cell, *, bold: bool) -> Shape | None:
    """The shape of one of these signs; None for any other."""
    lines = _SIGNS.get(sign)
    if lines is None:
        return None
    side = cell.width * 0.88
    left, top = (cell.width - side) / 2, cell.height * _MIDDLE - side / 2
    width = cell.width * (0.22 if bold or sign in _THICK else 0.16)
    return Shape(
        strokes=tuple(Stroke(tuple((left + x * side, top + y * side) for x, y in line), width) for line in lines)
    )


def hollow(width: int, cell: Cell) -> Shape:
    """What stands for a character that nobody can draw: an empty box of its width, in cells."""
    right, bottom = cell.width * width - 1.5 * cell.thin, cell.height * 0.8
    left, top = 1.5 * cell.thin, cell.height * 0.22
    return Shape(
        strokes=(Stroke(((left, top), (right, top), (right, bottom), (left, bottom), (left, top)), cell.thin),)
    )
