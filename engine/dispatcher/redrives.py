"""Dead letters that somebody wants sent round again: which event each tells of, and whether it may go."""

from collections.abc import Container, Mapping

from ..core.event import Event, State
from ..store import Store

_DROPPED = "dropped:"


def dead_event(store: Store, id_: str) -> Event | None:
    """The event that a message tells of, or one that had nowhere to go, by "dropped:" and its request id."""
    if id_.startswith(_DROPPED):
        return store.event(id_.removeprefix(_DROPPED))
    message = store.message(id_)
    return store.event(message.request_id) if message else None


def refusal(event: Event | None, redriven: Mapping[str, str], functions: Container[str]) -> str | None:
    """Why this event is not sent round; `redriven` are those that just were, with their new ids."""
    if event is None:
        return "there is no such dead letter"
    if event.id in redriven:  # named twice, by two messages that tell of it
        return f"it was sent round already, as {redriven[event.id]}"
    if event.function not in functions:
        return f"function {event.function} is no longer configured"
    if event.redriven_as:
        return f"it was sent round already, as {event.redriven_as}"
    return None if event.state is State.DISCARDED else f"it is {event.state}"
