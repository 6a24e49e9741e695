"""The one loop's heart: take in what has arrived, start what is due, say when to wake next.

The dispatcher is the only writer of events and messages. Edges never change one; they leave a report in the inbox.
`step` is synchronous: it takes in at most 256 reports, moves events by the pure functions of `core`, and writes all of
it in one transaction that it leaves open. Whoever called commits (a test at once, production in a thread of its own)
and then calls `release`: only then are callers answered and executions started, so that one fsync serves them all.

An event stands in one of three places while it is not executing: in the table with a later `due_at` (a retry, or a
throttle), in the table and due (it waits for a place), or begun and in memory, a few ahead of each execution
environment (the attempt is on record; it too waits for a place, but not for the disk).
"""

import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, Protocol

from .clock import Clock
from .core import concurrency, lifecycle
from .core.arn import LATEST, function_arn
from .core.calls import Calls, with_waits
from .core.concurrency import InFlight, Limits
from .core.event import Attempt, Condition, Delivery, Ended, Event, Message, Outcome, State
from .core.function import Function
from .core.invocation import Invocation
from .metrics import Metrics
from .outbox import Outbox
from .reports import Accept, Finished, Redrive, Report
from .store import Store, Unwritable

REPORTS_MAX = 256  # per step: about 2 ms
_AHEAD = 32  # events begun ahead of each environment, so that none idles while the disk is waited for
_LOOK_AGAIN = 1.0  # engine seconds between two looks at events that wait for a place, for their age
_LOST = Outcome(Ended.LOST, error_message="the engine ended during this attempt")
_REFUSED = Outcome(Ended.THROTTLED)
_TOO_LATE = Outcome(Ended.NOT_STARTED)


class Environments(Protocol):
    """What the dispatcher needs of execution environments."""

    def run(self, invocation: Invocation) -> None: ...
    def capacity(self, function: str) -> int: ...


class Step(NamedTuple):
    """What a step leaves to be done: a transaction to commit, and when to step again."""

    wrote: bool
    wake_at: float | None  # engine time; None: only when something arrives


@dataclass(slots=True)
class _Moves:
    """What a step has decided and not written yet."""

    inserts: list[Event] = field(default_factory=list)
    updates: list[Event] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)


