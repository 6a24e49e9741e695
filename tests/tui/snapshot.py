"""Stored pictures of the screen, and how one picture differs from another.

Compared are words, their places, their attributes, and which of them look alike; not the colours' values, which
belong to Textual's themes.
"""

import os
import re
from pathlib import Path
from xml.etree import ElementTree

from lamtop.tui.film.svg import CELL, LINE

FOLDER = Path(__file__).with_name("snapshots")
RENEW = "SNAPSHOTS=renew pytest -n 0 tests/tui/test_snapshots.py"
_SVG = "{http://www.w3.org/2000/svg}"


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
            place = round(float(one.get("x", 0)) / CELL), one.text or "", f"{look} {css.get(look, '')}"
            self.rows.setdefault(int(one.get("y", 0)) // LINE, []).append(place)
        self.grounds: dict[int, list[tuple[str | None, str | None]]] = {}
        for one in root.iter(f"{_SVG}rect"):
            self.grounds.setdefault(int(one.get("y", 0)) // LINE, []).append((one.get("x"), one.get("width")))

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
