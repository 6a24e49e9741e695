"""How long the senders of the newest events waited for their 202. In memory: it is for looking at, and forgotten."""

from collections.abc import Callable
from itertools import islice

from .core.event import Event

_KEPT = 10_000  # events


class AnswerTimes:
    """Request id → seconds from the request's arrival until the event was on the disk. Any thread may ask."""

    def __init__(self, ticks: Callable[[], float]) -> None:
        self._ticks = ticks
        self._seconds: dict[str, float] = {}

    def get(self, request_id: str) -> float | None:
        """None if it is not known any more."""
        return self._seconds.get(request_id)

    def timed(self, answer: Callable[[Event], None]) -> Callable[[Event], None]:
        """The same answer, with a note of when it was given."""
        since = self._ticks()

        def give(event: Event) -> None:
            answer(event)
            self._seconds[event.id] = self._ticks() - since
            if len(self._seconds) > 2 * _KEPT:
                for old in list(islice(self._seconds, _KEPT)):
                    del self._seconds[old]

        return give
