"""Who stands where a running engine has its dispatcher and its execution environments. Nothing here does anything."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from ..core.concurrency import InFlight, Limits
from ..core.event import Event
from ..core.function import Function
from ..core.invocation import Invocation
from ..metrics import Metrics

K = TypeVar("K")
V = TypeVar("V")


class PastDispatcher:
    """What the views ask a dispatcher, as it was at a moment. Its tables stay the same objects."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.in_flight = InFlight()
        self.begun: dict[int, Event] = {}
        self.paused_since: float | None = None  # not on record
        self.functions: Mapping[str, Function] = {}
        self.limits = Limits()
        self._ahead: dict[int, Event] = {}

    @property
    def ahead(self) -> list[Event]:
        return list(self._ahead.values())

    def waiting(self, function: str) -> int:
        return sum(event.function == function for event in self.ahead)

    def configure(self, functions: Mapping[str, Function]) -> None:
        reserved = {f.name: f.reserved_concurrency for f in functions.values() if f.reserved_concurrency is not None}
        self.functions, self.limits = functions, Limits(reserved=reserved)

    def stand(self, begun: Mapping[int, Event], ahead: Mapping[int, Event], in_flight: list[str]) -> None:
        """Be so: what has begun, what of it waits for a place, and whose invocations are in flight."""
        exchange(self.begun, begun)
        exchange(self._ahead, ahead)
        counts = InFlight()
        for function in in_flight:
            counts.start(function)
        exchange(self.in_flight.by_function, counts.by_function)
        self.in_flight.total = counts.total


class PastPools:
    """What the views ask of execution environments."""

    limited_by: str | None = None  # not on record

    def __init__(
        self, waiting: Callable[[str], int], version: Callable[[str], int], live: Callable[[str], int]
    ) -> None:
        self.executing: dict[str, Invocation] = {}
        self.cold_starts: dict[str, int] = {}
        self.interpreter = ""
        self.waiting, self.version, self.live = waiting, version, live

    def processes(self, function: str) -> dict[str, tuple[int, str]]:  # noqa: ARG002 - none of them lives any more
        return {}


def exchange(table: dict[K, V], new: Mapping[K, V]) -> None:
    """Make a table that others hold be another, without ever being empty in between: somebody may be reading."""
    table.update(new)
    for key in [key for key in table if key not in new]:
        del table[key]
