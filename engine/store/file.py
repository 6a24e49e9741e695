"""A SQLite file of ours: private, and of a version that this program knows."""

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import NamedTuple

from .errors import StoreError

_SQLITE_OLDEST = (3, 37)  # STRICT tables


class Schema(NamedTuple):
    """What a file of ours looks like, and how an older one is made to."""

    script: Path  # makes a new file
    upgrades: tuple[str, ...]  # the first leads from version 1 to 2, the next from there to 3 …

    @property
    def version(self) -> int:
        return len(self.upgrades) + 1


def version_of(path: Path) -> int | None:
    """The schema version of a file, read without changing it: 0 for a new or empty one, None if it is no database.

    Raises StoreError if it cannot be read.
    """
    try:
        if not path.exists() or path.stat().st_size == 0:
            return 0
        try:
            return _version(open_to_read(path))
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode not in (sqlite3.SQLITE_READONLY_ROLLBACK, sqlite3.SQLITE_CANTOPEN):
                raise
            return _version(sqlite3.connect(path))  # a kill while it was made: first what it was is restored
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            return None
        raise unusable(path, error) from None
    except OSError as error:
        raise unusable(path, error) from None


def _version(connection: sqlite3.Connection) -> int:
    with contextlib.closing(connection):
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def open_database(path: Path, schema: Schema, synchronous: str) -> sqlite3.Connection:
    """Open a file for writing, made or brought up to this version if need be; in autocommit, for use in any thread.

    Raises StoreError, and leaves the file as it is, if it is no database, newer than this program or not writable.
    """
    if sqlite3.sqlite_version_info < _SQLITE_OLDEST:
        raise StoreError(f"SQLite {sqlite3.sqlite_version} is too old; lamtop needs 3.37 or later with this Python")
    found = version_of(path)
    if found is None:
        raise StoreError(f"{path} is not a database: move the file away to start with an empty one")
    if found > schema.version:
        raise StoreError(
            f"{path} was written by a newer lamtop (schema {found}, this one knows {schema.version}): "
            "upgrade lamtop, or use another folder with --state"
        )
    connection = None
    try:
        connection = _connect(path, synchronous)
        _bring_up(connection, found, schema)
    except (OSError, sqlite3.Error) as error:
        if connection is not None:
            connection.close()
        raise unusable(path, error) from None
    return connection


def open_to_read(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing, for use in any thread."""
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)


def unusable(path: Path, error: Exception) -> StoreError:
    """What to say of a file that cannot be opened, read or written."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_CORRUPT:
        return StoreError(f"{path} is damaged: {error}; start lamtop again, and what can be read will be recovered")
    reason = error.strerror if isinstance(error, OSError) else error
    return StoreError(
        f"{path} cannot be used: {reason}; see that it and its folder can be written and that the disk has room, "
        "or use another folder with --state"
    )


def _connect(path: Path, synchronous: str) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # nobody else may read it
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute("PRAGMA foreign_keys = OFF")  # parents are written first; checks would cost a look-up
    return connection


def _bring_up(connection: sqlite3.Connection, found: int, schema: Schema) -> None:
    """In one transaction: after a failure, or an end in the middle, the file is what it was."""
    if found == schema.version:
        return
    steps = schema.upgrades[found - 1 :] if found else (schema.script.read_text(encoding="utf-8"),)
    version = f"PRAGMA user_version = {schema.version};"
    connection.executescript(f"BEGIN IMMEDIATE; {' '.join(steps)} {version} COMMIT;")
