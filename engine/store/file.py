"""A SQLite file of ours: private, and of a version that this program knows."""

import os
import sqlite3
from pathlib import Path


class StoreError(Exception):
    """The state folder cannot be used; the message says why and what to do."""


def version_of(path: Path) -> int | None:
    """The schema version of a file, read without changing it: 0 for a new or empty one, None if it is no database."""
    if not path.exists() or path.stat().st_size == 0:
        return 0
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.DatabaseError:
        return None
    finally:
        connection.close()


def newer(path: Path, found: int, known: int) -> StoreError:
    """The error for a file that a later lamtop has written."""
    return StoreError(
        f"{path} was written by a newer lamtop (schema {found}, this one knows {known}): "
        "upgrade lamtop, or use another folder with --state"
    )


def open_private(path: Path) -> sqlite3.Connection:
    """Open a file that nobody else may read (0600), made if need be; in autocommit, for use from several threads."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)
