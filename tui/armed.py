"""What is said of the faults that are armed: which, how often they have hit, when they end."""

import re
from typing import Any

from . import format as f

Fault = dict[str, Any]
_LIMIT = re.compile(r"\d+(x|ms|s|m|h)")


def brief(fault: Fault) -> str:
    """A fault without what changes while it is armed: "orders: timeout 50%"."""
    head, _, match = str(fault["sentence"]).partition(" if ")
    target, *words = (word for word in head.split() if not _LIMIT.fullmatch(word))
    return f"{target}: {' '.join(words)}" + (f" if {match}" if match else "")


def hits(fault: Fault) -> str:
    """How often it has hit so far: of how many that it may, else of how many that it might have."""
    if fault.get("count") is not None:
        return f"{fault['hits']} of {fault['count']} hit"
    return f"{fault['hits']} hit of {fault['candidates']}"


def ends(fault: Fault, now: float) -> str:
    """When it is over; "" if only somebody's word ends it."""
    until = fault.get("until")
    return "" if until is None else f"ends in {f.clock_left(float(until) - now)}"


def facts(fault: Fault, now: float) -> str:
    """What changes about it: hits, and what is left of its time."""
    return " · ".join(filter(None, (hits(fault), ends(fault, now))))
