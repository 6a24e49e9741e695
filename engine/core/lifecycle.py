"""The life of an asynchronous event: which moves are legal, and which one is made.

An event is a row with a `due_at`. It is accepted, begins an attempt, and the attempt is settled: the event goes back
to the queue with a later `due_at`, or ends. Nobody else moves an event. Every function here is pure: the time and the
dice are arguments, the answer is a new event.

The rules are AWS's (Lambda guide, "Error handling for an asynchronous invocation"), with one addition: an attempt that
was lost with the engine is not the function's fault and uses up no retry.
"""

from .event import Condition, Ended, Event, Outcome, Reason, State
from .function import Function
from .retry import retry_delay, throttle_delay
from .trace import header_of, is_loop

#: Which moves are open to an event, and where they may lead it. Nothing else is allowed.
LEGAL_MOVES: dict[State, dict[str, frozenset[State]]] = {
    State.QUEUED: {
        "begin": frozenset({State.RUNNING}),
        "throttle": frozenset({State.QUEUED, State.DISCARDED}),
        "expire": frozenset({State.DISCARDED}),
        "cancel": frozenset({State.DISCARDED}),
    },
    State.RUNNING: {"settle": frozenset({State.QUEUED, State.SUCCEEDED, State.DISCARDED})},
    State.SUCCEEDED: {},
    State.DISCARDED: {"redrive": frozenset({State.DISCARDED})},  # … and a new event begins its life
}

LOSSES_MAX = 3


class IllegalMove(Exception):
    """That move is not open to an event in this state."""


def accept(
    seq: int,
    request_id: str,
    function: Function,
    payload: bytes,
    *,
    now: float,
    source: str,
    qualifier: str = "",
    trace_id: str = "",
    caller: str = "",
) -> Event:
    """A new event, due at once. With reserved concurrency 0, or at the end of a recursive chain, it ends untried.

    `trace_id` is the trace header that came with it, `caller` the request id of whoever sent it, if that is known.
    """
    header = header_of(trace_id, function, request_id, now)
    event = Event(
        seq, request_id, function.name, qualifier, payload, source, now, due_at=now, trace_id=header, caller=caller
    )
    if function.reserved_concurrency == 0:
        return _end(event, Condition.ZERO_RESERVED_CONCURRENCY, function, now)
    if is_loop(trace_id, function):
        return _end(event, Condition.RECURSIVE_INVOCATION, function, now)
    return event


def begin(event: Event, *, now: float) -> Event:
    """The next attempt starts. It is on record before it runs."""
    _check(event, "begin")
    return event._replace(state=State.RUNNING, attempts=event.attempts + 1, begun_at=now)


def settle(
    event: Event,
    outcome: Outcome,
    function: Function,
    *,
    now: float,
    jitter: float = 0.0,
    late: float | None = None,
    again: bool = False,
) -> Event:
    """Decide what becomes of an event whose attempt has ended: it ends, or is due again later.

    The dice, from 0 to 1: `jitter` for the wait after a throttle; `late` for the one after an error, None for exactly.
    `again`: it is delivered once more although it succeeded, as at-least-once delivery may, unless it is too old.
    """
    _check(event, "settle")
    match outcome.ended:
        case Ended.RETURNED if again and not is_too_old(event, function, at=now):
            return _queue(event, Reason.DUPLICATE, now, function, now)
        case Ended.RETURNED:
            return event._replace(state=State.SUCCEEDED, condition=Condition.SUCCESS, ended_at=now)
        case Ended.FUNCTION_ERROR:
            failed = event._replace(errors=event.errors + 1, throttles=0, error=outcome.error)
            return _retry(failed, function, now, late)
        case Ended.THROTTLED:
            returned = event._replace(attempts=event.attempts - 1)
            return _throttle(returned, function, now, jitter)
        case Ended.NOT_STARTED:
            return _queue(event._replace(attempts=event.attempts - 1), event.reason, now, function, now)
        case Ended.LOST:
            return _lose(event._replace(losses=event.losses + 1), function, now)
        case Ended.CANCELLED:
            return _end(event._replace(error=outcome.error), Condition.CANCELLED, function, now)


def throttle(event: Event, function: Function, *, now: float, jitter: float) -> Event:
    """A concurrency limit was reached at this try. Not an attempt: wait, ever longer, up to the maximum age."""
    _check(event, "throttle")
    return _throttle(event, function, now, jitter)


def expire(event: Event, function: Function, *, now: float) -> Event:
    """End a queued event that has outlived its maximum age."""
    _check(event, "expire")
    return _end(event, Condition.EVENT_AGE_EXCEEDED, function, now)


def cancel(event: Event, function: Function, *, now: float) -> Event:
    """End a queued event because somebody said so."""
    _check(event, "cancel")
    return _end(event, Condition.CANCELLED, function, now)


def redrive(
    event: Event, seq: int, request_id: str, function: Function, *, now: float, payload: bytes | None = None
) -> tuple[Event, Event]:
    """A new life for a discarded event, with its payload or a changed one: the old event, marked, and the new one."""
    _check(event, "redrive")
    sent = event.payload if payload is None else payload
    again = accept(seq, request_id, function, sent, now=now, source="redrive", qualifier=event.qualifier)
    return event._replace(redriven_as=request_id), again._replace(reason=Reason.REDRIVE, redriven_from=event.id)


def is_too_old(event: Event, function: Function, *, at: float) -> bool:
    """Would an attempt that starts `at` this moment break the maximum event age?"""
    return at - event.accepted_at > function.config(event.qualifier).maximum_event_age


def _throttle(event: Event, function: Function, now: float, jitter: float) -> Event:
    if function.reserved_concurrency == 0:
        return _end(event, Condition.ZERO_RESERVED_CONCURRENCY, function, now)
    refused = event._replace(throttles=event.throttles + 1)
    return _queue(refused, Reason.THROTTLED, now + throttle_delay(refused.throttles, jitter), function, now)


def _retry(event: Event, function: Function, now: float, late: float | None) -> Event:
    config = function.config(event.qualifier)
    if event.errors > config.maximum_retry_attempts:
        return _end(event, Condition.RETRIES_EXHAUSTED, function, now)
    return _queue(event, Reason.RETRY, now + retry_delay(event.errors, config.retry_delays, late), function, now)


def _lose(event: Event, function: Function, now: float) -> Event:
    if event.losses > LOSSES_MAX:
        return _end(event, Condition.LOST_REPEATEDLY, function, now)
    return _queue(event, Reason.LOST, now, function, now)


def _queue(event: Event, reason: Reason, due_at: float, function: Function, now: float) -> Event:
    """Back to the queue, unless the next try would come too late: then it ends now (AWS looks ahead)."""
    if is_too_old(event, function, at=due_at):
        return _end(event, Condition.EVENT_AGE_EXCEEDED, function, now)
    return event._replace(state=State.QUEUED, reason=reason, due_at=due_at)


def _end(event: Event, condition: Condition, function: Function, now: float) -> Event:
    homeless = not (function.dead_letter_queue or function.config(event.qualifier).on_failure)
    return event._replace(state=State.DISCARDED, condition=condition, ended_at=now, dropped=homeless)


def _check(event: Event, move: str) -> None:
    if move not in LEGAL_MOVES[event.state]:
        raise IllegalMove(f"an event that is {event.state} cannot {move}: {event.id}")
