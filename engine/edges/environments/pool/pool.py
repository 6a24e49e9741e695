"""The environments of one function, and which of them takes the next invocation."""

import asyncio
import math
import time

from ....core.event import Outcome
from ....core.fault import Fault
from ....core.function import Function
from ....core.invocation import Invocation
from .. import failures
from ..environment import Environment
from ..failures import Failure
from ..processes.starting import is_shortage
from .growth import Growth
from .reload import Reload
from .setting import Setting
from .starts import Starts
from .waiting import Waiting

IDLE_MAX = 600.0  # seconds until an idle environment is retired


class Pool:
    """The environments of one function, and the invocations that wait for one."""

    def __init__(self, setting: Setting, function: Function) -> None:
        self.function = function
        self.version = 1
        self.idle: list[Environment] = []  # the one used last is at the end, and is taken first
        self.busy: set[Environment] = set()
        self.starting: set[Environment] = set()
        self.ending: set[Environment] = set()  # killed, not yet reaped
        self._setting = setting
        self._forgotten = False
        self._waiting = Waiting(setting.clock, setting.log)
        self._growth = Growth(self, setting)
        self._reload = Reload(self, function, setting.is_being_saved)
        self._starts = Starts(self, setting)
        self._ran_until = 0.0  # wall clock: when code of this function ran last
        self._loop = asyncio.get_running_loop()

    # --- figures ------------------------------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def live(self) -> int:
        return len(self.idle) + len(self.busy)

    @property
    def spare(self) -> int:
        """How many idle environments may go. The last on code that the disk has no more stays, if the new is bad."""
        return len(self.idle) - (1 if self._reload.code_is_bad and not self.busy else 0)

    @property
    def has_ended(self) -> bool:
        """Is the function no longer configured, or the engine about to stop?"""
        return self._forgotten or self._setting.stopping

    @property
    def waits_for_code(self) -> bool:
        """Is the code on disk undecided, or bad while there are environments of the code before it?"""
        return self._reload.is_under_way or (self._reload.code_is_bad and bool(self.live or self.starting))

    def ran_since(self, moment: float) -> bool:
        """Has code of this function run at this moment (wall clock) or later?"""
        return bool(self.busy or self.starting or self._reload.candidate) or self._ran_until >= moment

    def everything(self) -> set[Environment]:
        """Every process of this pool, in whatever state."""
        candidate = {self._reload.candidate} if self._reload.candidate is not None else set()
        return {*self.idle, *self.busy, *self.starting, *self.ending, *candidate}

    # --- invocations --------------------------------------------------------------------------------------------------

    def run(self, invocation: Invocation) -> None:
        """Hand over to an idle environment, or let it wait."""
        if self.idle and not self._waiting:
            if invocation.may_start():
                self._hand_over(invocation, self.idle.pop())
            return
        self._waiting.add(invocation)
        self._growth.arrived()

    def cancel(self, request_id: str) -> bool:
        """End a running invocation, or drop a waiting one. False if there is none of that id."""
        for environment in self.busy:
            if environment.invocation is not None and environment.invocation.request_id == request_id:
                environment.condemn(failures.cancelled())
                return True
        return self._waiting.cancel(request_id, failures.cancelled())

    def drop_waiting(self, why: Failure) -> None:
        """End everything that waits."""
        self._waiting.drop_all(why)

    def _hand_over(self, invocation: Invocation, environment: Environment) -> None:
        if environment.invoke(invocation):
            self.busy.add(environment)
            self._setting.executing[invocation.request_id] = invocation
            self._setting.watch()
            return
        self.ending.add(environment)  # it died a moment ago; nobody has told us yet
        environment.usable = False
        self._waiting.put_back(invocation)
        if self.idle:
            self._give_work(self.idle.pop())
        else:
            self._growth.still_waits()

    def _give_work(self, environment: Environment) -> None:
        invocation = self._waiting.next()
        if invocation is not None:
            self._hand_over(invocation, environment)
            return
        environment.idle_since = self._setting.clock.ticks()
        self.idle.append(environment)

    def _is_current(self, environment: Environment) -> bool:
        return environment.version == self.version and not self.has_ended

    def _settle(self, environment: Environment, tell: bool = True) -> None:
        """An environment has nothing to do: give it work, keep it, or end it if it is of the past."""
        if not self._is_current(environment):
            self.retire(environment)
            return
        self._give_work(environment)
        if tell and environment.invocation is None:
            self._setting.on_idle(self.function.name)

    # --- what environments tell ---------------------------------------------------------------------------------------

    def ready(self, environment: Environment) -> None:
        self.starting.discard(environment)
        self._ran_until = time.time()
        is_candidate = environment is self._reload.candidate
        if not is_candidate and (self._reload.is_under_way or self._reload.is_being_saved()):
            self.retire(environment)  # it may have imported the old code, the new, or some of both
            self._growth.look_later()
            return
        if not self.live:
            self._growth.first_is_ready()
        if is_candidate and not self._reload.accept(environment):
            return
        self._settle(environment)
        self._growth.one_more_is_ready()

    def finished(self, environment: Environment, invocation: Invocation, outcome: Outcome) -> None:
        del self._setting.executing[invocation.request_id]
        self.busy.discard(environment)
        self._ran_until = time.time()
        self._growth.finished(environment.took, outcome.memory_used)
        if environment.usable:
            self._settle(environment, tell=False)
        else:
            self.ending.add(environment)
        invocation.done(outcome)
        if environment.usable and environment.invocation is None:
            self._setting.on_idle(self.function.name)

    def start_failed(self, environment: Environment, failure: Failure) -> None:
        self._ran_until = time.time()
        if environment is self._reload.candidate:
            self._reload.refuse(failure)
        elif environment in self.ending:
            return  # it was no longer wanted
        elif self._is_excused():
            self._growth.look_later()
        elif (invocation := self._waiting.next()) is not None:
            self._repeat_init(environment, invocation)

    def _is_excused(self) -> bool:
        """May a failed start come from a save that is not complete, or is bad? It fails nobody's invocation then."""
        reload = self._reload
        return reload.is_under_way or (reload.code_is_bad and self.live > 0) or reload.is_being_saved()

    def engine_dies(self, fault: Fault) -> None:
        self._setting.kill_engine(str(fault))

    def gone(self, environment: Environment) -> None:
        for states in (self.busy, self.starting, self.ending):
            states.discard(environment)
        if environment in self.idle:
            self.idle.remove(environment)
        self._starts.ended(environment, current=self._is_current(environment))
        if environment is self._reload.candidate:
            self._reload.candidate_is_gone()
        if self._waiting:
            self._growth.still_waits()
        self._setting.on_gone()

    # --- starting -----------------------------------------------------------------------------------------------------

    def start_first(self) -> None:
        """Start the first environment before there is work for it."""
        if not self.live and not self.starting:
            self.start()

    def start(self) -> bool:
        """Start one more on the current code; False if that failed."""
        environment = self._starts.new(self.function, self.version)
        try:
            self._starts.start(environment, current=self._is_current(environment))
        except OSError as error:
            self._not_started(environment, error)
            return False
        self.starting.add(environment)
        return True

    def start_candidate(self, function: Function) -> Environment:
        """Start one on the next version. Raises OSError if that is impossible."""
        environment = self._starts.new(function, self.version + 1)
        self._starts.start(environment, current=self._is_current(environment))
        return environment

    def _repeat_init(self, failed: Environment, invocation: Invocation) -> None:
        """As on AWS, an init that failed is run again, now as a part of the invocation that waited for it."""
        environment = self._starts.new(failed.function, failed.version, after=failed)
        environment.expect(invocation)
        self._setting.executing[invocation.request_id] = invocation
        self.busy.add(environment)
        try:
            self._starts.start(environment, current=self._is_current(environment))
        except OSError as error:
            self._fail(environment, invocation, failures.no_start(error))

    def _not_started(self, environment: Environment, error: OSError) -> None:
        if is_shortage(error):
            self._setting.capacity.limited_by = error.strerror
            if self.live or self.starting:
                return
        self._loop.call_soon(self._fail_next, environment, failures.no_start(error))

    def _fail_next(self, environment: Environment, failure: Failure) -> None:
        invocation = self._waiting.next()
        if invocation is not None:
            self._setting.executing[invocation.request_id] = invocation
            self._fail(environment, invocation, failure)

    def _fail(self, environment: Environment, invocation: Invocation, failure: Failure) -> None:
        """There is no process to run it."""
        environment.usable = False
        environment.fail(invocation, failure)
        self.ending.discard(environment)  # nothing will ever be reaped

    # --- ending -------------------------------------------------------------------------------------------------------

    def retire(self, environment: Environment) -> None:
        """End an environment that runs nothing."""
        self.ending.add(environment)
        environment.retire()

    def retire_idle(self, before: float) -> None:
        """End those that have been idle since before a moment (in ticks)."""
        while self.idle and self.idle[0].idle_since <= before:
            self.retire(self.idle.pop(0))
        self._starts.remove_kept_folders(before)

    def sweep(self, before: float) -> None:
        """As `retire_idle`, but only what is to spare, and nothing that a debugger may be attached to."""
        if self.function.debug_port is not None:
            return
        while self.spare > 0 and self.idle[0].idle_since <= before:
            self.retire(self.idle.pop(0))

    def forget(self) -> None:
        """The function is gone: end what is idle, let running invocations finish, drop what waits."""
        self._forgotten = True
        self._waiting.drop_synchronous(failures.cancelled())
        self.wind_down(failures.lost())  # events have not started: they go back to the queue

    def wind_down(self, why: Failure) -> None:
        """Let running invocations finish, and end everything else."""
        self.drop_waiting(why)
        self.retire_idle(math.inf)
        for environment in self.everything() - {*self.busy, *self.ending}:
            self.retire(environment)
        self.starting.clear()
        self._reload.give_up()

    # --- new code -----------------------------------------------------------------------------------------------------

    async def reload(self, function: Function) -> str | None:
        """Switch to what is on disk now, if an environment gets ready on it. Returns None, or what is wrong."""
        return await self._reload.to(function)

    def switch_to(self, environment: Environment) -> None:
        """Its code and configuration are the current ones from here on. Busy ones finish first."""
        self.function = environment.function
        self.version = environment.version
        self.retire_idle(math.inf)
        for old in list(self.starting):
            self.starting.discard(old)
            self.retire(old)
