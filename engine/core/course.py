"""The course of an event: what it was at which moment, worked out from what is on record of it.

The store keeps an event as it is now, and each attempt as it ended. What it was before follows from the rules of its
life; what does not is taken as the rules would have it: when an earlier retry was due, when a throttled try came.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from .event import Attempt, Condition, Ended, Event, Reason, State
from .function import Function
from .retry import retry_delay, throttle_delay

_AT_ONCE = 0.5  # seconds: an event that ended so soon after an attempt ended by it
_BY_AN_ATTEMPT = frozenset({Condition.SUCCESS, Condition.RETRIES_EXHAUSTED, Condition.LOST_REPEATEDLY})
_THROTTLES_MOST = 500  # that are told apart; an event that lives for six hours has 80
_WAITS = {State.QUEUED, State.RUNNING}

Stand = tuple[float, Event]  # from when on it was so


class Course(NamedTuple):
    """What an event was, oldest first, each until the next; and when each of its attempts was settled."""

    stands: list[Stand]
    settled: list[float]


def course(
    event: Event,
    attempts: Sequence[Attempt],
    function: Function,
    *,
    late: bool = False,
    redriven_at: float | None = None,
    gone_at: float | None = None,
) -> Course:
    """Work it out. `attempts` are in their order.

    `late`: retries came as late as on AWS. `redriven_at` is when it was sent round, `gone_at` when it was purged as
    one that had nowhere to go.
    """
    if len(attempts) == 1 and event.state is State.SUCCEEDED and not event.throttles:
        return _at_first_try(event, attempts[0])
    walk = _Walk(event, attempts, function, late=late)
    for at in range(len(attempts)):
        walk.attempt(at)
    walk.end(redriven_at, gone_at)
    return Course(_lasting(walk.stands), walk.settled)


def _at_first_try(event: Event, attempt: Attempt) -> Course:
    """The same as goes for all, sooner: most events are like this."""
    accepted_at, ended_at = event.accepted_at, max(event.accepted_at, event.ended_at or attempt.outcome.ended_at)
    begun_at = min(max(accepted_at, event.begun_at or accepted_at), ended_at)
    known, lineage = event[:7], (event.redriven_from, None, False, *event[21:])
    stands: list[Stand] = [(ended_at, event)]
    if begun_at < ended_at:
        running = (State.RUNNING, event.reason, event.due_at, 1, 0, 0, 0, begun_at, None, None, None)
        stands.insert(0, (begun_at, Event._make((*known, *running, *lineage))))
    if accepted_at < begun_at:
        queued = (State.QUEUED, event.reason, event.due_at, 0, 0, 0, 0, None, None, None, None)
        stands.insert(0, (accepted_at, Event._make((*known, *queued, *lineage))))
    return Course(stands, [ended_at])


class _Walk:
    """Goes along the attempts. `at` is how far it has come, `now` what the event is there."""

    def __init__(self, event: Event, attempts: Sequence[Attempt], function: Function, *, late: bool) -> None:
        self._event, self._attempts, self._late = event, attempts, late
        self._delays = function.config(event.qualifier).retry_delays
        self._last_wait = len(attempts) - _ended_by_attempt(event, attempts)  # the one that the event still tells of
        self.at = event.accepted_at
        self.now = event._replace(
            state=State.QUEUED, reason=Reason.REDRIVE if event.redriven_from else Reason.NEW, due_at=event.accepted_at,
            attempts=0, errors=0, throttles=0, losses=0, begun_at=None, condition=None, ended_at=None, error=None,
            redriven_as=None, dropped=False,
        )  # fmt: skip
        self.stands: list[Stand] = []
        self.settled: list[float] = []

    def attempt(self, index: int) -> None:
        """It waits for its next attempt, which begins and is settled."""
        attempt, event = self._attempts[index], self._event
        started_at = max(self.at, attempt.outcome.started_at)
        is_newest = attempt.number == event.attempts and event.begun_at is not None
        begun_at = event.begun_at if is_newest and event.begun_at else self.now.due_at
        begun_at = min(max(self.at, begun_at), started_at)
        self._wait(begun_at, index)
        self._begin(begun_at, attempt.number)
        self.at = max(begun_at, self._settled_at(index))
        self.settled.append(self.at)
        self._after(index)

    def end(self, redriven_at: float | None, gone_at: float | None) -> None:
        """What it is when all attempts on record are over."""
        event = self._event
        match event.state:
            case State.QUEUED:
                self._wait(math.inf, len(self._attempts))
                self.stands[-1] = (self.stands[-1][0], event)
            case State.RUNNING:
                begun_at = max(self.at, event.begun_at or self.at)
                self._wait(begun_at, len(self._attempts))
                self.stands.append((begun_at, event))
            case _:
                self._over(max(self.at, event.ended_at or self.at), redriven_at, gone_at)

    def _over(self, ended_at: float, redriven_at: float | None, gone_at: float | None) -> None:
        event = self._event
        self._wait(ended_at, len(self._attempts))
        before = event._replace(redriven_as=None, dropped=event.dropped or gone_at is not None)
        self.stands.append((ended_at, before))
        if event.redriven_as:
            self.stands.append((max(ended_at, redriven_at or ended_at), event))
        elif gone_at is not None:
            self.stands.append((max(ended_at, gone_at), event))

    def _wait(self, until: float, number: int) -> None:
        """It stands in the queue until then. The event still tells of one of its waits, by number from 0."""
        event = self._event
        self.stands.append((self.at, self.now))
        if number != self._last_wait:
            return
        if event.reason is not Reason.THROTTLED:
            self.now = self.now._replace(reason=event.reason, due_at=event.due_at)
            self.stands.append((self.at, self.now))
            return
        for at, throttles, due_at in _throttled(max(self.at, self.now.due_at), event.throttles, event.due_at):
            if at < until:
                self.now = self.now._replace(reason=Reason.THROTTLED, throttles=throttles, due_at=due_at)
                self.stands.append((at, self.now))

    def _begin(self, at: float, number: int) -> None:
        self.now = self.now._replace(state=State.RUNNING, attempts=number, begun_at=at)
        self.stands.append((at, self.now))

    def _settled_at(self, index: int) -> float:
        """When the outcome of an attempt was taken in. Of one that was lost with the engine that is not on record."""
        outcome, event = self._attempts[index].outcome, self._event
        is_newest = index == len(self._attempts) - 1
        if is_newest and event.state not in _WAITS and self._last_wait == index:
            return event.ended_at or outcome.ended_at
        if outcome.ended_at:
            return outcome.ended_at
        if not is_newest:
            return self._attempts[index + 1].outcome.started_at
        return (event.due_at if event.state is State.QUEUED else event.begun_at) or outcome.started_at

    def _after(self, index: int) -> None:
        """What the outcome of an attempt makes of the event, if that goes on."""
        outcome, now = self._attempts[index].outcome, self.now._replace(state=State.QUEUED, due_at=self.at)
        match outcome.ended:
            case Ended.FUNCTION_ERROR:
                errors = now.errors + 1
                self.now = now._replace(
                    errors=errors,
                    throttles=0,
                    error=outcome.error,
                    reason=Reason.RETRY,
                    due_at=self._due(index, errors),
                )
            case Ended.RETURNED:
                self.now = now._replace(reason=Reason.DUPLICATE)
            case _:
                self.now = now._replace(reason=Reason.LOST, losses=now.losses + 1)

    def _due(self, index: int, errors: int) -> float:
        """When the retry after an error was due: by the rule, and not after it came."""
        if index + 1 == len(self._attempts):
            return self.at + retry_delay(errors, self._delays)
        latest = self.at + retry_delay(errors, self._delays, 1.0 if self._late else None)
        return min(latest, self._attempts[index + 1].outcome.started_at)


def _ended_by_attempt(event: Event, attempts: Sequence[Attempt]) -> bool:
    """Did its last attempt end it? Else it waited for another one when it ended, or goes on."""
    if event.state in _WAITS or not attempts:
        return False
    if event.condition in _BY_AN_ATTEMPT:
        return True
    ended_at = attempts[-1].outcome.ended_at or attempts[-1].outcome.started_at
    return (event.ended_at or 0.0) - ended_at < _AT_ONCE


def _throttled(first: float, count: int, due_at: float) -> list[tuple[float, int, float]]:
    """When each of these throttles came: moment, which one, when the next try was due.

    The last was due at `due_at`, which is on record, and none came before `first`. The others are where the rule and
    its jitter would have them.
    """
    count = min(count, _THROTTLES_MOST)
    waits = [throttle_delay(number, 0.5) for number in range(1, count + 1)]
    factor = min(1.0, (due_at - first) / sum(waits)) if waits else 1.0
    longest = [throttle_delay(number, 1.0) for number in range(1, count + 1)]
    if due_at - first <= sum(longest):  # so it was throttled at its first try
        factor = (due_at - first) / sum(waits) if waits else 1.0
    found, at = [], due_at - sum(waits) * factor
    for number, wait in enumerate(waits, 1):
        due = due_at if number == count else at + wait * factor
        found.append((at, number, due))
        at = due
    return found


def _lasting(stands: list[Stand]) -> list[Stand]:
    """Without those that were over at once."""
    kept = [before for before, after in pairwise(stands) if before[0] < after[0]]
    return [*kept, stands[-1]]
