"""Attempts from their beginning, on record and a little ahead of their environment, until it has run them."""

import random
from collections.abc import Callable, Mapping
from functools import partial
from typing import Protocol

from ..clock import Clock
from ..core import concurrency, lifecycle
from ..core.arn import LATEST, function_arn
from ..core.calls import Calls, with_waits
from ..core.concurrency import InFlight, Limits
from ..core.event import Ended, Event, Outcome, Reason
from ..core.fault import BEFORE_START, ON_INVOCATION, Kind
from ..core.function import Function
from ..core.invocation import Invocation
from ..faults import Faults
from ..metrics import Metrics
from ..reports import Finished

_AHEAD = 32  # events begun ahead of each environment, so that none idles while the disk is waited for
_REFUSED = Outcome(Ended.THROTTLED)
_TOO_LATE = _NOT_NOW = Outcome(Ended.NOT_STARTED)


class Environments(Protocol):
    """What the dispatcher needs of execution environments."""

    def run(self, invocation: Invocation) -> None: ...
    def capacity(self, function: str) -> int: ...


class Attempts:
    """Which events have begun, and the limits that they meet."""

    def __init__(
        self,
        clock: Clock,
        environments: Environments,
        metrics: Metrics,
        dice: random.Random,
        faults: Faults,
        *,
        report: Callable[[Finished], None],
        after_commit: Callable[[Callable[[], None]], None],
    ) -> None:
        """`after_commit` takes what must not happen before the disk knows of it."""
        self.functions: Mapping[str, Function] = {}
        self.limits = Limits()
        self.in_flight = InFlight()
        self.calls = Calls()
        self.paused = False  # what has begun and waits for an environment goes back to the queue
        self.begun: dict[int, Event] = {}  # events whose attempt is on record and not settled
        self.started: set[int] = set()  # … and of these, the ones that an environment runs
        self._waiting: dict[str, int] = {}  # … and how many wait for one, by function
        self._clock = clock
        self._environments = environments
        self._metrics = metrics
        self._dice = dice
        self._faults = faults
        self._report = report
        self._after_commit = after_commit

    def function_of(self, event: Event) -> Function:
        """Its function as configured now; if it is gone meanwhile, one with AWS's defaults."""
        return self.functions.get(event.function) or Function(event.function, handler="", code="")

    @property
    def ahead(self) -> list[Event]:
        """Events that have begun and wait for an execution environment. May be asked in any thread."""
        return [event for seq, event in list(self.begun.items()) if seq not in self.started]

    def waiting(self, function: str) -> int:
        """How many events have begun and wait for an execution environment."""
        return self._waiting.get(function, 0)

    # -- limits ------------------------------------------------------------------------------------------------------

    def room(self, function: str) -> int:
        """How many more invocations the limits allow."""
        return concurrency.room(function, self.in_flight, self.limits)

    def places(self, function: str) -> int:
        """How many more events may begin: what the limits leave, and no more than a few ahead of each environment."""
        if self._faults.stalls(function):
            return 0
        most = min(self.room(function), _AHEAD * self._environments.capacity(function))
        return most - self._waiting.get(function, 0)

    def is_next(self, function: str) -> bool:
        """Would an event that begins now run at once, with no other ahead of it?"""
        return self._waiting.get(function, 0) < self._environments.capacity(function)

    def throttle(self, event: Event, function: Function, now: float) -> Event:
        """An event whose time has come meets a limit."""
        self.count_throttle(function)
        return lifecycle.throttle(event, function, now=now, jitter=self._dice.random())

    def count_throttle(self, function: Function) -> None:
        """An event meets a limit. One that reserved concurrency 0 sends away was not throttled, says AWS."""
        if function.reserved_concurrency != 0:
            self._metrics.throttled(function.name)

    # -- one attempt -------------------------------------------------------------------------------------------------

    def begin(self, event: Event, function: Function, now: float) -> Event:
        event = lifecycle.begin(event, now=now)
        self.begun[event.seq] = event
        self._waiting[event.function] = self._waiting.get(event.function, 0) + 1
        self._after_commit(partial(self._environments.run, self._invocation(event, function)))
        return event

    def settled(self, seq: int) -> Event | None:
        """The event whose attempt has ended; None if a report of it was taken in before."""
        self.started.discard(seq)
        return self.begun.pop(seq, None)

    def _invocation(self, event: Event, function: Function) -> Invocation:
        invocation = Invocation(
            event.id,
            function,
            event.payload,
            may_start=_nobody_asks,
            done=partial(self._done, event),
            attempt=event.attempts,
            tries=function.config(event.qualifier).tries,
            source=event.source,
            invoked_arn=function_arn(function.name, event.qualifier or None),
            executed_version=function.executed_version(event.qualifier) or LATEST,
            trace_id=event.trace_id,
            caller=event.caller,
            accepted_at=event.accepted_at,
        )
        invocation.may_start = partial(self._may_start, event, function, invocation)
        self.calls.begin(invocation)  # from here on; nobody but its handler knows the name that it goes by
        return invocation

    def _may_start(self, event: Event, function: Function, invocation: Invocation) -> bool:
        """Asked when an environment is free: do the limits and the event's age still allow it?"""
        self._waiting[event.function] -= 1
        if lifecycle.is_too_old(event, function, at=self._clock.now()):
            return self._turn_back(event, _TOO_LATE)
        if self.paused:
            return self._turn_back(event, _NOT_NOW)
        if concurrency.admit(event.function, self.in_flight, self.limits):
            return self._turn_back(event, _REFUSED)
        if self._faults.choose(BEFORE_START, event.function, event.id, event.payload):
            return self._turn_back(event, _REFUSED)
        kinds = ON_INVOCATION - {Kind.DUPLICATE} if event.reason is Reason.DUPLICATE else ON_INVOCATION
        invocation.fault = self._faults.choose(kinds, event.function, event.id, event.payload)
        self.in_flight.start(event.function)
        self.started.add(event.seq)
        self._metrics.changed("inflight", "queue", "functions")
        return True

    def _turn_back(self, event: Event, why: Outcome) -> bool:
        self.calls.end(event.id)
        self._report(Finished(event.seq, why))
        return False

    def _done(self, event: Event, outcome: Outcome) -> None:
        outcome = with_waits(outcome, self.calls.end(event.id, self._clock.ticks()))
        if event.seq in self.started:
            self.in_flight.end(event.function)
        else:  # it never got an environment
            self._waiting[event.function] -= 1
            if outcome.ended is Ended.LOST:
                outcome = outcome._replace(ended=Ended.NOT_STARTED)
        self._metrics.invoked(self.function_of(event), outcome)
        self._report(Finished(event.seq, outcome))


def _nobody_asks() -> bool:
    """Stands in until the invocation is there to be asked about."""
    return False
