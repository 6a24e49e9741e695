"""Frames and films for the tests of what is recorded: short texts in looks that are easily told apart."""

import re

from rich.segment import Segment
from rich.style import Style

from lamtop.tui.film.frame import Frame, Row, row_of
from lamtop.tui.film.reel import Film, Mark, Pressed

WIDTH = 24
OURS = re.compile(r"\x1b\[(\d+;1H|\d+G|[\d;]+m|\?25[lh]|2J)")
"""What a recording may tell a terminal: where to write, in which look, its cursor, and to begin empty."""


def line(*pieces: str | tuple[str, str], width: int = WIDTH) -> Row:
    """A row of the screen: texts, or (text, style); filled up with spaces."""
    segments = [
        Segment(*((piece, Style()) if isinstance(piece, str) else (piece[0], Style.parse(piece[1]))))
        for piece in pieces
    ]
    row = row_of(segments)
    used = sum(run.width for run in row)
    assert used <= width, row
    return row_of([*segments, Segment(" " * (width - used), Style())])


def screen(*rows: str | Row, width: int = WIDTH) -> Frame:
    return Frame(width, tuple(line(row, width=width) if isinstance(row, str) else row for row in rows))


def short_film() -> Film:
    """Two scenes of two seconds, three pictures."""
    film = Film(WIDTH, 3, "a short film")
    film.marks += [Mark(0.0, "send"), Mark(2.0, "fail")]
    film.keys += [Pressed(0.5, "a"), Pressed(2.5, "enter")]
    film.shoot(0.0, screen("Queue 0", "", "0:00"))
    film.shoot(1.0, screen("Queue 1", line(("always-fails", "bold #ff8f8f on #121212")), "0:01"))
    film.shoot(3.0, screen("Queue 0", line(("✗ failed", "#ff8f8f on #121212"), " boom"), "0:03"))
    film.seconds = 4.0
    return film
