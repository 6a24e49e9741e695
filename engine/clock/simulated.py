"""Time that passes only when somebody says so."""

import heapq
import math
from collections.abc import Callable

START = 1_700_000_000.0  # seconds since the epoch: 14 November 2023, 22:13:20 UTC


class SimulatedTimer:
    __slots__ = ("_act",)

    def __init__(self, act: Callable[[], object]) -> None:
        self._act: Callable[[], object] | None = act

    @property
    def is_cancelled(self) -> bool:
        return self._act is None

    def cancel(self) -> None:
        self._act = None

    def ring(self) -> None:
        act, self._act = self._act, None
        if act is not None:
            act()


class SimulatedClock:
    """Stands still between two moments at which something is due. Timers of one moment ring in the order they were set.

    Handler time and engine time are the same here.
    """

    mode = "simulated"

    def __init__(self, start: float = START) -> None:
        self.rate = 0.0  # engine seconds that whoever drives it lets pass in one real second
        self.is_paced = False  # … by itself
        self._start = start
        self._passed = 0.0  # kept apart: durations of a microsecond would be lost in seconds since the epoch
        self._set = 0
        self._timers: list[tuple[float, int, SimulatedTimer]] = []  # a heap
        self.changed: Callable[[], object] = lambda: None  # called when a timer is set

    def now(self) -> float:
        return self._start + self._passed

    def ticks(self) -> float:
        return self._passed

    def ring_at(self, when: float, act: Callable[[], object]) -> SimulatedTimer:
        return self.ring(when - self._start - self._passed, act)

    def ring(self, seconds: float, act: Callable[[], object]) -> SimulatedTimer:
        timer = SimulatedTimer(act)
        if seconds == math.inf:
            return timer
        self._set += 1
        heapq.heappush(self._timers, (self._passed + max(0.0, seconds), self._set, timer))
        self.changed()
        return timer

    def next_ring(self) -> float | None:
        """When the next timer rings, in engine time; None if none is set."""
        while self._timers and self._timers[0][2].is_cancelled:
            heapq.heappop(self._timers)
        return self._start + self._timers[0][0] if self._timers else None

    def ring_next(self) -> None:
        """Go on to the next timer and let it ring. There has to be one."""
        when, _, timer = heapq.heappop(self._timers)
        self._passed = max(self._passed, when)
        timer.ring()

    def advance_to(self, when: float) -> None:
        """Let time pass until then, and everything ring that is due by then."""
        while (due := self.next_ring()) is not None and due <= when:
            self.ring_next()
        self._passed = max(self._passed, when - self._start)
