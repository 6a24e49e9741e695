"""The queue's tables as they were at a moment, so that everything that looks at them can look at the past.

The recording's own tables hold all that ever was; temporary ones of the same names and the same form stand in front of
them and hold what was there at the moment. Going from one moment to another changes only the rows that came or went
between the two.
"""

import json
import math
import sqlite3
from collections.abc import Iterable
from itertools import islice
from operator import attrgetter
from typing import Any, NamedTuple

from ..core.event import Attempt, Ended, Event, Message, Outcome
from .moments import Moment, Moments
from .peek import Peek
from .queue import SCHEMA

_ALWAYS = 1e300  # later than any moment
_BATCH = 2_000  # events
_STAND = (
    "state", "reason", "due_at", "attempts", "errors", "throttles", "losses", "begun_at", "condition", "ended_at",
    "error", "redriven_as", "dropped",
)  # fmt: skip
_standing = attrgetter(*_STAND)
_TABLES = f"""
  CREATE TABLE stand (seq INTEGER NOT NULL, at REAL NOT NULL, until REAL NOT NULL, {", ".join(_STAND)});
  CREATE TABLE tried (event INTEGER NOT NULL, number INTEGER NOT NULL, at REAL NOT NULL);
  CREATE TABLE failure (seq INTEGER NOT NULL, at REAL NOT NULL);
  CREATE TABLE letter (id TEXT, queue TEXT, body BLOB, attributes TEXT, at REAL, request_id TEXT, until REAL);
"""
# What is still owed, and what was until its message was sent.
_DEBTS = f"""
  CREATE TABLE debt AS
    SELECT d.*, coalesce(e.ended_at, 0.0) AS at, {_ALWAYS} AS until
    FROM main.delivery d JOIN main.event e ON e.seq = d.event
    UNION ALL
    SELECT -l.rowid, e.seq, e.id, CASE WHEN l.attributes != '{{}}' THEN 'dead letter'
           WHEN e.state = 'succeeded' THEN 'on success' ELSE 'on failure' END,
           l.queue, x'', '{{}}', l.at, 1, NULL, e.ended_at, l.at
    FROM main.letter l JOIN main.event e ON e.id = l.request_id WHERE l.at > e.ended_at;
"""
_INDEXES = """
  CREATE INDEX main.stand_at ON stand (at);
  CREATE INDEX main.stand_until ON stand (until);
  CREATE INDEX main.tried_at ON tried (at);
  CREATE INDEX main.failure_at ON failure (at);
  CREATE INDEX main.letter_at ON letter (at);
  CREATE INDEX main.letter_until ON letter (until);
  CREATE INDEX main.attempt_started ON attempt (started_at);
  CREATE INDEX main.attempt_ended ON attempt (ended_at);
"""


class Known(NamedTuple):
    """What has been worked out of one event: what it was from when on, and what became of its attempts."""

    stands: list[tuple[float, Event]]
    settled: list[tuple[int, float]]  # attempt, engine time
    failed: list[float]  # when something went wrong with it


class Letter(NamedTuple):
    """A message in a queue, for as long as it was there."""

    message: Message
    until: float = math.inf


class _Shown(NamedTuple):
    """A table of the moment: which rows of the recording stand in it from `w.at` until `until`."""

    table: str
    key: str
    columns: str
    source: str
    until: str = ""  # "" for what stays

    def ahead(self) -> list[str]:
        """From :here on to a later :there."""
        came = (
            f"INSERT INTO temp.{self.table} SELECT {self.columns} {self.source} WHERE w.at > :here AND w.at <= :there"
        )
        if not self.until:
            return [came]
        went = f"{self.source} WHERE {self.until} > :here AND {self.until} <= :there"
        return [self._without(went), f"{came} AND {self.until} > :there"]

    def back(self) -> list[str]:
        """From :here back to an earlier :there."""
        without = self._without(f"{self.source} WHERE w.at > :there AND w.at <= :here")
        if not self.until:
            return [without]
        again = f"{self.until} > :there AND {self.until} <= :here AND w.at <= :there"
        return [without, f"{self._with()} WHERE {again}"]

    def _with(self) -> str:
        return f"INSERT INTO temp.{self.table} SELECT {self.columns} {self.source}"

    def _without(self, which: str) -> str:
        own = self.key.replace("w.", "")
        return f"DELETE FROM temp.{self.table} WHERE ({own}) IN (SELECT {self.key} {which})"


_EVENT_COLUMNS = ", ".join(f"{'w' if name in _STAND else 'e'}.{name}" for name in Event._fields)
_SHOWN = (
    _Shown("event", "w.seq", _EVENT_COLUMNS, "FROM main.stand w JOIN main.event e ON e.seq = w.seq", "w.until"),
    _Shown(
        "attempt", "w.event, w.number", "a.*",
        "FROM main.tried w JOIN main.attempt a ON a.event = w.event AND a.number = w.number",
    ),
    _Shown(
        "message", "w.id", "w.id, w.queue, w.body, w.attributes, w.at, w.request_id", "FROM main.letter w", "w.until"
    ),
    _Shown(
        "delivery", "w.id",
        "w.id, w.event, w.request_id, w.kind, w.target, w.body, w.attributes, w.due_at, w.tries, w.error",
        "FROM main.debt w", "w.until",
    ),
)  # fmt: skip
_OF = "(:of = '' OR e.id = :of OR e.function = :of)"
_LETTERS = "FROM main.letter w LEFT JOIN main.event e ON e.id = w.request_id"
_ATTEMPTS = "FROM main.attempt w JOIN main.event e ON e.seq = w.event"


