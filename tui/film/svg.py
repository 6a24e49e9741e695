"""A picture of the screen as an SVG file that anybody can open. It needs nothing from elsewhere: no font, no host."""

from collections.abc import Iterator
from typing import NamedTuple
from xml.sax.saxutils import escape

from rich.cells import cell_len

from .frame import Frame, Look, Run

CELL, LINE = 8.4, 18
"""Pixels: the width and height of a cell. DejaVu Sans Mono is 0.6 of its size wide."""
_FONT = 14
_FAMILY = "DejaVu Sans Mono, Menlo, Consolas, monospace"


class _Place(NamedTuple):
    """A run, and the row and column at which it begins."""

    row: int
    column: int
    run: Run


def svg(frame: Frame, title: str, shows: str) -> str:
    """The picture as a file. `title` and `shows` are for people: what it is, and what is to be seen in it."""
    places, most = list(_places(frame)), frame.ground
    looks = list(dict.fromkeys(_css(place.run.look) for place in places if place.run.text.strip()))
    width, height = frame.columns * CELL, len(frame.rows) * LINE
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height}" width="{width:g}" height="{height}"'
        f' font-family="{_FAMILY}" font-size="{_FONT}" xml:space="preserve">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(shows)}</desc>",
        f"<style>{''.join(f'.l{at}{{{look}}}' for at, look in enumerate(looks))}</style>",
        f'<rect width="100%" height="100%" fill="{most}"/>',
    ]
    lines += [_ground(place) for place in places if place.run.look.ground != most]
    lines += [_text(place, looks.index(_css(place.run.look))) for place in places if place.run.text.strip()]
    return "\n".join([*lines, "</svg>", ""])


def _places(frame: Frame) -> Iterator[_Place]:
    for number, row in enumerate(frame.rows):
        column = 0
        for run in row:
            yield _Place(number, column, run)
            column += run.width


def _css(look: Look) -> str:
    """The style of the letters; what is behind them is drawn apart."""
    css = f"fill:{look.front}"
    for has, words in (
        (look.bold, "font-weight:bold"),
        (look.italic, "font-style:italic"),
        (look.underline, "text-decoration:underline"),
        (look.strike, "text-decoration:line-through"),
    ):
        css += f";{words}" if has else ""
    return css


def _ground(place: _Place) -> str:
    x, y, width = place.column * CELL, place.row * LINE, place.run.width * CELL
    return f'<rect x="{x:.4g}" y="{y}" width="{width:.4g}" height="{LINE}" fill="{place.run.look.ground}"/>'


def _text(place: _Place, look: int) -> str:
    text = place.run.text.strip(" ")
    column = place.column + len(place.run.text) - len(place.run.text.lstrip(" "))
    long = f' textLength="{cell_len(text) * CELL:.5g}"' if cell_len(text) > 1 else ""
    x, y = column * CELL, place.row * LINE + _FONT
    return f'<text class="l{look}" x="{x:.5g}" y="{y}"{long}>{escape(text)}</text>'
