"""What invocations would cost on AWS.

Source: the AWS Lambda pricing page, US East (N. Virginia), first tier, read on the date below. The free tier is not
applied, and neither are storage, network and other services.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from .event import Ended, Outcome
from .function import Function

_NOISE = 1e-6  # milliseconds: in a float 0.069 s are 69.00000000000001 ms, and still 69 ms on the bill
_Sums = tuple[float, float, float, float]


class Prices(NamedTuple):
    """What AWS asks, in US dollars."""

    as_of: str
    region: str
    request: float  # each
    gb_second: Mapping[str, float]  # by architecture


PRICES = Prices("2026-05-05", "US East (N. Virginia)", 0.20e-6, {"x86_64": 0.0000166667, "arm64": 0.0000133334})


def billed_ms(duration: float, init_duration: float | None) -> int:
    """Milliseconds that are billed, of durations in seconds: the sum with init, rounded up.

    Init counts since August 2025 (AWS blog, "AWS Lambda standardizes billing for INIT Phase").
    """
    return math.ceil((duration + (init_duration or 0.0)) * 1000 - _NOISE)


@dataclass(slots=True)
class Bill:
    """Invocations, added up. GB-seconds are billed seconds times the function's memory in GB.

    `waited` is the part of it during which a function only waited for another one, which was billed at the same time:
    so that part was paid for twice. Adding is quick, for it is done with every invocation; prices are looked up when
    the function's configuration changes and when somebody asks.
    """

    requests: int = 0
    billed_ms: int = 0
    prices: Prices = field(default=PRICES, repr=False)
    _priced: _Sums = field(default=(0.0, 0.0, 0.0, 0.0), repr=False)
    _function: Function | None = field(default=None, repr=False)  # that the rest is of:
    _ms: int = field(default=0, repr=False)
    _waited: float = field(default=0.0, repr=False)  # seconds

    @classmethod
    def of(cls, requests: int, billed: int, waited: float, function: Function) -> "Bill":
        """What so many invocations cost: milliseconds that were billed, seconds of them spent waiting for others."""
        return cls(requests, billed, _function=function, _ms=billed, _waited=waited)

    def add(self, outcome: Outcome, function: Function) -> None:
        """One more invocation. What never ran, or was lost or cancelled by lamtop, costs nothing."""
        if outcome.ended is not Ended.RETURNED and outcome.ended is not Ended.FUNCTION_ERROR:
            return
        if function is not self._function:
            self._priced, self._function, self._ms, self._waited = self._sums(), function, 0, 0.0
        billed = billed_ms(outcome.duration, outcome.init_duration)
        self.requests += 1
        self.billed_ms += billed
        self._ms += billed
        if outcome.waited:
            self._waited += min(outcome.waited, outcome.duration)

    def _sums(self) -> _Sums:
        """GB-seconds, those of them spent waiting, and dollars of both."""
        if self._function is None:
            return self._priced
        memory = self._function.memory / 1024  # GB
        price = self.prices.gb_second[self._function.architecture]
        used, waited = self._ms / 1000 * memory, self._waited * memory
        before = self._priced
        return before[0] + used, before[1] + waited, before[2] + used * price, before[3] + waited * price

    @property
    def gb_seconds(self) -> float:
        return self._sums()[0]

    @property
    def waited_gb_seconds(self) -> float:
        return self._sums()[1]

    @property
    def duration_cost(self) -> float:
        """Dollars for GB-seconds."""
        return self._sums()[2]

    @property
    def waited_cost(self) -> float:
        """Dollars for GB-seconds spent waiting; part of `duration_cost`."""
        return self._sums()[3]

    @property
    def request_cost(self) -> float:
        return self.requests * self.prices.request

    @property
    def cost(self) -> float:
        """Dollars in all."""
        return self.request_cost + self.duration_cost

    @property
    def cost_per_million(self) -> float | None:
        """Dollars for a million invocations like these; None if there was none."""
        return self.cost / self.requests * 1_000_000 if self.requests else None

    @property
    def waited_share(self) -> float:
        """The part of the whole bill, 0 to 1, that was spent waiting for other functions."""
        return self.waited_cost / self.cost if self.requests else 0.0
