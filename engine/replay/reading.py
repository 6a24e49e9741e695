"""A recording read once, from the first event to the last: what each was from when on, what was counted, what fell due.

From here on any moment can be looked up.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from ..core import record
from ..core.arn import resource_name
from ..core.course import course
from ..core.event import Attempt, Ended, Event, Message, Outcome, State
from ..core.function import Function
from ..store import Absence
from ..store.past import Known, Letter, Past
from ..store.past_history import PastHistory
from ..store.recording import Recording
from .configured import Configured
from .tallies import Tallies

Row = dict[str, Any]
_UNDO_SECONDS = 10.0  # that a purge can be taken back, at the speed at which time ran then
_SEARCHED = 100_000  # of the newest log lines, for the beginning of what still runs


class Read(NamedTuple):
    """What is known of a recording once it has been read."""

    past: Past
    history: PastHistory
    configured: Configured
    tallies: Tallies
    absences: list[Absence]
    begun: dict[tuple[str, int], float]  # when attempts that never ended began to run, as far as the log tells
    failures: list[float]  # moments
    first: float
    last: float


def read(recording: Recording) -> Read:
    """Read it. Raises StoreError if it is damaged."""
    return _Reading(recording).done()


class _Reading:
    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._tallies = Tallies()
        self._redriven = recording.redriven()
        self._purged = {one.id: one.until - _UNDO_SECONDS for one in recording.buried()}
        self._configured = Configured(recording.configurations, self._seen)
        self._letters: list[Letter] = []
        self._failures: list[float] = []
        self._first, self._last = math.inf, recording.time()
        self._unfinished: set[str] = set()

    def done(self) -> Read:
        recording = self._recording
        past = Past(recording.queue)
        history = PastHistory(recording.path, recording.history)
        history.fill(self._calls())
        past.fill(self._events(), self._all_letters())
        for function, state, count in recording.forgotten():
            self._tallies.forgotten(function, State(state), count)
        self._tallies.sort()
        self._failures.sort()
        begun = self._begun(history) if self._unfinished else {}
        first, last = min(self._first, history.first_at), max(self._last, history.last_at)
        first = first if math.isfinite(first) else last
        return Read(
            past, history, self._configured, self._tallies, recording.absences, begun, self._failures, first, last
        )

    def _seen(self) -> dict[str, str | None]:
        """Every function that was sent something, with the queue that has a message about it."""
        queues = {message.request_id: message.queue for message in self._recording.messages()}
        seen: dict[str, str | None] = {}
        for event in self._recording.events():
            queue = queues.get(event.id) if event.state is State.DISCARDED else None
            seen[event.function] = seen.get(event.function) or queue
        for call in self._recording.calls():
            seen.setdefault(call["function"], None)
        return seen

    # -- events ------------------------------------------------------------------------------------------------------

    def _events(self) -> Iterator[tuple[int, Known]]:
        attempts = groupby(self._recording.attempts(), key=attrgetter("event"))
        at, of_it = next(attempts, (math.inf, iter(())))
        for event in self._recording.events():
            while at < event.seq:
                at, of_it = next(attempts, (math.inf, iter(())))
            tried = list(of_it) if at == event.seq else []
            yield event.seq, self._known(event, tried)

    def _known(self, event: Event, attempts: list[Attempt]) -> Known:
        function = self._configured.function(event.function, event.accepted_at)
        jitter = bool(self._configured.project(event.accepted_at).get("jitter"))
        redriven_at = self._redriven.get(event.id)
        gone_at = self._purged.get(f"dropped:{event.id}")
        found = course(event, attempts, function, late=jitter, redriven_at=redriven_at, gone_at=gone_at)
        failed = [at for at, a in zip(found.settled, attempts, strict=True) if a.outcome.ended is not Ended.RETURNED]
        if event.state is State.DISCARDED and event.ended_at is not None and event.ended_at not in failed:
            failed.append(event.ended_at)
        self._count(event, found.stands, attempts)
        if event.redriven_as and not event.dropped:
            self._redrive(event, attempts, function, redriven_at)
        self._failures += failed
        numbered = [(attempt.number, at) for attempt, at in zip(attempts, found.settled, strict=True)]
        return Known(found.stands, numbered, failed)

    def _count(self, event: Event, stands: list[tuple[float, Event]], attempts: Sequence[Attempt]) -> None:
        self._tallies.event(stands)
        for attempt in attempts:
            self._tallies.ran(event.function, attempt.outcome)
        self._first, self._last = min(self._first, stands[0][0]), max(self._last, stands[-1][0])
        if event.state is State.RUNNING:
            self._unfinished.add(event.id)

    def _redrive(self, event: Event, attempts: Sequence[Attempt], function: Function, until: float | None) -> None:
        """Its dead letters went when it was sent round; what they said can be told from what they told of."""
        outcome, ended_at = attempts[-1].outcome if attempts else None, event.ended_at or event.accepted_at
        whole = event._replace(payload=self._recording.payload(event.seq), redriven_as=None)
        for owed in record.deliveries(whole, outcome, function, next_id=1, now=ended_at):
            if ":sqs:" in owed.target:
                id_ = f"redriven:{event.id}:{owed.id}"
                message = Message(id_, resource_name(owed.target), owed.body, owed.attributes, ended_at, event.id)
                self._letters.append(Letter(message, until or ended_at))

    def _all_letters(self) -> Iterator[Letter]:
        """Asked for when all events have been read."""
        yield from (Letter(message) for message in self._recording.messages())
        for one in self._recording.buried():
            if one.message is not None:
                yield Letter(one.message, one.until - _UNDO_SECONDS)
        yield from self._letters

    # -- the history -------------------------------------------------------------------------------------------------

    def _calls(self) -> Iterator[Row]:
        for call in self._recording.calls():
            refused = call["ended"] == Ended.THROTTLED
            self._tallies.called(call["function"], call["accepted_at"], refused=refused)
            if not refused:
                self._tallies.ran(call["function"], _outcome(call))
                if call["error"] is not None:
                    self._failures.append(call["ended_at"])
            self._first = min(self._first, call["accepted_at"])
            yield call

    def _begun(self, history: PastHistory) -> dict[tuple[str, int], float]:
        """When the attempts that never ended printed their first line: mostly that they start."""
        history.move(math.inf)
        lines = history.newest_lines(_SEARCHED, lambda line: line.request_id in self._unfinished, within=_SEARCHED)
        return {(line.request_id, line.attempt): line.at for line in reversed(lines)}


def _outcome(call: Row) -> Outcome:
    """What is counted of a synchronous invocation."""
    return Outcome(
        Ended(call["ended"]),
        error_type=call["error_type"],
        started_at=call["started_at"],
        ended_at=call["ended_at"],
        duration=call["duration"],
        init_duration=call["init_duration"],
        environment=call["environment"],
        version=call["version"],
        waited=call.get("waited", 0.0),
    )
