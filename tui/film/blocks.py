"""Blocks, bars and shades, U+2580 to U+259F: parts of a cell, exact to the pixel."""

from collections.abc import Sequence

from .shape import FULL, Box, Cell, Shape

_LOWER = "▁▂▃▄▅▆▇█"  # eighths from below
_LEFT = "▏▎▍▌▋▊▉█"  # eighths from the left
_SHADES = "░▒▓"  # quarters of ink; even, for a pattern of dots would shimmer
_QUARTERS = {
    "▖": (2,), "▗": (3,), "▘": (0,), "▙": (0, 2, 3), "▚": (0, 3), "▛": (0, 1, 2), "▜": (0, 1, 3), "▝": (1,),
    "▞": (1, 2), "▟": (1, 2, 3),
}  # fmt: skip


def block_shape(sign: str, cell: Cell) -> Shape | None:
    """The shape of one of these signs; None for any other."""
    width, height = cell.width, cell.height
    if sign in _LOWER:
        return _boxes(Box(0, height - _part(height, _LOWER.index(sign) + 1), width, height))
    if sign in _LEFT:
        return _boxes(Box(0, 0, _part(width, _LEFT.index(sign) + 1), height))
    if sign in _SHADES:
        return _boxes(Box(0, 0, width, height, round(FULL * (_SHADES.index(sign) + 1) / 4)))
    if sign in _QUARTERS:
        return Shape(_quarters(_QUARTERS[sign], cell))
    others = {
        "▀": Box(0, 0, width, height - _part(height, 4)),
        "▐": Box(_part(width, 4), 0, width, height),
        "▔": Box(0, 0, width, _part(height, 1)),
        "▕": Box(width - _part(width, 1), 0, width, height),
    }
    return _boxes(others[sign]) if sign in others else None


def _boxes(*boxes: Box) -> Shape:
    return Shape(boxes)


def _part(size: int, eighths: int) -> int:
    return max(1, round(size * eighths / 8))


def _quarters(which: Sequence[int], cell: Cell) -> tuple[Box, ...]:
    """Quarters by their number: top left, top right, bottom left, bottom right."""
    x, y = _part(cell.width, 4), cell.height - _part(cell.height, 4)
    all_four = (
        Box(0, 0, x, y),
        Box(x, 0, cell.width, y),
        Box(0, y, x, cell.height),
        Box(x, y, cell.width, cell.height),
    )
    return tuple(all_four[one] for one in which)
