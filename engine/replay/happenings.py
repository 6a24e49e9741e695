"""What happens next in a recording, or happened before, and what that was in words."""

from bisect import bisect_right
from collections.abc import Iterable
from typing import Any, NamedTuple

from ..core.event import Event, Reason, State
from ..store.past import Past
from ..store.past_history import PastHistory

Row = dict[str, Any]
_TOGETHER = 0.02  # seconds: what happens so soon after something else is part of it, as an attempt's end and its entry
_ERROR_SHOWN = 200  # characters


class Happening(NamedTuple):
    """Something that happened to one request."""

    request_id: str
    function: str
    words: str


class Happenings:
    """`of` is a request id or a function's name: only what happens to it; "" for everything."""

    def __init__(self, past: Past, history: PastHistory, besides: Iterable[float] = ()) -> None:
        """`besides` are moments at which something changes that is no request."""
        self._past, self._history = past, history
        self._besides = sorted(besides)

    def next_change(self, at: float, of: str = "") -> float | None:
        """The moment at which what comes next is over and done with."""
        found = _first(self._past.next_change(at, of), self._history.next_change(at, of))
        return None if found is None else max(found, self.last_change(found + 2 * _TOGETHER, of) or found)

    def last_change(self, at: float, of: str = "") -> float | None:
        """The same of what came before."""
        at -= _TOGETHER  # what came just before belongs to what is seen at this moment
        return _last(self._past.last_change(at, of), self._history.last_change(at, of))

    def next_failure(self, at: float, of: str = "") -> float | None:
        return _first(self._past.next_failure(at, of), self._history.next_failure(at, of))

    def last_failure(self, at: float, of: str = "") -> float | None:
        return _last(self._past.last_failure(at, of), self._history.last_failure(at, of))

    def next_sign_of_life(self, at: float) -> float | None:
        """When anything happens next, were it only that a line is printed."""
        besides = next(iter(self._besides[bisect_right(self._besides, at) :]), None)
        of_requests = (self._past.next_change(at), self._history.next_change(at))
        return _first(*of_requests, self._history.next_line_at(at), besides)

    def at(self, at: float, of: str = "") -> list[Happening]:
        """What happened then, or as part of that. The tables have to be set to that moment."""
        events = self._past.changed_between(at - _TOGETHER, at, of)
        calls = self._history.changed_between(at - _TOGETHER, at, of)
        return [_of_event(event, at) for event in events] + [_of_call(call, at) for call in calls]


def _first(*moments: float | None) -> float | None:
    return min((moment for moment in moments if moment is not None), default=None)


def _last(*moments: float | None) -> float | None:
    return max((moment for moment in moments if moment is not None), default=None)


def _of_event(event: Event, at: float) -> Happening:
    has_begun = event.errors or event.losses or event.throttles or event.ended_at
    is_new = event.accepted_at > at - _TOGETHER and not has_begun
    return Happening(event.id, event.function, "was accepted" if is_new else _event_words(event))


def _event_words(event: Event) -> str:
    error = (event.error or "")[:_ERROR_SHOWN]
    match event.state, event.reason:
        case State.RUNNING, _:
            return f"attempt {event.attempts} begins"
        case State.SUCCEEDED, _:
            return "succeeded"
        case State.DISCARDED, _ if event.redriven_as:
            return "was sent round again"
        case State.DISCARDED, _:
            return f"is dead: {event.condition}{f', {error}' if error else ''}"
        case _, Reason.RETRY:
            return f"failed, attempt {event.attempts}: {error}"
        case _, Reason.THROTTLED:
            return "was throttled"
        case _, Reason.LOST:
            return f"attempt {event.attempts} was lost with the engine"
        case _, Reason.DUPLICATE:
            return "succeeded, and is delivered once more"
        case _:
            return "waits for its turn"


def _of_call(call: Row, at: float) -> Happening:
    error = str(call["error"] or "")[:_ERROR_SHOWN]
    if call["ended_at"] > at:
        words = "runs, somebody waits for the answer" if call["started_at"] <= at else "was called"
    elif call["ended"] == "throttled":
        words = f"was refused: {error}"
    else:
        words = f"answered with an error: {error}" if error else "answered"
    return Happening(call["id"], call["function"], words)
