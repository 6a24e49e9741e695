"""A page of log lines none of which is cut: long ones go on in the rows below."""

from dataclasses import dataclass

from .. import format as f
from ..loglines import LogLine


@dataclass(frozen=True)
class Piece:
    """One row: which line, the how many-th row of it, and its text. The first row has the line's head in front."""

    at: int
    part: int
    text: str


def unrolled(lines: list[LogLine], top: int, cursor: int, page: int, width: int) -> list[Piece]:
    """The rows of a page, `width` cells wide: line `top` and what comes after it; or, where the line under the cursor
    would not be wholly there, that line and what comes before it."""
    down: list[Piece] = []
    at = top
    while len(down) < page and at < len(lines):
        down += _pieces(lines[at], at, width)
        at += 1
    is_there = top <= cursor < at and (len(down) <= page or down[page - 1].at > cursor)
    return down[:page] if is_there or not lines else _up(lines, min(cursor, len(lines) - 1), page, width)


def _up(lines: list[LogLine], cursor: int, page: int, width: int) -> list[Piece]:
    rows = _pieces(lines[cursor], cursor, width)[:page]
    at = cursor - 1
    while len(rows) < page and at >= 0:
        rows = _pieces(lines[at], at, width) + rows
        at -= 1
    return rows[-page:]


def _pieces(line: LogLine, at: int, width: int) -> list[Piece]:
    return [Piece(at, part, text) for part, text in enumerate(f.wrap(line.text, max(10, width)) or [""])]
