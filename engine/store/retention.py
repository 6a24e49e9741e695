"""How much is kept of what is over. The oldest goes first, in slices, so that nobody waits for it."""

import sqlite3
from collections import Counter
from typing import NamedTuple

SLICE = 1_000  # rows that are looked at in one go
CHUNKS = 200  # of the history
_ROW = 300  # bytes of an event and its attempt, besides the payload
_FULL = 0.9  # of the cap: the rest is for what comes until the next look

_OLDEST = """
  SELECT seq, function, state, accepted_at, ended_at, state IN ('queued', 'running')
      OR EXISTS (SELECT 1 FROM delivery WHERE event = e.seq)
      OR state = 'discarded' AND EXISTS (SELECT 1 FROM message WHERE request_id = e.id)
      OR EXISTS (SELECT 1 FROM tombstone WHERE request_id = e.id) AS needed,
    length(payload)
  FROM event e WHERE seq > ? ORDER BY seq LIMIT ?
"""
_OLDEST_CHUNKS = """
  SELECT 'line_chunk', at FROM (SELECT at FROM line_chunk ORDER BY first LIMIT 1)
  UNION ALL SELECT 'invocation_chunk', at FROM (SELECT at FROM invocation_chunk ORDER BY number LIMIT 1)
  ORDER BY at LIMIT 1
"""


class Retention(NamedTuple):
    """What is kept: no longer, and no more. What waits, runs, is owed to somebody or is a dead letter always is."""

    days: float = 7.0  # since it ended; of engine time as fast as it runs now
    events: int = 100_000  # that have ended
    lines: int = 1_000_000  # of the log
    invocation_chunks: int = 20_000  # of synchronous invocations that ended within 50 ms
    size: int = 512 * 1024 * 1024  # bytes, of each of the two files

    def oldest(self, now: float, rate: float) -> float:
        """The engine time before which nothing that is over is kept."""
        return now - self.days * 86_400 * max(1.0, rate)


KEEP = Retention()


class Old(NamedTuple):
    """The events of one slice that are to go, and how many of which function ended how."""

    rows: list[int]
    ended: Counter[tuple[str, str]]
    last: int | None  # the slice's last row; None: there is nothing old behind this slice …
    at_end: bool = False  # … because there is nothing


def too_many_bytes(connection: sqlite3.Connection, retention: Retention) -> int:
    """How much more of a file is in use than may be. What is deleted makes room in it for what comes."""
    pages, free, size = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return max(0, int((pages - free) * size - retention.size * _FULL))


def old_events(connection: sqlite3.Connection, after: int, oldest: float, too_many: int, too_large: int) -> Old:
    """Which of the next events go: ended before `oldest`, or among the first `too_many` or the first `too_large` bytes.

    No more than a slice of them.
    """
    rows: list[int] = []
    ended: Counter[tuple[str, str]] = Counter()
    found = connection.execute(_OLDEST, (after, SLICE)).fetchall()
    for seq, function, state, accepted_at, ended_at, needed, size in found:
        if accepted_at >= oldest and too_large <= 0 and len(rows) >= too_many:
            return Old(rows, ended, None)
        if not needed and (too_large > 0 or len(rows) < too_many or ended_at < oldest):
            rows.append(seq)
            ended[function, state] += 1
            too_large -= size + _ROW
    at_end = len(found) < SLICE
    return Old(rows, ended, None if at_end else found[-1][0], at_end)


def prune_chunks(connection: sqlite3.Connection, retention: Retention, oldest: float) -> bool:
    """Delete some of the history's oldest chunks that need not be kept; whether there may be more of them."""
    lines = _newest(connection, "SELECT last FROM line_chunk ORDER BY first DESC LIMIT 1") - retention.lines
    chunks = _newest(connection, "SELECT max(number) FROM invocation_chunk") - retention.invocation_chunks
    large = _older_table(connection) if too_many_bytes(connection, retention) else ""
    more = [
        _prune_chunks(connection, "line_chunk", "first", "last", lines, oldest, too_large=large == "line_chunk"),
        _prune_chunks(
            connection, "invocation_chunk", "number", "number", chunks, oldest, too_large=large == "invocation_chunk"
        ),
    ]
    return any(more)


def _prune_chunks(
    connection: sqlite3.Connection, table: str, key: str, count: str, most: int, oldest: float, *, too_large: bool
) -> bool:
    """Delete from the front on, as far as it is too old or too much."""
    last, seen = None, 0
    sql = f"SELECT {key}, {count}, at FROM {table} ORDER BY {key} LIMIT {CHUNKS}"
    for first, number, at in connection.execute(sql):
        if not too_large and number > most and at >= oldest:
            break
        last, seen = first, seen + 1
    if last is not None:
        connection.execute(f"DELETE FROM {table} WHERE {key} <= ?", (last,))
    return seen == CHUNKS


def _newest(connection: sqlite3.Connection, sql: str) -> int:
    found = connection.execute(sql).fetchone()
    return found[0] or 0 if found else 0


def _older_table(connection: sqlite3.Connection) -> str:
    """Whose oldest chunk is older?"""
    found = connection.execute(_OLDEST_CHUNKS).fetchone()
    return str(found[0]) if found else ""
