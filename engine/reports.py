"""What edges leave in the dispatcher's inbox. An edge never changes an event; it says what has happened."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from .core.event import Event, Outcome
from .core.function import Function


class NotAccepted(Exception):
    """What was sent cannot be written at the moment, and is refused. Try again later; the message says why."""


class Accept(NamedTuple):
    """Somebody sent an event. `answer` gets the accepted event, once it is on disk."""

    request_id: str
    function: Function
    payload: bytes
    source: str
    answer: Callable[[Event], None]
    qualifier: str = ""  # as the caller gave it
    trace_id: str = ""  # trace header that came with it
    caller: str = ""  # request id of the invocation that sent it, if it was one of ours


class Finished(NamedTuple):
    """An attempt has ended."""

    seq: int
    outcome: Outcome


class Redrive(NamedTuple):
    """Somebody wants these dead letters sent round again.

    Each id is a message's, or "dropped:" and the request id of an event that had nowhere to go. `answer` gets pairs
    (old request id, new request id) and pairs (id, why not). `payloads` are the changed ones, by id.
    """

    ids: tuple[str, ...]
    answer: Callable[[list[tuple[str, str]], list[tuple[str, str]]], None]
    payloads: Mapping[str, bytes] = {}


class Purge(NamedTuple):
    """Somebody wants these dead letters gone. `answer` gets the purge's name and the ids that were there."""

    ids: tuple[str, ...]
    answer: Callable[[str, list[str]], None]


class Undo(NamedTuple):
    """Somebody wants a purge taken back: the one of this name, or "" for the newest.

    `answer` gets how many dead letters are back; None if no such purge can be taken back.
    """

    purge: str
    answer: Callable[[int | None], None]


Report = Accept | Finished | Redrive | Purge | Undo
