"""A picture of the screen as an SVG file that anybody can open. It needs nothing from elsewhere: no font, no host."""

from collections.abc import Iterator
from typing import NamedTuple
from xml.sax.saxutils import escape

from .drawn import drawn_shape
from .frame import Frame, Look, Run, between
from .outlines import Outlines
from .shape import Cell

CELL, LINE = 8.4, 18
"""Pixels: the width and height of a cell. DejaVu Sans Mono is 0.6 of its size wide."""
_FONT = 14
_FAMILY = "DejaVu Sans Mono, Menlo, Consolas, monospace"
_FINE = Cell(84, 180, 10)  # tenths of a pixel
_MARGIN, _ROUND, _BAR = 13, 8, 22  # pixels: around the screen, the corners, the height of a title bar


class _Place(NamedTuple):
    """A text in one look, and the row and column at which it begins."""

    row: int
    column: int
    run: Run


def svg(frame: Frame, title: str, shows: str, *, window: bool = False) -> str:
    """The picture as a file. `title` and `shows` are for people: what it is, and what is to be seen in it.

    With `window` it has a bar above it with the title.
    """
    top = _MARGIN + (_BAR if window else 0)
    size = frame.columns * CELL + 2 * _MARGIN, len(frame.rows) * LINE + top + _MARGIN
    texts, paths = _drawn(frame)
    body = [f'<g transform="translate({_MARGIN} {top})">', *paths, *_texts(texts), "</g>"]
    return _file(frame, size, _ROUND, title, shows, [*(_bar(frame, title, size[0]) if window else ()), *body], texts)


def svg_of_letters(frame: Frame, title: str, shows: str) -> str:
    """The same with nothing around the screen, and with every sign as a letter: so pictures can be compared word by
    word. Whether lines meet is up to the font."""
    places = list(_places(frame))
    grounds = [_ground(place) for place in places if place.run.look.ground != frame.ground]
    size = frame.columns * CELL, len(frame.rows) * LINE
    return _file(frame, size, 0, title, shows, [*grounds, *_texts(places)], places)


def _file(
    frame: Frame, size: tuple[float, float], corner: int, title: str, shows: str, body: list[str], texts: list[_Place]
) -> str:
    width, height = size
    corners = f' rx="{corner}"' if corner else ""
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}"'
        f' height="{height:g}" font-family="{_FAMILY}" font-size="{_FONT}" xml:space="preserve">',
        f"<title>{escape(title)}</title>",
        f"<desc>{escape(shows)}</desc>",
        f"<style>{''.join(f'.l{at}{{{look}}}' for at, look in enumerate(_looks(texts)))}</style>",
        f'<rect width="100%" height="100%"{corners} fill="{frame.ground}"/>',
    ]
    return "\n".join([*lines, *body, "</svg>", ""])


def _looks(texts: list[_Place]) -> list[str]:
    """Each way in which letters look, as CSS."""
    return list(dict.fromkeys(_css(place.run.look) for place in texts if place.run.text.strip()))


def _texts(texts: list[_Place]) -> list[str]:
    numbers = {look: number for number, look in enumerate(_looks(texts))}
    return [_text(place, numbers[_css(place.run.look)]) for place in texts if place.run.text.strip()]


def _places(frame: Frame) -> Iterator[_Place]:
    for number, row in enumerate(frame.rows):
        column = 0
        for run in row:
            yield _Place(number, column, run)
            column += run.width


def _drawn(frame: Frame) -> tuple[list[_Place], list[str]]:
    """The texts, and as paths everything that is drawn: grounds, lines and signs."""
    grounds, signs = Outlines(_FINE), Outlines(_FINE)
    texts: list[_Place] = []
    for row, start, run in _places(frame):
        column, pending = start, ""
        for letter, width in run.letters:
            shape = drawn_shape(letter, _FINE, bold=run.look.bold)
            if run.look.ground != frame.ground:
                grounds.fill(row, column, width, run.look.ground, shape)
            if shape is None:
                pending += letter
            else:
                signs.draw(row, column, shape, run.look.front, run.look.ground)
                texts.append(_ended(row, column, pending, run.look))
                pending = ""
            column += width
        texts.append(_ended(row, column, pending, run.look))
    paths = [*grounds.paths(), *signs.paths()]
    return texts, ['<g transform="scale(.1)">', *paths, "</g>"] if paths else []


def _ended(row: int, column: int, text: str, look: Look) -> _Place:
    """A text that ends before this column."""
    run = Run(text, look)
    return _Place(row, column - run.width, run)


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


def _bar(frame: Frame, title: str, width: float) -> list[str]:
    """The title of a window, and its three buttons."""
    is_light = int(frame.ground[1:3], 16) > 127
    pale = between(frame.ground, "#000000" if is_light else "#ffffff", 0.55)
    dots = [f'<circle cx="{18 + 16 * at}" cy="17" r="5" fill="{pale}" fill-opacity=".5"/>' for at in range(3)]
    words = f'<text x="{width / 2:g}" y="21" text-anchor="middle" font-size="12" fill="{pale}">{escape(title)}</text>'
    return [*dots, words]


def _ground(place: _Place) -> str:
    x, y, width = place.column * CELL, place.row * LINE, place.run.width * CELL
    return f'<rect x="{x:.4g}" y="{y}" width="{width:.4g}" height="{LINE}" fill="{place.run.look.ground}"/>'


def _text(place: _Place, look: int) -> str:
    text = place.run.text.strip(" ")
    column = place.column + len(place.run.text) - len(place.run.text.lstrip(" "))
    cells = Run(text, place.run.look).width
    long = f' textLength="{cells * CELL:.5g}"' if cells > 1 else ""
    x, y = column * CELL, place.row * LINE + _FONT
    return f'<text class="l{look}" x="{x:.5g}" y="{y}"{long}>{escape(text)}</text>'
