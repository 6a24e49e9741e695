"""What is due: events whose time has come begin, are throttled, or have become too old."""

from ..core import lifecycle
from ..core.function import Function
from ..store import Store
from .attempts import Attempts
from .moves import Moves

AT_ONCE = 256  # events of one function in one step
_LOOK_AGAIN = 1.0  # engine seconds between two looks at events that wait for a place, for their age


class Due:
    """Looks for due events, function by function. Used by the dispatcher alone, inside its steps."""

    def __init__(self, store: Store, attempts: Attempts, moves: Moves, now: float) -> None:
        self._store = store
        self._attempts = attempts
        self._moves = moves
        self._looked_until = now
        self._look_again_at = 0.0

    def find(self, now: float) -> None:
        """Which functions' events have come due since the last look?"""
        if now > self._looked_until:
            self._moves.ready.update(self._store.functions_due(self._looked_until, now))
            self._looked_until = now

    def claim(self, now: float) -> None:
        """Move what is due, as far as limits and places allow."""
        ready, attempts = self._moves.ready, self._attempts
        for name in sorted(ready):
            function = attempts.functions.get(name)
            if function is None:
                ready.discard(name)  # its events wait until the function is configured again
            elif attempts.room(name) == 0:
                self._throttle(function, now)
            elif (places := attempts.places(name)) > 0:
                self._begin(function, places, now)
            elif now >= self._look_again_at:
                self._expire(function, now)
        if ready and now >= self._look_again_at:
            self._look_again_at = now + _LOOK_AGAIN

    def wake_at(self) -> float | None:
        """When to claim again, if nothing else happens: the events that wait for a place grow old."""
        return self._look_again_at if self._moves.ready else None

    def _throttle(self, function: Function, now: float) -> None:
        """The limit is reached at these events' try: each waits, on its own backoff."""
        due = self._store.due(function.name, now, AT_ONCE)
        if len(due) < AT_ONCE:
            self._moves.ready.discard(function.name)
        for event in due:
            self._moves.move(event, self._attempts.throttle(event, function, now), function, now)

    def _begin(self, function: Function, places: int, now: float) -> None:
        """Begin as many due events as there are places; end those that are too old."""
        wanted = min(places, AT_ONCE)
        due = self._store.due(function.name, now, wanted)
        if len(due) < wanted:
            self._moves.ready.discard(function.name)
        for event in due:
            if lifecycle.is_too_old(event, function, at=now):
                after = lifecycle.expire(event, function, now=now)
            elif event.losses and not self._attempts.is_next(function.name):
                # It was lost with an engine before: it begins when its turn to run has come, not ahead of it, or it
                # could be lost again and again without ever having run.
                self._moves.ready.add(function.name)
                continue
            else:
                after = self._attempts.begin(event, function, now)
            self._moves.move(event, after, function, now)

    def _expire(self, function: Function, now: float) -> None:
        """Of the oldest events that wait for a place, end those that have outlived their maximum age."""
        for event in self._store.due(function.name, now, AT_ONCE):
            if lifecycle.is_too_old(event, function, at=now):
                self._moves.move(event, lifecycle.expire(event, function, now=now), function, now)
