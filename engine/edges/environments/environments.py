"""The execution environments of all functions."""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

from ...clock import Clock
from ...core.function import Function
from ...core.invocation import Invocation
from . import failures
from .capacity import Capacity
from .log import LogSink
from .pool import IDLE_MAX, Pool, Setting
from .process import INIT_MAX
from .survivors import ProcessList

_SWEEP_EVERY = 30.0  # real seconds


class Environments:
    """Runs invocations in processes: reuses them, starts more when work waits, ends what is old, idle or in the way.

    Everything happens on the event loop that runs when it is made; nothing here may be called from another thread.
    `processes` is the file that lists the children (see `survivors`), `environ` gives the variables that every
    environment gets, and `on_idle` is called with a function's name whenever more work for it could be claimed.
    `is_being_saved` says whether a function's files hold something else than the last reload was told of.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        log: LogSink,
        interpreter: str,
        processes: Path,
        environ: Callable[[], dict[str, str]],
        on_idle: Callable[[str], None],
        environments_max: int = 1_000,
        is_being_saved: Callable[[Function], bool] = lambda _: False,
        init_max: float = INIT_MAX,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._pools: dict[str, Pool] = {}
        self._forgotten: list[Pool] = []
        life, self._life = os.pipe()  # nobody ever writes: it closes when this process ends, and so do the children
        self._setting = Setting(
            clock=clock,
            log=log,
            interpreter=interpreter,
            environ=environ,
            on_idle=on_idle,
            on_gone=self._on_gone,
            make_room=self._make_room,
            processes=ProcessList(processes),
            life=life,
            capacity=Capacity(environments_max),
            is_being_saved=is_being_saved,
            init_max=init_max,
        )
        self.executing = self._setting.executing
        self.cold_starts = self._setting.cold_starts
        self._ended: asyncio.Future[None] | None = None
        self._sweep_timer = self._loop.call_later(_SWEEP_EVERY, self._sweep)

    # --- invocations --------------------------------------------------------------------------------------------------

    def run(self, invocation: Invocation) -> None:
        """Hand an invocation to an idle environment, or let it wait for one."""
        pool = self._pools.get(invocation.function.name)
        if pool is None:
            pool = self._pool(invocation.function)
        pool.run(invocation)
        if self._setting.stopping:
            pool.drop_waiting(failures.lost())

    def cancel(self, request_id: str) -> bool:
        """End a running invocation or drop a waiting one; its outcome is CANCELLED. False if it is not here."""
        return any(pool.cancel(request_id) for pool in (*self._pools.values(), *self._forgotten))

    # --- figures ------------------------------------------------------------------------------------------------------

    @property
    def limited_by(self) -> str | None:
        """Which limit keeps the pools from growing; None if none does."""
        return self._setting.capacity.limited_by

    def waiting(self, function: str) -> int:
        """How many invocations wait for an environment."""
        return pool.waiting if (pool := self._pools.get(function)) else 0

    def capacity(self, function: str) -> int:
        """How many environments there are, those in init included; 1 when there is none yet."""
        pool = self._pools.get(function)
        return max(1, pool.live + len(pool.starting)) if pool else 1

    def live(self, function: str) -> int:
        """How many environments are ready: idle or running."""
        return pool.live if (pool := self._pools.get(function)) else 0

    def starting(self, function: str) -> int:
        """How many environments are in init."""
        return len(pool.starting) if (pool := self._pools.get(function)) else 0

    def ran_since(self, function: str, moment: float) -> bool:
        """Has code of this function run at this moment (wall clock) or later?"""
        return pool.ran_since(moment) if (pool := self._pools.get(function)) else False

    def version(self, function: str) -> int:
        """The version of the code that new invocations run on; it goes up with every reload."""
        return pool.version if (pool := self._pools.get(function)) else 1

    # --- functions come, change and go --------------------------------------------------------------------------------

    async def reload(self, function: Function) -> str | None:
        """Switch to the code and configuration that are there now, if an environment gets ready on them.

        Until then, and if it does not, the old code goes on serving. Returns None, or one line that says what is wrong:
        "Runtime.UserCodeSyntaxError: Syntax error in module 'app': invalid syntax (app.py, line 3)".
        """
        return await self._pool(function).reload(function)

    def warm(self, function: Function) -> None:
        """Start an environment before there is work for it."""
        self._pool(function).warm()

    def forget(self, function: str) -> None:
        """The function is no longer configured. Running invocations finish, waiting ones are cancelled."""
        pool = self._pools.pop(function, None)
        if pool is not None:
            self._forgotten.append(pool)
            pool.forget()

    # --- the end ------------------------------------------------------------------------------------------------------

    async def stop(self, grace: float) -> None:
        """Let running invocations go on for up to `grace` seconds, then end and reap everything."""
        if self._setting.stopping:
            return
        self._setting.stopping = True
        self._sweep_timer.cancel()
        pools = [*self._pools.values(), *self._forgotten]
        for pool in pools:
            pool.wind_down(failures.lost())
        await self._until_nothing_is_left(grace)
        for pool in pools:
            for environment in pool.everything():
                environment.retire()
        await self._until_nothing_is_left(None)
        self._setting.processes.close()
        os.close(self._setting.life)
        os.close(self._life)

    async def _until_nothing_is_left(self, seconds: float | None) -> None:
        if self._setting.capacity.used:
            self._ended = self._loop.create_future()
            await asyncio.wait([self._ended], timeout=seconds)

    def _on_gone(self) -> None:
        if self._ended is not None and not self._setting.capacity.used and not self._ended.done():
            self._ended.set_result(None)
        if self._forgotten:
            self._forgotten = [pool for pool in self._forgotten if pool.everything()]

    def _pool(self, function: Function) -> Pool:
        if function.name not in self._pools:
            self._pools[function.name] = Pool(self._setting, function)
        return self._pools[function.name]

    def _make_room(self, asking: Pool) -> None:
        """All places are taken: end the environment of another function that has been idle longest."""
        idle = [pool for pool in self._pools.values() if pool is not asking and pool.spare > 0]
        if idle:
            pool = min(idle, key=lambda pool: pool.idle[0].idle_since)
            pool.retire(pool.idle.pop(0))

    def _sweep(self) -> None:
        for pool in self._pools.values():
            pool.sweep(time.monotonic() - IDLE_MAX)
        self._sweep_timer = self._loop.call_later(_SWEEP_EVERY, self._sweep)
