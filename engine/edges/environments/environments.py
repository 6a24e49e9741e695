"""The execution environments of all functions."""

import asyncio
import contextlib
import os
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from ...clock import Clock, Timer, Turns
from ...core.fault import Fault
from ...core.function import Function
from ...core.invocation import Invocation
from . import failures
from .environment import INIT_MAX, Environment, Owner
from .logs.log import LogSink
from .pool import IDLE_MAX, Pool, Setting
from .processes.capacity import Capacity
from .processes.memory import MemoryWatch, available
from .processes.scratch import Scratch
from .processes.starters import Starters
from .processes.survivors import ProcessList
from .variables import variables

_SWEEP_EVERY = 30.0  # seconds


class Environments:
    """Runs invocations in processes: reuses them, starts more when work waits, ends what is old, idle or in the way.

    Everything happens on the event loop that runs when it is made; nothing here may be called from another thread.
    `processes` is the file that lists the children (see `survivors`), `environ` gives the variables that every
    environment gets, and `on_idle` is called with a function's name whenever more work for it could be claimed. `spawn`
    starts each environment as a program of its own, also where forking is possible; `say` gets what users should know.
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
        spawn: bool = False,
        say: Callable[[str], None] = lambda _: None,
        new_id: Callable[[], str] = lambda: uuid.uuid4().hex,
        turns: Turns | None = None,
        init_fault: Callable[[str], Fault | None] = lambda _: None,
        kill_engine: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._pools: dict[str, Pool] = {}
        self._forgotten: list[Pool] = []
        self._processes = ProcessList(processes)
        self._life, self._alive = os.pipe()  # nobody ever writes: it closes with us, and the children end
        self._starters = Starters(self._loop, self._life, self._processes, say, spawn=spawn)
        self._scratch = Scratch(processes.parent)
        self._memory = MemoryWatch(self._busy)
        self._setting = Setting(
            clock=clock,
            log=log,
            interpreter=interpreter,
            environ=environ,
            on_idle=on_idle,
            on_gone=self._on_gone,
            make_room=self._make_room,
            starters=self._starters,
            scratch=self._scratch,
            watch=self._memory.watch,
            capacity=Capacity(environments_max, available),
            is_being_saved=is_being_saved,
            init_max=init_max,
            new_id=new_id,
            turns=turns,
            init_fault=init_fault,
            kill_engine=kill_engine,
        )
        self.executing = self._setting.executing
        self.cold_starts = self._setting.cold_starts
        self._ended: asyncio.Future[None] | None = None
        self._sweep_timer: Timer | None = None

    # --- invocations --------------------------------------------------------------------------------------------------

    def run(self, invocation: Invocation) -> None:
        """Hand an invocation to an idle environment, or let it wait for one."""
        pool = self._pool(invocation.function)
        if self._sweep_timer is None:
            self._sweep_timer = self._setting.clock.ring(_SWEEP_EVERY, self._sweep)
        pool.run(invocation)
        if self._setting.stopping:
            pool.drop_waiting(failures.lost())

    def cancel(self, request_id: str) -> bool:
        """End a running invocation or drop a waiting one; its outcome is CANCELLED. False if it is not here."""
        return any(pool.cancel(request_id) for pool in (*self._pools.values(), *self._forgotten))

    @property
    def scratch_root(self) -> Path:
        """The folder that holds the temporary folders of all environments."""
        return self._scratch.root

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

    def processes(self, function: str) -> dict[str, tuple[int, str]]:
        """The process id and the version of Python of each environment that is there, by its log stream."""
        pool = self._pools.get(function)
        there = pool.everything() if pool else ()
        return {environment.stream: (environment.pid, environment.python) for environment in there}

    @property
    def pids(self) -> Collection[int]:
        """The process ids of the environments that were started last, some hundred; most of them have ended."""
        return self._starters.pids

    @property
    def interpreter(self) -> str:
        """The program that runs a function which names none of its own."""
        return self._setting.interpreter

    def version(self, function: str) -> int:
        """The version of the code that new invocations run on; it goes up with every reload."""
        return pool.version if (pool := self._pools.get(function)) else 1

    def warm(self, functions: Iterable[Function]) -> None:
        """Prepare for the first environments of these functions, so that they come quickly."""
        for function in functions:
            interpreter = function.python or self._setting.interpreter
            with contextlib.suppress(OSError):  # it will be said when the function is invoked
                self._starters.warm(interpreter, variables(function, "", self._setting.environ(), ""))

    # --- functions come, change and go --------------------------------------------------------------------------------

    async def reload(self, function: Function) -> str | None:
        """Switch to the code and configuration that are there now, if an environment gets ready on them.

        Until then, and if it does not, the old code goes on serving. Returns None, or one line that says what is wrong:
        "Runtime.UserCodeSyntaxError: Syntax error in module 'app': invalid syntax (app.py, line 3)".
        """
        return await self._pool(function).reload(function)

    def start_first(self, function: Function) -> None:
        """Start an environment before there is work for it."""
        self._pool(function).start_first()

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
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
        pools = [*self._pools.values(), *self._forgotten]
        for pool in pools:
            pool.wind_down(failures.lost())
        await self._until_nothing_is_left(grace)
        for pool in pools:
            for environment in pool.everything():
                environment.retire()
        await self._until_nothing_is_left(None)
        self._memory.stop()
        await self._starters.stop()
        self._processes.close()
        self._scratch.close()
        os.close(self._life)
        os.close(self._alive)

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
        pool = self._pools.get(function.name)
        if pool is None:
            pool = self._pools[function.name] = Pool(self._setting, function)
        return pool

    def _busy(self) -> Iterator[Environment]:
        """The environments that run something, init included."""
        for pool in (*self._pools.values(), *self._forgotten):
            yield from (*pool.busy, *pool.starting)

    def _make_room(self, asking: Owner) -> None:
        """All places are taken: end the environment of another function that has been idle longest."""
        idle = [pool for pool in self._pools.values() if pool is not asking and pool.spare > 0]
        if idle:
            pool = min(idle, key=lambda pool: pool.idle[0].idle_since)
            pool.retire(pool.idle.pop(0))

    def _sweep(self) -> None:
        """From time to time while there is anything to sweep: simulated time does not stop for nothing."""
        clock = self._setting.clock
        for pool in self._pools.values():
            pool.sweep(clock.ticks() - IDLE_MAX)
        self._starters.sweep()
        self._sweep_timer = clock.ring(_SWEEP_EVERY, self._sweep) if self._setting.capacity.used else None
