"""What had been counted up to a moment, per function, without counting anew.

Every moment at which a number goes up or down is kept in order, and sums beside those that are added up: what a number
was then is looked up.
"""

import math
from array import array
from bisect import bisect_right
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from itertools import accumulate
from typing import Any, NamedTuple

from ..core.cost import Bill, billed_ms
from ..core.event import Ended, Event, Outcome, Reason, State
from ..core.function import Function
from ..metrics import FunctionMetrics

_DURATIONS_KEPT = 512  # as many as a running engine keeps
_IDLE = 600.0  # seconds until an engine retires an idle environment
_DEADLY = ("Sandbox.Timedout", "Runtime.ExitError", "Runtime.OutOfMemory")
_RAN = (Ended.RETURNED, Ended.FUNCTION_ERROR)


#: An invocation that ran to its end: when that was, seconds, milliseconds billed, seconds waited, failed, cold.
_Run = tuple[float, float, int, float, bool, bool]


class _Sums(NamedTuple):
    """A function's runs in the order in which they ended; sums start at 0."""

    ends: "array[float]"
    durations: "array[float]"
    billed: list[int]
    waited: list[float]
    failed: list[int]
    cold: list[int]

    @classmethod
    def of(cls, runs: Collection[_Run]) -> "_Sums":
        ends, durations, *counts = zip(*sorted(runs), strict=True) if runs else ((),) * 6
        billed, waited, failed, cold = (list(accumulate(each, initial=0)) for each in counts)
        return cls(array("d", ends), array("d", durations), billed, waited, failed, cold)


class _Tally:
    """One function's."""

    def __init__(self) -> None:
        self.received: list[float] = []  # events
        self.throttled: list[float] = []
        self.loops: list[float] = []  # chains that went round and were stopped
        self.came: dict[Reason | State, list[float]] = {}  # events to where they stand …
        self.went: dict[Reason | State, list[float]] = {}  # … and from there
        self.before: dict[Reason | State, int] = {}  # how many ended there that are not on record any more
        self.runs: list[_Run] = []
        self.versions: list[tuple[float, int]] = []  # of the code: when each was used
        self.cold: list[float] = []  # when environments were started
        self.alive: dict[str, tuple[float, float, float]] = {}  # environments: first use, end of the last one, end
        self.sums = _Sums.of(())

    def sort(self) -> None:
        self.sums = _Sums.of(self.runs)
        self.runs.clear()
        self.versions.sort()
        for moments in (self.received, self.throttled, self.loops, self.cold, *self.came.values(), *self.went.values()):
            moments.sort()

    def standing(self, place: Reason | State, at: float) -> int:
        there = bisect_right(self.came.get(place, ()), at) - bisect_right(self.went.get(place, ()), at)
        return self.before.get(place, 0) + there


