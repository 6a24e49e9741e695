"""The lines of tables and frames, U+2500 to U+257F, so that they meet from cell to cell without a gap.

Each sign says in its Unicode name which arms it has, and of which weight.
"""

import math
import unicodedata
from functools import cache

from .shape import Box, Cell, Point, Shape, Stroke

_DIRECTIONS = {
    "LEFT": "l",
    "RIGHT": "r",
    "UP": "u",
    "DOWN": "d",
    "HORIZONTAL": "lr",
    "VERTICAL": "ud",
}
_LIGHT, _HEAVY, _DOUBLE = 1, 2, 3
_WEIGHTS = {"LIGHT": _LIGHT, "SINGLE": _LIGHT, "HEAVY": _HEAVY, "DOUBLE": _DOUBLE}
_DASHES = {"DOUBLE": 2, "TRIPLE": 3, "QUADRUPLE": 4}
_ARC_STEPS = 12

Arms = dict[str, int]


def line_shape(sign: str, cell: Cell) -> Shape | None:
    """The shape of one of these signs; None for any other."""
    if not "\u2500" <= sign <= "\u257f":
        return None
    words = unicodedata.name(sign).removeprefix("BOX DRAWINGS ").split()
    if "DIAGONAL" in words:
        return _diagonal(words, cell)
    if "DASH" in words:
        return _dashes(words, cell)
    arms = _arms(" ".join(word for word in words if word != "ARC"))
    if "ARC" in words:
        return _arc(arms, cell)
    return Shape(tuple(box for arm in arms for box in _arm(arm, arms, cell)))


@cache
def _arms(name: str) -> Arms:
    """For "DOWN LIGHT AND RIGHT UP HEAVY" the weight of the line to each side. One that is not told again stays."""
    arms: Arms = {}
    weight = _LIGHT
    for group in name.split(" AND "):
        words = group.split()
        weight = next((_WEIGHTS[word] for word in words if word in _WEIGHTS), weight)
        for word in words:
            arms |= dict.fromkeys(_DIRECTIONS.get(word, ""), weight)
    return arms


def _arm(arm: str, arms: Arms, cell: Cell) -> list[Box]:
    """The one or two strips of a line that goes from the middle to one side.

    It is computed for the arm to the right and turned: along the arm, and across it.
    """
    before, after = ("u", "d") if arm in "lr" else ("l", "r")
    if arm in "lu":  # seen from the arm the sides stay where they are; only its direction is turned
        length = cell.middle[0 if arm == "l" else 1] + cell.thin
    else:
        length = (cell.width - cell.middle[0]) if arm == "r" else (cell.height - cell.middle[1])
    through = {"l": "r", "r": "l", "u": "d", "d": "u"}[arm] in arms
    strips = []
    for side, (offset, thickness) in _strips(arms[arm], cell).items():
        near = {"before": (before, after), "after": (after, before), "only": ("", "")}[side]
        start = _start(near, (before, after), arms, cell, through=through)
        strips.append(_placed(arm, start, int(length), offset, thickness, cell))
    return strips


def _strips(weight: int, cell: Cell) -> dict[str, tuple[int, int]]:
    """Which strips a line has: how far before or after the middle, and how thick."""
    if weight == _DOUBLE:
        return {"before": (-cell.thin, cell.thin), "after": (cell.thin, cell.thin)}
    thickness = cell.thin * (2 * weight - 1)
    return {"only": ((cell.thin - thickness) // 2, thickness)}


def _start(near: tuple[str, str], sides: tuple[str, str], arms: Arms, cell: Cell, *, through: bool) -> int:
    """Where a strip begins, from the edge of the middle on: further out at the near strip of a double line on its
    own side, further back at the far one where it goes round a corner."""
    own, other = near
    if own and arms.get(own) == _DOUBLE:
        return cell.thin
    if own and arms.get(own):
        return 0
    if own and arms.get(other) == _DOUBLE:
        return 0 if through else -cell.thin
    if not own and not through:
        doubles = [side for side in sides if arms.get(side) == _DOUBLE]
        return {0: 0, 1: -cell.thin, 2: cell.thin}[len(doubles)]
    return 0


def _placed(arm: str, start: int, length: int, offset: int, thickness: int, cell: Cell) -> Box:
    """A strip turned to where its arm goes."""
    x, y = (int(one) for one in cell.middle)
    if arm == "r":
        return Box(x + start, y + offset, x + length, y + offset + thickness)
    if arm == "d":
        return Box(x + offset, y + start, x + offset + thickness, y + length)
    if arm == "l":
        return Box(0, y + offset, length - start, y + offset + thickness)
    return Box(x + offset, 0, x + offset + thickness, length - start)


def _arc(arms: Arms, cell: Cell) -> Shape:
    """A round corner: a quarter of a circle, and what is left of the longer arm."""
    x, y = (one + cell.thin / 2 for one in cell.middle)
    right, down = "r" in arms, "d" in arms
    radius = min(cell.width - x if right else x, cell.height - y if down else y)
    across, along = (1 if right else -1), (1 if down else -1)
    points: list[Point] = [(x, cell.height if down else 0.0)]
    for step in range(_ARC_STEPS + 1):
        turn = math.pi / 2 * step / _ARC_STEPS
        points.append((x + across * radius * (1 - math.cos(turn)), y + along * radius * (1 - math.sin(turn))))
    points.append((cell.width if right else 0.0, y))
    return Shape(strokes=(Stroke(tuple(points), cell.thin),))


def _dashes(words: list[str], cell: Cell) -> Shape:
    """A broken line: as many pieces as its name says, with half a gap at either end."""
    count = next(_DASHES[word] for word in words if word in _DASHES)
    level = "HORIZONTAL" in words
    offset, thickness = _strips(_HEAVY if "HEAVY" in words else _LIGHT, cell)["only"]
    size = cell.width if level else cell.height
    x, y = (int(one) for one in cell.middle)
    boxes = []
    for at in range(count):
        start, end = round(size * at / count), round(size * (at + 1) / count)
        gap = max(1, round((end - start) * 0.35))
        start += gap // 2
        end -= gap - gap // 2
        if level:
            boxes.append(Box(start, y + offset, end, y + offset + thickness))
        else:
            boxes.append(Box(x + offset, start, x + offset + thickness, end))
    return Shape(tuple(boxes))


def _diagonal(words: list[str], cell: Cell) -> Shape:
    falls: tuple[Point, ...] = ((0, 0), (cell.width, cell.height))
    rises: tuple[Point, ...] = ((0, cell.height), (cell.width, 0))
    lines = {"LEFT": (falls,), "RIGHT": (rises,), "CROSS": (falls, rises)}
    which = "CROSS" if "CROSS" in words else "RIGHT" if words.index("RIGHT") < words.index("LEFT") else "LEFT"
    return Shape(strokes=tuple(Stroke(points, cell.thin) for points in lines[which]))
