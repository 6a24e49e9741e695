"""How many requests came in each of the last seconds, for the line in the header."""

from collections import deque

LEVELS = " ▁▂▃▄▅▆▇█"
_SECONDS = 8


class Inflow:
    """Counts by engine seconds, so many at once as pass in one second of ours."""

    def __init__(self) -> None:
        self._total: int | None = None
        self._step = 1.0
        self._counts: deque[tuple[int, int]] = deque(maxlen=_SECONDS + 1)  # number of the second, requests

    def take(self, total: int, at: float, rate: float) -> None:
        """So many requests have come since the engine started, at this engine time."""
        step = max(1.0, rate)
        if step != self._step or self._total is None or total < self._total:
            self._counts.clear()
            self._step, self._total = step, total if self._total is None else self._total
        news, self._total = max(0, total - self._total), total
        second = int(at // self._step)
        if self._counts and self._counts[-1][0] == second:
            news += self._counts.pop()[1]
        if news:
            self._counts.append((second, news))

    def counts(self, now: float) -> list[int]:
        """Requests in each of the last seconds, oldest first; the last one is not over yet."""
        known, last = dict(self._counts), int(now // self._step)
        return [known.get(second, 0) for second in range(last - _SECONDS + 1, last + 1)]


def spark(counts: list[int]) -> str:
    """The counts as a row of bars, the largest full; any request at all can be seen."""
    most = max(counts, default=0)
    return "".join(LEVELS[0 if not count else max(1, round(count / most * (len(LEVELS) - 1)))] for count in counts)
