"""A damaged file is moved aside, and what can be read of it goes into a new one, row by row.

Nothing is ever thrown away: the damaged file stays beside the new one. Whatever step of this a kill interrupts, the
next start goes on from there.
"""

import contextlib
import sqlite3
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .file import Schema, open_database, open_to_read, version_of

_ALWAYS_CHECKED = 32 * 1024 * 1024  # bytes; so much is checked in 70 ms, and 300 MB in 700
_PROBES = 20_000  # reads of a range of a damaged table
_LARGEST_KEY = 2**40


class Table(NamedTuple):
    """A table that is worth saving, and the whole number that its rows are ordered by."""

    name: str
    key: str
    rows: str = "rows"  # what a user calls them


def mend(path: Path, schema: Schema, tables: tuple[Table, ...], *, unclean: bool) -> str | None:
    """Check a file, wholly if it was not closed in order; if it is damaged, replace it. Returns what to tell the user.

    The first of `tables` is the one whose rows are counted. Raises StoreError if no new file can be made.
    """
    _exchange(path)
    if not version_of(path) or not (unclean or path.stat().st_size <= _ALWAYS_CHECKED) or not _is_damaged(path):
        return None
    recovering = path.with_name(f"{path.name}.recovering")
    recovering.unlink(missing_ok=True)
    with contextlib.closing(open_to_read(path)) as damaged:
        before = _count(damaged, tables[0])
        with contextlib.closing(open_database(recovering, schema, "FULL")) as fresh:
            fresh.execute("BEGIN")
            for table in tables:
                _copy(damaged, fresh, table)
            fresh.execute("COMMIT")
            saved = fresh.execute(f"SELECT count(*) FROM {tables[0].name}").fetchone()[0]
    recovering.replace(_recovered(path))
    aside = _exchange(path)
    lost = "how many are lost cannot be told" if before is None else f"{max(0, before - saved)} are lost"
    what = f"{saved} {tables[0].rows} were recovered, {lost}"
    return f"{path} was damaged: {what}; the damaged file is kept as {aside.name if aside else '?'}"


def _is_damaged(path: Path) -> bool:
    try:
        with contextlib.closing(open_to_read(path)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok")
    except sqlite3.DatabaseError as error:
        return error.sqlite_errorcode == sqlite3.SQLITE_CORRUPT


def _count(damaged: sqlite3.Connection, table: Table) -> int | None:
    """How many rows there were, as an index or the table itself still tells."""
    with contextlib.suppress(sqlite3.DatabaseError):
        found: int = damaged.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0]
        return found
    return None


def _copy(damaged: sqlite3.Connection, fresh: sqlite3.Connection, table: Table) -> None:
    """All rows of a table that can be read and that make sense."""
    try:
        columns = [name for _, name, *_ in damaged.execute(f"PRAGMA table_info({table.name})")]
    except sqlite3.DatabaseError:
        return
    sql = f"INSERT OR REPLACE INTO {table.name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"
    for row in _rows(damaged, table, ", ".join(columns)):
        with contextlib.suppress(sqlite3.IntegrityError):  # a value of the wrong kind
            fresh.execute(sql, row)


def _rows(damaged: sqlite3.Connection, table: Table, columns: str) -> Iterator[tuple[Any, ...]]:
    """What can be read: around the damage, by halving the range that it is in."""
    sql = f"SELECT {table.key}, {columns} FROM {table.name} WHERE {table.key} BETWEEN ? AND ? ORDER BY {table.key}"
    ranges = deque([(0, _last_key(damaged, table))])
    for _ in range(_PROBES):
        if not ranges:
            return
        low, high = ranges.popleft()
        try:
            for key, *row in damaged.execute(sql, (low, high)):
                low = key
                yield tuple(row)
        except sqlite3.DatabaseError:
            if low < high:
                middle = (low + high) // 2
                ranges += [(low, middle), (middle + 1, high)]


def _last_key(damaged: sqlite3.Connection, table: Table) -> int:
    with contextlib.suppress(sqlite3.DatabaseError):
        return damaged.execute(f"SELECT coalesce(max({table.key}), 0) FROM {table.name}").fetchone()[0] or 0
    return _LARGEST_KEY


def _recovered(path: Path) -> Path:
    return path.with_name(f"{path.name}.recovered")


def _exchange(path: Path) -> Path | None:
    """If a new file is ready, put it in the place of the damaged one; where that has gone.

    The log goes first: it must never meet the new file.
    """
    if not _recovered(path).exists():
        return None
    aside = path.with_name(f"{path.name}.corrupt-{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}")
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        log.replace(aside.with_name(f"{aside.name}-wal"))
    log.unlink(missing_ok=True)
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    if path.exists():
        path.replace(aside)
    _recovered(path).replace(path)
    return aside
