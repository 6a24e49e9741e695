"""When a function gets more environments. The rule itself is in `core.scaling`; here are the moments to ask it."""

import asyncio
import math
from typing import Protocol

from ....clock import Timer
from ....core import scaling
from ....core.function import Function
from ..environment import Environment, Owner
from .setting import Setting

_LOOK_AGAIN_AFTER = 0.05  # seconds, where there is no room, or no code to start


class Growing(Owner, Protocol):
    """A pool, as far as its growth is concerned."""

    function: Function
    starting: set[Environment]

    @property
    def live(self) -> int:
        """How many environments are idle or busy."""
        ...

    @property
    def waiting(self) -> int:
        """How many invocations have no environment."""
        ...

    @property
    def waits_for_code(self) -> bool:
        """Must nothing be started now, because nobody knows yet with what code?"""
        ...

    def start(self) -> bool:
        """Start one more; False if that failed."""
        ...


class Growth:
    """Looks from time to time, while work waits, whether it flows, and starts more environments if it does not."""

    def __init__(self, pool: Growing, setting: Setting) -> None:
        self._pool = pool
        self._setting = setting
        self._loop = asyncio.get_running_loop()
        self._next_look: Timer | None = None
        self._looked_at = 0.0  # ticks
        self._finished = 0  # since the last look
        self._grows = False  # at the last look work did not flow
        self._quick_at = -math.inf  # when the last quick invocation ended, in ticks
        self._memory_each = 0  # MB that an environment is known to use

    # --- what the pool tells ------------------------------------------------------------------------------------------

    def arrived(self) -> None:
        """An invocation has come that has to wait."""
        if self._next_look is None or self._pool.function.scaling == "aws":
            self._begin()

    def still_waits(self) -> None:
        """Work waits, and an environment that might have done it has gone."""
        if self._next_look is None:
            self._begin()

    def look_later(self) -> None:
        """There may be work that finds no environment, and no use in starting one at this moment."""
        if self._pool.waiting and self._next_look is None:
            self._look_after(_LOOK_AGAIN_AFTER)

    def first_is_ready(self) -> None:
        """Only now can be seen whether work flows: begin the watch anew."""
        if self._next_look is not None:
            self._next_look.cancel()
            self._finished = 0
            self._look_after(scaling.look_after(1))

    def one_more_is_ready(self) -> None:
        """If work flows no better than at the last look, there is no need to wait for the next."""
        pool = self._pool
        flows = scaling.flows(self._finished, pool.live, self._setting.clock.ticks() - self._looked_at)
        if self._grows and pool.waiting and not flows and not pool.waits_for_code:
            self._start_more()

    def finished(self, took: float, memory: int) -> None:
        """An invocation has ended after so many seconds by its process's clock, in an environment of so many MB."""
        self._finished += 1
        self._memory_each = memory
        if took < scaling.QUICK:
            self._quick_at = self._setting.clock.ticks()

    # --- looking ------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Work has begun to wait: start the very first environment at once, look again in a moment."""
        pool = self._pool
        self._finished = 0
        if pool.function.scaling == "aws" or (not pool.live and not pool.starting):
            self._look()
        elif self._next_look is None:
            self._look_after(scaling.look_after(pool.live))

    def _look_after(self, seconds: float) -> None:
        self._next_look = self._setting.clock.ring(seconds, self._look)

    def _look(self) -> None:
        if self._next_look is not None:
            self._next_look.cancel()
            self._next_look = None
        if not self._pool.waiting or self._setting.stopping:
            return
        if self._pool.waits_for_code:
            self._look_after(_LOOK_AGAIN_AFTER)
            return
        full = self._setting.capacity.room(self._memory_each) == 0
        if full:
            self._setting.make_room(self._pool)
        self._grows = self._start_more() > 0
        self._finished = 0
        self._looked_at = self._setting.clock.ticks()
        if self._next_look is None:
            self._look_after(_LOOK_AGAIN_AFTER if full else scaling.look_after(self._pool.live))

    # --- starting -----------------------------------------------------------------------------------------------------

    def _start_more(self) -> int:
        """Start as many as the rule says; return how many that is."""
        count = self._wanted()
        for _ in range(count):
            if not self._pool.start():
                return count
        if count:
            self._loop.call_soon(self._setting.on_idle, self._pool.function.name)
        return count

    def _wanted(self) -> int:
        pool = self._pool
        room = self._setting.capacity.room(self._memory_each)
        if pool.function.debug_port is not None:
            room = min(room, 1 - pool.live - len(pool.starting))
        if pool.function.scaling == "aws":
            return scaling.growth_as_aws(waiting=pool.waiting, starting=len(pool.starting), room=room)
        now = self._setting.clock.ticks()
        return scaling.growth(
            waiting=pool.waiting,
            live=pool.live,
            starting=len(pool.starting),
            fresh=sum(now - environment.started_at < scaling.FRESH for environment in pool.starting),
            finished=self._finished,
            quick=now - self._quick_at < scaling.QUICK_MEMORY,
            cores=self._setting.capacity.cores,
            room=room,
        )
