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
    exact = (duration + (init_duration or 0.0)) * 1000
    return math.ceil(round(exact, 6))  # 0.069 s are 69.00000000000001 ms in a float, and 69 ms on the bill


@dataclass(slots=True)
class Bill:
    """Invocations, added up. GB-seconds are billed seconds times the function's memory in GB.

    `waited` is the part of it during which a function only waited for another one, which was billed at the same time:
    so that part was paid for twice.
    """

    requests: int = 0
    billed_ms: int = 0
    gb_seconds: float = 0.0
    waited_gb_seconds: float = 0.0
    duration_cost: float = 0.0  # dollars
    waited_cost: float = 0.0  # dollars; part of `duration_cost`
    prices: Prices = field(default=PRICES, repr=False)

    def add(self, outcome: Outcome, function: Function) -> None:
        """One more invocation. What never ran, or was lost or cancelled by lamtop, costs nothing."""
        if outcome.ended not in (Ended.RETURNED, Ended.FUNCTION_ERROR):
            return
        price = self.prices.gb_second[function.architecture]
        memory = function.memory / 1024  # GB
        billed = billed_ms(outcome.duration, outcome.init_duration)
        waited = min(outcome.waited, outcome.duration) * memory
        self.requests += 1
        self.billed_ms += billed
        self.gb_seconds += billed / 1000 * memory
        self.waited_gb_seconds += waited
        self.duration_cost += billed / 1000 * memory * price
        self.waited_cost += waited * price

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
