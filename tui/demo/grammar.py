"""What a line of a tape means. What makes no sense raises ValueError, with what was expected."""

import json
import re
from collections.abc import Callable
from pathlib import Path

from . import steps
from .conditions import parse_condition
from .keys import key_name
from .steps import Action
from .words import duration, factor, json_text, unquoted, with_times

_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_EDIT = re.compile(rf"(\S+)\s+{_QUOTED}\s*->\s*{_QUOTED}")
_WAIT_MAX, _UNTIL_MAX = 60.0, 600.0  # engine seconds, unless a tape says otherwise


def parse_action(verb: str, rest: str) -> Action:
    """What a line says that begins with one of VERBS."""
    return VERBS[verb](rest)


def _scene(rest: str) -> Action:
    return steps.Scene(unquoted(rest, "scene TITLE"))


def _caption(rest: str) -> Action:
    return steps.Caption(unquoted(rest, "") if rest else "")


def _key(rest: str) -> Action:
    usage = "key KEY … [xN], as in: key f e enter"
    keys, times = with_times(rest)
    if not keys:
        raise ValueError(f"no key; expected {usage}")
    return steps.Press(tuple(map(key_name, keys.split())), times)


def _type(rest: str) -> Action:
    return steps.Type(unquoted(rest, "type TEXT"))


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
            at_most = duration(found[2], usage)
        else:
            speed = factor(found[2], usage)
    if not rest:
        raise ValueError(f"no condition; expected {usage}")
    return rest, at_most, speed


def _assert(rest: str) -> Action:
    if not rest:
        raise ValueError("no condition; expected assert CONDITION")
    return steps.Assert(parse_condition(rest))


def _pause(rest: str) -> Action:
    return steps.Pause(duration(rest, "pause DURATION, as in 1.5s"))


def _speed(rest: str) -> Action:
    return steps.Speed(factor(rest, "speed Nx, as in 8x"))


def _still(rest: str) -> Action:
    name = unquoted(rest, "still NAME.svg")
    if Path(name).name != name or Path(name).suffix != ".svg":
        raise ValueError(f"{name!r} is no file name of a picture; expected still NAME.svg")
    return steps.Still(name)


def _send(rest: str) -> Action:
    said, times = with_times(rest)
    name, _, payload = said.partition(" ")
    if not name:
        raise ValueError("no function; expected send FUNCTION [JSON] [xN]")
    return steps.Send(name, json_text(payload.strip() or "{}"), times)


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


VERBS: dict[str, Callable[[str], Action]] = {
    "scene": _scene, "caption": _caption, "key": _key, "type": _type, "choose": _choose, "wait": _wait,
    "until": _until_, "assert": _assert, "pause": _pause, "speed": _speed, "hide": _alone(steps.Hide()),
    "show": _alone(steps.Show()), "still": _still, "send": _send, "edit": _edit,
}  # fmt: skip
