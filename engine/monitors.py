"""The life rule: an engine that a monitor started ends with the last one."""

import asyncio
from collections.abc import Callable

_ALONE_AT_FIRST = 30.0  # seconds until an engine that a monitor started gives up waiting for it
_ALONE = 2.0  # seconds that such an engine outlives its last monitor


class Monitors:
    """Counts the monitors that look at an engine; `end` is called with the reason when an owned one is left alone."""

    def __init__(self, owned: bool, end: Callable[[str], None]) -> None:
        self.count = 0
        self.ending: asyncio.TimerHandle | None = None  # counts down while nobody looks
        self._owned = owned
        self._end = end

    def expect(self) -> None:
        """The engine runs: whoever started it should come."""
        self._end_in(_ALONE_AT_FIRST, "no monitor came")

    def attached(self) -> None:
        """A monitor has connected."""
        self.count += 1
        if self.ending is not None:
            self.ending.cancel()
            self.ending = None

    def detached(self) -> None:
        """A monitor has gone."""
        self.count -= 1
        if self.count == 0:
            self._end_in(_ALONE, "its last monitor has gone")

    def _end_in(self, seconds: float, why: str) -> None:
        if self._owned:
            self.ending = asyncio.get_running_loop().call_later(seconds, self._end, why)
