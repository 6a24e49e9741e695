"""Histories of one event, made by hand: every move a dispatcher could make, in any order."""

from dataclasses import dataclass, field
from typing import Any

from lamtop.engine.core import lifecycle
from lamtop.engine.core.event import Ended, Event, Outcome, State
from lamtop.engine.core.function import EventInvokeConfig, Function

ENDS = {
    "returned": Outcome(Ended.RETURNED),
    "failed": Outcome(Ended.FUNCTION_ERROR, error_type="KeyError", error_message="'card'"),
    "throttled": Outcome(Ended.THROTTLED),
    "not started": Outcome(Ended.NOT_STARTED),
    "lost": Outcome(Ended.LOST),
    "cancelled": Outcome(Ended.CANCELLED),
}


def function(retries: int = 2, age: float = 21_600.0, **changes: Any) -> Function:
    config = EventInvokeConfig(retries, age)
    return Function("orders", "app.handler", "/nowhere", event_invoke_config=config, **changes)


def under(qualifier: str, config: EventInvokeConfig) -> Function:
    """A function that has these settings under this qualifier, and others under every other one."""
    other = EventInvokeConfig(1, 3_600.0, retry_delays=(7.0,))
    return Function(
        "orders",
        "app.handler",
        "/nowhere",
        event_invoke_config=other if qualifier == "prod" else config,
        versions=frozenset({"1"}),
        aliases={"prod": "1"},
        qualified_configs={"prod": config if qualifier == "prod" else other},
    )


@dataclass
class History:
    """Plays moves on one event and keeps what happened."""

    function: Function
    settle: Any = lifecycle.settle
    late: float | None = None
    qualifier: str = ""
    now: float = 0.0
    starts: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)  # after each function error that was not the last
    ends: int = 0

    def __post_init__(self) -> None:
        self.event: Event = lifecycle.accept(
            1, "id", self.function, b"{}", now=self.now, source="test", qualifier=self.qualifier
        )
        self._note_end()

    @property
    def config(self) -> EventInvokeConfig:
        return self.function.config(self.qualifier)

    @property
    def is_over(self) -> bool:
        return self.event.state in (State.SUCCEEDED, State.DISCARDED)

    def attempt(self, end: str, seconds: float = 0.0, waited: float = 0.0) -> None:
        """Wait until the event is due (and `waited` for a place), begin, and end so after `seconds`."""
        self.now = max(self.now, self.event.due_at) + waited
        if lifecycle.is_too_old(self.event, self.function, at=self.now):
            self.event = lifecycle.expire(self.event, self.function, now=self.now)
            self._note_end()
            return
        self.event = lifecycle.begin(self.event, now=self.now)
        if end not in ("throttled", "not started"):
            self.starts.append(self.now)
        self.now += seconds
        self.event = self.settle(self.event, ENDS[end], self.function, now=self.now, jitter=0.5, late=self.late)
        if end == "failed" and not self.is_over:
            self.waits.append(self.event.due_at - self.now)
        self._note_end()

    def refuse(self) -> None:
        """A limit is reached at its try."""
        self.now = max(self.now, self.event.due_at)
        self.event = lifecycle.throttle(self.event, self.function, now=self.now, jitter=0.5)
        self._note_end()

    def _note_end(self) -> None:
        self.ends += self.is_over
