"""What a recording is as a file: JSON, one object a line, each with its "kind".

The first line is {"kind": "recording", "format": 1, "lamtop": version, "time": the last moment}. Then come

    configuration   {"since", "project": {"source", "interpreter", "python", "jitter", "functions": […]}}
    absence         {"start", "end", "exact"}: no engine ran
    forgotten       {"function", "state", "events"}: so many ended so, and are no longer kept
    event           an asynchronous event as it was at the end, with its "tries" (attempts) and what it still "owes"
    letter          a message in a queue
    purged          a dead letter that was purged a moment before, until when it can be brought back
    invocation      a synchronous invocation
    line            a log line, by "platform" or "output"

Times are engine time, in seconds since the epoch; payloads and results are texts, byte for byte. The fields of events,
attempts, deliveries and messages are the columns of the tables in `queue.sql`.
"""

from typing import Any, NamedTuple

FORMAT = 1
HEAD = "recording"
KINDS = ("configuration", "absence", "forgotten", "event", "letter", "purged", "invocation", "line")

#: kind → the table whose columns its fields are; parts of an event by their name in it
TABLES = {"event": "event", "letter": "message", "forgotten": "pruned", "purged": "tombstone"}
PARTS = {"tries": "attempt", "owes": "delivery"}

LINE = ("number", "at", "function", "request_id", "attempt", "by", "text", "stream")
"""The fields of a line, in the order of `LogLine`."""


class Field(NamedTuple):
    """A value that a synchronous invocation has."""

    name: str
    type: str  # as a column's
    default: Any = None  # None: it must be there …
    may_be_null: bool = False  # … unless it may


INVOCATION = (
    Field("id", "TEXT"),
    Field("function", "TEXT"),
    Field("source", "TEXT"),
    Field("accepted_at", "REAL"),
    Field("payload", "TEXT"),
    Field("ended", "TEXT"),
    Field("result", "TEXT"),
    Field("error", "TEXT", may_be_null=True),
    Field("error_type", "TEXT", may_be_null=True),
    Field("started_at", "REAL"),
    Field("ended_at", "REAL"),
    Field("duration", "REAL"),
    Field("init_duration", "REAL", may_be_null=True),
    Field("memory_used", "INTEGER"),
    Field("environment", "TEXT"),
    Field("version", "INTEGER"),
    Field("first_line", "INTEGER"),
    Field("last_line", "INTEGER"),
    Field("qualifier", "TEXT", ""),
    Field("executed_version", "TEXT", "$LATEST"),
    Field("caller", "TEXT", ""),
    Field("waited", "REAL", 0.0),
    Field("injected", "TEXT", ""),
)


def as_text(payload: bytes) -> str:
    """Bytes as a text that JSON can hold, and that `as_bytes` makes the same bytes of."""
    return payload.decode("utf-8", "surrogateescape")


def as_bytes(text: str) -> bytes:
    """The bytes that a text stands for. Raises ValueError if it stands for none."""
    return text.encode("utf-8", "surrogateescape")
