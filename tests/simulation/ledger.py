"""What an engine owes to those who use it, kept by a witness that sees nothing but what happens outside.

It is told who was accepted aloud, what was started and how that ended, and which of it reached the disk. From these and
AWS's rules alone it says what must have become of every event. Numbers that the engine has counted are compared, never
used.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lamtop.engine.core.event import Condition, Ended, Event, Outcome
from lamtop.engine.core.function import Function
from lamtop.engine.core.invocation import Invocation

LATEST_RETRY = 10.0  # seconds that a retry may come after its time, if lateness is simulated
_LONGEST_BACKOFF = 300.0


@dataclass(slots=True)
class Entry:
    """One event."""

    id: str
    function: str
    qualifier: str
    accepted_at: float
    tries: int = 0  # attempts on record that have ended
    errors: int = 0
    losses: int = 0
    not_before: float = 0.0
    end: Condition | None = None  # it must have ended so …
    ended_at: float | None = None  # … then
    may_be_late: bool = False  # whether its next try comes before its maximum age is a matter of dice


@dataclass(slots=True)
class Fact:
    """The end of an attempt, as a step has taken it in."""

    entry: Entry
    outcome: Outcome
    function: Function
    now: float


@dataclass
class Ledger:
    account: int
    late: bool = False  # retries come up to ten seconds late
    entries: dict[str, Entry] = field(default_factory=dict)
    promised: set[str] = field(default_factory=set)
    executing: Counter[str] = field(default_factory=Counter)  # by function
    running: set[str] = field(default_factory=set)
    begun: dict[str, float] = field(default_factory=dict)  # request id → maximum age when it was begun
    reported: list[tuple[Entry, Outcome]] = field(default_factory=list)  # … and not taken in yet
    uncommitted: list[Fact] = field(default_factory=list)
    ran: Counter[tuple[str, bool]] = field(default_factory=Counter)  # of this life: function and whether it failed

    # -- what is seen ------------------------------------------------------------------------------------------------

    def answered(self, event: Event) -> None:
        assert event.id not in self.promised, f"{event.id} was accepted twice"
        self.promised.add(event.id)
        self._entry(event.id, event.function, event.qualifier, event.accepted_at)

    def started(self, invocation: Invocation, functions: Mapping[str, Function], now: float) -> None:
        qualifier = invocation.invoked_arn.partition(":function:")[2].partition(":")[2]
        name = invocation.function.name
        entry = self._entry(invocation.request_id, name, qualifier, invocation.accepted_at)
        assert entry.end is None, f"started after its end, {entry.end}: {entry}"
        assert entry.id not in self.running, f"runs twice at once: {entry}"
        assert invocation.attempt == entry.tries + 1, f"attempt {invocation.attempt}, not the next: {entry}"
        assert now >= entry.not_before, f"started {entry.not_before - now} s too early: {entry}"
        age = now - entry.accepted_at
        assert age <= self.begun[entry.id], f"started at an age of {age} s, over {self.begun[entry.id]}: {entry}"
        self.running.add(entry.id)
        self.executing[name] += 1
        self._within_limits(name, functions)

    def _within_limits(self, name: str, functions: Mapping[str, Function]) -> None:
        reserved = {f.name: f.reserved_concurrency for f in functions.values() if f.reserved_concurrency is not None}
        if name in reserved:
            assert self.executing[name] <= reserved[name], f"{name}: more than its reserved concurrency"
        else:
            shared = sum(number for other, number in self.executing.items() if other not in reserved)
            assert shared <= max(0, self.account - sum(reserved.values())), f"{name}: more than the account's pool"

    def ended(self, invocation: Invocation, outcome: Outcome) -> None:
        self.running.discard(invocation.request_id)
        self.executing[invocation.function.name] -= 1
        self.reported.append((self.entries[invocation.request_id], outcome))
        if outcome.ended in (Ended.RETURNED, Ended.FUNCTION_ERROR):
            self.ran[invocation.function.name, outcome.ended is Ended.FUNCTION_ERROR] += 1

    # -- what is known -----------------------------------------------------------------------------------------------

    def taken_in(self, unread: set[str], functions: Mapping[str, Function], now: float) -> None:
        """A step has taken in what was reported, but for these request ids."""
        for entry, outcome in self.reported:
            if entry.id not in unread:
                self.uncommitted.append(Fact(entry, outcome, functions[entry.function], now))
        self.reported = [(entry, outcome) for entry, outcome in self.reported if entry.id in unread]

    def committed(self) -> None:
        for fact in self.uncommitted:
            self._settle(fact.entry, fact.outcome, fact.function, fact.now)
        self.uncommitted = []

    def died(self, running: Iterable[Event]) -> None:
        """The engine is gone; these are the events that the disk says had begun. They are lost, and nothing else is."""
        left = {event.id: event for event in running}
        uncommitted = {fact.entry.id for fact in self.uncommitted} | {entry.id for entry, _ in self.reported}
        for id_ in self.running | uncommitted:
            assert id_ in left, f"it ran and was not on record: {self.entries[id_]}"
            assert left[id_].attempts == self.entries[id_].tries + 1, (
                f"another attempt than the recorded ran: {left[id_]}"
            )
        self.uncommitted, self.running = [], set()
        self.executing.clear()
        self.ran.clear()
        self.begun.clear()
        self.reported = [
            (self._entry(event.id, event.function, event.qualifier, event.accepted_at), Outcome(Ended.LOST))
            for event in left.values()
        ]

    # -- AWS's rules -------------------------------------------------------------------------------------------------

    def _settle(self, entry: Entry, outcome: Outcome, function: Function, now: float) -> None:
        config = function.config(entry.qualifier)
        entry.tries += 1
        due, end = now, None
        match outcome.ended:
            case Ended.RETURNED:
                again = outcome.injected.startswith("duplicate") and now - entry.accepted_at <= config.maximum_event_age
                end = None if again else Condition.SUCCESS
            case Ended.FUNCTION_ERROR:
                entry.errors += 1
                due = now + config.retry_delays[min(entry.errors, len(config.retry_delays)) - 1]
                end = Condition.RETRIES_EXHAUSTED if entry.errors > config.maximum_retry_attempts else None
            case Ended.LOST:
                entry.losses += 1
                end = Condition.LOST_REPEATEDLY if entry.losses > 3 else None
            case Ended.CANCELLED:
                end = Condition.CANCELLED
        if end is None and due - entry.accepted_at > config.maximum_event_age:
            end = Condition.EVENT_AGE_EXCEEDED
        entry.not_before = due
        entry.may_be_late = self.late and due + LATEST_RETRY - entry.accepted_at > config.maximum_event_age
        entry.end, entry.ended_at = end, None if end is None else now

    def check_end(self, event: Event, changes: list[tuple[float, Function]]) -> None:
        """Has this event ended as it must? `changes` are its function's configurations, and from when on they held."""
        entry = self.entries.get(event.id) or Entry(event.id, event.function, event.qualifier, event.accepted_at)
        assert event.condition is not None, f"it never ended: {event}"
        assert event.ended_at is not None
        assert (event.attempts, event.errors, event.losses) == (entry.tries, entry.errors, entry.losses), (event, entry)
        if entry.end is not None:
            assert (event.condition, event.ended_at) == (entry.end, entry.ended_at), f"{event} should be {entry}"
        elif event.condition is Condition.ZERO_RESERVED_CONCURRENCY:
            assert configured(changes, event.ended_at).reserved_concurrency == 0, event
        else:
            assert event.condition is Condition.EVENT_AGE_EXCEEDED, f"{event} should have been queued: {entry}"
            wait = _LONGEST_BACKOFF if event.throttles else LATEST_RETRY + 120.0 if entry.may_be_late else 0.0
            age = event.ended_at + wait - entry.accepted_at
            assert age > configured(changes, event.ended_at).config(event.qualifier).maximum_event_age, (
                f"young: {event}"
            )

    def _entry(self, id_: str, function: str, qualifier: str, accepted_at: float) -> Entry:
        if id_ not in self.entries:
            self.entries[id_] = Entry(id_, function, qualifier, accepted_at)
        return self.entries[id_]


def configured(changes: list[tuple[float, Function]], at: float) -> Function:
    """The configuration that held at this moment."""
    return next(function for since, function in reversed(changes) if since <= at)