class Tallies:
    """Told of everything once, then `sort`; from then on it answers."""

    def __init__(self) -> None:
        self._tallies: dict[str, _Tally] = {}
        self._asked: list[float] = []  # synchronous invocations that were let in
        self._all = _Sums.of(())

    def of(self, function: str) -> _Tally:
        found = self._tallies.get(function)
        if found is None:
            found = self._tallies[function] = _Tally()
        return found

    # -- what there was ----------------------------------------------------------------------------------------------

    def event(self, stands: list[tuple[float, Event]]) -> None:
        """What an event was from when on."""
        first = stands[0][1]
        tally = self.of(first.function)
        tally.received.append(stands[0][0])
        for index, (at, event) in enumerate(stands):
            place: Reason | State = event.reason if event.state is State.QUEUED else event.state
            tally.came.setdefault(place, []).append(at)
            if index + 1 < len(stands):
                tally.went.setdefault(place, []).append(stands[index + 1][0])
            if place is Reason.THROTTLED:
                tally.throttled.append(at)
        if stands[-1][1].condition == "RecursiveInvocation":
            tally.loops.append(stands[-1][0])

    def forgotten(self, function: str, state: State, count: int) -> None:
        """So many events ended so before everything that is on record."""
        self.of(function).before[state] = count

    def ran(self, function: str, outcome: Outcome) -> None:
        """An attempt, or a synchronous invocation, has ended."""
        tally = self.of(function)
        if outcome.started_at:
            tally.versions.append((outcome.started_at, outcome.version))
        if outcome.init_duration is not None:
            tally.cold.append(outcome.started_at - outcome.init_duration)
        if outcome.environment:
            first, last, end = tally.alive.get(outcome.environment, (math.inf, 0.0, 0.0))
            if outcome.ended_at > last:
                last, end = outcome.ended_at, outcome.ended_at + (0.0 if _kills(outcome) else _IDLE)
            tally.alive[outcome.environment] = (min(first, outcome.started_at), last, end)
        if outcome.ended in _RAN:
            failed, cold = outcome.ended is Ended.FUNCTION_ERROR, outcome.init_duration is not None
            billed = billed_ms(outcome.duration, outcome.init_duration)
            waited = min(outcome.waited, outcome.duration)
            tally.runs.append((outcome.ended_at, outcome.duration, billed, waited, failed, cold))

    def called(self, function: str, at: float, *, refused: bool) -> None:
        """A synchronous invocation came."""
        (self.of(function).throttled if refused else self._asked).append(at)

    def sort(self) -> None:
        self._all = _Sums.of([run for tally in self._tallies.values() for run in tally.runs])
        self._asked.sort()
        for tally in self._tallies.values():
            tally.sort()

    # -- what had been counted ---------------------------------------------------------------------------------------

    def at(self, at: float, functions: Mapping[str, Function]) -> dict[str, FunctionMetrics]:
        """Every function's counts at this moment; `functions` say what its milliseconds cost."""
        return {
            name: _metrics(tally, at, functions.get(name) or Function(name, "", ""))
            for name, tally in self._tallies.items()
        }

    def received(self, at: float) -> int:
        """Requests of both kinds."""
        events = sum(bisect_right(tally.received, at) for tally in self._tallies.values())
        return events + bisect_right(self._asked, at)

    def durations(self, at: float) -> Iterable[float]:
        """Seconds, of the newest invocations of all."""
        return _newest(self._all, at)

    def version(self, function: str, at: float) -> int:
        """Of the code that ran last."""
        versions = self.of(function).versions
        index = bisect_right(versions, (at, math.inf))
        return versions[index - 1][1] if index else 1

    def cold_starts(self, at: float) -> dict[str, int]:
        """By function."""
        return {name: bisect_right(tally.cold, at) for name, tally in self._tallies.items()}

    def environments(self, function: str, at: float) -> int:
        """How many there were. Idle ones are taken to have lived as long as idle ones do."""
        return sum(first <= at < end for first, _, end in self.of(function).alive.values())


def _kills(outcome: Outcome) -> bool:
    """Did the execution environment end with this invocation?"""
    return outcome.ended in (Ended.LOST, Ended.CANCELLED) or (outcome.error_type or "").startswith(_DEADLY)


def _newest(sums: _Sums, at: float) -> "array[float]":
    index = bisect_right(sums.ends, at)
    return sums.durations[max(0, index - _DURATIONS_KEPT) : index]


def _metrics(tally: _Tally, at: float, function: Function) -> FunctionMetrics:
    sums, index = tally.sums, bisect_right(tally.sums.ends, at)
    discarded: Any = tally.came.get(State.DISCARDED, ())
    return FunctionMetrics(
        invocations=index,
        errors=sums.failed[index],
        throttles=bisect_right(tally.throttled, at),
        async_events_received=bisect_right(tally.received, at),
        async_events_dropped=bisect_right(discarded, at) - bisect_right(tally.went.get(State.DISCARDED, ()), at),
        recursive_drops=bisect_right(tally.loops, at),
        cold_starts=sums.cold[index],
        succeeded=tally.standing(State.SUCCEEDED, at),
        discarded=tally.standing(State.DISCARDED, at),
        queued={reason: tally.standing(reason, at) for reason in Reason},
        begun=tally.standing(State.RUNNING, at),
        bill=Bill.of(index, sums.billed[index], sums.waited[index], function),
        durations=deque(_newest(sums, at), maxlen=_DURATIONS_KEPT),
    )
