"""Who called whom: the invocation that sent a request, and the requests that it sent itself."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ..core.event import Event
from ..core.function import Function
from ..core.invocation import Invocation
from ..store import HistoryReader, Peek

Row = dict[str, Any]


class Sources(NamedTuple):
    """Where requests are found: on disk, in the history, in the environments."""

    peek: Peek
    history: HistoryReader
    functions: Mapping[str, Function]
    executing: Mapping[str, Invocation]


def caller_of(request_id: str, at: float, sources: Sources) -> Row | None:
    """The invocation with this id, and which of its attempts ran at that moment; None if there is no id.

    The function is "" when nothing is known of the caller any more.
    """
    if not request_id:
        return None
    running = sources.executing.get(request_id)
    if running is not None and running.started_at is not None and running.started_at <= at:
        return {"id": request_id, "function": running.function.name, "attempt": running.attempt}
    event = sources.peek.event(request_id)
    if event is not None:
        begun = [a.number for a in sources.peek.attempts(event.seq) if a.outcome.started_at <= at]
        return {"id": request_id, "function": event.function, "attempt": max(begun, default=1)}
    recorded = sources.history.invocation(request_id) or {"function": ""}
    return {"id": request_id, "function": recorded["function"], "attempt": 1}


def calls_of(request_id: str, sources: Sources) -> list[Row]:
    """The requests that this one sent, in the order in which they came; at most some hundred."""
    calls = {event.id: _of_event(event, sources) for event in sources.peek.called_by(request_id)}
    calls |= {row["id"]: _of_recorded(row) for row in sources.history.called_by(request_id)}
    for running in dict(sources.executing).values():
        if running.caller == request_id and running.request_id not in calls:
            calls[running.request_id] = _of_running(running)
    return sorted(calls.values(), key=lambda call: (call["accepted_at"], call["id"]))


def request_of(request_id: str, sources: Sources) -> Row | None:
    """One request as its caller sees it, and who that was; None if nothing is known of it."""
    event = sources.peek.event(request_id)
    if event is not None:
        return _of_event(event, sources)
    recorded = sources.history.invocation(request_id)
    if recorded is not None:
        return _of_recorded(recorded)
    running = sources.executing.get(request_id)
    return _of_running(running) if running is not None else None


def _of_event(event: Event, sources: Sources) -> Row:
    outcomes = [attempt.outcome for attempt in sources.peek.attempts(event.seq)]
    running = sources.executing.get(event.id)
    return {
        "id": event.id,
        "function": event.function,
        "kind": "event",
        "accepted_at": event.accepted_at,
        "ended_at": event.ended_at,
        "state": str(event.state),
        "error": event.error,
        "caller": event.caller,
        "ran": sum(outcome.duration for outcome in outcomes),
        "waited": sum(outcome.waited for outcome in outcomes) + (running.waited if running else 0.0),
    }


def _of_recorded(row: Row) -> Row:
    return {
        "id": row["id"],
        "function": row["function"],
        "kind": "synchronous",
        "accepted_at": row["accepted_at"],
        "ended_at": row["ended_at"],
        "state": "refused" if row["ended"] == "throttled" else "succeeded" if row["error"] is None else "discarded",
        "error": row["error"],
        "caller": row.get("caller", ""),
        "ran": row["duration"],
        "waited": row.get("waited", 0.0),
    }


def _of_running(invocation: Invocation) -> Row:
    return {
        "id": invocation.request_id,
        "function": invocation.function.name,
        "kind": invocation.kind,
        "accepted_at": invocation.accepted_at,
        "ended_at": None,
        "state": "running",
        "error": None,
        "caller": invocation.caller,
        "ran": 0.0,
        "waited": invocation.waited,
    }
