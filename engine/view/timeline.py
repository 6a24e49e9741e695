"""Recent requests of both kinds, each with the stretches of time that its life is made of so far."""

from collections.abc import Callable, Mapping
from typing import Any

from ..core.event import Attempt, Ended, Event, Reason, State
from ..core.invocation import Invocation
from ..store import Answered, HistoryReader, Peek, Window
from .rows import cut

Row = dict[str, Any]
Segment = list[Any]  # [start, end, kind]: engine seconds, end None while it goes on

_EVENTS = 250  # the newest that are looked at …
_EVENTS_FILTERED = 1_000  # … and those among which a filter searches
_FILTERED_MOST = 5_000  # … at most, however far somebody goes through what it finds
_DEEPEST = 100_000  # of either kind
_SEGMENTS = 24  # of one row, the newest
_ERROR_SHOWN = 300  # characters
_INSTANT = 0.001  # seconds: a shorter wait is not shown

_KINDS = {Ended.RETURNED: "ok", Ended.FUNCTION_ERROR: "error"}
_WAITS = {Reason.RETRY: "retry", Reason.THROTTLED: "throttled"}
_STATES = {State.SUCCEEDED: "succeeded", State.DISCARDED: "dead"}


class Timeline:
    """Makes the rows in two steps: `recent` all without their segments, `fill` those of the window with them."""

    def __init__(
        self,
        executing: Mapping[str, Invocation],
        history: HistoryReader,
        peek: Peek,
        tries: Callable[[Event], int],
    ) -> None:
        self._executing, self._history, self._peek, self._tries = executing, history, peek, tries
        self._earlier: tuple[int, str, list[Answered]] | None = None  # what was read of the disk, and until which one

    def forget(self) -> None:
        """What was read before is true no more: a recording was set to another moment."""
        self._earlier = None

    def rows(self, window: Window) -> tuple[int, list[Row]]:
        """How many rows are known and those of the window. Who looks at the last ones gets to know as many again: so
        the whole history can be walked through. Reads the disk."""
        if window.is_filtered or window.sort:
            total, rows = cut(window, self.recent(window), "accepted_at")
            return total, self.fill(rows)
        executing, depth = dict(self._executing), _depth(window)
        synchronous = {answered.id: _of_answered(answered) for answered in self._answered(depth)}
        for running in executing.values():
            if running.kind == "synchronous":
                synchronous.setdefault(running.request_id, _of_running(running))
        places = [*self._peek.recent_keys(depth), *((row["accepted_at"], id_, 0) for id_, row in synchronous.items())]
        shown = _window_of(window, places)
        events = {event.id: event for event in self._peek.events_of([seq for _, _, seq in shown if seq])}
        rows = [
            _of_event(events[id_], executing.get(id_), self._tries(events[id_])) if id_ in events else synchronous[id_]
            for _, id_, _ in shown
            if id_ in events or id_ in synchronous
        ]
        return len(places), self.fill(rows)

    def recent(self, window: Window) -> list[Row]:
        """Some hundred rows: the newest requests, and whatever runs, waits for its retry or is called by its id.

        A filter by function or id is used to leave out early what is left out in the end. Reads the disk.
        """
        executing = dict(self._executing)
        depth = min(_depth(window), _FILTERED_MOST)
        events = self._peek.recent(window, max(_EVENTS_FILTERED, depth) if window.is_filtered else depth)
        rows = {event.id: _of_event(event, executing.get(event.id), self._tries(event)) for event in events}
        for answered in self._answered(depth):
            if window.is_about(answered.id):
                rows[answered.id] = _of_answered(answered)
        for running in executing.values():
            if running.kind == "synchronous":
                rows.setdefault(running.request_id, _of_running(running))
        for request_id in (window.requests or frozenset()) - rows.keys():  # older than those in memory
            if (recorded := self._history.answered_as(request_id)) is not None:
                rows[request_id] = _of_answered(recorded)
        return list(rows.values())

    def fill(self, rows: list[Row]) -> list[Row]:
        """The same rows, those of events with their segments."""
        events = [event for row in rows if (event := row.pop("event", None)) is not None]
        executing = dict(self._executing)
        attempts: dict[int, list[Attempt]] = {}
        for attempt in self._peek.attempts_of([event.seq for event in events]):
            attempts.setdefault(attempt.event, []).append(attempt)
        segments = {e.id: _segments(e, attempts.get(e.seq, []), executing.get(e.id)) for e in events}
        hits = {e.id: _hit(attempts.get(e.seq, []), executing.get(e.id)) for e in events}
        for row in rows:
            row["segments"] = segments.get(row["id"]) or row["segments"]
            row["injected"] = hits.get(row["id"]) or row["injected"]
            del row["segments"][:-_SEGMENTS]
        return rows

    def _answered(self, depth: int) -> list[Answered]:
        """The newest synchronous invocations, as many as `depth` at least if there are so many."""
        since_start = list(self._history.answered)
        if len(since_start) >= depth:
            return since_start
        is_full = len(since_start) == self._history.answered.maxlen  # some that came since the start are on disk only
        newest = since_start[-1].id if is_full else ""
        if self._earlier is None or self._earlier[:2] != (depth, newest):
            self._history.wait()
            self._earlier = (depth, newest, self._history.newest_invocations(depth))
        return list({answered.id: answered for answered in (*self._earlier[2], *since_start)}.values())


