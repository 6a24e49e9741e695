"""A recording as lines of a file; `format` says which."""

import json
import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from ..core.event import Attempt, Delivery, Event, Message
from ..store.recording import Recording
from .format import FORMAT, HEAD, LINE, as_text

Row = dict[str, Any]


def export(recording: Recording, path: Path) -> int:
    """Write a new file that nobody else may read; how many lines. Raises OSError, FileExistsError if it is there."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            return write_lines(recording, file)
    except BaseException:
        path.unlink(missing_ok=True)  # half a recording looks like a whole one
        raise


def write_lines(recording: Recording, file: IO[str]) -> int:
    """Write the lines; how many."""
    count = 0
    for row in _rows(recording):
        file.write(json.dumps(row) + "\n")
        count += 1
    return count


def _rows(recording: Recording) -> Iterator[Row]:
    yield {"kind": HEAD, "format": FORMAT, "lamtop": version("lamtop"), "time": recording.time()}
    for configuration in recording.configurations:
        yield {"kind": "configuration", **configuration._asdict()}
    for absence in recording.absences:
        yield {"kind": "absence", **absence._asdict()}
    for function, state, events in recording.forgotten():
        yield {"kind": "forgotten", "function": function, "state": state, "events": events}
    yield from _events(recording)
    for message in recording.messages():
        yield {"kind": "letter", **_message(message)}
    for one in recording.buried():
        about = {"kind": "purged", "id": one.id, "purge": one.purge, "until": one.until, "request_id": one.request_id}
        yield about | (_message(one.message) if one.message else {})
    for call in recording.calls():
        yield {"kind": "invocation", **call}
    for line in recording.lines():
        yield {"kind": "line", **dict(zip(LINE, line, strict=True))}


def _events(recording: Recording) -> Iterator[Row]:
    attempts, deliveries = _By(recording.attempts(whole=True)), _By(recording.deliveries())
    for event in recording.events():
        row = {"kind": "event", **_event(event._replace(payload=recording.payload(event.seq)))}
        yield row | {
            "tries": [_attempt(attempt) for attempt in attempts.of(event.seq)],
            "owes": [_delivery(delivery) for delivery in deliveries.of(event.seq)],
        }


class _By:
    """Rows that come ordered by their event, those of one event at a time."""

    def __init__(self, rows: Iterator[Any]) -> None:
        self._rows = rows
        self._next: Any = next(rows, None)

    def of(self, seq: int) -> Iterator[Any]:
        while self._next is not None and self._next.event <= seq:
            if self._next.event == seq:
                yield self._next
            self._next = next(self._rows, None)


def _event(event: Event) -> Row:
    return event._asdict() | {"payload": as_text(event.payload), "dropped": int(event.dropped)}


def _attempt(attempt: Attempt) -> Row:
    outcome = attempt.outcome._asdict() | {"payload": as_text(attempt.outcome.payload)}
    return {"number": attempt.number, **outcome}


def _delivery(delivery: Delivery) -> Row:
    row = delivery._asdict() | {"body": as_text(delivery.body)}
    del row["event"]
    return row


def _message(message: Message) -> Row:
    return message._asdict() | {"body": as_text(message.body)}
