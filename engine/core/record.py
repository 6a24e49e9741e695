"""What somebody is told when an event ends: dead letters and invocation records.

Source: Lambda guide, "Capturing records of Lambda asynchronous invocations", and records made on AWS: the order of the
keys is AWS's.
"""

import json
from datetime import UTC, datetime
from typing import Any, NoReturn

from .arn import LATEST, function_arn
from .event import Condition, Delivery, Ended, Event, Outcome, State
from .function import Function

_ERROR_MESSAGE_MAX = 1_024  # bytes of the function's error that a dead letter carries


def deliveries(
    event: Event, outcome: Outcome | None, function: Function, *, next_id: int, now: float
) -> list[Delivery]:
    """What an event that has just ended owes to its dead-letter queue and destinations.

    `outcome` is the last attempt's, or None if there was none.
    """
    config = function.config(event.qualifier)
    owed: list[tuple[str, str, bytes, dict[str, str]]] = []
    if event.state is State.SUCCEEDED:
        if config.on_success:
            owed.append(("on success", config.on_success, invocation_record(event, outcome, function, now), {}))
    else:
        if function.dead_letter_queue:
            attributes = dead_letter_attributes(event, outcome)
            owed.append(("dead letter", function.dead_letter_queue, event.payload, attributes))
        if config.on_failure:
            owed.append(("on failure", config.on_failure, invocation_record(event, outcome, function, now), {}))
    return [
        Delivery(next_id + n, event.seq, event.id, kind, target, body, attributes, due_at=now)
        for n, (kind, target, body, attributes) in enumerate(owed)
    ]


def dead_letter_attributes(event: Event, outcome: Outcome | None) -> dict[str, str]:
    """The three message attributes of a dead letter.

    The code is an HTTP status: 200 for a function error, 400 for a recursive chain, else 429.
    """
    failed = outcome is not None and outcome.ended is Ended.FUNCTION_ERROR
    message = (outcome.error_message if failed and outcome else None) or str(event.condition)
    cut = message.encode(errors="replace")[:_ERROR_MESSAGE_MAX].decode(errors="ignore")
    unanswered = "400" if event.condition is Condition.RECURSIVE_INVOCATION else "429"
    return {"RequestID": event.id, "ErrorCode": "200" if failed else unanswered, "ErrorMessage": cut}


def invocation_record(event: Event, outcome: Outcome | None, function: Function, now: float) -> bytes:
    """The record that a destination receives, as JSON. Payloads go in as they are, not parsed and written anew."""
    context = {
        "requestId": event.id,
        "functionArn": function_arn(function.name, event.qualifier or LATEST),
        "condition": str(event.condition),
        "approximateInvokeCount": event.attempts,
    }
    members = [
        ("version", b'"1.0"'),
        ("timestamp", _dump(iso_time(now))),
        ("requestContext", _dump(context)),
        ("requestPayload", _as_json(event.payload)),
    ]
    if outcome is not None and event.condition is not Condition.ZERO_RESERVED_CONCURRENCY:
        version = function.executed_version(event.qualifier) or LATEST
        response: dict[str, Any] = {"statusCode": 200, "executedVersion": version}
        if outcome.ended is Ended.FUNCTION_ERROR:
            response["functionError"] = "Unhandled"
        members += [("responseContext", _dump(response)), ("responsePayload", _as_json(outcome.payload))]
    return b"{" + b",".join(b'"%s":%s' % (name.encode(), value) for name, value in members) + b"}"


def _dump(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _as_json(payload: bytes) -> bytes:
    """The payload if it is JSON, else as a JSON string: a handler may return bytes, or NaN."""
    try:
        _STRICT.decode(payload.decode())
    except ValueError:
        return _dump(payload.decode(errors="replace"))
    except RecursionError:
        pass  # too deep for us, but the runtime wrote it
    return payload


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_STRICT = json.JSONDecoder(parse_constant=_refuse, parse_int=str)


def iso_time(seconds: float) -> str:
    """ "2019-11-14T18:16:05.568Z", from seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