class Past(Peek, Moments):
    """A recording's queue at a moment, read as any `Peek` reads. `move` goes to another moment."""

    CHANGES = (
        Moment("w.at", "FROM main.stand w JOIN main.event e ON e.seq = w.seq", _OF),
        Moment("w.started_at", _ATTEMPTS, _OF),
        Moment("w.ended_at", _ATTEMPTS, _OF),
        Moment("w.at", _LETTERS, _OF),
        Moment("w.until", _LETTERS, f"w.until < {_ALWAYS} AND {_OF}"),
    )
    FAILURES = (Moment("w.at", "FROM main.failure w JOIN main.event e ON e.seq = w.seq", _OF),)

    def __init__(self, connection: sqlite3.Connection) -> None:
        """`connection` is the recording's own."""
        self._look_through(connection)
        self._at = -math.inf
        connection.executescript(_TABLES)
        # The same form, indexes included; a name alone means a temporary table, where there is one.
        script = SCHEMA.script.read_text(encoding="utf-8")
        connection.executescript(script.replace("CREATE TABLE", "CREATE TEMP TABLE"))

    def fill(self, events: Iterable[tuple[int, Known]], letters: Iterable[Letter]) -> None:
        """Tell it of everything that ever was, once."""
        run = self._connection
        run.execute("BEGIN")
        while some := list(islice(events := iter(events), _BATCH)):
            run.executemany(f"INSERT INTO stand VALUES (?, ?, ?{', ?' * len(_STAND)})", _stand_rows(some))
            tried = [(seq, number, at) for seq, known in some for number, at in known.settled]
            run.executemany("INSERT INTO tried VALUES (?, ?, ?)", tried)
            failed = [(seq, at) for seq, known in some for at in known.failed]
            run.executemany("INSERT INTO failure VALUES (?, ?)", failed)
        run.executemany("INSERT INTO letter VALUES (?, ?, ?, ?, ?, ?, ?)", map(_letter_row, letters))
        run.execute("COMMIT")
        run.executescript(_DEBTS + _INDEXES)

    def move(self, at: float) -> int:
        """Be what it was at this moment; how many rows came or went."""
        moment = {"here": self._at if math.isfinite(self._at) else -_ALWAYS, "there": at}
        changed = 0
        with self._one_at_a_time:
            self._connection.execute("BEGIN")
            for shown in _SHOWN:
                for sql in shown.ahead() if at >= self._at else shown.back():
                    changed += self._connection.execute(sql, moment).rowcount
            self._connection.execute("COMMIT")
        self._at = at
        if changed:
            self._forget_orders()
        return changed

    def running(self) -> list[tuple[Event, Attempt | None]]:
        """The events that have begun and are not settled, each with the attempt that this became, if it ever ended."""
        events = self._events_where("state = 'running' ORDER BY seq")
        rows = self._all(
            """SELECT a.* FROM temp.event e JOIN main.attempt a ON a.event = e.seq AND a.number = e.attempts
               WHERE e.state = 'running'""",
            {},
        )
        became = {row[0]: Attempt(row[0], row[1], Outcome(Ended(row[2]), *row[3:])) for row in rows}
        return [(event, became.get(event.seq)) for event in events]

    def changed_between(self, after: float, until: float, of: str = "", limit: int = 20) -> list[Event]:
        """The events to which something happened in this stretch of time, as they are at the moment."""
        sql = f"""SELECT seq FROM (
                    SELECT w.seq FROM main.stand w JOIN main.event e ON e.seq = w.seq
                    WHERE w.at > :after AND w.at <= :until AND {_OF}
                    UNION SELECT w.event FROM main.attempt w JOIN main.event e ON e.seq = w.event
                    WHERE w.started_at > :after AND w.started_at <= :until AND {_OF}) ORDER BY seq LIMIT :limit"""
        values = {"after": after, "until": until, "of": of, "limit": limit}
        return self.events_of([seq for (seq,) in self._all(sql, values)])


def _stand_rows(events: Iterable[tuple[int, Known]]) -> list[tuple[Any, ...]]:
    rows = []
    for seq, known in events:
        until = _ALWAYS
        for at, event in reversed(known.stands):
            rows.append((seq, at, until, *_standing(event)))
            until = at
    return rows


def _letter_row(letter: Letter) -> tuple[Any, ...]:
    message = letter.message
    attributes = json.dumps(message.attributes)
    until = min(letter.until, _ALWAYS)
    return message.id, message.queue, message.body, attributes, message.sent_at, message.request_id, until
