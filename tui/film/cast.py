"""A film as an asciicast (version 2): a file of lines that every terminal player knows, each with its time.

The same film is always the same bytes: the time of day is not in it.
"""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn, TextIO

from rich.terminal_theme import SVG_EXPORT_THEME

from ..format import clean_line
from .emulator import Emulator
from .frame import Frame, Look, Row
from .reel import Film, FilmError, Mark, Pressed

_FRONT, _GROUND = SVG_EXPORT_THEME.foreground_color.hex, SVG_EXPORT_THEME.background_color.hex
_PALETTE = ":".join(SVG_EXPORT_THEME.ansi_colors[at].hex for at in range(16))
_PLAIN, _HIDDEN, _SHOWN = "\x1b[0m", "\x1b[?25l\x1b[2J", "\x1b[?25h"
_SURE = re.compile(
    "[\x20-\x7e\xa1-\u02ff\u2010-\u2027\u2030-\u205e\u20a0-\u20c0\u2100-\u22ff\u2400-\u25fc\u2713-\u2718\ufffd]+"
)
"""Letters of one cell in every terminal. What comes after others is put into its place."""
_LARGEST = 1000  # columns or rows


class CastWriter:
    """Writes a film while it happens: each line is complete as soon as it is written.

    A line of the screen is written when it has changed, as a whole; nothing but what is written here steers a terminal.
    """

    def __init__(
        self, file: TextIO, columns: int, rows: int, title: str, front: str = _FRONT, ground: str = _GROUND
    ) -> None:
        """`front` and `ground` are the colours of a player around the picture, "#rrggbb"."""
        self._file = file
        self._before: tuple[Row, ...] | None = None  # None: nothing is on the screen yet
        theme = {"fg": front, "bg": ground, "palette": _PALETTE}
        head = {"version": 2, "width": columns, "height": rows, "title": clean_line(title)}
        self._line(json.dumps({**head, "env": {"TERM": "xterm-256color"}, "theme": theme}))

    def shot(self, at: float, frame: Frame) -> None:
        """The screen looks so now. Nothing is written if it did before."""
        written = "" if self._before is not None else _HIDDEN
        before = self._before or ()
        for y, row in enumerate(frame.rows):
            if y >= len(before) or before[y] != row:
                written += f"\x1b[{y + 1};1H{_row(row)}"
        self._before = frame.rows
        if written:
            self._event(at, "o", written)

    def mark(self, at: float, label: str) -> None:
        """A scene begins."""
        self._event(at, "m", clean_line(label))

    def key(self, at: float, text: str) -> None:
        """Somebody pressed this."""
        self._event(at, "i", clean_line(text))

    def resized(self, at: float, columns: int, rows: int) -> None:
        """The terminal has another size; the next shot is of that."""
        self._before = None
        self._event(at, "r", f"{columns}x{rows}")

    def end(self, at: float) -> None:
        """The last shot stood until now. A terminal in which the film was played has its cursor back."""
        self._event(at, "o", f"{_PLAIN}{_SHOWN}")

    def _event(self, at: float, kind: str, data: str) -> None:
        self._line(f'[{at:.3f}, "{kind}", {json.dumps(data, ensure_ascii=False)}]')

    def _line(self, text: str) -> None:
        self._file.write(f"{text}\n")


def _row(row: Row) -> str:
    """A line of the screen, from its first cell on: it needs nothing of what is there, and leaves no look behind."""
    written, column = "", 1
    for run in row:
        written += _sgr(run.look)
        if _SURE.fullmatch(run.text):
            written += run.text
            column += len(run.text)
            continue
        for letter, width in run.letters:
            column += width
            written += letter if _SURE.fullmatch(letter) else f"{letter}\x1b[{column}G"
    return f"{_PLAIN}{written}{_PLAIN}"


def _sgr(look: Look) -> str:
    marks = zip((look.bold, look.italic, look.underline, look.strike), ("1;", "3;", "4;", "9;"), strict=True)
    codes = "".join(code for has, code in marks if has)
    return f"\x1b[0;{codes}38;2;{_numbers(look.front)};48;2;{_numbers(look.ground)}m"


def _numbers(colour: str) -> str:
    return ";".join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))


