"""The screen as pixels. Letters come from a font; lines, blocks and the signs of states are drawn here, so that what
belongs together meets from cell to cell."""

from collections.abc import Callable
from typing import NamedTuple

from .drawn import drawn_shape
from .extra import record_extra
from .frame import Frame, Look, Row, Run
from .letters import Letters
from .shape import Cell, Shape, Stroke
from .signs import hollow

with record_extra():
    from PIL import Image, ImageDraw

_WIDTH, _HEIGHT, _FONT = 9, 20, 15  # pixels of a cell and of the font at scale 1
_FINER = 8  # times finer than a pixel is a stroke drawn before it is made smooth


class Pen:
    """Draws what stands in cells, white on black, each thing once."""

    def __init__(self, scale: int = 1) -> None:
        self.cell = Cell(_WIDTH * scale, _HEIGHT * scale, scale)
        self._letters = Letters(self.cell.width, self.cell.height, _FONT * scale)
        self._drawn: dict[tuple[str, int, bool, bool], Image.Image] = {}

    def draw(self, letter: str, width: int, *, bold: bool, italic: bool) -> "Image.Image":
        """A letter over so many cells: 0 is nothing of it, 255 all."""
        key = (letter, width, bold, italic)
        if key not in self._drawn:
            self._drawn[key] = self._new(*key)
        return self._drawn[key]

    def can_draw(self, letter: str) -> bool:
        """Whether it is more than an empty box."""
        shape = drawn_shape(letter, self.cell, bold=False)
        return shape is not None or self._letters.draw(letter, bold=False, italic=False) is not None

    def _new(self, letter: str, width: int, bold: bool, italic: bool) -> "Image.Image":
        shape = drawn_shape(letter, self.cell, bold=bold)
        drawn = self._letters.draw(letter, bold=bold, italic=italic) if shape is None else None
        if drawn is None:
            return self._mask(shape or hollow(width, self.cell), width)
        if width == 1:
            return drawn
        wide = Image.new("L", (self.cell.width * width, self.cell.height))
        wide.paste(drawn, ((wide.width - drawn.width) // 2, 0))
        return wide

    def _mask(self, shape: Shape, width: int) -> "Image.Image":
        size = self.cell.width * width, self.cell.height
        mask = _strokes(shape.strokes, size)
        draw = ImageDraw.Draw(mask)
        for box in shape.boxes:
            if box.right > box.left and box.bottom > box.top:
                draw.rectangle((box.left, box.top, box.right - 1, box.bottom - 1), fill=box.ink)
        return mask


def _strokes(strokes: tuple[Stroke, ...], size: tuple[int, int]) -> "Image.Image":
    if not strokes:
        return Image.new("L", size)
    fine = Image.new("L", (size[0] * _FINER, size[1] * _FINER))
    draw = ImageDraw.Draw(fine)
    for stroke in strokes:
        width, radius = round(stroke.width * _FINER), stroke.width * _FINER / 2
        points = [(x * _FINER - 0.5, y * _FINER - 0.5) for x, y in stroke.points]
        draw.line(points, 255, width)
        for x, y in points:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return fine.reduce(_FINER)


class Area(NamedTuple):
    """Pixels of a picture, the right and bottom edges outside."""

    left: int
    top: int
    right: int
    bottom: int


Paint = Callable[["Image.Image", Look], "Image.Image"]
"""What is drawn of a letter, 0 to 255, in the colours of its look."""


class Canvas:
    """A picture onto which one frame after another is drawn; only what differs is."""

    def __init__(self, size: tuple[int, int], paint: Paint, blank: str, around: str | int, scale: int = 1) -> None:
        """`size` in columns and rows. `blank` is the kind of pixels as Pillow calls it, `around` the one that is all
        around the screen; `scale` makes every pixel so many pixels wide and high."""
        self.columns, self.rows = size
        self._pen, self._paint = Pen(scale), paint
        width, height, _ = self._pen.cell
        self._margin = width
        pixels = self.columns * width + 2 * self._margin, self.rows * height + 2 * self._margin
        self.image = Image.new(blank, pixels, around)
        self._rows: list[Row] = [()] * self.rows
        self._tiles: dict[tuple[str, int, Look], Image.Image] = {}

    def show(self, frame: Frame) -> Area | None:
        """Draw what has changed. Returns the pixels around that; None if nothing has."""
        changed: list[tuple[int, int, int]] = []
        for y, row in enumerate(_filled(frame, self.columns, self.rows)):
            if row == self._rows[y]:
                continue
            before, now = _cells(self._rows[y]), _cells(row)
            places = [x for x, cell in now.items() if before.get(x) != cell]
            for x in places:
                self._put(x, y, now[x])
            self._rows[y] = row
            if places:
                changed.append((y, min(places), max(x + now[x][1] for x in places)))
        return self._area(changed)

    def _put(self, x: int, y: int, cell: tuple[str, int, Look]) -> None:
        width, height, _ = self._pen.cell
        if cell not in self._tiles:
            self._tiles[cell] = self._tile(*cell)
        self.image.paste(self._tiles[cell], (self._margin + x * width, self._margin + y * height))

    def _tile(self, letter: str, width: int, look: Look) -> "Image.Image":
        mask = self._pen.draw(letter, width, bold=look.bold, italic=look.italic)
        if look.underline or look.strike:
            mask = mask.copy()
            size, thin = self._pen.cell.height, self._pen.cell.thin
            for has, part in ((look.underline, 0.87), (look.strike, 0.55)):
                top = round(size * part)
                ImageDraw.Draw(mask).rectangle((0, top, mask.width, top + thin - 1), fill=255 if has else None)
        return self._paint(mask, look)

    def _area(self, changed: list[tuple[int, int, int]]) -> Area | None:
        if not changed:
            return None
        width, height, _ = self._pen.cell
        rows, starts, ends = zip(*changed, strict=True)
        edges = (min(starts) * width, min(rows) * height, max(ends) * width, (max(rows) + 1) * height)
        return Area(*(edge + self._margin for edge in edges))


def _cells(row: Row) -> dict[int, tuple[str, int, Look]]:
    """Column -> what begins there, over how many cells, in which look."""
    cells: dict[int, tuple[str, int, Look]] = {}
    column = 0
    for run in row:
        for letter, width in run.letters:
            if width:
                cells[column] = (letter, width, run.look)
                column += width
    return cells


def _filled(frame: Frame, columns: int, rows: int) -> tuple[Row, ...]:
    """The lines of a frame on a larger screen, at its top left."""
    if (frame.columns, len(frame.rows)) == (columns, rows):
        return frame.rows
    blank = Look(frame.ground, frame.ground)
    more = columns - frame.columns
    wide = tuple((*row, Run(" " * more, blank)) for row in frame.rows) if more > 0 else frame.rows
    return (*wide, *(((Run(" " * columns, blank),),) * (rows - len(wide))))


def picture(frame: Frame, scale: int = 1) -> "Image.Image":
    """A frame in its true colours."""
    canvas = Canvas((frame.columns, len(frame.rows)), true_colours, "RGB", frame.ground, scale)
    canvas.show(frame)
    return canvas.image


def true_colours(mask: "Image.Image", look: Look) -> "Image.Image":
    """Every shade between the two colours of a look."""
    ground = Image.new("RGB", mask.size, look.ground)
    ground.paste(Image.new("RGB", mask.size, look.front), mask=mask)
    return ground
