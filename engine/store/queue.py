"""The queue on disk: SQLite, one transaction per step, one writer.

WAL with `synchronous=FULL`: a commit that has returned survives the process and the power. The dispatcher calls
`begin`, moves rows, and has `commit` run, in a thread of its own when somebody else must not wait for the disk.
"""

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..core.event import Attempt, Delivery, Event, Message
from .file import Schema, open_database, open_to_read, unusable
from .folder import lock, make_private
from .reserve import Reserve
from .retention import Retention, old_events, too_many_bytes
from .rows import as_delivery, as_event, as_message
from .salvage import Table, mend
from .tombstones import Tombstones

SCHEMA = Schema(
    Path(__file__).with_name("queue.sql"),
    (
        """
        ALTER TABLE event ADD COLUMN trace_id TEXT NOT NULL DEFAULT '';
        ALTER TABLE event ADD COLUMN caller TEXT NOT NULL DEFAULT '';
        ALTER TABLE attempt ADD COLUMN waited REAL NOT NULL DEFAULT 0;
        """,
        """
        CREATE TABLE pruned (
          function TEXT NOT NULL, state TEXT NOT NULL, events INTEGER NOT NULL, PRIMARY KEY (function, state)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX event_caller ON event (caller) WHERE caller != '';
        """,
        """
        CREATE TABLE tombstone (
          id TEXT PRIMARY KEY, purge TEXT NOT NULL, until REAL NOT NULL, queue TEXT, body BLOB, attributes TEXT,
          sent_at REAL, request_id TEXT NOT NULL
        ) STRICT;
        CREATE INDEX tombstone_request ON tombstone (request_id);
        """,
        "ALTER TABLE attempt ADD COLUMN injected TEXT NOT NULL DEFAULT '';",
    ),
)
_TABLES = (
    Table("event", "seq", "events"), Table("attempt", "event"), Table("delivery", "id"), Table("message", "rowid"),
    Table("tombstone", "rowid"), Table("pruned", "1"), Table("engine", "only_one"),
)  # fmt: skip
_REST = 5.0  # seconds between two looks at old events that are all needed
_EVENT_COLUMNS = ", ".join(Event._fields)
_PLACES = ", ".join("?" * len(Event._fields))
_MOVED = (
    "state", "reason", "due_at", "attempts", "errors", "throttles", "losses", "begun_at", "condition", "ended_at",
    "error", "redriven_as", "dropped",
)  # fmt: skip
_COUNT_PRUNED = "INSERT INTO pruned VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET events = events + excluded.events"
_UPDATE = f"UPDATE event SET {', '.join(f'{name} = ?' for name in _MOVED)} WHERE seq = ?"


