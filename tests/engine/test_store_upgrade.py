"""A file that an older lamtop has written is brought up to date, whole or not at all."""

import json
import sqlite3
from pathlib import Path

import pytest

from lamtop.engine.core.event import Ended, Event, State
from lamtop.engine.store import History, Peek, Store, StoreError
from lamtop.engine.store.file import Schema, open_database
from lamtop.engine.store.history_file import SCHEMA as HISTORY
from lamtop.engine.store.queue import SCHEMA as QUEUE

SCHEMAS = Path(__file__).parent / "schemas"
EVENT = (1, "id-1", "orders", "live", b'{"a":1}', "http", 5.0, "succeeded", "new", 5.0, 1, 0, 0, 0, 5.1, "Success",
         5.5, None, None, None, 0)  # fmt: skip
ATTEMPT = (1, 1, "returned", b'"ok"', None, None, 5.1, 5.4, 0.3, None, 40, "stream", 2, 7, 9)


def old_file(path: Path, kind: str, version: int) -> sqlite3.Connection:
    """A file as that version of lamtop made it; for the caller to fill and close."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript((SCHEMAS / f"{kind}-{version}.sql").read_text())
    connection.execute(f"PRAGMA user_version = {version}")
    return connection


def insert(connection: sqlite3.Connection, table: str, row: tuple[object, ...]) -> None:
    connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)


def shape(connection: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    """Every table's columns and every index, but for defaults: those an added column must have."""
    found = connection.execute("SELECT name, type, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
    return {
        name: [(c[1], c[2], c[3], c[5]) for c in connection.execute(f"PRAGMA table_info({name})")]
        if kind == "table"
        else [(sql,)]
        for name, kind, sql in found.fetchall()
    }


@pytest.mark.parametrize(
    ("kind", "version", "schema"),
    [("queue", 1, QUEUE), ("queue", 2, QUEUE), ("queue", 3, QUEUE), ("history", 1, HISTORY)],
)
def test_an_upgraded_file_has_the_shape_of_a_new_one(tmp_path: Path, kind: str, version: int, schema: Schema) -> None:
    old_file(tmp_path / "old", kind, version).close()
    files = [open_database(tmp_path / name, schema, "FULL") for name in ("old", "new")]
    old, new = map(shape, files)
    assert old == new
    assert [file.execute("PRAGMA user_version").fetchone()[0] for file in files] == [schema.version] * 2
    for file in files:
        file.close()


def test_the_events_of_an_older_queue_go_on_as_they_were(tmp_path: Path) -> None:
    old = old_file(tmp_path / "queue.sqlite3", "queue", 1)
    insert(old, "event", EVENT)
    insert(old, "attempt", ATTEMPT)
    insert(old, "message", ("m1", "dead", b"{}", "{}", 6.0, "id-9"))
    old.execute("UPDATE engine SET time = 77.5")
    old.close()

    store = Store(tmp_path)
    event = store.event("id-1")
    assert event is not None
    assert (event.state, event.payload, event.trace_id, event.caller) == (State.SUCCEEDED, b'{"a":1}', "", "")
    assert store.message("m1") is not None
    assert store.engine_time() == 77.5
    store.begin()
    store.insert([Event(2, "id-2", "orders", "", b"{}", "test", 8.0, trace_id="Root=1", caller="id-1")])
    store.commit()
    peek = Peek(store.path)
    [attempt] = peek.attempts(1)
    assert (attempt.outcome.ended, attempt.outcome.last_line, attempt.outcome.waited) == (Ended.RETURNED, 9, 0)
    peek.close()
    store.close()


def test_the_lines_and_invocations_of_an_older_history_keep_their_times(tmp_path: Path) -> None:
    old = old_file(tmp_path / "history.sqlite3", "history", 1)
    said = [[1, 10.5, "orders", "r1", 1, "output", "one"], [2, 11.5, "orders", "r1", 1, "output", "two"]]
    insert(old, "line_chunk", (1, 2, json.dumps(said)))
    insert(
        old, "invocation_chunk", (1, "r1 r2", json.dumps([{"id": "r1", "ended_at": 3}, {"id": "r2", "ended_at": 4}]))
    )
    old.close()

    history = History(tmp_path)
    assert [line.text for line in history.newest_lines(9)] == ["one", "two"]
    assert history.invocation("r2") == {"id": "r2", "ended_at": 4}
    assert history._connection.execute("SELECT at FROM line_chunk").fetchall() == [(11.5,)]
    assert history._connection.execute("SELECT at FROM invocation_chunk").fetchall() == [(4.0,)]
    history.close()


@pytest.mark.parametrize("at_step", [0, 1])
def test_an_upgrade_that_fails_in_the_middle_leaves_the_old_file_as_it_was(tmp_path: Path, at_step: int) -> None:
    path = tmp_path / "queue.sqlite3"
    old = old_file(path, "queue", 1)
    insert(old, "event", EVENT)
    old.close()
    before = path.read_bytes()

    steps = list(QUEUE.upgrades)
    steps[at_step] += "INSERT INTO nowhere VALUES (1);"
    with pytest.raises(StoreError) as refused:
        open_database(path, QUEUE._replace(upgrades=tuple(steps)), "FULL")
    assert str(path) in str(refused.value)
    assert "nowhere" in str(refused.value)
    assert path.read_bytes() == before

    store = Store(tmp_path)  # and once it can be done, it is
    assert store.event("id-1") is not None
    assert store.setting("user_version") == QUEUE.version
    store.close()
