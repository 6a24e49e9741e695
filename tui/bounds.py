"""Where a recording begins and ends, and how a place in it is called."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Bounds:
    """In engine time. `failures` counts what went wrong in each of its equal parts."""

    first: float
    last: float
    failures: tuple[int, ...] = ()
    path: str = field(default="", compare=False)

    @classmethod
    def of(cls, told: Any) -> "Bounds | None":
        """What an engine says of its recording; None if it is no recording that it has."""
        if not isinstance(told, dict):
            return None
        failures = tuple(int(count) for count in told.get("failures", ()))
        return cls(float(told["first"]), float(told["last"]), failures, str(told.get("path", "")))

    @property
    def length(self) -> float:
        return max(0.0, self.last - self.first)

    def part(self, at: float) -> float:
        """How far into it a moment is, 0 to 1."""
        return max(0.0, min(1.0, (at - self.first) / (self.length or 1.0)))


def place(seconds: float) -> str:
    """So far into it, or so long: "0:07", "2:13", "1:02:03"."""
    whole = max(0, int(seconds + 1e-6))
    minutes = f"{whole // 60 % 60}:{whole % 60:02}"
    return f"{whole // 3600}:{minutes:0>5}" if whole >= 3600 else minutes


def seconds_of(text: str) -> float | None:
    """The seconds that a place as `place` writes it is at ("90" and "1:30" are the same); None if it is none."""
    parts = text.strip().split(":")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        return None
    if not 1 <= len(numbers) <= 3 or any(number < 0 for number in numbers):
        return None
    return sum(number * float(60**power) for power, number in enumerate(reversed(numbers)))
