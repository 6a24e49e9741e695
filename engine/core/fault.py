"""Faults that somebody arms: which there are, and whether one hits an invocation.

The names are short; where AWS Fault Injection Service has an action for Lambda that does the same, it is named beside
(FIS guide, "AWS Lambda actions").
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple


class Kind(StrEnum):
    """What goes wrong."""

    ERROR = "error"  # an exception instead of the handler: aws:lambda:invocation-error, preventExecution true
    ERROR_AFTER = "error-after"  # the handler runs, its answer is lost: the same, preventExecution false
    DELAY = "delay"  # the handler starts later: aws:lambda:invocation-add-delay
    TIMEOUT = "timeout"  # the handler hangs until its time is up
    EXIT = "exit"  # the process ends with status 1
    KILL = "kill"  # the process is killed
    MEMORY = "memory"  # the process uses more than its function may
    THROTTLE = "throttle"  # 429; an event goes back to the queue
    SERVICE = "service"  # 500 from Lambda itself; an event goes back to the queue
    DUPLICATE = "duplicate"  # an event that has succeeded is delivered once more
    CORRUPT = "corrupt"  # the payload arrives broken
    OVERSIZE = "oversize"  # the answer is larger than 6 MB
    LOGS = "logs"  # 1,000 lines of log
    INIT_ERROR = "init-error"  # an environment does not start
    INIT_DELAY = "init-delay"  # an environment starts later
    DLQ = "dlq"  # nothing can be delivered to queues and destinations: they do not answer
    DENIED = "denied"  # … they refuse: the permission is missing
    STALL = "stall"  # no event is taken from the queue
    ENGINE = "engine"  # the engine itself is killed as an attempt has begun, and started again


BEFORE_START = frozenset({Kind.THROTTLE, Kind.SERVICE})
ON_INVOCATION = frozenset(
    {Kind.ERROR, Kind.ERROR_AFTER, Kind.DELAY, Kind.TIMEOUT, Kind.EXIT, Kind.KILL, Kind.MEMORY, Kind.DUPLICATE,
     Kind.CORRUPT, Kind.OVERSIZE, Kind.LOGS, Kind.ENGINE}
)  # fmt: skip
ON_INIT = frozenset({Kind.INIT_ERROR, Kind.INIT_DELAY})
ON_DELIVERY = frozenset({Kind.DLQ, Kind.DENIED})
TIMED = frozenset({Kind.DELAY, Kind.INIT_DELAY})


class Fault(NamedTuple):
    """One hit: what happens to one invocation, and the number of the rule that says so."""

    kind: Kind
    rule: int
    seconds: float = 0.0  # of a delay

    def __str__(self) -> str:
        return f"{self.kind} (fault {self.rule})"

    @classmethod
    def told(cls, text: str) -> "Fault | None":
        """The hit that a record tells of, as `str` gives it; None if it tells of none."""
        kind, _, rule = text.removesuffix(")").partition(" (fault ")
        if kind not in set(Kind) or not rule.isdecimal():
            return None
        return cls(Kind(kind), int(rule))


@dataclass(frozen=True, slots=True)
class Rule:
    """An armed fault. The same seed hits the same of the candidates, in the order in which they come."""

    number: int
    kind: Kind
    function: str = ""  # "" for all
    request: str = ""  # the beginning of a request id; "" for all
    percent: float = 100.0
    count: int | None = None  # hits until it is over; None for no limit
    until: float | None = None  # engine time at which it is over
    match: Mapping[str, Any] | None = None  # what a payload has to contain
    seconds: float = 0.0  # of a delay …
    jitter: float = 0.0  # … and by how much more, at most
    seed: int = 0
    candidates: int = 0  # invocations that it might have hit …
    hits: int = 0  # … and did

    @property
    def is_used_up(self) -> bool:
        return self.count is not None and self.hits >= self.count

    def is_over(self, now: float) -> bool:
        return self.is_used_up or (self.until is not None and now >= self.until)

    def is_for(self, function: str, request: str, payload: Any) -> bool:
        """`payload` is the parsed one; it counts only if the rule asks for a match."""
        return (
            self.function in ("", function)
            and request.startswith(self.request)
            and (self.match is None or contains(payload, self.match))
        )

    def throw(self) -> tuple["Rule", Fault | None]:
        """The rule after one more candidate, and what becomes of that."""
        thrown = replace(self, candidates=self.candidates + 1)
        if self._drawn("hit") * 100 >= self.percent:
            return thrown, None
        seconds = self.seconds + self._drawn("delay") * self.jitter
        return replace(thrown, hits=self.hits + 1), Fault(self.kind, self.number, seconds)

    def _drawn(self, what: str) -> float:
        """A number from 0 to below 1 that the seed and the number of candidates before decide."""
        digest = hashlib.sha256(f"{self.seed}/{self.candidates}/{what}".encode()).digest()
        return int.from_bytes(digest[:7], "big") / (1 << 56)


def contains(payload: Any, match: Any) -> bool:
    """Whether everything in `match` is in `payload`: objects by key, lists as sets, everything else as it is."""
    if isinstance(match, Mapping):
        return isinstance(payload, Mapping) and all(
            key in payload and contains(payload[key], value) for key, value in match.items()
        )
    if isinstance(match, list):
        return isinstance(payload, list) and all(any(contains(item, value) for item in payload) for value in match)
    return bool(payload == match)


def choose(
    rules: Iterable[Rule], kinds: frozenset[Kind], *, now: float, function: str, request: str = "", payload: Any = None
) -> tuple[list[Rule], Fault | None]:
    """The rules after this candidate, and the fault that hits it: of several the one armed first."""
    after, hit = [], None
    for rule in rules:
        if hit is None and rule.kind in kinds and not rule.is_over(now) and rule.is_for(function, request, payload):
            rule, hit = rule.throw()
        after.append(rule)
    return after, hit
