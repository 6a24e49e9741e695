"""The moment by which a process has to have answered."""

from collections.abc import Callable

from ...clock import Clock, Timer


class Deadline:
    """Calls `on_passed` when it is over. To move it costs nothing: a timer that rings too early is set again."""

    __slots__ = ("_at", "_clock", "_on_passed", "_timer")

    def __init__(self, clock: Clock, on_passed: Callable[[], None]) -> None:
        self._clock = clock
        self._on_passed = on_passed
        self._at = 0.0  # in ticks
        self._timer: Timer | None = None

    @property
    def left(self) -> float:
        """Seconds until then."""
        return max(0.0, self._at - self._clock.ticks())

    def set(self, seconds: float) -> None:
        """So many seconds from now. Never less than is left, unless it was cleared: the armed timer would be late."""
        self._at = self._clock.ticks() + seconds
        if self._timer is None:
            self._timer = self._clock.ring(seconds, self._on_timer)

    def clear(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_timer(self) -> None:
        self._timer = None
        if (left := self.left) > 0:
            self._timer = self._clock.ring(left, self._on_timer)
        else:
            self._on_passed()