class Store(Tombstones):
    """Events, attempts, the outbox and the queues' messages. Its methods run inside `begin` … `commit`."""

    def __init__(self, folder: Path, patience: float = 0.0, reserve: int = 0, *, durable: bool = True) -> None:
        """Open the store in `folder`, which is made if need be; wait up to `patience` seconds for an engine that ends.

        `reserve` is how many bytes of the disk are set aside for the outcomes of what runs when the disk is full.
        One that is not `durable` does not wait for the disk: it survives its process, and not the power.
        Raises StoreError if another engine has it open, if the file is newer than this program or no database, or if
        something there cannot be written.
        """
        self.folder = folder
        make_private(folder)
        self._lock = lock(folder, patience)
        path = folder / "queue.sqlite3"
        unclean = (folder / "reserve").exists() or (folder / "queue.sqlite3-wal").exists()
        try:
            self.mended = mend(path, SCHEMA, _TABLES, unclean=unclean)  # what to tell the user
            connection = open_database(path, SCHEMA, synchronous="FULL" if durable else "OFF")
        except BaseException as error:
            os.close(self._lock)
            if isinstance(error, OSError | sqlite3.Error):
                raise unusable(path, error) from None
            raise
        super().__init__(path, connection, Reserve(folder / "reserve", reserve))
        self.durable = durable
        self._pruned = connection.execute("SELECT coalesce(sum(events), 0) FROM pruned").fetchone()[0]
        self._pruned_to = self._pruned_in_pass = 0  # how far the oldest events have been looked at
        self._prune_again = 0.0

    def close(self, *, failed: bool = False) -> None:
        """Let go of the file and the folder.

        After a failure the log is not copied into the file, which is what SQLite does when the last connection closes:
        a reader is made to be last. And the reserve stays, for a sign to look closely at the next start.
        """
        if not failed:
            self._connection.close()
            self._reserve.free()
        else:
            with contextlib.suppress(sqlite3.Error), contextlib.closing(open_to_read(self.path)) as reader:
                reader.execute("SELECT * FROM engine").fetchone()
                self._connection.close()
        os.close(self._lock)

    # -- events ------------------------------------------------------------------------------------------------------

    def insert(self, events: Iterable[Event]) -> None:
        sql = f"INSERT INTO event ({_EVENT_COLUMNS}) VALUES ({_PLACES})"
        self._write(sql, events)

    def update(self, events: Iterable[Event]) -> None:
        """Write what a move may change."""
        rows = (
            (e.state, e.reason, e.due_at, e.attempts, e.errors, e.throttles, e.losses, e.begun_at, e.condition,
             e.ended_at, e.error, e.redriven_as, e.dropped, e.seq)
            for e in events
        )  # fmt: skip
        self._write(_UPDATE, rows)

    def due(self, function: str, now: float, limit: int) -> list[Event]:
        """Queued events of `function` whose time has come, oldest first; ties by acceptance, so that runs repeat."""
        return self._events("state = 'queued' AND function = ? AND due_at <= ? ORDER BY due_at, seq", function, now,
                            limit=limit)  # fmt: skip

    def functions_due(self, after: float, until: float) -> list[str]:
        """The functions with queued events that came due in this stretch of time."""
        sql = "SELECT DISTINCT function FROM event WHERE state = 'queued' AND due_at > ? AND due_at <= ?"
        return [name for (name,) in self._select(sql, after, until)]

    def next_due(self, after: float) -> float | None:
        """When the next queued event comes due after this moment, or None."""
        sql = "SELECT min(due_at) FROM event WHERE state = 'queued' AND due_at > ?"
        due_at: float | None = self._select(sql, after)[0][0]
        return due_at

    def running(self) -> list[Event]:
        """Events whose attempt has begun and is not settled, in order of acceptance."""
        return self._events("state = 'running' ORDER BY seq")

    def event(self, request_id: str) -> Event | None:
        return next(iter(self._events("id = ?", request_id)), None)

    def last_seq(self) -> int:
        return self._connection.execute("SELECT coalesce(max(seq), 0) FROM event").fetchone()[0] or 0

    def queued_functions(self) -> set[str]:
        """Every function that has queued events."""
        return {
            name for (name,) in self._connection.execute("SELECT DISTINCT function FROM event WHERE state = 'queued'")
        }

    def counts(self) -> dict[str, dict[str, int]]:
        """Per function, how many events are in which state, or were when they were pruned.

        Read once, at the start; counted in memory from then on.
        """
        found: dict[str, dict[str, int]] = {}
        sql = """SELECT function, place, sum(number) FROM (
                   SELECT function, CASE WHEN state = 'queued' THEN reason ELSE state END AS place, count(*) AS number
                   FROM event GROUP BY 1, 2 UNION ALL SELECT function, state, events FROM pruned
                 ) GROUP BY 1, 2"""
        for function, state, number in self._connection.execute(sql):
            found.setdefault(function, {})[state] = number
        return found

    def prune(self, retention: Retention, oldest: float, ended: int) -> tuple[int, bool]:
        """Delete a slice of events that are over: how many, and whether there is more to look at.

        `oldest` is the engine time that an event must have ended at to be kept, `ended` how many have ever ended.
        A transaction of its own, not between `begin` and `commit`. Raises StoreError.
        """
        if time.monotonic() < self._prune_again:
            return 0, False
        too_many = max(0, ended - self._pruned - retention.events)
        too_large = too_many_bytes(self._connection, retention)
        old = old_events(self._connection, self._pruned_to, oldest, too_many, too_large)
        if old.rows:
            self.begin()
            self._write("DELETE FROM attempt WHERE event = ?", [(seq,) for seq in old.rows])
            self._write("DELETE FROM event WHERE seq = ?", [(seq,) for seq in old.rows])
            self._write(_COUNT_PRUNED, [(*key, number) for key, number in old.ended.items()])
            self.commit()
            self._pruned += len(old.rows)
        self._pruned_to = old.last or 0
        self._pruned_in_pass += len(old.rows)
        if old.last is None:
            if old.at_end and not self._pruned_in_pass:  # what is old is needed: do not look at it all the time
                self._prune_again = time.monotonic() + _REST
            self._pruned_in_pass = 0
        return len(old.rows), old.last is not None

    # -- attempts ----------------------------------------------------------------------------------------------------

    def record(self, attempts: Iterable[Attempt]) -> None:
        rows = (
            (a.event, a.number, o.ended, o.payload, o.error_type, o.error_message, o.started_at, o.ended_at,
             o.duration, o.init_duration, o.memory_used, o.environment, o.version, o.first_line, o.last_line,
             o.waited, o.injected)
            for a in attempts
            for o in (a.outcome,)
        )  # fmt: skip
        self._write(f"INSERT INTO attempt VALUES ({', '.join('?' * 17)})", rows)

    # -- the outbox --------------------------------------------------------------------------------------------------

    def owe(self, deliveries: Iterable[Delivery]) -> None:
        rows = ((*d[:6], json.dumps(d.attributes), *d[7:]) for d in deliveries)
        self._write(f"INSERT INTO delivery VALUES ({', '.join('?' * 10)})", rows)

    def deliveries_due(self, now: float, limit: int) -> list[Delivery]:
        rows = self._select("SELECT * FROM delivery WHERE due_at <= ? ORDER BY due_at, id LIMIT ?", now, limit)
        return [as_delivery(row) for row in rows]

    def next_delivery(self) -> float | None:
        due_at: float | None = self._select("SELECT min(due_at) FROM delivery")[0][0]
        return due_at

    def delivered(self, ids: Iterable[int]) -> None:
        self._write("DELETE FROM delivery WHERE id = ?", ((id_,) for id_ in ids))

    def postpone(self, delivery: Delivery) -> None:
        row = (delivery.due_at, delivery.tries, delivery.error, delivery.id)
        self._write("UPDATE delivery SET due_at = ?, tries = ?, error = ? WHERE id = ?", [row])

    def last_delivery(self) -> int:
        return self._connection.execute("SELECT coalesce(max(id), 0) FROM delivery").fetchone()[0] or 0

    # -- messages ----------------------------------------------------------------------------------------------------

    def send(self, messages: Iterable[Message]) -> None:
        rows = ((m.id, m.queue, m.body, json.dumps(m.attributes), m.sent_at, m.request_id) for m in messages)
        self._write("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?)", rows)

    def message(self, message_id: str) -> Message | None:
        rows = self._select("SELECT * FROM message WHERE id = ?", message_id)
        return as_message(rows[0]) if rows else None

    def delete_dead_letters(self, request_id: str) -> None:
        """Delete the messages that tell of this event."""
        self._write("DELETE FROM message WHERE request_id = ?", [(request_id,)])

    # -- engine time -------------------------------------------------------------------------------------------------

    def engine_time(self) -> float:
        """The last engine time that was written; 0 for a new store."""
        return float(self._connection.execute("SELECT time FROM engine").fetchone()[0])

    def set_engine_time(self, now: float) -> None:
        self._write("UPDATE engine SET time = ?", [(now,)])

    # ----------------------------------------------------------------------------------------------------------------

    def _events(self, where: str, *values: Any, limit: int = -1) -> list[Event]:
        sql = f"SELECT {_EVENT_COLUMNS} FROM event WHERE {where} LIMIT ?"
        return [as_event(row) for row in self._select(sql, *values, limit)]
