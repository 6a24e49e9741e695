"""The clock on the wall, or one that runs faster."""

import asyncio
import time
from collections.abc import Callable

from .clock import Timer

_NEVER = 1e7  # seconds: the event loop's timers take no infinity
_ELAPSED = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # without the one the other goes on in sleep


def elapsed() -> float:
    """Seconds from no particular moment on, those in which the computer sleeps included. Nobody can set it."""
    return time.clock_gettime(_ELAPSED)


class SystemClock:
    """Real time, or real time that runs `rate` times faster; 0 stops it.

    It starts at the later of the wall clock and `not_before`, the last engine time on disk: a laptop whose clock was
    put back does not see its retries a day late. From then on it does not care for the wall clock. While the laptop
    sleeps engine time goes on, so that events grow old and retries come due; handler time does not, so that no handler
    times out by it.
    """

    ticks = staticmethod(time.perf_counter)

    def __init__(self, rate: float = 1.0, not_before: float = 0.0) -> None:
        self._rate = rate
        self._start = max(time.time(), not_before)
        self._real_start = elapsed()
        self._jumped = False

    @property
    def mode(self) -> str:
        return "real" if self._rate == 1.0 and not self._jumped else "scaled"

    @property
    def rate(self) -> float:
        return self._rate

    def now(self) -> float:
        return self._start + (elapsed() - self._real_start) * self._rate

    def set_rate(self, rate: float) -> None:
        """From now on. Timers that are set already ring when they would have: set them anew."""
        self._start, self._real_start, self._rate = self.now(), elapsed(), rate

    def jump_to(self, when: float) -> None:
        """Go on from a later moment. Timers: as with `set_rate`."""
        self._jumped = self._jumped or when > self.now()
        self._start, self._real_start = max(self.now(), when), elapsed()

    def ring_at(self, when: float, act: Callable[[], object]) -> Timer:
        seconds = (when - self.now()) / self._rate if self._rate else _NEVER
        return self.ring(min(max(0.0, seconds), _NEVER), act)

    def ring(self, seconds: float, act: Callable[[], object]) -> Timer:
        return asyncio.get_running_loop().call_later(seconds, act)