def write_cast(film: Film, path: Path) -> None:
    """The film as a file; one that is there is replaced."""
    happened: list[tuple[float, int, Any]] = [(mark.at, 0, mark) for mark in film.marks]
    happened += [(key.at, 1, key) for key in film.keys]
    happened += [(shot.at, 2, shot) for shot in film.shots]
    happened.sort(key=lambda one: one[:2])
    size = (film.columns, film.rows)
    ground = film.shots[0].frame.ground if film.shots else _GROUND
    with path.open("w", encoding="utf-8", newline="\n") as file:
        writer = CastWriter(file, *size, film.title, ground=ground)
        for at, _, one in happened:
            if isinstance(one, Mark):
                writer.mark(at, one.label)
            elif isinstance(one, Pressed):
                writer.key(at, one.text)
            else:
                if size != (now := (one.frame.columns, len(one.frame.rows))):
                    writer.resized(at, *now)
                    size = now
                writer.shot(at, one.frame)
        writer.end(film.seconds)


# -- reading -----------------------------------------------------------------------------------------------------------


def read_cast(path: Path) -> Film:
    """A film from its file, whoever recorded it. A recorder that was killed may have left its last line half done.

    FilmError names the line that is not as it should be.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FilmError(f"{path} cannot be read: {error}") from error
    lines = text.split("\n")
    last = lines.pop()
    if not lines:
        lines = [last]
    return _Reader(path).read(lines)


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path, self._number = path, 1

    def read(self, lines: list[str]) -> Film:
        head = self._head(lines[0])
        size = self._size(head.get("width"), head.get("height"))
        theme = head.get("theme") if isinstance(head.get("theme"), dict) else {}
        terminal = Emulator(*size, _colour(theme, "fg", _FRONT), _colour(theme, "bg", _GROUND))
        film = Film(*size, clean_line(str(head.get("title") or "")))
        for at, kind, data in self._events(lines):
            film.seconds = max(film.seconds, at)
            if kind == "m":
                film.marks.append(Mark(at, clean_line(data)))
            elif kind == "i":
                film.keys.append(Pressed(at, clean_line(data)))
            elif kind == "r":
                terminal.resize(*self._size(*data.split("x")[:2]))
            elif kind == "o":
                self._feed(terminal, data)
                film.shoot(film.seconds, terminal.frame())
        return film

    def _head(self, line: str) -> dict[str, Any]:
        head = self._json(line)
        if not isinstance(head, dict) or "version" not in head:
            self._wrong("is not the head of an asciicast: is this another kind of file?")
        if head["version"] != 2:
            again = "asciinema 3 makes one of it: asciinema convert -f asciicast-v2 OLD NEW"
            self._wrong(f"is asciicast version {head['version']}, and only version 2 is read. {again}")
        return head

    def _events(self, lines: list[str]) -> Iterator[tuple[float, str, str]]:
        for self._number, line in enumerate(lines[1:], 2):
            if not line.strip():
                continue
            event = self._json(line)
            if not isinstance(event, list) or len(event) != 3 or not all(isinstance(one, str) for one in event[1:]):
                self._wrong("is not an event: [seconds, kind, text]")
            at = event[0]
            if not isinstance(at, int | float) or not math.isfinite(at) or at < 0:
                self._wrong(f"has no time in seconds but {at!r}")
            yield at, event[1], event[2]

    def _json(self, line: str) -> Any:
        try:
            return json.loads(line)
        except ValueError as error:
            if self._number == 1 and line.lstrip().startswith("{"):
                self._wrong("is no JSON alone: asciicast version 1 is one object over many lines. Record it anew")
            self._wrong(f"is no JSON: {error}")

    def _size(self, columns: Any, rows: Any = 0) -> tuple[int, int]:
        try:
            size = int(columns), int(rows)
        except (TypeError, ValueError):
            size = 0, 0
        if not all(0 < one <= _LARGEST for one in size):
            self._wrong(f"has no size of a terminal but {columns!r} and {rows!r}")
        return size

    def _feed(self, terminal: Emulator, data: str) -> None:
        try:
            terminal.feed(data)
        except Exception as error:  # the emulator fails in its own ways on what it does not know
            self._wrong(f"has output that cannot be shown: {error}")

    def _wrong(self, what: str) -> NoReturn:
        mend = ". Cut the file off before this line to keep what is good" if self._number > 1 else ""
        raise FilmError(f"{self._path}, line {self._number} {what}{mend}")


def _colour(theme: Any, name: str, otherwise: str) -> str:
    told = theme.get(name)
    return told.lower() if isinstance(told, str) and re.fullmatch("#[0-9a-fA-F]{6}", told) else otherwise
