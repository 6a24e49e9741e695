"""A picture of the screen as an SVG file that anybody can open, and how one picture differs from another.

Compared are words, their places, their attributes, and which of them look alike; not the colours' values, which
belong to Textual's themes.
"""

import os
import re
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from rich.cells import cell_len

from lamtop.tui.app import Lamtop
from lamtop.tui.film.frame import Look, frame_of

FOLDER = Path(__file__).with_name("snapshots")
RENEW = "SNAPSHOTS=renew pytest -n 0 tests/tui/test_snapshots.py"
_CELL, _LINE, _FONT = 8.4, 18, 14  # pixels: DejaVu Sans Mono is 0.6 of its size wide
_FAMILY = "DejaVu Sans Mono, Menlo, Consolas, monospace"
_SVG = "{http://www.w3.org/2000/svg}"


class Run(NamedTuple):
    """Text in one look, at its place."""

    row: int
    column: int
    text: str
    look: str  # CSS of the letters
    ground: str  # colour behind them


def runs_of(app: Lamtop) -> list[Run]:
    """What the top screen shows."""
    found: list[Run] = []
    for number, row in enumerate(frame_of(app).rows):
        column = 0
        for run in row:
            found.append(Run(number, column, run.text, _look(run.look), run.look.ground))
            column += run.width
    return found


def _look(look: Look) -> str:
    """Its CSS."""
    css = f"fill:{look.front}"
    for has, more in (
        (look.bold, "font-weight:bold"),
        (look.dim, "opacity:.6"),
        (look.italic, "font-style:italic"),
        (look.underline, "text-decoration:underline"),
        (look.strike, "text-decoration:line-through"),
    ):
        css += f";{more}" if has else ""
    return css


def svg(app: Lamtop, name: str, shows: str) -> str:
    """The screen as a file without anything from elsewhere. `name` and `shows` are for people."""
    columns, rows = app.size
    runs = runs_of(app)
    grounds = [run.ground for run in runs for _ in run.text]
    most = max(sorted(set(grounds)), key=grounds.count)
    looks = list(dict.fromkeys(run.look for run in runs if run.text.strip()))
    width, height = columns * _CELL, rows * _LINE
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height}" width="{width:g}" height="{height}"'
        f' font-family="{_FAMILY}" font-size="{_FONT}" xml:space="preserve">',
        f"<title>{escape(name)}</title>",
        f"<desc>{escape(shows)}</desc>",
        f"<style>{''.join(f'.l{at}{{{look}}}' for at, look in enumerate(looks))}</style>",
        f'<rect width="100%" height="100%" fill="{most}"/>',
    ]
    lines += [_ground(run) for run in runs if run.ground != most]
    lines += [_text(run, looks.index(run.look)) for run in runs if run.text.strip()]
    return "\n".join([*lines, "</svg>", ""])


def _ground(run: Run) -> str:
    width = cell_len(run.text) * _CELL
    x, y = run.column * _CELL, run.row * _LINE
    return f'<rect x="{x:.4g}" y="{y}" width="{width:.4g}" height="{_LINE}" fill="{run.ground}"/>'


def _text(run: Run, look: int) -> str:
    text = run.text.strip(" ")
    column = run.column + len(run.text) - len(run.text.lstrip(" "))
    long = f' textLength="{cell_len(text) * _CELL:.5g}"' if cell_len(text) > 1 else ""
    x, y = column * _CELL, run.row * _LINE + _FONT
    return f'<text class="l{look}" x="{x:.5g}" y="{y}"{long}>{escape(text)}</text>'


# -- comparing ---------------------------------------------------------------------------------------------------------


class Picture:
    """What can be read in such a file."""

    def __init__(self, text: str) -> None:
        root = ElementTree.fromstring(text)
        css = dict(re.findall(r"\.(l\d+)\{fill:#\w+;?([^}]*)\}", root.findtext(f"{_SVG}style") or ""))
        self.size = (root.get("width"), root.get("height"))
        self.about = (root.findtext(f"{_SVG}title"), root.findtext(f"{_SVG}desc"))
        self.rows: dict[int, list[tuple[int, str, str]]] = {}  # column, text, look
        for one in root.iter(f"{_SVG}text"):
            look = one.get("class", "")
            place = round(float(one.get("x", 0)) / _CELL), one.text or "", f"{look} {css.get(look, '')}"
            self.rows.setdefault(int(one.get("y", 0)) // _LINE, []).append(place)
        self.grounds: dict[int, list[tuple[str | None, str | None]]] = {}
        for one in root.iter(f"{_SVG}rect"):
            self.grounds.setdefault(int(one.get("y", 0)) // _LINE, []).append((one.get("x"), one.get("width")))

    def line(self, row: int) -> str:
        """The words of one line, each in its place."""
        line = ""
        for column, text, _ in self.rows.get(row, ()):
            line = line.ljust(column) + text
        return line

    def look(self, row: int) -> object:
        return self.rows.get(row), self.grounds.get(row)


def difference(stored: str, drawn: str) -> str:
    """Where two pictures begin to differ; "" if they are the same for whoever reads them."""
    before, now = Picture(stored), Picture(drawn)
    if (before.size, before.about) != (now.size, now.about):
        return f"was {before.size} {before.about}, is {now.size} {now.about}"
    rows = sorted({*before.rows, *now.rows, *before.grounds, *now.grounds})
    for row in rows:
        if before.line(row) != now.line(row):
            return f"line {row + 1} was  {before.line(row)}\nline {row + 1} is   {now.line(row)}"
    for row in rows:
        if before.look(row) != now.look(row):
            return f"the words are the same, but line {row + 1} looks different: {now.line(row)}"
    return ""


def file_of(name: str) -> Path:
    return FOLDER / (re.sub(r"\W+", "-", name.lower()).strip("-") + ".svg")


def check(name: str, drawn: str) -> None:
    """Compare with the stored picture, or store this one if the command line says so."""
    path = file_of(name)
    if os.environ.get("SNAPSHOTS") == "renew":
        FOLDER.mkdir(exist_ok=True)
        path.write_text(drawn, encoding="utf-8")
    stored = path.read_text(encoding="utf-8") if path.exists() else None
    assert stored is not None, f"there is no picture of {name!r} yet. To draw it: {RENEW}"
    found = difference(stored, drawn)
    assert not found, f"{path.name} differs:\n{found}\nIf that is right, draw all anew and look at them: {RENEW}"
