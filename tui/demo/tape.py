"""Tapes: a small readable text, a line a step. README, "Tapes", is its description for people.

A line that makes no sense is named with its file and number, and with what was expected there.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .grammar import VERBS, parse_action
from .steps import Step
from .words import duration, unquoted, whole

_COMMENT = re.compile(r"(?:^|\s\s)\s*#")  # on a line of its own, or two spaces behind a step
_SMALLEST, _LARGEST = (60, 17), (300, 120)
THEMES = ("dark", "light", "terminal")


class TapeError(ValueError):
    """A tape cannot be read, or what it says is not so: its text names file and line. `screen` is what was seen."""

    def __init__(self, text: str, screen: str = "") -> None:
        super().__init__(text)
        self.screen = screen


@dataclass
class Tape:
    """What is to be played. Without a project: the examples that come with lamtop."""

    file: str
    title: str = ""
    columns: int = 100
    rows: int = 30
    theme: str = "dark"
    seed: int = 1
    fps: int = 12
    typing: float = 0.09  # seconds a letter
    project: Path | None = None
    steps: list[Step] = field(default_factory=list)


def read_tape(path: Path) -> Tape:
    """Read a tape from its file. Raises TapeError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TapeError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return parse_tape(text, path)


def parse_tape(text: str, path: Path) -> Tape:
    """Read a tape. What it names is sought from the folder of `path`. Raises TapeError."""
    tape = Tape(path.name)
    told: set[str] = set()
    for number, line in enumerate(text.splitlines(), 1):
        words = _without_comment(line).strip()
        if not words:
            continue
        verb, _, rest = words.partition(" ")
        try:
            if verb in _SETTINGS:
                _set(tape, verb, rest.strip(), path.parent, told)
            elif verb in VERBS:
                tape.steps.append(Step(number, words, parse_action(verb, rest.strip())))
            else:
                raise ValueError(f"'{verb}' is no step; expected one of {', '.join((*_SETTINGS, *VERBS))}")
        except ValueError as error:
            raise TapeError(f"{path.name}:{number}: {words}\n  {error}") from None
    if not tape.steps:
        raise TapeError(f"{path.name}: nothing happens in this tape; expected steps such as 'key a' or 'pause 2s'")
    return tape


def _without_comment(line: str) -> str:
    """The step alone. In quotes, or in a JSON text, a "#" begins nothing."""
    for found in _COMMENT.finditer(line):
        if line.count('"', 0, found.start()) % 2 == 0:
            return line[: found.start()]
    return line


# -- settings ----------------------------------------------------------------------------------------------------------


def _set(tape: Tape, name: str, value: str, folder: Path, told: set[str]) -> None:
    if tape.steps:
        raise ValueError(f"'{name}' is a setting; expected before the first step")
    if name in told:
        raise ValueError(f"'{name}' is set twice; expected once")
    told.add(name)
    _SETTINGS[name](tape, value, folder)


def _title(tape: Tape, value: str, _folder: Path) -> None:
    tape.title = unquoted(value, "title WORDS")


def _size(tape: Tape, value: str, _folder: Path) -> None:
    tape.columns, tape.rows = parse_size(value)


def parse_size(value: str) -> tuple[int, int]:
    """Columns and rows of "100x30". Raises ValueError."""
    found = re.fullmatch(r"(\d+)x(\d+)", value)
    columns, rows = map(int, found.groups()) if found else (0, 0)
    if not _SMALLEST[0] <= columns <= _LARGEST[0] or not _SMALLEST[1] <= rows <= _LARGEST[1]:
        least, most = (f"{one[0]}x{one[1]}" for one in (_SMALLEST, _LARGEST))
        raise ValueError(f"size {value!r} is not allowed; expected COLUMNSxROWS from {least} to {most}, as in 100x30")
    return columns, rows


def _theme(tape: Tape, value: str, _folder: Path) -> None:
    if value not in THEMES:
        raise ValueError(f"theme {value!r} is unknown; expected {' or '.join(THEMES)}")
    tape.theme = value


def _seed(tape: Tape, value: str, _folder: Path) -> None:
    tape.seed = whole(value, 0, 2**31, "seed NUMBER")


def _fps(tape: Tape, value: str, _folder: Path) -> None:
    tape.fps = whole(value, 1, 30, "fps NUMBER, pictures a second from 1 to 30")


def _typing(tape: Tape, value: str, _folder: Path) -> None:
    tape.typing = duration(value, "typing DURATION, for each letter, as in 90ms")


def _project(tape: Tape, value: str, folder: Path) -> None:
    tape.project = folder / unquoted(value, "project PATH, of a template, a folder or a .py file")


_SETTINGS: dict[str, Callable[[Tape, str, Path], None]] = {
    "title": _title, "size": _size, "theme": _theme, "seed": _seed, "fps": _fps, "typing": _typing,
    "project": _project,
}  # fmt: skip
