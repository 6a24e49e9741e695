"""Tapes: a small readable text, a line a step. README, "Tapes", is its description for people.

A line that makes no sense is named with its file and number, and with what was expected there.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from . import steps
from .conditions import parse_condition
from .keys import key_name
from .steps import Action, Step

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_COMMENT = re.compile(r"(^|\s\s)\s*#.*$")  # on a line of its own, or two spaces behind a step
_TIMES = re.compile(r"x(\d{1,4})")
_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_EDIT = re.compile(rf"(\S+)\s+{_QUOTED}\s*->\s*{_QUOTED}")
_WAIT_MAX, _UNTIL_MAX = 60.0, 600.0  # engine seconds, unless a tape says otherwise
_SMALLEST, _LARGEST = (60, 17), (300, 120)
TIMES_MAX = 2_000
THEMES = ("dark", "light", "terminal")


class TapeError(ValueError):
    """A tape cannot be read, or what it says is not so; the text names file and line."""


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
        words = _COMMENT.sub("", line).strip()
        if not words:
            continue
        verb, _, rest = words.partition(" ")
        try:
            if verb in _SETTINGS:
                _set(tape, verb, rest.strip(), path.parent, told)
            else:
                tape.steps.append(Step(number, words, _action(verb, rest.strip())))
        except ValueError as error:
            raise TapeError(f"{path.name}:{number}: {words}\n  {error}") from None
    if not tape.steps:
        raise TapeError(f"{path.name}: nothing happens in this tape; expected steps such as 'key a' or 'pause 2s'")
    return tape


# -- settings ----------------------------------------------------------------------------------------------------------


def _set(tape: Tape, name: str, value: str, folder: Path, told: set[str]) -> None:
    if tape.steps:
        raise ValueError(f"'{name}' is a setting; expected before the first step")
    if name in told:
        raise ValueError(f"'{name}' is set twice; expected once")
    told.add(name)
    _SETTINGS[name](tape, value, folder)


def _title(tape: Tape, value: str, _folder: Path) -> None:
    tape.title = _unquoted(value, "title WORDS")


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
    tape.seed = _whole(value, 0, 2**31, "seed NUMBER")


def _fps(tape: Tape, value: str, _folder: Path) -> None:
    tape.fps = _whole(value, 1, 30, "fps NUMBER, pictures a second from 1 to 30")


def _typing(tape: Tape, value: str, _folder: Path) -> None:
    tape.typing = _duration(value, "typing DURATION, for each letter, as in 90ms")


def _project(tape: Tape, value: str, folder: Path) -> None:
    tape.project = folder / _unquoted(value, "project PATH, of a template, a folder or a .py file")


_SETTINGS: dict[str, Callable[[Tape, str, Path], None]] = {
    "title": _title, "size": _size, "theme": _theme, "seed": _seed, "fps": _fps, "typing": _typing,
    "project": _project,
}  # fmt: skip


# -- steps -------------------------------------------------------------------------------------------------------------


def _action(verb: str, rest: str) -> Action:
    if verb not in _STEPS:
        raise ValueError(f"'{verb}' is no step; expected one of {', '.join((*_SETTINGS, *_STEPS))}")
    return _STEPS[verb](rest)


def _scene(rest: str) -> Action:
    return steps.Scene(_unquoted(rest, "scene TITLE"))


def _caption(rest: str) -> Action:
    return steps.Caption(_unquoted(rest, "") if rest else "")


def _key(rest: str) -> Action:
    usage = "key KEY … [xN], as in: key f e enter"
    names, times = _with_times(rest.split())
    if not names:
        raise ValueError(f"no key; expected {usage}")
    return steps.Press(tuple(map(key_name, names)), times)


def _type(rest: str) -> Action:
    return steps.Type(_unquoted(rest, "type TEXT"))


def _choose(rest: str) -> Action:
    if len(rest.split()) != 1:
        raise ValueError(f"{rest!r} is not one name; expected choose FUNCTION")
    return steps.Choose(rest)


def _wait(rest: str) -> Action:
    condition, at_most, speed = _until(rest, _WAIT_MAX, "wait CONDITION [max DURATION]")
    if speed is not None:
        raise ValueError("'wait' goes on at the speed there is; expected until CONDITION [max DURATION] [speed Nx]")
    return steps.Wait(parse_condition(condition), at_most, 0.0)


def _until_(rest: str) -> Action:
    usage = "until CONDITION [max DURATION] [speed Nx]"
    condition, at_most, speed = _until(rest, _UNTIL_MAX, usage)
    if speed == 0.0:
        raise ValueError(f"time stands still at '0x', and it never comes to that; expected {usage}")
    return steps.Wait(parse_condition(condition), at_most, speed or 0.0)


def _until(rest: str, at_most: float, usage: str) -> tuple[str, float, float | None]:
    """The condition, how long at most, and the speed: None for the one there is."""
    speed = None
    while found := re.search(r'\s+(max|speed)\s+([^\s"]+)$', rest):  # what is quoted belongs to the condition
        rest = rest[: found.start()]
        if found[1] == "max":
            at_most = _duration(found[2], usage)
        else:
            speed = _factor(found[2], usage)
    if not rest:
        raise ValueError(f"no condition; expected {usage}")
    return rest, at_most, speed


def _assert(rest: str) -> Action:
    if not rest:
        raise ValueError("no condition; expected assert CONDITION")
    return steps.Assert(parse_condition(rest))


def _pause(rest: str) -> Action:
    return steps.Pause(_duration(rest, "pause DURATION, as in 1.5s"))


def _speed(rest: str) -> Action:
    return steps.Speed(_factor(rest, "speed Nx, as in 8x"))


def _still(rest: str) -> Action:
    name = _unquoted(rest, "still NAME.svg")
    if Path(name).name != name or Path(name).suffix != ".svg":
        raise ValueError(f"{name!r} is no file name of a picture; expected still NAME.svg")
    return steps.Still(name)


def _send(rest: str) -> Action:
    name, _, payload = rest.partition(" ")
    words = payload.rsplit(maxsplit=1)
    times = 1
    if words and (found := _TIMES.fullmatch(words[-1])):
        times, payload = _whole(found[1], 1, TIMES_MAX, "xN"), " ".join(words[:-1])
    if not name:
        raise ValueError("no function; expected send FUNCTION [JSON] [xN]")
    return steps.Send(name, _json(payload.strip() or "{}"), times)


def _edit(rest: str) -> Action:
    found = _EDIT.fullmatch(rest)
    if found is None:
        raise ValueError('expected edit FILE "what stands there" -> "what is to stand there"')
    return steps.Edit(found[1], _text(found[2]), _text(found[3]))


def _text(quoted: str) -> str:
    """What stands between two quotes."""
    try:
        text: str = json.loads(f'"{quoted}"', strict=False)
    except ValueError:
        raise ValueError(f'"{quoted}" is no text; behind a \\ is expected one of " \\ / n t r uXXXX') from None
    return text


def _alone(action: Action) -> Callable[[str], Action]:
    def parse(rest: str) -> Action:
        if rest:
            raise ValueError(f"{rest!r} is too much; expected nothing behind it")
        return action

    return parse


_STEPS: dict[str, Callable[[str], Action]] = {
    "scene": _scene, "caption": _caption, "key": _key, "type": _type, "choose": _choose, "wait": _wait,
    "until": _until_, "assert": _assert, "pause": _pause, "speed": _speed, "hide": _alone(steps.Hide()),
    "show": _alone(steps.Show()), "still": _still, "send": _send, "edit": _edit,
}  # fmt: skip


# -- words -------------------------------------------------------------------------------------------------------------


def _unquoted(text: str, usage: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if usage and not text:
        raise ValueError(f"nothing there; expected {usage}")
    return text


def _duration(text: str, usage: str) -> float:
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no duration (500ms, 2s, 4m, 6h); expected {usage}")
    return float(found[1]) * _UNITS[found[2]]


def _factor(text: str, usage: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)x", text)
    if found is None or float(found[1]) > 100_000:
        raise ValueError(f"{text!r} is no speed (0x, 1x, 16x); expected {usage}")
    return float(found[1])


def _whole(text: str, least: int, most: int, usage: str) -> int:
    if not text.isdecimal() or not least <= int(text) <= most:
        raise ValueError(f"{text!r} is no whole number from {least} to {most}; expected {usage}")
    return int(text)


def _with_times(words: list[str]) -> tuple[list[str], int]:
    if len(words) > 1 and (found := _TIMES.fullmatch(words[-1])):
        return words[:-1], _whole(found[1], 1, TIMES_MAX, "xN")
    return words, 1


def _json(text: str) -> str:
    try:
        json.loads(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no JSON ({error}); expected send FUNCTION [JSON] [xN]") from None
    return text