def _depth(window: Window) -> int:
    """How many of the newest of either kind are looked at."""
    if window.after is not None:
        return _DEEPEST  # a page: how far down it lies is not known
    return min(_DEEPEST, max(_EVENTS, 2 * (window.offset + window.limit)))


def _window_of(window: Window, places: list[tuple[float, str, int]]) -> list[tuple[float, str, int]]:
    """Of all requests (when accepted, id, number) those that the window shows, in order."""
    if window.after is not None:
        after = window.after
        places = [place for place in places if place[:2] != after and (place[:2] < after) == window.descending]
    places.sort(reverse=window.descending)
    return places[window.offset : window.offset + window.limit]


def _of_event(event: Event, running: Invocation | None, tries: int) -> Row:
    state = _state(event, running)
    return {
        **_row(event.id, event.function, "event", event.source, event.accepted_at),
        "state": state,
        "ended_at": event.ended_at,
        "due_at": event.due_at if state in ("queued", "throttled", "retry") else None,
        "attempt": running.attempt if running else max(1, event.attempts + (state == "retry")),
        "tries": running.tries if running else tries,
        "condition": str(event.condition) if event.condition else None,
        "error": event.error[:_ERROR_SHOWN] if event.error else None,
        "event": event,
    }


def _state(event: Event, running: Invocation | None) -> str:
    if event.state in _STATES:
        return _STATES[event.state]
    if running is not None:
        return "running" if running.started_at is not None else "queued"
    if event.state is State.RUNNING:
        return "running"  # it has ended, and is being written down
    return _WAITS.get(event.reason, "queued")


def _of_answered(answered: Answered) -> Row:
    if answered.ended == Ended.THROTTLED:
        return _of_refused(answered)
    ended = _marked("ok" if answered.error is None else "error", answered.injected)
    ran = [answered.started_at, answered.ended_at, ended]
    return {
        **_row(answered.id, answered.function, "synchronous", answered.source, answered.accepted_at),
        "state": "succeeded" if answered.error is None else "failed",
        "ended_at": answered.ended_at,
        "error": answered.error[:_ERROR_SHOWN] if answered.error else None,
        "segments": [*_wait(answered.accepted_at, answered.started_at, "queued"), ran],
        "injected": answered.injected,
    }


def _of_refused(answered: Answered) -> Row:
    """It was answered with 429 at once."""
    return {
        **_row(answered.id, answered.function, "synchronous", answered.source, answered.accepted_at),
        "state": "refused",
        "ended_at": answered.ended_at,
        "error": answered.error,
        "segments": [[answered.accepted_at, answered.ended_at, "throttled"]],
    }


def _of_running(running: Invocation) -> Row:
    started = running.started_at
    segments: list[Segment] = [[running.accepted_at, None, "queued"]]
    if started is not None:
        segments = [*_wait(running.accepted_at, started, "queued"), [started, None, _marked("running", running.fault)]]
    return {
        **_row(running.request_id, running.function.name, "synchronous", running.source, running.accepted_at),
        "state": "running" if started is not None else "queued",
        "segments": segments,
        "injected": str(running.fault or ""),
    }


def _row(id_: str, function: str, kind: str, source: str, accepted_at: float) -> Row:
    return {
        "id": id_, "function": function, "kind": kind, "source": source, "accepted_at": accepted_at, "ended_at": None,
        "due_at": None, "attempt": 1, "tries": 1, "condition": None, "error": None, "injected": "",
    }  # fmt: skip


def _segments(event: Event, attempts: list[Attempt], running: Invocation | None) -> list[Segment]:
    """Waits and attempts in turn, from the acceptance to what goes on now."""
    segments: list[Segment] = []
    since, why = event.accepted_at, "queued"
    for attempt in attempts:
        outcome = attempt.outcome
        ended_at = outcome.ended_at or outcome.started_at
        kind = _KINDS.get(outcome.ended, "lost")
        ran = [outcome.started_at, ended_at, _marked(kind, outcome.injected)]
        segments += [*_wait(since, outcome.started_at, why), ran]
        since, why = ended_at, "retry" if kind == "error" else "queued"
    if event.state in _STATES:
        return segments or [[event.accepted_at, event.ended_at or event.accepted_at, "queued"]]
    state = _state(event, running)
    if state == "running":
        started = (running.started_at if running else event.begun_at) or since
        kind = _marked("running", running.fault if running else None)
        return [*segments, *_wait(since, started, why), [started, None, kind]]
    return [*segments, [since, event.due_at if event.due_at > since else None, state if state != "queued" else why]]


def _marked(kind: str, hit: object) -> str:
    """The kind of an attempt that an armed fault has hit: "error injected"."""
    return f"{kind} injected" if hit else kind


def _hit(attempts: list[Attempt], running: Invocation | None) -> str:
    """The last armed fault that has hit an attempt; "" if none has."""
    hits = [attempt.outcome.injected for attempt in attempts if attempt.outcome.injected]
    return str(running.fault) if running and running.fault else hits[-1] if hits else ""


def _wait(since: float, until: float, kind: str) -> list[Segment]:
    return [[since, until, kind]] if until - since >= _INSTANT else []
