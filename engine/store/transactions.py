"""Transactions that may be tried again.

One that finds no room is not lost: what was to be written is kept in memory, `commit` raises Unwritable, and may be
called again until it succeeds. Until then the rows that it would change cannot be read (Unwritable again). Any other
failure of the disk is final: after a failed fsync nobody knows what is on it.
"""

import os
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from .errors import StoreError, Unwritable
from .file import unusable
from .reserve import Reserve

_PASSING = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_IOERR_SHMSIZE)  # what may end by itself
_PATIENCE_IN_STEP, _PATIENCE_IN_COMMIT = 50, 2_000  # milliseconds to wait for another program's lock


class Transactions:
    """`begin`, writes and reads, `commit`: one at a time on one connection."""

    def __init__(self, path: Path, connection: sqlite3.Connection, reserve: Reserve) -> None:
        self.path = path
        self.has_room = reserve.take()  # False from a failed commit on, until `look_for_room`
        self._connection = connection
        self._connection.execute(f"PRAGMA busy_timeout = {_PATIENCE_IN_STEP}")
        self._reserve = reserve
        self._file = path.stat()
        self._unwritten: list[tuple[str, list[Sequence[Any]]]] = []  # this transaction's statements
        self._behind: Unwritable | None = None  # why the open transaction does not hold them

    def setting(self, pragma: str) -> Any:
        """The value of a PRAGMA, read back from the running connection."""
        return self._connection.execute(f"PRAGMA {pragma}").fetchone()[0]

    def begin(self) -> None:
        self._unwritten.clear()
        self._behind = None
        self._try(lambda: self._connection.execute("BEGIN IMMEDIATE"))

    def commit(self) -> None:
        """Put the transaction on the disk. Raises Unwritable if it must be tried again, or StoreError for good.

        On a full disk the reserve is given up for it.
        """
        try:
            self._commit()
        except Unwritable:
            self.has_room = False
            if not self._reserve.free():
                raise
            self._commit()
        self._unwritten.clear()
        self.check_that_it_is_there()

    def rollback(self) -> None:
        self._unwritten.clear()
        self._behind = None
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def look_for_room(self) -> bool:
        """After a commit that found no room: can as much as the reserve be set aside again?"""
        self.has_room = self._behind is None and self._reserve.take()
        return self.has_room

    def check_that_it_is_there(self) -> None:
        """Raises StoreError if the file was deleted: then it takes every write, and keeps none."""
        try:
            is_there = os.path.samestat(self.path.stat(), self._file)
        except OSError:
            is_there = False
        if not is_there:
            raise StoreError(f"{self.path} was removed while the engine ran: what it held is gone; start lamtop again")

    # -- for the tables' side ----------------------------------------------------------------------------------------

    def _write(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Change rows, now or when the transaction is tried again."""
        kept = list(rows)
        if not kept:
            return
        self._unwritten.append((sql, kept))
        if self._behind is None:
            self._try(lambda: self._connection.executemany(sql, kept))

    def _select(self, sql: str, *values: Any) -> list[Any]:
        """Rows as this transaction sees them."""
        if self._behind is not None:
            raise self._behind
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise unusable(self.path, error) from error

    # ----------------------------------------------------------------------------------------------------------------

    def _commit(self) -> None:
        if self._behind is not None:
            self._behind = None
            self._try(self._write_again)
        if self._behind is None:
            self._try(lambda: self._connection.execute("COMMIT"))
        if self._behind is not None:
            raise self._behind

    def _write_again(self) -> None:
        run = self._connection
        run.execute(f"PRAGMA busy_timeout = {_PATIENCE_IN_COMMIT}")
        try:
            run.execute("BEGIN IMMEDIATE")
        finally:
            run.execute(f"PRAGMA busy_timeout = {_PATIENCE_IN_STEP}")
        for sql, rows in self._unwritten:
            run.executemany(sql, rows)

    def _try(self, write: Callable[[], object]) -> None:
        """Write. If there is no room for it, or a lock in its way, take the transaction back and fall behind."""
        try:
            write()
        except sqlite3.IntegrityError:
            raise  # no fault of the disk
        except sqlite3.DatabaseError as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if error.sqlite_errorcode not in _PASSING:
                raise unusable(self.path, error) from error
            self._behind = Unwritable(f"{self.path} cannot be written: {error}")
