"""The verbs of time: how fast it passes, and the jump to what is due next."""

from collections.abc import Callable
from typing import Any

from .clock import Clock, SimulatedClock, Simulation, SystemClock
from .loop import Loop

SPEED_MAX = 100_000.0


class TimeControl:
    """Makes time pass faster or slower for everything that waits. Where time is real, a running handler keeps to it."""

    def __init__(
        self, clock: Clock, simulation: Simulation | None, loop: Loop, say: Callable[[str, str], object]
    ) -> None:
        self._clock = clock
        self._simulation = simulation
        self._loop = loop
        self._say = say

    async def set_speed(self, speed: float) -> dict[str, Any]:
        """Let `speed` seconds pass in a real one; 0 stops time: {"speed": number}. Raises ValueError."""
        if not isinstance(speed, int | float) or not 0 <= speed <= SPEED_MAX:
            raise ValueError(
                f"speed: {speed!r} is not allowed; use a number from 0 (time stands still) to {SPEED_MAX:g}"
            )
        if isinstance(self._clock, SystemClock):
            self._clock.set_rate(float(speed))
        elif isinstance(self._clock, SimulatedClock):
            self._clock.rate = float(speed)
        self._changed("time stands still" if not speed else f"time runs at {speed:g} times its speed")
        return {"speed": speed}

    async def jump(self) -> dict[str, Any]:
        """Go on from the moment at which something is due next: {"seconds": how many were left out, or None}."""
        now, due = self._clock.now(), self._loop.due_at
        if due is None and self._simulation:
            due = self._simulation.clock.next_ring()
        if due is None:
            return {"seconds": None}
        if self._simulation:
            self._simulation.move_horizon(due)
        elif isinstance(self._clock, SystemClock):
            self._clock.jump_to(due)
        self._changed(f"time jumped {max(0.0, due - now):.1f} s, to what was due next")
        return {"seconds": max(0.0, due - now)}

    def _changed(self, text: str) -> None:
        """Everything that waits looks at the clock again, and monitors get its new rate."""
        self._loop.arrived()
        self._say("info", text)
