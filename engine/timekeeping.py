"""Which clock an engine has, and who lets its time pass."""

import asyncio
from collections.abc import Callable

from .clock import START, Clock, SimulatedClock, Simulation, SystemClock
from .settings import Settings


class Timekeeping:
    """Real, scaled or simulated time; never earlier than the last moment that is on disk."""

    def __init__(self, settings: Settings, before: float, speed: float, rests: Callable[[], bool]) -> None:
        """`before` is that moment, `rests` says whether the engine has nothing to do."""
        self.simulation: Simulation | None = None
        self._paced_at = speed if settings.paced else None
        self._tasks: list[asyncio.Task[None]] = []
        if settings.simulate is None:
            self.clock: Clock = SystemClock(speed, not_before=before)
        else:
            clock = SimulatedClock(max(START, before))
            self.clock, self.simulation = clock, Simulation(clock, rests)

    def start(self) -> None:
        """Simulated time passes from here on, if it passes by itself or somebody says so."""
        if self.simulation is None:
            return
        self._tasks = [asyncio.create_task(self.simulation.run())]
        if self._paced_at is not None:
            self.simulation.clock.rate = self._paced_at
            self._tasks.append(asyncio.create_task(self.simulation.pace()))

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()

    def callers_wait(self, more: int) -> None:
        """So many more synchronous callers, who are no handlers, wait for an answer; -1 when one has got it."""
        if self.simulation is not None:
            self.simulation.callers_wait(more)

    @property
    def answered(self) -> Callable[[], None] | None:
        """What wants to know of each answer that the engine gives, if anything does."""
        return self.simulation.answered if self.simulation else None
