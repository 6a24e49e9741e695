"""All that is on record of a project's requests, to look back at: from a state folder, or from lines of a file.

What was read stays what it was: both databases are private copies. `Past` sets them to a moment.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..core.event import Attempt, Delivery, Ended, Event, Message, Outcome
from ..core.log import LogLine
from .absences import Absence, Absences
from .configurations import Configuration, Configurations
from .errors import StoreError
from .history_file import SCHEMA as HISTORY
from .queue import SCHEMA as QUEUE
from .rows import as_delivery, as_event, as_message
from .snapshot import fresh, snapshot, unreadable

Row = dict[str, Any]
_LINES_IN_CHUNK = 500
_CALLS_IN_CHUNK = 100


class Column(NamedTuple):
    """A column of a table, for whoever fills one from elsewhere."""

    name: str
    type: str  # INTEGER, REAL, TEXT or BLOB
    may_be_null: bool
    has_default: bool


class Buried(NamedTuple):
    """A dead letter that was purged a moment ago; without a message, one that had nowhere to go."""

    id: str
    purge: str  # that it went with
    until: float  # engine time to which it can be brought back
    message: Message | None
    request_id: str


class Recording:
    """One project's past. Its iterators give rows in order; nothing is in memory but what is asked for."""

    def __init__(self, path: Path, queue: sqlite3.Connection, history: sqlite3.Connection) -> None:
        """Use `of_folder` or `empty`."""
        self.path = path  # what was opened
        self.queue, self.history = queue, history
        self.absences: list[Absence] = []
        self.configurations: list[Configuration] = []
        self.remarks: list[str] = []  # what could not be read

    @classmethod
    def of_folder(cls, folder: Path) -> "Recording":
        """A state folder as it is now. Raises StoreError if no engine ever ran there, or what it left is unreadable."""
        path = folder / "queue.sqlite3"
        if not path.exists():
            raise StoreError(f"no engine has ever run in {folder}: there is no {path.name}")
        recording = cls(folder, snapshot(path, QUEUE), fresh(HISTORY))
        recording.configurations = Configurations(folder).read()
        recording.absences = Absences(folder).on_disk()
        recording._read_history(folder / "history.sqlite3")
        return recording

    @classmethod
    def empty(cls, path: Path) -> "Recording":
        """One that is still to be filled, from what is at this path."""
        return cls(path, fresh(QUEUE), fresh(HISTORY))

    def close(self) -> None:
        self.queue.close()
        self.history.close()

    def _read_history(self, path: Path) -> None:
        """Log lines and synchronous invocations; the events can do without them."""
        if not path.exists():
            return
        try:
            found = snapshot(path, HISTORY)
        except StoreError as error:
            self.remarks.append(f"log lines and synchronous invocations are missing: {error}")
            return
        self.history.close()
        self.history = found

    # -- what is there -----------------------------------------------------------------------------------------------

    def events(self) -> Iterator[Event]:
        """In order of acceptance, without their payloads."""
        columns = ", ".join(Event._fields).replace("payload", "x''", 1)
        return map(as_event, self._rows(f"SELECT {columns} FROM main.event ORDER BY seq"))

    def payload(self, seq: int) -> bytes:
        found: bytes = self.queue.execute("SELECT payload FROM main.event WHERE seq = ?", (seq,)).fetchone()[0]
        return found

    def attempts(self, *, whole: bool = False) -> Iterator[Attempt]:
        """By event and number; without what they returned, unless `whole`."""
        payload = "payload" if whole else "x''"
        columns = ", ".join(name if name != "payload" else payload for name in _ATTEMPT)
        for row in self._rows(f"SELECT {columns} FROM main.attempt ORDER BY event, number"):
            yield Attempt(row[0], row[1], Outcome(Ended(row[2]), *row[3:]))

    def redriven(self) -> dict[str, float]:
        """When the events that were sent round were: by the ids of their lives before."""
        sql = "SELECT redriven_from, accepted_at FROM main.event WHERE redriven_from IS NOT NULL"
        return dict(self._rows(sql))

    def messages(self) -> Iterator[Message]:
        return map(as_message, self._rows("SELECT * FROM main.message ORDER BY sent_at, id"))

    def deliveries(self) -> Iterator[Delivery]:
        """What is still owed, by event."""
        return map(as_delivery, self._rows("SELECT * FROM main.delivery ORDER BY event, id"))

    def buried(self) -> Iterator[Buried]:
        columns = "id, purge, until, queue, body, attributes, sent_at, request_id"
        sql = f"SELECT {columns} FROM main.tombstone ORDER BY until, id"
        for id_, purge, until, queue, body, attributes, sent_at, request_id in self._rows(sql):
            there = queue is not None
            message = as_message((id_, queue, body, attributes, sent_at, request_id)) if there else None
            yield Buried(id_, purge, until, message, request_id)

    def forgotten(self) -> list[tuple[str, str, int]]:
        """Of which function how many events ended in which state and are no longer kept."""
        return list(self._rows("SELECT function, state, events FROM main.pruned ORDER BY 1, 2"))

    def time(self) -> float:
        """The last engine time that was written; 0 if none was."""
        return float(next(self._rows("SELECT coalesce(max(time), 0) FROM main.engine"))[0])

    def lines(self) -> Iterator[LogLine]:
        """In the order in which they were printed."""
        for (chunk,) in self._told("SELECT lines FROM line_chunk ORDER BY first"):
            yield from (LogLine(*row) for row in json.loads(chunk))

    def calls(self) -> Iterator[Row]:
        """Synchronous invocations, in the order in which they ended."""
        for (chunk,) in self._told("SELECT invocations FROM invocation_chunk ORDER BY number"):
            yield from json.loads(chunk)

    def _rows(self, sql: str) -> Iterator[Any]:
        try:
            yield from self.queue.execute(sql)
        except sqlite3.DatabaseError as error:
            raise unreadable(self.path / "queue.sqlite3", error) from None

    def _told(self, sql: str) -> Iterator[Any]:
        try:
            yield from self.history.execute(sql)
        except sqlite3.DatabaseError as error:
            self.remarks.append(f"some log lines or synchronous invocations are missing: {error}")

    # -- filling one -------------------------------------------------------------------------------------------------

    def columns(self, table: str) -> list[Column]:
        """What a row of this table has to hold."""
        found = self.queue.execute(f"PRAGMA main.table_info({table})")
        return [Column(name, kind, not required, default is not None) for _, name, kind, required, default, _ in found]

    def add(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Put rows into a table of the queue. Raises ValueError for one that is there, or cannot be."""
        for row in rows:
            names, places = ", ".join(row), ", ".join("?" * len(row))
            try:
                self.queue.execute(f"INSERT INTO main.{table} ({names}) VALUES ({places})", list(row.values()))
            except sqlite3.Error as error:
                raise ValueError(str(error)) from None

    def set_time(self, time: float) -> None:
        self.queue.execute("UPDATE main.engine SET time = ?", (time,))

    def add_lines(self, lines: Sequence[LogLine]) -> None:
        """Some hundred at a time, their numbers rising from one call to the next."""
        for at in range(0, len(lines), _LINES_IN_CHUNK):
            part = lines[at : at + _LINES_IN_CHUNK]
            chunk = (part[0].number, part[-1].number, json.dumps(part), part[-1].at)
            self.history.execute("INSERT INTO line_chunk VALUES (?, ?, ?, ?)", chunk)

    def add_calls(self, calls: Sequence[Row]) -> None:
        """Some hundred at a time, in the order in which they ended."""
        for at in range(0, len(calls), _CALLS_IN_CHUNK):
            part = calls[at : at + _CALLS_IN_CHUNK]
            chunk = ("", json.dumps(part), part[-1]["ended_at"])
            self.history.execute("INSERT INTO invocation_chunk (ids, invocations, at) VALUES (?, ?, ?)", chunk)


_ATTEMPT = (
    "event", "number", "ended", "payload", "error_type", "error_message", "started_at", "ended_at", "duration",
    "init_duration", "memory_used", "environment", "version", "first_line", "last_line", "waited", "injected",
)  # fmt: skip
