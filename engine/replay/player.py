"""Plays a recording: lets its time pass, and leaves out stretches in which nothing happens."""

import asyncio
from collections.abc import Awaitable, Callable

from .clock import ReplayClock

_TICK = 0.05  # real seconds between two looks at the clock


class Player:
    """Runs beside whoever looks. `start` it on the event loop."""

    def __init__(
        self,
        clock: ReplayClock,
        go: Callable[[float], Awaitable[bool]],
        next_sign_of_life: Callable[[float], float | None],
        is_quiet: Callable[[], bool],
        idle: float,
    ) -> None:
        """`go` shows a moment, and says whether anything is new there; `is_quiet`: nothing runs.

        What stays so for more than `idle` real seconds is cut short; 0 leaves nothing out.
        """
        self._clock, self._go, self._next, self._is_quiet, self._idle = clock, go, next_sign_of_life, is_quiet, idle
        self._quiet_since = self._shown = clock.first
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._task is None:
            self._task = asyncio.create_task(self._play())

    def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def jumped(self) -> None:
        """Somebody has gone to another moment, and wants to see it for a while."""
        self._quiet_since = self._shown = self._clock.now()

    async def _play(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            if self._clock.rate:
                await self.step()

    async def step(self) -> None:
        """Show what it is now; at the end of the recording, stand still."""
        at = self._clock.now()
        if self._idle and self._is_quiet():
            at = self._beyond_the_gap(at)
        if at >= self._clock.last:
            self._clock.set_rate(0.0)
        if await self._go(at) or not self._is_quiet():
            self._quiet_since = at
        self._shown = at

    def _beyond_the_gap(self, at: float) -> float:
        """Where to go on: a little before what comes next, if that is far off and nothing has happened for as long."""
        lead = self._idle / 2 * self._clock.rate
        coming = self._next(self._shown)  # there may be something that is over already, and was not shown yet
        coming = self._clock.last if coming is None else coming
        if at - self._quiet_since < lead or coming - at <= lead:
            return at
        return self._clock.go_to(coming - lead)
