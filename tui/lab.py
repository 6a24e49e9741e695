"""What is done on purpose: faults armed and cleared, time made faster or slower or skipped. Each says how it went."""

import asyncio
from collections.abc import Callable
from typing import Any

from . import format as f
from .fault_draft import FaultDraft
from .keymap import key_for
from .link import Client, Link
from .model import Model
from .sentences import speed_of
from .time_words import next_speed, speed_words

Say = Callable[[str, str], None]


class Lab:
    """The verbs. None raises."""

    def __init__(self, link: Link, model: Model, say: Say) -> None:
        self.draft = FaultDraft()  # as the panel was left
        self._link, self._model, self._say = link, model, say
        self._last = ""  # the newest fault's sentence …
        self._number: int | None = None  # … and its number
        self._one_at_a_time = asyncio.Lock()

    async def arm(self, sentence: str) -> str:
        """Arm what a sentence says. Returns what is wrong with it; "" if it is armed."""
        try:
            answer = f.clean_deep(await self._client().arm(sentence))
        except Exception as error:  # the reader of the status line decides what to do about it
            self._failed("not armed", error)
            return _words(error)
        self._last, self._number = sentence, int(answer["number"])
        self._say("info", f"armed: {answer['sentence']} · {key_for('fault.clear_all')} clears all")
        return ""

    async def clear(self, number: int | None = None) -> None:
        """Disarm one fault, or all."""
        try:
            answer = await self._client().disarm(number)
        except Exception as error:
            self._failed("not cleared", error)
            return
        cleared = int(answer["cleared"])
        if cleared:
            self._say("info", f"cleared {f.counted(cleared, 'fault')}")
        else:
            self._say("warning", "no fault is armed" if number is None else f"fault {number} is not armed any more")

    async def again(self) -> None:
        """Arm the last fault again; clear it while it is armed."""
        armed = self._model.faults
        if not self._last and armed:
            self._last, self._number = str(armed[-1]["sentence"]), int(armed[-1]["number"])
        if any(fault["number"] == self._number for fault in armed):
            await self.clear(self._number)
        elif self._last:
            await self.arm(self._last)
        else:
            self._say("warning", f"no fault was armed yet; {key_for('fault.panel')} arms one")

    async def do(self, sentence: str) -> None:
        """What a sentence says: "fault orders timeout", "fault clear 2", "speed 16", "jump"."""
        verb, _, rest = sentence.strip().partition(" ")
        words = rest.split()
        if verb == "jump":
            await self.jump()
        elif verb == "speed":
            await self.set_speed(speed_of(rest) or 0.0)
        elif words[:1] == ["clear"]:
            await self.clear(int(words[1]) if words[1:] and words[1].isdigit() else None)
        else:
            await self.arm(rest.strip())

    async def step_speed(self, step: int) -> None:
        """Time faster (1) or slower (-1)."""
        async with self._one_at_a_time:  # a second press goes on from where the first one leads
            await self._set_speed(next_speed(self._model.time.rate, step))

    async def set_speed(self, speed: float) -> None:
        async with self._one_at_a_time:
            await self._set_speed(speed)

    async def _set_speed(self, speed: float) -> None:
        try:
            rate = float((await self._client().set_speed(speed))["speed"])
        except Exception as error:
            self._failed("time goes on as it did", error)
            return
        self._model.time.go_at(rate)
        if rate:
            self._say("info", f"time {speed_words(rate)}" + (": as on the wall" if rate == 1 else ""))
        else:
            self._say("warning", f"time stands still; {key_for('time.jump')} steps, {key_for('time.faster')} goes on")

    async def jump(self) -> None:
        """Go on from what is due next."""
        try:
            seconds = (await self._client().jump())["seconds"]
        except Exception as error:
            self._failed("time did not jump", error)
            return
        if seconds is None:
            self._say("warning", "nothing is due: no retry and no throttled event waits for its time")
        else:
            self._say("info", f"left out {f.span(float(seconds))}, to what was due next")

    def _client(self) -> Client:
        if self._link.client is None:
            raise ConnectionError("no engine is connected")
        return self._link.client

    def _failed(self, what: str, error: Exception) -> None:
        self._say("error", f"{what}: {_words(error)}")


def _words(error: Any) -> str:
    return f.clean(str(error) or type(error).__name__)
