"""By which rule a request ended, and whom its end was told to."""

from typing import Any

from . import format as f

Life = dict[str, Any]


def end_rule(life: Life, condition: str) -> str:
    """The rule that ended an event, in a few words; "" where the condition says it all."""
    if life["kind"] != "event":
        return ""
    rules = {
        "RetriesExhausted": f": {life.get('errors')} of {life.get('tries')} tries failed",
        "EventAgeExceeded": ": the next try would be past its maximum age",
        "ZeroReservedConcurrency": ": reserved concurrency is 0, nothing may run",
        "RecursiveInvocation": ": the chain of calls came by this function too often",
        "LostRepeatedly": f": {f.counted(int(life.get('losses') or 0), 'attempt')} lost with the engine",
    }
    return rules.get(condition, "")


_KINDS = {
    "dead letter": "dead-letter queue",
    "dlq": "dead-letter queue",
    "record": "destination",
    "on failure": "on-failure destination",
    "on success": "on-success destination",
}


def where_it_went(life: Life) -> str:
    """The places that the end of a request was told to, with an arrow before them; "" if there were none."""
    places = [
        f"{_KINDS.get(str(one['kind']), str(one['kind']))} {one['target']}" for one in life.get("deliveries") or ()
    ]
    if places:
        return " → " + ", ".join(places)
    dropped = life.get("dropped", life["state"] == "discarded" and life["kind"] == "event")
    if dropped:
        return " → dropped: no dead-letter queue"
    is_taken = life["state"] == "discarded" and life["kind"] == "event" and not life.get("redriven_as")
    return " → its dead letter was purged, or taken from the queue" if is_taken else ""
