"""What has been counted, per function, under CloudWatch's names where it has one.

Kept in memory by the dispatcher; never counted from the tables while the engine runs.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from .core.cost import Bill
from .core.event import Ended, Event, Outcome, Reason, State
from .core.function import Function

_DURATIONS_KEPT = 512


@dataclass(slots=True)
class FunctionMetrics:
    """Counts since the engine started, and how many events stand where now.

    The first eight are CloudWatch's (Lambda guide, "Types of metrics for Lambda functions").
    """

    invocations: int = 0  # ran, with or without success; not the throttled ones
    errors: int = 0
    throttles: int = 0  # each refusal at a limit; none for an event that reserved concurrency 0 ends
    async_events_received: int = 0  # once per event, however often it is tried
    async_events_dropped: int = 0  # ended without success, also those that went to a dead-letter queue
    dead_letter_errors: int = 0  # deliveries that failed at their first try
    delivery_failures: int = 0  # DestinationDeliveryFailures: the same, of destinations
    recursive_drops: int = 0  # RecursiveInvocationsDropped
    cold_starts: int = 0
    succeeded: int = 0  # events that ended well
    discarded: int = 0  # events that did not
    queued: dict[Reason, int] = field(default_factory=lambda: dict.fromkeys(Reason, 0))
    begun: int = 0  # events whose attempt is on record: executing, or about to
    bill: Bill = field(default_factory=Bill)
    durations: deque[float] = field(default_factory=lambda: deque(maxlen=_DURATIONS_KEPT))

    def percentile(self, share: float) -> float | None:
        """The duration, in seconds, that `share` (0 to 1) of the last 512 invocations did not exceed."""
        return percentile(self.durations, share)


def percentile(durations: Iterable[float], share: float) -> float | None:
    """The duration that `share` (0 to 1) of these did not exceed; None if there are none."""
    ordered = sorted(durations)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else None


class Metrics:
    """All functions' counts, and a number per pane that goes up whenever something in it changed."""

    def __init__(self) -> None:
        self.functions: dict[str, FunctionMetrics] = {}
        self.changes = dict.fromkeys(("queue", "retries", "inflight", "dlq", "functions"), 0)
        self.received = 0  # requests of both kinds since the engine started
        self.durations: deque[float] = deque(maxlen=_DURATIONS_KEPT)  # seconds, of the newest invocations of all
        self._since_commit: set[str] = set()

    def of(self, function: str) -> FunctionMetrics:
        found = self.functions.get(function)
        if found is None:
            found = self.functions[function] = FunctionMetrics()
        return found

    def invoked(self, function: Function, outcome: Outcome) -> None:
        """An invocation of any kind has ended."""
        counts = self.of(function.name)
        self.changed("functions", "inflight")
        if outcome.ended in (Ended.RETURNED, Ended.FUNCTION_ERROR):
            counts.invocations += 1
            counts.errors += outcome.ended is Ended.FUNCTION_ERROR
            counts.cold_starts += outcome.init_duration is not None
            counts.durations.append(outcome.duration)
            self.durations.append(outcome.duration)
            counts.bill.add(outcome, function)

    def throttled(self, function: str) -> None:
        """A concurrency limit stood in the way of an invocation."""
        self.of(function).throttles += 1
        self.changed("functions")

    def recursion_stopped(self, function: str) -> None:
        """A chain of requests that came by this function too often was stopped."""
        self.of(function).recursive_drops += 1
        self.changed("functions")

    def undelivered(self, function: str, kind: str) -> None:
        """What an ended event owes could not be delivered at once. AWS gives up here; lamtop tries on."""
        counts = self.of(function)
        counts.dead_letter_errors += kind == "dead letter"
        counts.delivery_failures += kind != "dead letter"
        self.changed("functions")

    def moved(self, before: Event | None, after: Event) -> None:
        """An event went from one place to another; `before` is None for a new one."""
        counts = self.of(after.function)
        if before is not None:
            self._count(counts, before, -1)
        self._count(counts, after, +1)
        counts.async_events_received += before is None
        self.received += before is None
        counts.async_events_dropped += after.state is State.DISCARDED

    def counted(self, function: str, place: str, number: int) -> None:
        """Take over a count from the store, at the start. `place` is a reason, or a state other than queued."""
        counts = self.of(function)
        match place:
            case State.SUCCEEDED:
                counts.succeeded += number
            case State.DISCARDED:
                counts.discarded += number
            case State.RUNNING:
                counts.begun += number
            case _:
                counts.queued[Reason(place)] += number

    def changed(self, *panes: str) -> None:
        self._since_commit.update(panes)
        for pane in panes:
            self.changes[pane] += 1

    def committed(self) -> None:
        """What changed is on disk now: whoever looked meanwhile saw the old state, and must look again."""
        panes, self._since_commit = self._since_commit, set()
        for pane in panes:
            self.changes[pane] += 1

    def _count(self, counts: FunctionMetrics, event: Event, by: int) -> None:
        match event.state:
            case State.QUEUED:
                counts.queued[event.reason] += by
                self.changed("retries" if event.reason is Reason.RETRY else "queue")
            case State.RUNNING:
                counts.begun += by
                self.changed("queue", "inflight")
            case State.SUCCEEDED:
                counts.succeeded += by
            case State.DISCARDED:
                counts.discarded += by
                self.changed("dlq")
        self.changed("functions")
