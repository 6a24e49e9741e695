"""The life of one request: who sent it, each attempt and each wait, the end, and everything it printed."""

from collections.abc import Callable, Iterable, Mapping

from ..core.arn import resource_name
from ..core.cost import Bill
from ..core.event import Attempt, Delivery, Ended, Event, Outcome
from ..core.function import Function
from ..core.invocation import Invocation
from ..store import HistoryReader, Peek
from .calls import Sources, caller_of, calls_of
from .declared import declared
from .family import family_of
from .function_row import bill_row
from .rows import Row, as_row

_TEXT_MAX = 64 * 1024  # of a payload or result


def life(
    request_id: str,
    *,
    peek: Peek,
    history: HistoryReader,
    functions: Mapping[str, Function],
    executing: Mapping[str, Invocation],
    answered_after: Callable[[str], float | None] = lambda _: None,
    interpreter: str = "",
) -> Row | None:
    """What is known of the request with this id (or whose id begins so); None if nothing is. Reads the disk.

    `answered_after` knows how long, in seconds, the sender of an event waited for its 202, or does not;
    `interpreter` runs the functions that name none of their own.
    """
    history.wait()
    if not request_id:
        return None
    sources = Sources(peek, history, functions, executing)
    found = _found(request_id, sources, answered_after)
    if found is not None and found["function"] in functions:
        found["declared"] = declared(functions[found["function"]], interpreter)
    if found is not None:
        found["family"] = family_of(found["id"], sources) if found["caller"] or found["calls"] else []
    return found


def _found(request_id: str, sources: Sources, answered_after: Callable[[str], float | None]) -> Row | None:
    event = sources.peek.event(request_id)
    if event is not None:
        return {**_of_event(event, sources), "answered": {"status": 202, "after": answered_after(event.id)}}
    recorded = sources.history.invocation(request_id)
    if recorded is not None:
        return _of_invocation(recorded, sources)
    invocation = sources.executing.get(request_id)
    return _of_running(invocation, sources) if invocation else None


def _of_event(event: Event, sources: Sources) -> Row:
    peek, history = sources.peek, sources.history
    function, running = _function(event.function, sources), sources.executing.get(event.id)
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
        "tries": function.config(event.qualifier).tries,
        "retry_delays": list(function.config(event.qualifier).retry_delays),
        "errors": event.errors,
        "throttles": event.throttles,
        "losses": event.losses,
        "redriven_from": event.redriven_from,
        "redriven_as": event.redriven_as,
        "dropped": event.dropped,
        "attempts": [_attempt(a, function) for a in attempts],
        "running": _running(running),
        "deliveries": _deliveries(peek.deliveries(event.seq), peek.queues_with(event.id), function),
        "lines": lines,
        **_around(event.id, event.caller, event.accepted_at, sources),
        "qualifier": event.qualifier,
        "executed_version": function.executed_version(event.qualifier),
        "log_group": function.log_group,
        "bill": bill_row(_bill((a.outcome for a in attempts), function)),
    }


def _of_invocation(row: Row, sources: Sources) -> Row:
    error = row["error"]
    function = _function(row["function"], sources)
    is_refused = row["ended"] == Ended.THROTTLED
    outcome = Outcome(
        Ended(row["ended"]),
        duration=row["duration"],
        init_duration=row["init_duration"],
        waited=row.get("waited", 0.0),
        injected=row.get("injected", ""),
    )
    return {
        **_synchronous(row["id"], row["function"], row["source"], row["accepted_at"], row["payload"]),
        **_around(row["id"], row.get("caller", ""), row["accepted_at"], sources),
        "state": "succeeded" if error is None else "discarded",
        "condition": "Success" if error is None else None,
        "ended_at": row["ended_at"],
        "errors": int(error is not None),
        "answered": {"status": 429, "after": None}
        if is_refused
        else {"status": 200, "after": row["ended_at"] - row["accepted_at"]},
        "attempts": [] if is_refused else [
            {"number": 1, "ended": row["ended"], "error": error, "result": row["result"], **_costs(outcome, function),
             **{key: row[key] for key in ("started_at", "ended_at", "duration", "init_duration", "memory_used",
                                          "environment", "version", "error_type")}}
        ],
        "running": None,
        "lines": _lines(sources.history, row["id"], row["first_line"], row["last_line"]),
        "qualifier": row.get("qualifier", ""),
        "executed_version": row.get("executed_version"),
        "log_group": function.log_group,
        "bill": bill_row(_bill([] if is_refused else [outcome], function)),
        "refused": error if is_refused else None,
    }  # fmt: skip


def _of_running(invocation: Invocation, sources: Sources) -> Row:
    name, source = invocation.function.name, invocation.source
    return {
        **_synchronous(invocation.request_id, name, source, invocation.accepted_at, _text(invocation.payload)),
        **_around(invocation.request_id, invocation.caller, invocation.accepted_at, sources),
        "state": "running",
        "running": _running(invocation),
        "lines": _recent(sources.history, invocation.request_id),
        "executed_version": invocation.executed_version,
        "log_group": invocation.function.log_group,
    }


def _synchronous(id_: str, function: str, source: str, accepted_at: float, payload: str) -> Row:
    return {
        "id": id_, "function": function, "kind": "synchronous", "source": source, "accepted_at": accepted_at,
        "payload": payload, "state": "running", "condition": None, "ended_at": None, "due_at": None,
        "reason": "new", "tries": 1, "errors": 0, "throttles": 0, "losses": 0, "redriven_from": None,
        "redriven_as": None, "dropped": False, "answered": None, "attempts": [], "running": None, "deliveries": [],
        "lines": [], "qualifier": "", "bill": bill_row(Bill()),
    }  # fmt: skip


def _around(id_: str, caller: str, accepted_at: float, sources: Sources) -> Row:
    return {"caller": caller_of(caller, accepted_at, sources), "calls": calls_of(id_, sources)}


def _function(name: str, sources: Sources) -> Function:
    """As it is configured now; with AWS's defaults if it is gone."""
    return sources.functions.get(name) or Function(name, handler="", code="")


def _bill(outcomes: Iterable[Outcome], function: Function) -> Bill:
    """What these attempts cost, at the function's memory now."""
    bill = Bill()
    for outcome in outcomes:
        bill.add(outcome, function)
    return bill


def _costs(outcome: Outcome, function: Function) -> Row:
    bill = _bill([outcome], function)
    return {"waited": outcome.waited, "billed_ms": bill.billed_ms, "cost": bill.cost, "injected": outcome.injected}


def _attempt(attempt: Attempt, function: Function) -> Row:
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
        **_costs(outcome, function),
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
        "environment": invocation.environment,
        "injected": str(invocation.fault or ""),
    }


def _deliveries(owed: list[Delivery], queues: list[str], function: Function) -> list[Row]:
    """What has been delivered (and is still there), then what has not."""
    dead_letter_queue = resource_name(function.dead_letter_queue or "")
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


def _lines(history: HistoryReader, request_id: str, first: int, last: int) -> list[Row]:
    return [as_row(line) for line in history.lines_of(request_id, first, last)]


def _recent(history: HistoryReader, request_id: str) -> list[Row]:
    """Lines of a request that still runs: among the newest."""
    newest = history.newest_lines(500, lambda line: line.request_id == request_id, within=100_000)
    return [as_row(line) for line in newest]


def _text(payload: bytes) -> str:
    return payload[:_TEXT_MAX].decode(errors="replace")