class Dispatcher:
    """Moves events. `step`, commit, `release`; again at `Step.wake_at` or when `arrived` is called."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        environments: Environments,
        metrics: Metrics,
        *,
        deliver: Callable[[Delivery], "Message | Accept | str"],
        arrived: Callable[[], None] = lambda: None,
        seed: int | None = None,
        jitter: int | None = None,
        ticks: Callable[[], float] = lambda: 0.0,
    ) -> None:
        """`deliver` is the outbox's.

        `jitter` is a seed: with it retries are as late as on AWS, without they come exactly when they are due. `ticks`
        is the clock that durations are measured with, in real seconds.
        """
        self.functions: Mapping[str, Function] = {}
        self.limits = Limits()
        self.in_flight = InFlight()
        self.calls = Calls()
        self.metrics = metrics
        self.begun: dict[int, Event] = {}  # events whose attempt is on record and not settled
        self.started: set[int] = set()  # … and of these, the ones that an environment runs
        self._store = store
        self._clock = clock
        self._environments = environments
        self._arrived = arrived
        self._ticks = ticks
        self._random = random.Random(seed)
        self._late = None if jitter is None else random.Random(jitter)
        self._inbox: deque[Report] = deque()
        self._effects: list[Callable[[], None]] = []
        self._moves = _Moves()
        self._wrote = False
        self._starts = True
        self._stopping = False
        self._seq = store.last_seq()
        self._outbox = Outbox(store, metrics, deliver)
        self._ready = store.queued_functions()  # functions that may have due events in the table
        self._looked_until = clock.now()
        self._look_again_at = 0.0
        self._ahead: dict[str, int] = {}  # begun events that wait for an environment, by function
        self._count_what_is_there()

    # -- the edges' side ---------------------------------------------------------------------------------------------

    def report(self, report: Report) -> None:
        """Leave something for the next step."""
        self._inbox.append(report)
        self._arrived()

    @property
    def ahead(self) -> list[Event]:
        """Events that have begun and wait for an execution environment. May be asked in any thread."""
        return [event for seq, event in list(self.begun.items()) if seq not in self.started]

    @property
    def unread(self) -> int:
        """How many reports wait for the next step."""
        return len(self._inbox)

    def configure(self, functions: Mapping[str, Function], account_concurrency: int = 1_000) -> None:
        """Use these functions from the next step on; what waits is tried again under the new limits."""
        reserved = {f.name: f.reserved_concurrency for f in functions.values() if f.reserved_concurrency is not None}
        self.functions = dict(functions)
        self.limits = Limits(account_concurrency, reserved)
        self._ready |= self._store.queued_functions()
        self.metrics.changed("functions", "dlq")  # which queues hold dead letters is configuration too
        self._arrived()

    def place_free(self, function: str) -> None:
        """An environment of this function has become free, or there is one more."""
        if function in self._ready:
            self._arrived()

    def admit(self, function: str) -> str | None:
        """None if a synchronous invocation may start now, else the limit in its way."""
        refusal = concurrency.admit(function, self.in_flight, self.limits)
        if refusal:
            self.metrics.throttled(function)
        return refusal

    def start_no_more(self) -> None:
        """From now on events are accepted and settled, and none begins: the engine is about to stop."""
        self._stopping = True
        self._starts = False

    def hold(self, held: bool) -> None:
        """While there is no room for its outcome no attempt begins, and what came and was not taken in is dropped.

        Who sent it is told by whoever calls this.
        """
        self._starts = not (held or self._stopping)
        if held:
            self._inbox = deque(report for report in self._inbox if isinstance(report, Finished))
        else:
            self._ready |= self._store.queued_functions()
            self._arrived()

    def request_id(self) -> str:
        """A new request id: a random UUID (version 4)."""
        dice = self._random.getrandbits(128)
        text = f"{dice:032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[dice & 3]}{text[17:20]}-{text[20:]}"

    # -- the loop's side ---------------------------------------------------------------------------------------------

    def recover(self) -> int:
        """Settle what a killed engine left running, as lost. Returns how many there were. Call once, before `step`."""
        left = self._store.running()
        for event in left:
            self.begun[event.seq] = event
            self.report(Finished(event.seq, _LOST._replace(started_at=event.begun_at or 0.0)))
        return len(left)

    def step(self) -> Step:
        """Take in reports, start what is due. Leaves a transaction open if `Step.wrote`.

        If the disk is full in the middle, the step ends there: what was decided is written once there is room, and
        the rest comes with the next step.
        """
        now = self._clock.now()
        self._wrote = False
        try:
            self._move(now)
            self._finish(now)
            return Step(self._wrote, now if self._inbox else self._wake_at(now))
        except Unwritable:
            self._finish(now)
            return Step(True, now)

    def release(self) -> None:
        """After the commit: let monitors look again, answer callers, start executions."""
        self.metrics.committed()
        effects, self._effects = self._effects, []
        for effect in effects:
            effect()

    def _move(self, now: float) -> None:
        for _ in range(min(len(self._inbox), REPORTS_MAX)):
            self._take(self._inbox[0], now)
            self._inbox.popleft()
        self._write()
        self._find_ready(now)
        self._claim(now)
        self._drain_outbox(now)

    def _finish(self, now: float) -> None:
        self._write()
        if self._wrote:
            self._store.set_engine_time(now)

    # -- reports -----------------------------------------------------------------------------------------------------

    def _take(self, report: Report, now: float) -> None:
        match report:
            case Accept():
                self._accept(report, now)
            case Finished():
                self._settle(report, now)
            case Redrive():
                self._redrive(report, now)

    def _accept(self, report: Accept, now: float) -> None:
        self._seq += 1
        function = report.function
        event = lifecycle.accept(
            self._seq,
            report.request_id,
            function,
            report.payload,
            now=now,
            source=report.source,
            qualifier=report.qualifier,
            trace_id=report.trace_id,
            caller=report.caller,
        )
        if event.condition is Condition.RECURSIVE_INVOCATION:
            self.metrics.recursion_stopped(function.name)
        event = self._enter(event, function, now)
        self._effects.append(partial(report.answer, event))

    def _enter(self, event: Event, function: Function, now: float) -> Event:
        """A new event begins at once if there is a place for it, and else queues behind those before it."""
        if self._starts and event.state is State.QUEUED and event.function not in self._ready:
            if concurrency.room(event.function, self.in_flight, self.limits) == 0:
                self._count_throttle(function)
                event = lifecycle.throttle(event, function, now=now, jitter=self._random.random())
            elif self._places(event.function) > 0:
                event = self._begin(event, function, now)
        self._moves.inserts.append(event)
        self._moved(None, event, None, function, now)
        return event

    def _settle(self, report: Finished, now: float) -> None:
        event = self.begun.pop(report.seq, None)
        if event is None:
            return  # a stale report changes nothing
        self.started.discard(report.seq)
        function = self._function(event)
        outcome = report.outcome
        if outcome.ended is Ended.THROTTLED:
            self._count_throttle(function)
        elif outcome.ended is not Ended.NOT_STARTED:
            self._moves.attempts.append(Attempt(event.seq, event.attempts, outcome))
        late = self._late.random() if self._late and outcome.ended is Ended.FUNCTION_ERROR else None
        settled = lifecycle.settle(event, outcome, function, now=now, jitter=self._random.random(), late=late)
        self._moves.updates.append(settled)
        self._moved(event, settled, outcome, function, now)

    def _redrive(self, report: Redrive, now: float) -> None:
        named = {id_: self._dead(id_) for id_ in report.ids}  # all is read before anything is written
        redriven: dict[str, str] = {}
        refused: list[tuple[str, str]] = []
        for id_, event in named.items():
            why_not = self._why_not(event, redriven)
            if event is None or why_not:
                refused.append((id_, why_not or "there is no such dead letter"))
            else:
                redriven[event.id] = self._send_round(event, now)
        self._effects.append(partial(report.answer, list(redriven.items()), refused))

    def _dead(self, id_: str) -> Event | None:
        if id_.startswith("dropped:"):
            return self._store.event(id_.removeprefix("dropped:"))
        message = self._store.message(id_)
        return self._store.event(message.request_id) if message else None

    def _why_not(self, event: Event | None, redriven: Mapping[str, str]) -> str | None:
        if event is None:
            return None
        if event.id in redriven:  # named twice, by two messages that tell of it
            return f"it was sent round already, as {redriven[event.id]}"
        if event.function not in self.functions:
            return f"function {event.function} is no longer configured"
        if event.redriven_as:
            return f"it was sent round already, as {event.redriven_as}"
        return None if event.state is State.DISCARDED else f"it is {event.state}"

    def _send_round(self, event: Event, now: float) -> str:
        """Delete the dead letter and accept its event anew, in one transaction. Returns the new request id."""
        self._seq += 1
        function = self.functions[event.function]
        old, new = lifecycle.redrive(event, self._seq, self.request_id(), function, now=now)
        self._open()
        self._store.delete_dead_letters(event.id)
        self._store.update([old])  # at once: the next report may name it too
        self.metrics.changed("dlq")
        self._enter(new, function, now)
        return new.id

    # -- what is due -------------------------------------------------------------------------------------------------

    def _find_ready(self, now: float) -> None:
        """Which functions' events have come due since the last look?"""
        if now > self._looked_until:
            self._ready.update(self._store.functions_due(self._looked_until, now))
            self._looked_until = now

    def _claim(self, now: float) -> None:
        for name in sorted(self._ready) if self._starts else ():
            function = self.functions.get(name)
            if function is None:
                self._ready.discard(name)  # its events wait until the function is configured again
            elif concurrency.room(name, self.in_flight, self.limits) == 0:
                self._throttle_due(function, now)
            elif (places := self._places(name)) > 0:
                self._begin_due(function, places, now)
            elif now >= self._look_again_at:
                self._expire_due(function, now)
        if self._ready and now >= self._look_again_at:
            self._look_again_at = now + _LOOK_AGAIN

    def _throttle_due(self, function: Function, now: float) -> None:
        """The limit is reached at these events' try: each waits, on its own backoff."""
        due = self._store.due(function.name, now, REPORTS_MAX)
        if len(due) < REPORTS_MAX:
            self._ready.discard(function.name)
        for event in due:
            self._count_throttle(function)
            refused = lifecycle.throttle(event, function, now=now, jitter=self._random.random())
            self._moves.updates.append(refused)
            self._moved(event, refused, None, function, now)

    def _begin_due(self, function: Function, places: int, now: float) -> None:
        """Begin as many due events as there are places; end those that are too old."""
        wanted = min(places, REPORTS_MAX)
        due = self._store.due(function.name, now, wanted)
        if len(due) < wanted:
            self._ready.discard(function.name)
        for event in due:
            if lifecycle.is_too_old(event, function, at=now):
                after = lifecycle.expire(event, function, now=now)
            elif event.losses and self._ahead.get(function.name, 0) >= self._environments.capacity(function.name):
                # It was lost with an engine before: it begins when its turn to run has come, not ahead of it, or it
                # could be lost again and again without ever having run.
                self._ready.add(function.name)
                continue
            else:
                after = self._begin(event, function, now)
            self._moves.updates.append(after)
            self._moved(event, after, None, function, now)

    def _expire_due(self, function: Function, now: float) -> None:
        """Of the oldest events that wait for a place, end those that have outlived their maximum age."""
        for event in self._store.due(function.name, now, REPORTS_MAX):
            if lifecycle.is_too_old(event, function, at=now):
                expired = lifecycle.expire(event, function, now=now)
                self._moves.updates.append(expired)
                self._moved(event, expired, None, function, now)

    def _places(self, function: str) -> int:
        """How many more events may begin: what the limits leave, and no more than a few ahead of each environment."""
        ahead = self._ahead.get(function, 0)
        room = concurrency.room(function, self.in_flight, self.limits)
        return min(room, _AHEAD * self._environments.capacity(function)) - ahead

    def _begin(self, event: Event, function: Function, now: float) -> Event:
        event = lifecycle.begin(event, now=now)
        self.begun[event.seq] = event
        self._ahead[event.function] = self._ahead.get(event.function, 0) + 1
        self._effects.append(partial(self._environments.run, self._invocation(event, function)))
        return event

    def _invocation(self, event: Event, function: Function) -> Invocation:
        invocation = Invocation(
            event.id,
            function,
            event.payload,
            may_start=partial(self._may_start, event, function),
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
        self.calls.begin(invocation)  # from here on; nobody but its handler knows the name that it goes by
        return invocation

    def _may_start(self, event: Event, function: Function) -> bool:
        """Asked when an environment is free: do the limits and the event's age still allow it?"""
        self._ahead[event.function] -= 1
        if lifecycle.is_too_old(event, function, at=self._clock.now()):
            return self._turn_back(event, _TOO_LATE)
        if concurrency.admit(event.function, self.in_flight, self.limits):
            return self._turn_back(event, _REFUSED)
        self.in_flight.start(event.function)
        self.started.add(event.seq)
        self.metrics.changed("inflight", "queue")
        return True

    def _turn_back(self, event: Event, why: Outcome) -> bool:
        self.calls.end(event.id)
        self.report(Finished(event.seq, why))
        return False

    def _done(self, event: Event, outcome: Outcome) -> None:
        outcome = with_waits(outcome, self.calls.end(event.id, self._ticks()))
        if event.seq in self.started:
            self.in_flight.end(event.function)
        else:  # it never got an environment
            self._ahead[event.function] -= 1
            if outcome.ended is Ended.LOST:
                outcome = outcome._replace(ended=Ended.NOT_STARTED)
        self.metrics.invoked(self._function(event), outcome)
        self.report(Finished(event.seq, outcome))

    def _count_throttle(self, function: Function) -> None:
        """An event meets a limit. One that reserved concurrency 0 sends away was not throttled, says AWS."""
        if function.reserved_concurrency != 0:
            self.metrics.throttled(function.name)

    # -- what every move brings with it ------------------------------------------------------------------------------

    def _moved(
        self, before: Event | None, after: Event, outcome: Outcome | None, function: Function, now: float
    ) -> None:
        """Count the move; note what is due again, and what an ended event owes."""
        self.metrics.moved(before, after)
        if after.state is State.QUEUED and after.due_at <= now:
            self._ready.add(after.function)
        elif after.condition is not None:
            self._moves.deliveries.extend(self._outbox.owed(after, outcome, function, now))

    def _drain_outbox(self, now: float) -> None:
        self._write()
        for report in self._outbox.drain(now, self._open):
            self._accept(report, now)

    def _open(self) -> None:
        if not self._wrote:
            self._store.begin()
            self._wrote = True

    def _write(self) -> None:
        moves = self._moves
        if not (moves.inserts or moves.updates or moves.attempts or moves.deliveries):
            return
        self._open()
        self._store.insert(moves.inserts)
        self._store.update(moves.updates)
        self._store.record(moves.attempts)
        self._store.owe(moves.deliveries)
        self._moves = _Moves()

    def _wake_at(self, now: float) -> float | None:
        moments = [self._store.next_due(now), self._store.next_delivery()]
        if self._ready and self._starts:
            moments.append(self._look_again_at)
        return min((m for m in moments if m is not None), default=None)

    def _function(self, event: Event) -> Function:
        """Its function as configured now; if it is gone meanwhile, one with AWS's defaults."""
        return self.functions.get(event.function) or Function(event.function, handler="", code="")

    def _count_what_is_there(self) -> None:
        for function, places in self._store.counts().items():
            for place, number in places.items():
                self.metrics.counted(function, place, number)
