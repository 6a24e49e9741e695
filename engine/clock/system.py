"""The clock on the wall, or one that runs faster."""

import asyncio
import time
from collections.abc import Callable

from .clock import Timer


class SystemClock:
    """Real time, or real time that runs `rate` times faster.

    It starts at the later of the wall clock and `not_before`, the last engine time on disk: a laptop whose clock was
    put back does not see its retries a day late.
    """

    ticks = staticmethod(time.perf_counter)

    def __init__(self, rate: float = 1.0, not_before: float = 0.0) -> None:
        self._rate = rate
        self._start = max(time.time(), not_before)
        self._real_start = time.monotonic()

    @property
    def mode(self) -> str:
        return "real" if self._rate == 1.0 else "scaled"

    @property
    def rate(self) -> float:
        return self._rate

    def now(self) -> float:
        return self._start + (time.monotonic() - self._real_start) * self._rate

    def ring_at(self, when: float, act: Callable[[], object]) -> Timer:
        return self.ring(max(0.0, (when - self.now()) / self._rate), act)

    def ring(self, seconds: float, act: Callable[[], object]) -> Timer:
        return asyncio.get_running_loop().call_later(seconds, act)
