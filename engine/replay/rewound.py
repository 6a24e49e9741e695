"""A recording set to a moment: the views of a running engine, made from what was so then."""

import math
import threading
from collections.abc import Callable
from typing import NamedTuple

from ..core.event import Event
from ..core.invocation import Invocation
from ..core.log import LogLine
from ..view import Notices, Views
from .clock import ReplayClock
from .happenings import Happenings
from .on_its_way import call_invocation, event_invocation
from .reading import Read
from .stand_ins import PastDispatcher, PastPools, exchange

_PANES = ("queue", "retries", "inflight", "dlq", "functions")
_LINES_MOST = 1_000  # that are told of one by one; where more came the log is read anew


class Moved(NamedTuple):
    """What came of going to another moment."""

    at: float
    is_changed: bool  # in whatever pane
    lines: list[LogLine] | None  # that were printed between the two; None: look at the log anew


class _Found(NamedTuple):
    """What was on its way at a moment."""

    begun: dict[int, Event]
    ahead: dict[int, Event]
    executing: dict[str, Invocation]
    in_flight: list[str]  # functions
    unfinished: int  # that never ended, as far as is on record


class Rewound:
    """`find` looks for a moment, in any thread; `take` is what it found, on the loop: whoever looks sees it."""

    def __init__(self, known: Read, real: Callable[[], float]) -> None:
        """`real` is the clock that its own goes by, in seconds."""
        self.known = known
        self.clock = ReplayClock(known.first, known.last, real)
        self.dispatcher = PastDispatcher()
        self.pools = PastPools(self.dispatcher.waiting, self._version, self._environments)
        self.notices = Notices(self.clock.now)
        self.views = Views(
            self.clock, self.dispatcher, self.pools, known.history, known.past, self.notices, reload_errors={}
        )
        besides = [*known.configured.changes, *(absence.start for absence in known.absences)]
        self.happenings = Happenings(known.past, known.history, besides)
        self.at = known.first
        self._same: tuple[float, float] | None = None  # a stretch of time in which nothing changes
        self.unfinished = 0
        self._one_at_a_time = threading.Lock()

    def _version(self, function: str) -> int:
        return self.known.tallies.version(function, self.at)

    def _environments(self, function: str) -> int:
        return self.known.tallies.environments(function, self.at)

    def find(self, at: float) -> tuple[Moved, _Found | None]:
        """Set the tables to a moment, and look what was on its way; not at all if that is what it was before."""
        known = self.known
        with self._one_at_a_time:
            if self._same and self._same[0] <= at < self._same[1]:
                return Moved(at, False, []), None
            known.past.move(at)
            before, behind = known.history.move(at)
            is_forward = before <= behind <= before + _LINES_MOST
            lines = known.history.lines_between(before, behind, _LINES_MOST) if is_forward else None
            found = self._on_its_way(at)
            coming = self.happenings.next_sign_of_life(at)
            self._same = (at, math.inf if coming is None else coming)
        return Moved(at, True, lines), found

    def take(self, moved: Moved, found: _Found | None) -> None:
        """Let everybody see it."""
        known, at = self.known, moved.at
        self.at = at
        if found is None:
            return
        self.unfinished = found.unfinished
        functions = known.configured.functions(at)
        self.dispatcher.configure(functions)
        self.dispatcher.stand(found.begun, found.ahead, found.in_flight)
        exchange(self.pools.executing, found.executing)
        metrics = self.dispatcher.metrics
        exchange(metrics.functions, known.tallies.at(at, functions))
        exchange(self.pools.cold_starts, known.tallies.cold_starts(at))
        metrics.received = known.tallies.received(at)
        metrics.durations.clear()
        metrics.durations.extend(known.tallies.durations(at))
        self.pools.interpreter = str(known.configured.project(at).get("interpreter", ""))
        self.views.timeline.forget()
        metrics.changed(*_PANES)

    def _on_its_way(self, at: float) -> _Found:
        begun: dict[int, Event] = {}
        ahead: dict[int, Event] = {}
        executing: dict[str, Invocation] = {}
        unfinished = 0
        functions = self.known.configured
        for event, attempt in self.known.past.running():
            begun[event.seq] = event
            outcome = attempt.outcome if attempt else None
            function = functions.function(event.function, at)
            logs = function.logging.format == "Text"
            started_at = outcome.started_at if outcome else self._began(event, logs=logs)
            if started_at is None or started_at > at:
                ahead[event.seq] = event
            elif at < self._until(started_at, outcome.ended_at if outcome else 0.0):
                executing[event.id] = event_invocation(event, function, started_at, outcome)
                unfinished += outcome is None
        in_flight = [invocation.function.name for invocation in executing.values()]
        for call in self.known.history.under_way():
            in_flight.append(call["function"])
            if call["started_at"] and call["started_at"] <= at:
                executing[call["id"]] = call_invocation(call, functions.function(call["function"], at))
        return _Found(begun, ahead, executing, in_flight, unfinished)

    def _began(self, event: Event, *, logs: bool) -> float | None:
        """When an attempt that never ended began to run: with its first line, if such a function prints one."""
        began = self.known.begun.get((event.id, event.attempts))
        return began if began is not None or logs else event.begun_at

    def _until(self, started_at: float, ended_at: float) -> float:
        """Until when it ran: what was lost with an engine, to that one's end."""
        if ended_at:
            return ended_at
        return next((absence.start for absence in self.known.absences if absence.start >= started_at), float("inf"))
