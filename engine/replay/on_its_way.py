"""What ran at a moment, in the shape in which a running engine has it."""

from typing import Any, NoReturn

from ..core.arn import LATEST
from ..core.event import Event, Outcome
from ..core.fault import Fault
from ..core.function import Function
from ..core.invocation import Invocation

Row = dict[str, Any]


def event_invocation(event: Event, function: Function, started_at: float, outcome: Outcome | None) -> Invocation:
    """An attempt at an event; `outcome` is what it was going to end in, None if that is not on record."""
    return Invocation(
        event.id,
        function,
        event.payload,
        may_start=_never,
        done=_nobody,
        attempt=event.attempts,
        tries=function.config(event.qualifier).tries,
        source=event.source,
        executed_version=function.executed_version(event.qualifier) or LATEST,
        trace_id=event.trace_id,
        caller=event.caller,
        accepted_at=event.accepted_at,
        started_at=started_at,
        environment=outcome.environment if outcome else "",
        version=outcome.version if outcome else 1,
        cold=outcome is not None and outcome.init_duration is not None,
        fault=Fault.told(outcome.injected) if outcome else None,
    )


def call_invocation(call: Row, function: Function) -> Invocation:
    """A synchronous invocation."""
    return Invocation(
        call["id"],
        function,
        str(call["payload"]).encode(errors="replace"),
        may_start=_never,
        done=_nobody,
        source=call["source"],
        kind="synchronous",
        executed_version=call.get("executed_version") or LATEST,
        caller=call.get("caller", ""),
        accepted_at=call["accepted_at"],
        started_at=call["started_at"],
        environment=call["environment"],
        version=call["version"],
        cold=call["init_duration"] is not None,
        fault=Fault.told(call.get("injected", "")),
    )


def _never() -> bool:
    return False


def _nobody(_: Outcome) -> NoReturn:
    raise RuntimeError("nothing runs in a replay")
