"""What is done with a recording: played and held still, wound on and back. Each says how it went; none raises."""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, cast

from . import format as f
from .bounds import place
from .link import Link
from .model import Model
from .time_words import speed_words

SPEEDS = (0.25, 1.0, 4.0, 16.0, 64.0, 256.0)
STEP = 10.0  # real seconds of playing that one key leaves out
_NOWHERE = {
    ("change", 1): "nothing more happens in this recording",
    ("change", -1): "nothing happens before this",
    ("failure", 1): "nothing fails after this",
    ("failure", -1): "nothing fails before this",
}

Say = Callable[[str, str], None]


class _Recording(Protocol):
    """What a client of a recording can do besides."""

    async def wind(self, to: str, amount: float, of: str = "") -> dict[str, Any]: ...
    async def set_speed(self, speed: float) -> dict[str, Any]: ...


class Rewind:
    """The verbs. `of` narrows what is looked for to a request, by its id, or to a function."""

    def __init__(self, link: Link, model: Model, say: Say) -> None:
        self._link, self._model, self._say = link, model, say
        self._speed = 1.0  # at which it plays when it plays
        self._one_at_a_time = asyncio.Lock()

    async def play_or_hold(self) -> None:
        """Let its time pass, or stand still."""
        async with self._one_at_a_time:  # a second press goes on from where the first one leads
            await self._at_speed(0.0 if self._model.time.rate else self._speed)

    async def step_speed(self, step: int) -> None:
        """Play faster (1) or slower (-1)."""
        async with self._one_at_a_time:
            now = self._model.time.rate or self._speed
            speeds = SPEEDS if step > 0 else SPEEDS[::-1]
            await self._at_speed(next((speed for speed in speeds if (speed - now) * step > 0), speeds[-1]))

    async def by(self, step: int) -> None:
        """Some seconds on (1) or back (-1): more of them, the faster it plays."""
        await self._wind("by", step * STEP * max(1.0, self._model.time.rate or self._speed))

    async def to_end(self, step: int) -> None:
        """To its end (1) or its beginning (-1)."""
        bounds = self._model.replay
        if bounds is not None:
            await self._wind("moment", bounds.last if step > 0 else bounds.first)

    async def to_part(self, part: float) -> None:
        """So far into it, from 0 to 1."""
        bounds = self._model.replay
        if bounds is not None:
            await self._wind("second", part * bounds.length)

    async def to(self, what: str, step: int, of: str = "") -> str:
        """To the next (1) "change" or "failure", or the one before (-1). Returns the request that it happened to."""
        told = await self._wind(what, step, of)
        if told is None:
            return ""
        if not told["found"]:
            self._say("warning", _NOWHERE[what, step] + (" to it" if of else ""))
            return ""
        return self._say_what_happened(told["happened"])

    def _say_what_happened(self, happened: list[list[str]]) -> str:
        if not happened:
            return ""
        request_id, function, words = (f.clean(str(one)) for one in happened[-1])
        more = f" · {len(happened) - 1} more" if len(happened) > 1 else ""
        level = "error" if words.startswith(("failed", "is dead", "answered with an error")) else "info"
        self._say(level, f.one_line(f"{function} {f.short_id(request_id)} {words}{more}"))
        return request_id

    async def _at_speed(self, speed: float) -> None:
        try:
            rate = float((await self._client().set_speed(speed))["speed"])
        except Exception as error:  # the reader of the status line decides what to do about it
            self._failed(error)
            return
        self._speed = rate or self._speed
        self._model.time.go_at(rate)
        self._say("info", f"plays {speed_words(rate)}" if rate else "held still")

    async def _wind(self, to: str, amount: float, of: str = "") -> dict[str, Any] | None:
        async with self._one_at_a_time:
            try:
                told = await self._client().wind(to, amount, of)
            except Exception as error:
                self._failed(error)
                return None
        bounds = self._model.replay
        self._model.time.go_to(float(told["at"]))
        if bounds is not None and to not in ("change", "failure"):
            self._say("info", f"at {place(float(told['at']) - bounds.first)} of {place(bounds.length)}")
        return told

    def _client(self) -> _Recording:
        if self._link.client is None or self._model.replay is None:
            raise ConnectionError("this is no replay")
        return cast("_Recording", self._link.client)

    def _failed(self, error: Exception) -> None:
        self._say("error", f.clean(str(error) or type(error).__name__))


def position_words(model: Model, *, brief: bool = False) -> str:
    """Where it is and how fast it plays, for the header: "REPLAY 2:13 of 14:02 ▶x4"."""
    bounds = model.replay
    if bounds is None:
        return ""
    where = f"{place(model.time.now() - bounds.first)}{'/' if brief else ' of '}{place(bounds.length)}"
    rate = model.time.rate
    return f"REPLAY {where} {f.RUNNING + speed_words(rate) if rate else 'held' if brief else 'held still'}"
