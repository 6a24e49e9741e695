"""The file of the history: its form, and how it is opened, mended or begun anew."""

import contextlib
import sqlite3
from pathlib import Path

from .file import Schema, open_database, unusable, version_of
from .folder import make_private
from .salvage import Table, mend

SCHEMA = Schema(
    Path(__file__).with_name("history.sql"),
    (
        """
        ALTER TABLE line_chunk ADD COLUMN at REAL NOT NULL DEFAULT 0;
        UPDATE line_chunk SET at = json_extract(lines, '$[#-1][1]');
        ALTER TABLE invocation_chunk ADD COLUMN at REAL NOT NULL DEFAULT 0;
        UPDATE invocation_chunk SET at = json_extract(invocations, '$[#-1].ended_at');
        """,
    ),
)
_TABLES = (Table("line_chunk", "first", "pieces of the log"), Table("invocation_chunk", "number"))


def open_history(path: Path) -> tuple[sqlite3.Connection, int, str | None]:
    """The history's file, the number of its last line, and what to tell the user if it was damaged.

    Raises StoreError if it cannot be used. One that is no database is moved aside: the history is for looking at, and
    a new one begins.
    """
    make_private(path.parent)
    try:
        if version_of(path) is None:
            path.replace(path.with_name(f"{path.name}.broken"))
        mended = mend(path, SCHEMA, _TABLES, unclean=False)  # a large one is not worth a slow start
        connection = open_database(path, SCHEMA, synchronous="NORMAL")
        with contextlib.suppress(sqlite3.DatabaseError):
            return connection, _last_number(connection), mended
        connection.close()
        mended = mend(path, SCHEMA, _TABLES, unclean=True)
        connection = open_database(path, SCHEMA, synchronous="NORMAL")
        return connection, _last_number(connection), mended
    except (OSError, sqlite3.Error) as error:
        raise unusable(path, error) from None


def _last_number(connection: sqlite3.Connection) -> int:
    found = connection.execute("SELECT last FROM line_chunk ORDER BY first DESC LIMIT 1").fetchone()
    return found[0] if found else 0
