"""Who may start: reserved and account concurrency. Every kind of invocation asks here."""

from collections.abc import Mapping
from dataclasses import dataclass, field

#: Reasons that AWS gives with a 429 (Lambda API reference, TooManyRequestsException).
RESERVED_LIMIT = "ReservedFunctionConcurrentInvocationLimitExceeded"
ACCOUNT_LIMIT = "ConcurrentInvocationLimitExceeded"


class Throttled(Exception):
    """A concurrency limit stands in the way; the text is AWS's name of it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Concurrency limits. A function with reserved concurrency has its own share, which nobody else can use."""

    account: int = 1_000
    reserved: Mapping[str, int] = field(default_factory=dict)

    @property
    def unreserved(self) -> int:
        return max(0, self.account - sum(self.reserved.values()))


class InFlight:
    """How many invocations are in flight, by function. Kept in memory by the dispatcher, on its loop."""

    def __init__(self) -> None:
        self.by_function: dict[str, int] = {}
        self.total = 0

    def start(self, function: str) -> None:
        self.by_function[function] = self.by_function.get(function, 0) + 1
        self.total += 1

    def end(self, function: str) -> None:
        self.by_function[function] -= 1
        self.total -= 1


def room(function: str, in_flight: InFlight, limits: Limits) -> int:
    """How many more invocations of `function` may start now."""
    running = in_flight.by_function.get(function, 0)
    reserved = limits.reserved.get(function)
    if reserved is not None:
        return max(0, reserved - running)
    if not limits.reserved:
        return max(0, limits.account - in_flight.total)
    of_reserved = sum(in_flight.by_function.get(name, 0) for name in limits.reserved)
    return max(0, limits.unreserved - (in_flight.total - of_reserved))


def admit(function: str, in_flight: InFlight, limits: Limits) -> str | None:
    """None if an invocation of `function` may start now, else the limit that stands in its way."""
    if room(function, in_flight, limits) > 0:
        return None
    return RESERVED_LIMIT if function in limits.reserved else ACCOUNT_LIMIT
