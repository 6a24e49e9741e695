"""The environments of one function: which one takes the next invocation, and when there are more or fewer of them."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ....clock import Clock
from ....core import scaling
from ....core.event import Outcome
from ....core.function import Function
from ....core.invocation import Invocation
from .. import failures
from ..environment import INIT_MAX, Environment
from ..failures import Failure
from ..logs.log import LogSink
from ..processes.capacity import Capacity
from ..processes.scratch import Scratch
from ..processes.starters import Starters
from ..processes.starting import is_shortage

IDLE_MAX = 600.0  # real seconds until an idle environment is retired
_LOOK_AGAIN_WHEN_FULL = 0.05  # seconds
_UNSETTLED_MAX = 2.0  # seconds that a save may take to be noticed


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
    starters: Starters
    scratch: Scratch
    watch: Callable[[], None]
    capacity: Capacity
    is_being_saved: Callable[[Function], bool]
    executing: dict[str, Invocation] = field(default_factory=dict)
    cold_starts: dict[str, int] = field(default_factory=dict)
    stopping: bool = False
    init_max: float = INIT_MAX


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
        self._looked_at = 0.0  # monotonic seconds
        self._grows = False  # at the last look work did not flow
        self._quick_at = -math.inf  # when the last quick invocation ended, in monotonic seconds
        self._look: asyncio.TimerHandle | None = None
        self._code_is_bad = False
        self._next_code = function  # what a reload is to switch to
        self._candidate: Environment | None = None  # the environment that tries it
        self._reloaded: asyncio.Future[str | None] | None = None  # while a reload is under way
        self._unsettled_since = math.inf  # monotonic seconds: since when files hold what nobody has noticed
        self._ran_until = 0.0  # wall clock: when code of this function ran last
        self._memory_each = 0  # MB that an environment is known to use
        self._kept: list[tuple[float, Path]] = []  # temporary folders of environments that failed, and since when

    @property
    def waiting(self) -> int:
        return len(self._synchronous) + len(self._events)

    @property
    def live(self) -> int:
        return len(self.idle) + len(self.busy)

    def everything(self) -> set[Environment]:
        """Every process of this pool, in whatever state."""
        candidate = {self._candidate} if self._candidate is not None else set()
        return {*self.idle, *self.busy, *self.starting, *self.ending, *candidate}

    # --- invocations --------------------------------------------------------------------------------------------------

    def run(self, invocation: Invocation) -> None:
        """Hand over to an idle environment, or let it wait."""
        if self.idle and not self.waiting:
            if invocation.may_start():
                self._hand_over(invocation, self.idle.pop())
            return
        (self._events if invocation.kind == "event" else self._synchronous).append(invocation)
        if self._look is None or self.function.scaling == "aws":
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
            self._setting.watch()
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
        self._ran_until = time.time()
        if environment is not self._candidate and (self._reloaded is not None or self._is_being_saved()):
            self.retire(environment)  # it may have imported the old code, the new, or some of both
            self._look_again()
            return
        if not self.live and self._look is not None:  # only now can be seen whether work flows
            self._look.cancel()
            self._finished = 0
            self._look = self._loop.call_later(scaling.look_after(1), self._grow)
        if environment is self._candidate and not self._take_candidate(environment):
            return
        self._settle(environment)
        seconds = time.monotonic() - self._looked_at
        flows = scaling.flows(self._finished, self.live, seconds)
        if self._grows and self.waiting and not flows and not self._waits_for_code:
            self._start_more()  # as at the last look: no need to wait for the next

    def finished(self, environment: Environment, invocation: Invocation, outcome: Outcome) -> None:
        del self._setting.executing[invocation.request_id]
        self.busy.discard(environment)
        self._ran_until = time.time()
        self._finished += 1
        self._memory_each = outcome.memory_used
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
        self._ran_until = time.time()
        if environment is self._candidate:
            self._refuse_candidate(failure)
            return
        if environment in self.ending:
            return  # it was no longer wanted
        if self._reloaded is not None or (self._code_is_bad and self.live) or self._is_being_saved():
            self._look_again()  # a save that is not complete, or bad, fails nobody's invocation
            return
        invocation = self._next()
        if invocation is not None:
            self._repeat_init(environment, invocation)

    def _repeat_init(self, failed: Environment, invocation: Invocation) -> None:
        """As on AWS, an init that failed is run again, now as a part of the invocation that waited for it."""
        environment = self._new(failed.function, failed.version, after=failed)
        environment.expect(invocation)
        self._setting.executing[invocation.request_id] = invocation
        self.busy.add(environment)
        try:
            self._spawn(environment)
        except OSError as error:
            environment.usable = False
            environment.fail(invocation, failures.no_start(error))
            self.ending.discard(environment)

    def gone(self, environment: Environment) -> None:
        setting = self._setting
        setting.capacity.used -= 1
        for states in (self.busy, self.starting, self.ending):
            states.discard(environment)
        if environment in self.idle:
            self.idle.remove(environment)
        self._keep_or_remove(environment)
        if environment is self._candidate:
            self._candidate = None
            self._decide("the environment was ended before it was ready")
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
        if self.function.scaling == "aws" or (not self.live and not self.starting):
            self._grow()
        elif self._look is None:
            self._look = self._loop.call_later(scaling.look_after(self.live), self._grow)

    def _grow(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None
        if not self.waiting or self._setting.stopping:
            return
        if self._waits_for_code:
            self._look = self._loop.call_later(_LOOK_AGAIN_WHEN_FULL, self._grow)
            return
        full = self._setting.capacity.room(self._memory_each) == 0
        if full:
            self._setting.make_room(self)
        self._grows = self._start_more() > 0
        self._finished = 0
        self._looked_at = time.monotonic()
        if self._look is None:
            after = _LOOK_AGAIN_WHEN_FULL if full else scaling.look_after(self.live)
            self._look = self._loop.call_later(after, self._grow)

    @property
    def _waits_for_code(self) -> bool:
        """Is the code on disk undecided, or bad while there are environments of the code before it?"""
        return self._reloaded is not None or (self._code_is_bad and bool(self.live or self.starting))

    def _start_more(self) -> int:
        """Start as many as the rule says; return how many that is."""
        room = self._setting.capacity.room(self._memory_each)
        if self.function.debug_port is not None:
            room = min(room, 1 - self.live - len(self.starting))
        if self.function.scaling == "aws":
            count = scaling.growth_as_aws(waiting=self.waiting, starting=len(self.starting), room=room)
        else:
            count = self._lazy_growth(room)
        for _ in range(count):
            if not self._start():
                return count
        if count:
            self._loop.call_soon(self._setting.on_idle, self.function.name)
        return count

    def _lazy_growth(self, room: int) -> int:
        now = time.monotonic()
        return scaling.growth(
            waiting=self.waiting,
            live=self.live,
            starting=len(self.starting),
            fresh=sum(now - environment.started_at < scaling.FRESH for environment in self.starting),
            finished=self._finished,
            quick=now - self._quick_at < scaling.QUICK_MEMORY,
            cores=self._setting.capacity.cores,
            room=room,
        )

    def start_first(self) -> None:
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

    def _new(self, function: Function, version: int, after: Environment | None = None) -> Environment:
        setting = self._setting
        return Environment(
            self, function, version, clock=setting.clock, log=setting.log, init_max=setting.init_max, after=after
        )

    def _spawn(self, environment: Environment) -> None:
        setting, function = self._setting, environment.function
        current = environment.version == self.version
        environment.scratch = self._kept.pop()[1] if current and self._kept else setting.scratch.new()
        try:
            mark = setting.starters.marks.next()
            environment.start(setting.starters.start, function.python or setting.interpreter, setting.environ(), mark)
        except OSError:
            self._keep_or_remove(environment)
            raise
        setting.capacity.used += 1
        if environment.invocation is None:  # a repeated init belongs to the cold start that failed
            setting.cold_starts[function.name] = setting.cold_starts.get(function.name, 0) + 1
        setting.watch()

    def _keep_or_remove(self, environment: Environment) -> None:
        """A reset leaves /tmp to the environment that follows. One that is retired takes it along."""
        folder = environment.scratch
        if folder is None:
            return
        if environment.unwanted or environment.version != self.version or self.forgotten or self._setting.stopping:
            self._setting.scratch.remove(folder)
        else:
            self._kept.append((time.monotonic(), folder))

    def _not_started(self, environment: Environment, error: OSError) -> None:
        if is_shortage(error):
            self._setting.capacity.limited_by = error.strerror
            if self.live or self.starting:
                return
        self._loop.call_soon(self._fail_without_process, environment, failures.no_start(error))

    def _fail_without_process(self, environment: Environment, failure: Failure) -> None:
        environment.usable = False
        invocation = self._next()
        if invocation is not None:
            self._setting.executing[invocation.request_id] = invocation
            environment.fail(invocation, failure)
            self.ending.discard(environment)

    def retire(self, environment: Environment) -> None:
        """End an environment that runs nothing."""
        self.ending.add(environment)
        environment.retire()

    def retire_idle(self, before: float) -> None:
        """End those that have been idle since before a moment (monotonic seconds)."""
        while self.idle and self.idle[0].idle_since <= before:
            self.retire(self.idle.pop(0))
        while self._kept and self._kept[0][0] <= before:
            self._setting.scratch.remove(self._kept.pop(0)[1])

    @property
    def spare(self) -> int:
        """How many idle environments may go. The last on code that the disk has no more stays, if the new is bad."""
        return len(self.idle) - (1 if self._code_is_bad and not self.busy else 0)

    def sweep(self, before: float) -> None:
        """As `retire_idle`, but only what is to spare, and nothing that a debugger may be attached to."""
        if self.function.debug_port is not None:
            return
        while self.spare > 0 and self.idle[0].idle_since <= before:
            self.retire(self.idle.pop(0))

    def _look_again(self) -> None:
        """There is work that may still find no environment: look again in a moment."""
        if self.waiting and self._look is None:
            self._look = self._loop.call_later(_LOOK_AGAIN_WHEN_FULL, self._grow)

    # --- new code -----------------------------------------------------------------------------------------------------

    def ran_since(self, moment: float) -> bool:
        """Has code of this function run at this moment (wall clock) or later?"""
        return bool(self.busy or self.starting or self._candidate) or self._ran_until >= moment

    async def reload(self, function: Function) -> str | None:
        """Start an environment on what is on disk now; let it take over if it gets ready, else say why not.

        A newer call takes over from an older one that is not ready, and decides for both.
        """
        self._next_code = function
        if self._reloaded is None:
            self._reloaded = self._loop.create_future()
        reloaded = self._reloaded
        old, self._candidate = self._candidate, None
        if old is not None:
            self.retire(old)
        self._start_candidate()
        return await asyncio.shield(reloaded)

    def _start_candidate(self) -> None:
        if self._reloaded is None or self._candidate is not None:
            return  # it was decided, or begun anew, meanwhile
        if self._setting.stopping or self.forgotten:
            self._decide("the function was ended before it was ready")
            return
        if self._next_code.debug_port is not None:
            self.retire_idle(float("inf"))  # there is one debugger, and it goes to the new code
        environment = self._new(self._next_code, self.version + 1)
        try:
            self._spawn(environment)
        except OSError as error:
            self._refuse_candidate(failures.no_start(error))
            return
        self._candidate = environment

    def _take_candidate(self, environment: Environment) -> bool:
        """Switch to it, unless files were saved while it imported them: then another one tries."""
        self._candidate = None
        if self._is_being_saved():
            self.retire(environment)
            self._loop.call_later(_LOOK_AGAIN_WHEN_FULL, self._start_candidate)
            return False
        self._switch_to(environment)
        self._decide(None)
        return True

    def _refuse_candidate(self, failure: Failure) -> None:
        self._candidate = None
        if self._is_being_saved():
            self._loop.call_later(_LOOK_AGAIN_WHEN_FULL, self._start_candidate)
            return
        self._code_is_bad = True
        self._decide(f"{failure.type}: {failure.located}")

    def _decide(self, error: str | None) -> None:
        reloaded, self._reloaded = self._reloaded, None
        if reloaded is not None:
            reloaded.set_result(error)

    def _is_being_saved(self) -> bool:
        """Is the disk ahead of what has been noticed? Then what was just imported may be anything."""
        now = time.monotonic()
        if not self._setting.is_being_saved(self._next_code):
            self._unsettled_since = math.inf
            return False
        self._unsettled_since = min(self._unsettled_since, now)
        return now - self._unsettled_since < _UNSETTLED_MAX

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
        for environment in self.everything() - {*self.busy, *self.ending}:
            self.retire(environment)
        self.starting.clear()
        self._candidate = None
        self._decide("the function was ended before it was ready")
