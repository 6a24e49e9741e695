"""Which signs are drawn here instead of being looked up in a font: those that must meet, and those that fonts lack."""

from .blocks import block_shape
from .box_lines import line_shape
from .shape import Cell, Shape
from .signs import sign_shape


def drawn_shape(sign: str, cell: Cell, *, bold: bool) -> Shape | None:
    """How a sign is drawn in a cell; None for everything that is a matter of fonts."""
    lines = line_shape(sign, cell) or block_shape(sign, cell)
    return lines or sign_shape(sign, cell, bold=bold)
