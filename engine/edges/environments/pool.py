"""The environments of one function: which one takes the next invocation, and when there are more or fewer of them."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from ...clock import Clock
from ...core import scaling
from ...core.event import Outcome
from ...core.function import Function
from ...core.invocation import Invocation
from . import failures
from .capacity import Capacity
from .failures import Failure
from .process import Environment, LogSink, is_shortage
from .survivors import ProcessList

IDLE_MAX = 600.0  # real seconds until an idle environment is retired
_LOOK_AGAIN_WHEN_FULL = 0.05  # seconds


@dataclass(slots=True, eq=False)
class Setting:
    """What the pools of all functions share."""

    clock: Clock
    log: LogSink
    interpreter: str
    environ: Callable[[], dict[str, str]]
    on_idle: Callable[[str], None]
    on_gone: Callable[[], None]
    make_room: Callable[["Pool"], None]
    processes: ProcessList
    life: int
    capacity: Capacity
    executing: dict[str, Invocation] = field(default_factory=dict)
    cold_starts: dict[str, int] = field(default_factory=dict)
    stopping: bool = False


class Pool:
    """The environments of one function, and the invocations that wait for one."""

    def __init__(self, setting: Setting, function: Function) -> None:
        self.function = function
        self.version = 1
        self.idle: list[Environment] = []  # the one used last is at the end, and is taken first
        self.busy: set[Environment] = set()
        self.starting: set[Environment] = set()
        self.ending: set[Environment] = set()  # killed, not yet reaped
        self.forgotten = False
        self._setting = setting
        self._loop = asyncio.get_running_loop()
        self._synchronous: deque[Invocation] = deque()
        self._events: deque[Invocation] = deque()
        self._admitted: set[Invocation] = set()  # may_start was asked, but the environment turned out to be dead
        self._finished = 0  # since the last look
        self._quick_at = -math.inf  # when the last quick invocation ended, in monotonic seconds
        self._look: asyncio.TimerHandle | None = None
        self._code_is_bad = False
        self._candidates: dict[Environment, asyncio.Future[str | None]] = {}
        self._reloading = asyncio.Lock()

    @property
    def waiting(self) -> int:
        return len(self._synchronous) + len(self._events)

    @property
    def live(self) -> int:
        return len(self.idle) + len(self.busy)

    def everything(self) -> set[Environment]:
        """Every process of this pool, in whatever state."""
        return {*self.idle, *self.busy, *self.starting, *self.ending, *self._candidates}

    # --- invocations --------------------------------------------------------------------------------------------------

    def run(self, invocation: Invocation) -> None:
        """Hand over to an idle environment, or let it wait."""
        if self.idle and not self.waiting:
            if invocation.may_start():
                self._hand_over(invocation, self.idle.pop())
            return
        (self._events if invocation.kind == "event" else self._synchronous).append(invocation)
        if self._look is None:
            self._look_now()

    def cancel(self, request_id: str) -> bool:
        """End a running invocation, or drop a waiting one. False if there is none of that id."""
        for environment in self.busy:
            if environment.invocation is not None and environment.invocation.request_id == request_id:
                environment.condemn(failures.cancelled())
                return True
        for queue in (self._synchronous, self._events):
            for invocation in queue:
                if invocation.request_id == request_id:
                    queue.remove(invocation)
                    self._drop(invocation, failures.cancelled())
                    return True
        return False

    def drop_waiting(self, failure: Failure) -> None:
        """End everything that waits."""
        while self.waiting:
            self._drop((self._synchronous or self._events).popleft(), failure)

    def _drop(self, invocation: Invocation, failure: Failure) -> None:
        self._admitted.discard(invocation)
        now = self._setting.clock.now()
        payload, next_line = failure.as_json(), self._setting.log.next_number
        invocation.done(
            Outcome(
                failure.ended,
                payload,
                failure.type or None,
                failure.message,
                now,
                now,
                first_line=next_line,
                last_line=next_line - 1,
            )
        )

    def _next(self) -> Invocation | None:
        """The first that waits and still may start."""
        while self._synchronous or self._events:
            invocation = (self._synchronous or self._events).popleft()
            if invocation in self._admitted:
                self._admitted.discard(invocation)
                return invocation
            if invocation.may_start():
                return invocation
        return None

    def _hand_over(self, invocation: Invocation, environment: Environment) -> None:
        if environment.invoke(invocation):
            self.busy.add(environment)
            self._setting.executing[invocation.request_id] = invocation
            return
        self.ending.add(environment)  # it died a moment ago; nobody has told us yet
        environment.usable = False
        self._admitted.add(invocation)
        (self._events if invocation.kind == "event" else self._synchronous).appendleft(invocation)
        if self.idle:
            self._give_work(self.idle.pop())
        elif self._look is None:
            self._look_now()

    def _give_work(self, environment: Environment) -> None:
        invocation = self._next()
        if invocation is not None:
            self._hand_over(invocation, environment)
            return
        environment.idle_since = time.monotonic()
        self.idle.append(environment)

    # --- what environments tell ---------------------------------------------------------------------------------------

    def ready(self, environment: Environment) -> None:
        self.starting.discard(environment)
        if not self.live and self._look is not None:  # only now can be seen whether work flows
            self._look.cancel()
            self._finished = 0
            self._look = self._loop.call_later(scaling.look_after(1), self._grow)
        candidate = self._candidates.pop(environment, None)
        if candidate is not None:
            self._switch_to(environment)
            if not candidate.done():
                candidate.set_result(None)
        self._settle(environment)

    def finished(self, environment: Environment, invocation: Invocation, outcome: Outcome) -> None:
        del self._setting.executing[invocation.request_id]
        self.busy.discard(environment)
        self._finished += 1
        if environment.took < scaling.QUICK:
            self._quick_at = time.monotonic()
        if environment.usable:
            self._settle(environment, tell=False)
        else:
            self.ending.add(environment)
        invocation.done(outcome)
        if environment.usable and environment.invocation is None:
            self._setting.on_idle(self.function.name)

    def start_failed(self, environment: Environment, failure: Failure) -> None:
        candidate = self._candidates.pop(environment, None)
        if candidate is not None:
            self._code_is_bad = True
            if not candidate.done():
                candidate.set_result(f"{failure.type}: {failure.message}")
            return
        invocation = self._next()
        if invocation is not None:
            self._setting.executing[invocation.request_id] = invocation
            environment.fail(invocation, failure)

    def gone(self, environment: Environment) -> None:
        setting = self._setting
        setting.capacity.used -= 1
        setting.processes.remove(environment.pid)
        for states in (self.busy, self.starting, self.ending):
            states.discard(environment)
        if environment in self.idle:
            self.idle.remove(environment)
        candidate = self._candidates.pop(environment, None)
        if candidate is not None and not candidate.done():
            candidate.set_result("the environment was ended before it was ready")
        if self.waiting and self._look is None:
            self._look_now()
        setting.on_gone()

    def _settle(self, environment: Environment, tell: bool = True) -> None:
        """An environment has nothing to do: give it work, keep it, or end it if it is of the past."""
        if environment.version != self.version or self.forgotten or self._setting.stopping:
            self.retire(environment)
            return
        self._give_work(environment)
        if tell and environment.invocation is None:
            self._setting.on_idle(self.function.name)

    # --- growing and shrinking ----------------------------------------------------------------------------------------

    def _look_now(self) -> None:
        """Work has begun to wait: start the very first environment at once, look again in a moment."""
        self._finished = 0
        if not self.live and not self.starting:
            self._grow()
        elif self._look is None:
            self._look = self._loop.call_later(scaling.look_after(self.live), self._grow)

    def _grow(self) -> None:
        self._look = None
        if not self.waiting or self._setting.stopping:
            return
        if self._code_is_bad and (self.live or self.starting):
            self._look = self._loop.call_later(_LOOK_AGAIN_WHEN_FULL, self._grow)
            return
        room = self._setting.capacity.room()
        if self.function.debug_port is not None:
            room = min(room, 1 - self.live - len(self.starting) - len(self._candidates))
        if room == 0:
            self._setting.make_room(self)
        now = time.monotonic()
        count = scaling.growth(
            waiting=self.waiting,
            live=self.live,
            starting=len(self.starting),
            fresh=sum(now - environment.started_at < scaling.FRESH for environment in self.starting),
            finished=self._finished,
            quick=now - self._quick_at < scaling.QUICK_MEMORY,
            cores=self._setting.capacity.cores,
            room=room,
        )
        self._finished = 0
        self._look = self._loop.call_later(scaling.look_after(self.live) if room else _LOOK_AGAIN_WHEN_FULL, self._grow)
        for _ in range(count):
            if not self._start():
                return
        if count:
            self._loop.call_soon(self._setting.on_idle, self.function.name)

    def warm(self) -> None:
        """Start the first environment before there is work for it."""
        if not self.live and not self.starting:
            self._start()

    def _start(self) -> bool:
        environment = self._new(self.function, self.version)
        try:
            self._spawn(environment)
        except OSError as error:
            self._not_started(environment, error)
            return False
        self.starting.add(environment)
        return True

    def _new(self, function: Function, version: int) -> Environment:
        return Environment(self, function, version, clock=self._setting.clock, log=self._setting.log)

    def _spawn(self, environment: Environment) -> None:
        setting = self._setting
        interpreter = environment.function.python or setting.interpreter
        environment.start(interpreter, setting.environ(), setting.life, setting.processes.add)
        setting.capacity.used += 1
        setting.cold_starts[self.function.name] = setting.cold_starts.get(self.function.name, 0) + 1

    def _not_started(self, environment: Environment, error: OSError) -> None:
        if is_shortage(error):
            self._setting.capacity.limited_by = error.strerror
            if self.live or self.starting:
                return
        self._loop.call_soon(self._fail_without_process, environment, failures.no_start(error))

    def _fail_without_process(self, environment: Environment, failure: Failure) -> None:
        environment.usable = False
        self.start_failed(environment, failure)
        self.ending.discard(environment)

    def retire(self, environment: Environment) -> None:
        """End an environment that runs nothing."""
        self.ending.add(environment)
        environment.retire()

    def retire_idle(self, before: float) -> None:
        """End those that have been idle since before a moment (monotonic seconds)."""
        while self.idle and self.idle[0].idle_since <= before:
            self.retire(self.idle.pop(0))

    # --- new code -----------------------------------------------------------------------------------------------------

    async def reload(self, function: Function) -> str | None:
        """Start an environment on what is on disk now; let it take over if it gets ready, else say why not."""
        async with self._reloading:
            if function.debug_port is not None:
                self.retire_idle(float("inf"))  # there is one debugger, and it goes to the new code
            environment = self._new(function, self.version + 1)
            outcome: asyncio.Future[str | None] = self._loop.create_future()
            self._candidates[environment] = outcome
            try:
                self._spawn(environment)
            except OSError as error:
                del self._candidates[environment]
                self._code_is_bad = True
                failure = failures.no_start(error)
                return f"{failure.type}: {failure.message}"
            return await outcome

    def _switch_to(self, environment: Environment) -> None:
        """This environment's code and configuration are the current ones from here on. Busy ones finish first."""
        self.function = environment.function
        self.version = environment.version
        self._code_is_bad = False
        self.retire_idle(float("inf"))
        for old in list(self.starting):
            self.starting.discard(old)
            self.retire(old)

    def forget(self) -> None:
        """The function is gone: end what is idle, let running invocations finish, drop what waits."""
        self.forgotten = True
        while self._synchronous:
            self._drop(self._synchronous.popleft(), failures.cancelled())
        self.wind_down(failures.lost())  # events have not started: they go back to the queue

    def wind_down(self, why: Failure) -> None:
        """Let running invocations finish, and end everything else."""
        self.drop_waiting(why)
        self.retire_idle(float("inf"))
        for environment in [*self.starting, *self._candidates]:
            self.retire(environment)
        self.starting.clear()
