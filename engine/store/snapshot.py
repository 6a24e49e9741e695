"""A copy of a file of ours, for whoever wants to look at it and must not touch it.

The copy is in a temporary database of SQLite: private to this process, without a name on the disk, gone with the
process however that ends. In the folder nothing is written, not even beside the file: a reader of SQLite would leave
two files of its own there.
"""

import contextlib
import fcntl
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .errors import StoreError
from .file import Schema, open_to_read, unusable

_CACHE = 64 * 1024  # KiB that stay in memory; what is more goes to the temporary file


def private() -> sqlite3.Connection:
    """An empty temporary database, for use in any thread."""
    connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    for pragma in ("journal_mode = MEMORY", "synchronous = OFF", f"cache_size = -{_CACHE}", "foreign_keys = OFF"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(f"PRAGMA temp.cache_size = -{_CACHE}")
    return connection


def fresh(schema: Schema) -> sqlite3.Connection:
    """An empty temporary database of this form."""
    connection = private()
    connection.executescript(schema.script.read_text(encoding="utf-8"))
    return connection


def snapshot(path: Path, schema: Schema) -> sqlite3.Connection:
    """A copy of a file as it is now, brought up to this version; whether an engine writes to it or was killed.

    Raises StoreError if it is damaged, no database, newer than this program or cannot be read.
    """
    copy = private()
    try:
        with _engine_in(path.parent) as is_in_use, _readable(path, is_in_use=is_in_use) as source:
            source.backup(copy)
        _bring_up(copy, path, schema)
    except (OSError, sqlite3.Error) as error:
        copy.close()
        raise unreadable(path, error) from None
    except BaseException:
        copy.close()
        raise
    return copy


def unreadable(path: Path, error: Exception) -> StoreError:
    """What to say of a file that nothing is to be written to, and that cannot be read either."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_CORRUPT:
        return unusable(path, error)
    if code == sqlite3.SQLITE_NOTADB:
        return StoreError(f"{path} is not a database")
    return StoreError(f"{path} cannot be read: {error.strerror if isinstance(error, OSError) else error}")


@contextlib.contextmanager
def _engine_in(folder: Path) -> Iterator[bool]:
    """Whether an engine has the folder; if none has, none gets it until this is over."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDONLY)
    except FileNotFoundError:
        yield False  # a copy of a folder
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        is_free = True
    except OSError:
        is_free = False
    try:
        yield not is_free
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _readable(path: Path, *, is_in_use: bool) -> Iterator[sqlite3.Connection]:
    """A connection to what the file holds.

    The files that a reader needs beside it are there while an engine runs. A file that was closed in order needs none.
    What a killed engine left is put together elsewhere.
    """
    log = path.with_name(f"{path.name}-wal")
    if is_in_use:
        with contextlib.closing(open_to_read(path)) as source:
            yield source
    elif not log.exists() or not log.stat().st_size:
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as source:
            yield source
    else:
        with tempfile.TemporaryDirectory(prefix="lamtop-") as folder:
            for one in (path, log):
                shutil.copyfile(one, Path(folder) / one.name)
            with contextlib.closing(sqlite3.connect(Path(folder) / path.name)) as source:
                yield source


def _bring_up(copy: sqlite3.Connection, path: Path, schema: Schema) -> None:
    found = int(copy.execute("PRAGMA user_version").fetchone()[0])
    if found > schema.version:
        raise StoreError(
            f"{path} was written by a newer lamtop (schema {found}, this one knows {schema.version}): upgrade lamtop"
        )
    if found == 0:
        raise StoreError(f"{path} is empty: no engine has ever run there")
    copy.executescript(" ".join(schema.upgrades[found - 1 :]))
