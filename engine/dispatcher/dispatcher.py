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
from enum import Enum
from functools import partial
from typing import NamedTuple

from ..clock import Clock
from ..core import concurrency, lifecycle
from ..core.concurrency import Limits
from ..core.event import Attempt, Condition, Delivery, Ended, Event, Message, Outcome, State
from ..core.fault import Kind
from ..core.function import Function
from ..faults import Faults
from ..metrics import Metrics
from ..reports import Accept, Finished, Purge, Redrive, Report, Undo
from ..store import Store, Unwritable
from .attempts import Attempts, Environments
from .due import Due
from .moves import Moves
from .outbox import Outbox
from .purging import Purging
from .redrives import dead_event, refusal

_REPORTS_MAX = 256  # per step: about 2 ms
_LOST = Outcome(Ended.LOST, error_message="the engine ended during this attempt")


class Hold(Enum):
    """Why no attempt begins. The reasons come and go each by itself."""

    ENDING = "the engine is about to stop"
    NO_ROOM = "there is no room on the disk for its outcome"
    PAUSED = "somebody said so"


class Step(NamedTuple):
    """What a step leaves to be done: a transaction to commit, and when to step again."""

    wrote: bool
    wake_at: float | None  # engine time; None: only when something arrives


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
        faults: Faults | None = None,
    ) -> None:
        """`deliver` is the outbox's.

        `jitter` is a seed: with it retries are as late as on AWS, without they come exactly when they are due.
        """
        self._store = store
        self._clock = clock
        self._arrived = arrived
        self._random = random.Random(seed)
        self._late = None if jitter is None else random.Random(jitter)
        self._inbox: deque[Report] = deque()
        self._effects: list[Callable[[], None]] = []
        self._holds: set[Hold] = set()
        self.paused_since: float | None = None  # engine time
        self._seq = store.last_seq()
        self._outbox = Outbox(store, metrics, deliver)
        self._moves = Moves(store, metrics, self._outbox)
        self._purging = Purging(store, metrics, clock, self.request_id, self._moves.open)
        self._attempts = Attempts(
            clock,
            environments,
            metrics,
            self._random,
            faults or Faults(clock),
            report=self.report,
            after_commit=self._effects.append,
        )
        self._due = Due(store, self._attempts, self._moves, clock.now())
        self.metrics = metrics
        self.in_flight = self._attempts.in_flight
        self.calls = self._attempts.calls
        self.begun = self._attempts.begun  # events whose attempt is on record and not settled, by number
        self._count_what_is_there()

    # -- the edges' side ---------------------------------------------------------------------------------------------

    def report(self, report: Report) -> None:
        """Leave something for the next step."""
        self._inbox.append(report)
        self._arrived()

    @property
    def functions(self) -> Mapping[str, Function]:
        return self._attempts.functions

    @property
    def limits(self) -> Limits:
        """The concurrency limits that are in force."""
        return self._attempts.limits

    def waiting(self, function: str) -> int:
        """How many events of a function have begun and wait for an execution environment."""
        return self._attempts.waiting(function)

    @property
    def ahead(self) -> list[Event]:
        """Events that have begun and wait for an execution environment. May be asked in any thread."""
        return self._attempts.ahead

    @property
    def unread(self) -> int:
        """How many reports wait for the next step."""
        return len(self._inbox)

    def configure(self, functions: Mapping[str, Function], account_concurrency: int = 1_000) -> None:
        """Use these functions from the next step on; what waits is tried again under the new limits."""
        reserved = {f.name: f.reserved_concurrency for f in functions.values() if f.reserved_concurrency is not None}
        self._attempts.functions = dict(functions)
        self._attempts.limits = Limits(account_concurrency, reserved)
        self._moves.look_at_all()
        self.metrics.changed("functions", "dlq")  # which queues hold dead letters is configuration too
        self._arrived()

    def look_again(self) -> None:
        """Something that held events back may be over."""
        self._moves.look_at_all()
        self._arrived()

    def place_free(self, function: str) -> None:
        """An environment of this function has become free, or there is one more."""
        if function in self._moves.ready:
            self._arrived()

    def admit(self, function: str) -> str | None:
        """None if a synchronous invocation may start now, else the limit in its way."""
        refusal = concurrency.admit(function, self.in_flight, self._attempts.limits)
        if refusal:
            self.metrics.throttled(function)
        return refusal

    def start_no_more(self) -> None:
        """From now on events are accepted and settled, and none begins: the engine is about to stop."""
        self._hold(Hold.ENDING, True)

    def hold(self, held: bool) -> None:
        """While there is no room for its outcome no attempt begins, and what came and was not taken in is dropped.

        Who sent it is told by whoever calls this.
        """
        if held:
            self._inbox = deque(report for report in self._inbox if isinstance(report, Finished))
        self._hold(Hold.NO_ROOM, held)

    def pause(self) -> None:
        """From now on events are accepted and wait, and none is handed to an environment until `resume`."""
        if self.paused_since is None:
            self.paused_since = self._clock.now()
        self._attempts.paused = True
        self._hold(Hold.PAUSED, True)

    def resume(self) -> None:
        """Go on with what waits, if nothing else is in its way."""
        self.paused_since, self._attempts.paused = None, False
        self._hold(Hold.PAUSED, False)

    def _hold(self, why: Hold, held: bool) -> None:
        (self._holds.add if held else self._holds.discard)(why)
        self.metrics.changed("queue", "retries")
        if not self._holds:
            self._moves.look_at_all()
            self._arrived()

    def request_id(self) -> str:
        """A new request id: a random UUID (version 4)."""
        dice = self._random.getrandbits(128)
        text = f"{dice:032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[dice & 3]}{text[17:20]}-{text[20:]}"

    # -- the loop's side ---------------------------------------------------------------------------------------------

    def recover(self, injected: str = "") -> int:
        """Settle what a killed engine left running, as lost. Returns how many there were. Call once, before `step`.

        `injected` is the armed fault that killed it, if one did.
        """
        left = self._store.running()
        for event in left:
            self.begun[event.seq] = event
            self.report(Finished(event.seq, _LOST._replace(started_at=event.begun_at or 0.0, injected=injected)))
        return len(left)

    def step(self) -> Step:
        """Take in reports, start what is due. Leaves a transaction open if `Step.wrote`.

        If the disk is full in the middle, the step ends there: what was decided is written once there is room, and
        the rest comes with the next step.
        """
        now = self._clock.now()
        self._moves.wrote = False
        try:
            self._move(now)
            self._finish(now)
            return Step(self._moves.wrote, now if self._inbox else self._wake_at(now))
        except Unwritable:
            self._finish(now)
            return Step(True, now)

    def release(self) -> None:
        """After the commit: let monitors look again, answer callers, start executions."""
        self.metrics.committed()
        effects = self._effects.copy()
        self._effects.clear()
        for effect in effects:
            effect()

    def _move(self, now: float) -> None:
        for _ in range(min(len(self._inbox), _REPORTS_MAX)):
            self._take(self._inbox[0], now)
            self._inbox.popleft()
        self._moves.write()
        self._due.find(now)
        if not self._holds:
            self._due.claim(now)
        self._moves.write()
        self._drain_outbox(now)
        self._purging.forget(now)

    def _finish(self, now: float) -> None:
        self._moves.write()
        if self._moves.wrote:
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
            case Purge() | Undo():
                self._effects.append(self._purging.take(report, now))

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
        if not self._holds and event.state is State.QUEUED and event.function not in self._moves.ready:
            if self._attempts.room(event.function) == 0:
                event = self._attempts.throttle(event, function, now)
            elif self._attempts.places(event.function) > 0:
                event = self._attempts.begin(event, function, now)
        self._moves.enter(event, function, now)
        return event

    def _settle(self, report: Finished, now: float) -> None:
        event = self._attempts.settled(report.seq)
        if event is None:
            return  # a stale report changes nothing
        function = self._attempts.function_of(event)
        outcome = report.outcome
        if outcome.ended is Ended.THROTTLED:
            self._attempts.count_throttle(function)
        elif outcome.ended is not Ended.NOT_STARTED:
            self._moves.record(Attempt(event.seq, event.attempts, outcome))
        late = self._late.random() if self._late and outcome.ended is Ended.FUNCTION_ERROR else None
        again = outcome.injected.startswith(Kind.DUPLICATE)
        dice = self._random.random()
        settled = lifecycle.settle(event, outcome, function, now=now, jitter=dice, late=late, again=again)
        self._moves.move(event, settled, function, now, outcome=outcome)

    def _redrive(self, report: Redrive, now: float) -> None:
        named = {id_: dead_event(self._store, id_) for id_ in report.ids}  # all is read before anything is written
        redriven: dict[str, str] = {}
        refused: list[tuple[str, str]] = []
        for id_, event in named.items():
            if why_not := refusal(event, redriven, self.functions):
                refused.append((id_, why_not))
            elif event is not None:
                redriven[event.id] = self._send_round(event, report.payloads.get(id_), now)
        self._effects.append(partial(report.answer, list(redriven.items()), refused))

    def _send_round(self, event: Event, payload: bytes | None, now: float) -> str:
        """Delete the dead letter and accept its event anew, in one transaction. Returns the new request id."""
        self._seq += 1
        function = self.functions[event.function]
        old, new = lifecycle.redrive(event, self._seq, self.request_id(), function, now=now, payload=payload)
        self._moves.open()
        self._store.delete_dead_letters(event.id)
        self._store.update([old])  # at once: the next report may name it too
        self.metrics.changed("dlq")
        self._enter(new, function, now)
        return new.id

    # -- the rest of a step ------------------------------------------------------------------------------------------

    def _drain_outbox(self, now: float) -> None:
        for report in self._outbox.drain(now, self._moves.open):
            self._accept(report, now)

    def _wake_at(self, now: float) -> float | None:
        moments = [self._store.next_due(now), self._store.next_delivery()]
        if not self._holds:
            moments.append(self._due.wake_at())
        return min((m for m in moments if m is not None), default=None)

    def _count_what_is_there(self) -> None:
        for function, places in self._store.counts().items():
            for place, number in places.items():
                self.metrics.counted(function, place, number)
