"""Time as the engine sees it. Everything that waits or stamps asks a clock.

There are two times. Engine time is in seconds since the epoch and never goes back; events are due in it, and everything
is stamped with it. Handler time is what a handler measures: the same when time is real or simulated, but while engine
time runs faster, so that a wait of two minutes passes in two seconds, a running handler keeps real time.
"""

from collections.abc import Callable
from typing import Protocol


class Timer(Protocol):
    """Rings once, unless it is cancelled before."""

    def cancel(self) -> None: ...


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

    def ring_at(self, when: float, act: Callable[[], object]) -> Timer:
        """Call `act` on the event loop at this engine time."""
        ...

    def ticks(self) -> float:
        """Handler time in seconds, from no particular moment on: for durations."""
        ...

    def ring(self, seconds: float, act: Callable[[], object]) -> Timer:
        """Call `act` on the event loop after so many seconds of handler time."""
        ...
