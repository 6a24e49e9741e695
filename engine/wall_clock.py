"""Looks whether somebody has set the clock on the wall, or the computer has slept, and says what that means here."""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta

from .clock import elapsed

_LOOK_EVERY = 5.0  # seconds
_MATTERS = 5.0  # seconds: less is the fine adjustment of a clock


class WallClock:
    """Says what has happened to it since it was looked at last."""

    def __init__(self, say: Callable[[str, str], object]) -> None:
        self._say = say
        self._set, self._slept = self._differences()
        self._timer: asyncio.TimerHandle | None = None

    def watch(self) -> None:
        """From now on, every 5 s, until `stop`."""
        self._timer = asyncio.get_running_loop().call_later(_LOOK_EVERY, self._on_timer)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def look(self) -> None:
        """Say what is new."""
        set_before, slept_before = self._set, self._slept
        self._set, self._slept = self._differences()
        forward, slept = self._set - set_before, self._slept - slept_before
        if slept > _MATTERS:
            text = "events have grown older and what was due meanwhile begins now; no handler's timeout has run"
            self._say("warning", f"the computer slept for {_duration(slept)}: {text}")
        if abs(forward) > _MATTERS:
            way = "put forward" if forward > 0 else "put back"
            text = "the engine goes on as if it had not been: nothing is due sooner or later for it"
            self._say("warning", f"the clock was {way} by {_duration(abs(forward))}: {text}")

    def _on_timer(self) -> None:
        self.look()
        self.watch()

    @staticmethod
    def _differences() -> tuple[float, float]:
        """From the time that nobody can set: to the wall clock, and back to the time that stands still in sleep."""
        now = elapsed()
        return time.time() - now, now - time.monotonic()


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
