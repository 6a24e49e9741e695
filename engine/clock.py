"""Time as the engine sees it. Everything that waits or stamps asks a clock.

Engine time is in seconds since the epoch and never goes back. It runs at `rate` times real time, so that a wait of two
minutes passes in two seconds at rate 60; a running handler keeps real time.
"""

import time
from typing import Protocol


class Clock(Protocol):
    @property
    def mode(self) -> str:
        """ "real", "scaled" or "simulated"."""
        ...

    @property
    def rate(self) -> float:
        """Engine seconds that pass in one real second."""
        ...

    def now(self) -> float:
        """Engine time, in seconds since the epoch."""
        ...

    def real_seconds_until(self, when: float) -> float:
        """How long to wait, in real seconds, until the engine time `when`."""
        ...


class SystemClock:
    """Real time, or real time that runs `rate` times faster.

    It starts at the later of the wall clock and `not_before`, the last engine time on disk: a laptop whose clock was
    put back does not see its retries a day late.
    """

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

    def real_seconds_until(self, when: float) -> float:
        return (when - self.now()) / self._rate


class SimulatedClock:
    """Time that passes only when somebody says so. For tests and tapes."""

    mode = "simulated"
    rate = 0.0

    def __init__(self, start: float = 1_700_000_000.0) -> None:
        self._now = start

    def now(self) -> float:
        return self._now

    def advance_to(self, when: float) -> None:
        self._now = max(self._now, when)

    def real_seconds_until(self, when: float) -> float:
        return 0.0 if when <= self._now else float("inf")
