"""The moment by which a process has to have answered."""

import asyncio
from collections.abc import Callable


class Deadline:
    """Calls `on_passed` when it is over. To move it costs nothing: a timer that rings too early is set again."""

    __slots__ = ("_at", "_loop", "_on_passed", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, on_passed: Callable[[], None]) -> None:
        self._loop = loop
        self._on_passed = on_passed
        self._at = 0.0  # in the loop's time
        self._timer: asyncio.TimerHandle | None = None

    @property
    def left(self) -> float:
        """Seconds until then."""
        return max(0.0, self._at - self._loop.time())

    def set(self, seconds: float) -> None:
        """So many seconds from now. Never less than is left, unless it was cleared: the armed timer would be late."""
        self._at = self._loop.time() + seconds
        if self._timer is None:
            self._timer = self._loop.call_at(self._at, self._on_timer)

    def clear(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_timer(self) -> None:
        self._timer = None
        if self._at > self._loop.time():
            self._timer = self._loop.call_at(self._at, self._on_timer)
        else:
            self._on_passed()
