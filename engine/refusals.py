"""Synchronous invocations that a limit has sent away: each is counted, and some of a flood are kept."""

from .core.event import Ended, Outcome
from .core.invocation import Invocation
from .store import History

_KEPT_PER_SECOND = 10  # of one function; a caller that tries again without a pause is refused thousands of times


class Refusals:
    """Writes a refusal into the history, unless the function has had enough of them in this second."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._seconds: dict[str, tuple[int, int]] = {}  # by function: which second, and how many in it

    def wants(self, function: str, now: float) -> bool:
        """Is one more of this function's refusals to be kept? Cheap: a flood asks this and no more."""
        second, count = self._seconds.get(function, (0, 0))
        if second != int(now):
            second, count = int(now), 0
        self._seconds[function] = (second, count + 1)
        return count < _KEPT_PER_SECOND

    def keep(self, invocation: Invocation, limit: str) -> None:
        """It was answered with 429 at once and never reached an environment."""
        at = invocation.accepted_at
        refused = Outcome(
            Ended.THROTTLED,
            error_type="throttled",
            error_message=limit,
            started_at=at,
            ended_at=at,
            injected=str(invocation.fault or ""),
        )
        self._history.record(invocation, refused)
