"""The clock of a recording: it runs as fast as somebody wishes, between the first moment and the last."""

import asyncio
import time
from collections.abc import Callable

from ..clock import Timer


class ReplayClock:
    """Engine time of the recording. `rate` is how many seconds of it pass in a real one; 0 while it stands still."""

    mode = "replay"
    ticks = staticmethod(time.perf_counter)

    def __init__(self, first: float, last: float, real: Callable[[], float]) -> None:
        """It stands at the first moment. `real` is the clock that it goes by, in seconds."""
        self.first, self.last = first, last
        self._real = real
        self._at, self._since, self._rate = first, real(), 0.0

    @property
    def rate(self) -> float:
        return self._rate

    @property
    def is_at_end(self) -> bool:
        return self.now() >= self.last

    def now(self) -> float:
        return min(self.last, self._at + (self._real() - self._since) * self._rate)

    def set_rate(self, rate: float) -> None:
        """From now on."""
        self._at, self._since, self._rate = self.now(), self._real(), rate

    def go_to(self, at: float) -> float:
        """Go on from this moment, or the nearest that there is; which one."""
        self._at, self._since = min(self.last, max(self.first, at)), self._real()
        return self._at

    # -- what every clock can do -------------------------------------------------------------------------------------

    def ring_at(self, when: float, act: Callable[[], object]) -> Timer:
        return self.ring((when - self.now()) / self._rate if self._rate else 1e7, act)

    def ring(self, seconds: float, act: Callable[[], object]) -> Timer:
        return asyncio.get_running_loop().call_later(max(0.0, seconds), act)
