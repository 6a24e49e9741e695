"""Shapes of a whole screen as SVG paths, one for each colour. What touches becomes one: no seam at any size."""

from collections import defaultdict
from collections.abc import Iterable

from .frame import between
from .shape import FULL, Box, Cell, Point, Shape, Stroke


class Outlines:
    """Collects what is drawn of each cell."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._boxes: dict[str, list[Box]] = defaultdict(list)
        self._strokes: dict[tuple[str, float], list[Stroke]] = defaultdict(list)

    def fill(self, row: int, column: int, width: int, colour: str, beside: Shape | None = None) -> None:
        """So many cells in one colour. What a bar beside it covers is left out: under it a rim would shine through."""
        left, top = column * self._cell.width, row * self._cell.height
        for part in _rest(Box(0, 0, width * self._cell.width, self._cell.height), beside):
            self._boxes[colour].append(Box(part.left + left, part.top + top, part.right + left, part.bottom + top))

    def draw(self, row: int, column: int, shape: Shape, front: str, ground: str) -> None:
        """A sign in its cell."""
        x, y = column * self._cell.width, row * self._cell.height
        for left, top, right, bottom, ink in shape.boxes:
            moved = Box(left + x, top + y, right + x, bottom + y)
            self._boxes[between(ground, front, ink / FULL)].append(moved)
        for points, width in shape.strokes:
            self._strokes[front, width].append(Stroke(tuple((a + x, b + y) for a, b in points), width))

    def paths(self) -> list[str]:
        """The elements, in the units of the cell."""
        found = [
            f'<path fill="{colour}" d="{"".join(map(_box, _merged(boxes)))}"/>' for colour, boxes in self._boxes.items()
        ]
        for (colour, width), strokes in self._strokes.items():
            ends = 'stroke-linecap="round" stroke-linejoin="round"'
            d = "".join(_stroke(stroke.points) for stroke in strokes)
            found.append(f'<path fill="none" stroke="{colour}" stroke-width="{width:.4g}" {ends} d="{d}"/>')
        return found


def _rest(whole: Box, beside: Shape | None) -> list[Box]:
    """What a bar leaves of its cell; all of it if the sign is no bar."""
    bar = beside.boxes[0] if beside is not None and len(beside.boxes) == 1 and not beside.strokes else None
    if bar is not None and bar.right - bar.left == whole.right:
        parts = [whole._replace(bottom=bar.top), whole._replace(top=bar.bottom)]
    elif bar is not None and bar.bottom - bar.top == whole.bottom:
        parts = [whole._replace(right=bar.left), whole._replace(left=bar.right)]
    else:
        parts = [whole]
    return [part for part in parts if part.right > part.left and part.bottom > part.top]


def _merged(boxes: Iterable[Box]) -> list[Box]:
    """First those that stand side by side, then those one above the other."""
    wide: list[Box] = []
    for box in sorted(set(boxes), key=lambda one: (one.top, one.bottom, one.left)):
        last = wide[-1] if wide else None
        if last and (last.top, last.bottom) == (box.top, box.bottom) and last.right >= box.left:
            wide[-1] = last._replace(right=max(last.right, box.right))
        else:
            wide.append(box)
    high: list[Box] = []
    for box in sorted(wide, key=lambda one: (one.left, one.right, one.top)):
        last = high[-1] if high else None
        if last and (last.left, last.right) == (box.left, box.right) and last.bottom >= box.top:
            high[-1] = last._replace(bottom=max(last.bottom, box.bottom))
        else:
            high.append(box)
    return sorted(high, key=lambda one: (one.top, one.left))


def _box(box: Box) -> str:
    width, height = box.right - box.left, box.bottom - box.top
    return f"M{box.left} {box.top}h{width}v{height}h{-width}z"


def _stroke(points: tuple[Point, ...]) -> str:
    return "M" + "L".join(f"{x:.4g} {y:.4g}" for x, y in points)
