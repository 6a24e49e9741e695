"""The life of one request: who sent it, each attempt and each wait, the end, and everything it printed."""

from collections.abc import Mapping

from ..core.arn import resource_name
from ..core.event import Attempt, Delivery, Event
from ..core.function import EventInvokeConfig, Function
from ..core.invocation import Invocation
from ..store import History, Peek
from .views import Row, as_row

_TEXT_MAX = 64 * 1024  # of a payload or result


def life(
    request_id: str,
    *,
    peek: Peek,
    history: History,
    functions: Mapping[str, Function],
    executing: Mapping[str, Invocation],
) -> Row | None:
    """What is known of the request with this id (or whose id begins so); None if nothing is. Reads the disk."""
    history.wait()
    if not request_id:
        return None
    event = peek.event(request_id)
    if event is not None:
        return _of_event(event, peek, history, functions.get(event.function), executing.get(event.id))
    recorded = history.invocation(request_id)
    if recorded is not None:
        return _of_invocation(recorded, history)
    invocation = executing.get(request_id)
    return _of_running(invocation, history) if invocation else None


def _of_event(event: Event, peek: Peek, history: History, function: Function | None, running: Invocation | None) -> Row:
    attempts = peek.attempts(event.seq)
    lines = [line for a in attempts for line in _lines(history, event.id, a.outcome.first_line, a.outcome.last_line)]
    known = {line["id"] for line in lines}
    if running is not None:
        lines += [line for line in _recent(history, event.id) if line["id"] not in known]
    return {
        "id": event.id,
        "function": event.function,
        "kind": "event",
        "source": event.source,
        "accepted_at": event.accepted_at,
        "payload": _text(event.payload),
        "state": str(event.state),
        "condition": str(event.condition) if event.condition else None,
        "ended_at": event.ended_at,
        "due_at": event.due_at,
        "reason": str(event.reason),
        "tries": (function.event_invoke_config if function else EventInvokeConfig()).tries,
        "errors": event.errors,
        "throttles": event.throttles,
        "losses": event.losses,
        "redriven_from": event.redriven_from,
        "redriven_as": event.redriven_as,
        "dropped": event.dropped,
        "answered": {"status": 202, "after": None},
        "attempts": [_attempt(a) for a in attempts],
        "running": _running(running),
        "deliveries": _deliveries(peek.deliveries(event.seq), peek.queues_with(event.id), function),
        "lines": lines,
    }


def _of_invocation(row: Row, history: History) -> Row:
    error = row["error"]
    return {
        **_synchronous(row["id"], row["function"], row["source"], row["accepted_at"], row["payload"]),
        "state": "succeeded" if error is None else "discarded",
        "condition": "Success" if error is None else None,
        "ended_at": row["ended_at"],
        "errors": int(error is not None),
        "answered": {"status": 200, "after": row["ended_at"] - row["accepted_at"]},
        "attempts": [
            {"number": 1, "ended": row["ended"], "error": error, "result": row["result"],
             **{key: row[key] for key in ("started_at", "ended_at", "duration", "init_duration", "memory_used",
                                          "environment", "version", "error_type")}}
        ],
        "running": None,
        "lines": _lines(history, row["id"], row["first_line"], row["last_line"]),
    }  # fmt: skip


def _of_running(invocation: Invocation, history: History) -> Row:
    name, source = invocation.function.name, invocation.source
    return {
        **_synchronous(invocation.request_id, name, source, invocation.accepted_at, _text(invocation.payload)),
        "state": "running",
        "running": _running(invocation),
        "lines": _recent(history, invocation.request_id),
    }


def _synchronous(id_: str, function: str, source: str, accepted_at: float, payload: str) -> Row:
    return {
        "id": id_, "function": function, "kind": "synchronous", "source": source, "accepted_at": accepted_at,
        "payload": payload, "state": "running", "condition": None, "ended_at": None, "due_at": None,
        "reason": "new", "tries": 1, "errors": 0, "throttles": 0, "losses": 0, "redriven_from": None,
        "redriven_as": None, "dropped": False, "answered": None, "attempts": [], "running": None, "deliveries": [],
        "lines": [],
    }  # fmt: skip


def _attempt(attempt: Attempt) -> Row:
    outcome = attempt.outcome
    return {
        "number": attempt.number,
        "started_at": outcome.started_at,
        "ended_at": outcome.ended_at or outcome.started_at,
        "ended": str(outcome.ended),
        "duration": outcome.duration,
        "init_duration": outcome.init_duration,
        "memory_used": outcome.memory_used,
        "environment": outcome.environment,
        "version": outcome.version,
        "error": outcome.error,
        "error_type": outcome.error_type,
        "result": _text(outcome.payload),
    }


def _running(invocation: Invocation | None) -> Row | None:
    if invocation is None or invocation.started_at is None:
        return None
    return {
        "number": invocation.attempt,
        "started_at": invocation.started_at,
        "timeout": invocation.function.timeout,
        "version": invocation.version,
        "cold": invocation.cold,
    }


def _deliveries(owed: list[Delivery], queues: list[str], function: Function | None) -> list[Row]:
    """What has been delivered (and is still there), then what has not."""
    dead_letter_queue = resource_name(function.dead_letter_queue or "") if function else ""
    done = [
        {
            "kind": "dead letter" if queue == dead_letter_queue else "record",
            "target": queue,
            "delivered": True,
            "error": None,
        }
        for queue in queues
    ]
    return done + [
        {"kind": d.kind, "target": resource_name(d.target), "delivered": False, "error": d.error} for d in owed
    ]


def _lines(history: History, request_id: str, first: int, last: int) -> list[Row]:
    return [as_row(line) for line in history.lines_of(request_id, first, last)]


def _recent(history: History, request_id: str) -> list[Row]:
    """Lines of a request that still runs: among the newest."""
    newest = history.newest_lines(500, lambda line: line.request_id == request_id, within=100_000)
    return [as_row(line) for line in newest]


def _text(payload: bytes) -> str:
    return payload[:_TEXT_MAX].decode(errors="replace")
