"""What is on disk: how it is opened, what is refused, which indexes hot questions use, and the history beside it."""

import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lamtop.engine.core.event import Ended, Event, Outcome, Reason, State
from lamtop.engine.core.function import Function
from lamtop.engine.core.invocation import Invocation
from lamtop.engine.core.log import LogLine
from lamtop.engine.store import History, Peek, Store, StoreError, Window
from lamtop.engine.store.queue import SCHEMA


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def event(seq: int, **fields: object) -> Event:
    made = Event(seq, f"id-{seq}", f"fn{seq % 3}", "$LATEST", b"{}", "test", 1_000.0, due_at=1_000.0 + seq)
    return made._replace(**fields)  # type: ignore[arg-type]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# -- opening -----------------------------------------------------------------------------------------------------------


def test_a_commit_that_has_returned_survives_the_power(folder: Path) -> None:
    store = Store(folder)
    assert store.setting("journal_mode") == "wal"
    assert store.setting("synchronous") == 2  # FULL
    assert store.setting("user_version") == SCHEMA.version
    store.close()


def test_the_state_folder_is_private_and_ignores_itself_for_git(folder: Path) -> None:
    before = os.umask(0)  # the most careless of users
    try:
        store, history = Store(folder), History(folder)
        store.begin()
        store.insert([event(1)])
        store.commit()
        history.line("orders", "r1", 1, 1.0, "output", "secret")
        history.hand_over()
        history.wait()
        files = {path.name: mode(path) for path in folder.iterdir()}
        history.close()
        store.close()
    finally:
        os.umask(before)
    assert mode(folder) == 0o700
    for name in ("queue.sqlite3", "queue.sqlite3-wal", "history.sqlite3", "history.sqlite3-wal", "lock"):
        assert files[name] == 0o600, name
    assert (folder / ".gitignore").read_text() == "*\n"


def test_a_folder_that_others_could_read_is_closed_to_them(folder: Path) -> None:
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    Store(folder).close()
    assert mode(folder) == 0o700


@pytest.mark.parametrize("journal_mode", ["wal", "delete"])
def test_a_newer_queue_is_refused_by_name_and_left_as_it_is(folder: Path, journal_mode: str) -> None:
    Store(folder).close()
    path = folder / "queue.sqlite3"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA journal_mode = {journal_mode}")
    connection.execute(f"PRAGMA user_version = {SCHEMA.version + 1}")
    connection.execute("CREATE TABLE of_the_future (x)")
    connection.close()
    before = path.read_bytes()

    with pytest.raises(StoreError) as refused:
        Store(folder)
    text = str(refused.value)
    assert str(path) in text
    assert f"schema {SCHEMA.version + 1}" in text
    assert "upgrade lamtop" in text
    assert "--state" in text
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"a note to myself " * 40, b"SQLite format 3\0" + b"x" * 500])
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(folder: Path, content: bytes) -> None:
    folder.mkdir()
    path = folder / "queue.sqlite3"
    path.write_bytes(content)
    with pytest.raises(StoreError) as refused:
        Store(folder)
    assert str(path) in str(refused.value)
    assert "move the file away" in str(refused.value)
    assert path.read_bytes() == content


def test_a_refused_store_lets_go_of_its_folder(folder: Path) -> None:
    folder.mkdir()
    (folder / "queue.sqlite3").write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match="not a database"):
        Store(folder)
    (folder / "queue.sqlite3").unlink()
    Store(folder).close()


def test_a_state_folder_that_cannot_be_made_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match="state"):
        Store(tmp_path / "state")


def test_a_history_that_is_no_database_costs_no_event(folder: Path) -> None:
    """Losing it loses no event, so it must not keep the engine from starting, or must say what to do."""
    folder.mkdir()
    (folder / "history.sqlite3").write_bytes(b"not a database" * 100)
    try:
        History(folder).close()
    except StoreError as refused:
        assert "history.sqlite3" in str(refused)  # noqa: PT017 - either is good


def test_a_newer_history_is_not_written_to(folder: Path) -> None:
    History(folder).close()
    path = folder / "history.sqlite3"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match="history"):
        History(folder).close()


def test_a_second_engine_on_the_same_folder_is_refused_with_the_pid_of_the_first(folder: Path) -> None:
    first = Store(folder)
    with pytest.raises(StoreError) as refused:
        Store(folder)
    assert f"pid {os.getpid()}:" in str(refused.value)
    assert "lamtop attach" in str(refused.value)
    assert str(folder) in str(refused.value)
    first.close()
    Store(folder).close()


def test_two_folders_are_two_stores(tmp_path: Path) -> None:
    stores = [Store(tmp_path / name) for name in ("a", "b")]
    for store in stores:
        store.close()


# -- what survives -----------------------------------------------------------------------------------------------------


def test_engine_time_and_events_survive(folder: Path) -> None:
    store = Store(folder)
    assert store.engine_time() == 0
    store.begin()
    store.insert([event(1), event(2, state=State.RUNNING, attempts=1, payload=b"\x00\xff")])
    store.set_engine_time(1_234.5)
    store.commit()
    store.begin()
    store.insert([event(3)])
    store.set_engine_time(9_999.0)
    store.rollback()
    store.close()

    store = Store(folder)
    assert store.engine_time() == 1_234.5
    assert store.event("id-2") == event(2, state=State.RUNNING, attempts=1, payload=b"\x00\xff")
    assert store.event("id-3") is None
    assert store.last_seq() == 2
    assert [e.id for e in store.running()] == ["id-2"]
    assert store.counts() == {"fn1": {"new": 1}, "fn2": {"running": 1}}
    store.close()


def test_whoever_looks_sees_the_last_commit_and_cannot_write(folder: Path) -> None:
    store = Store(folder)
    peek = Peek(store.path)
    store.begin()
    store.insert([event(1)])
    assert peek.queued(Window(), retries=False)[1] == []
    store.commit()
    assert peek.queued(Window(), retries=False)[1] == [event(1)]
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        peek._connection.execute("DELETE FROM event")
    peek.close()
    store.close()


@pytest.mark.parametrize("reader", [lambda folder: Peek(Store(folder).path), History])
def test_who_closes_waits_for_who_reads(folder: Path, reader: Callable[[Path], Peek | History]) -> None:
    """Else SQLite takes the process with it."""
    looked_through = reader(folder)
    closing = threading.Thread(target=looked_through.close)
    with looked_through._one_at_a_time:
        closing.start()
        closing.join(0.05)
        assert closing.is_alive()
    closing.join()


# -- how it looks things up --------------------------------------------------------------------------------------------


class Statements:
    """Every statement that a connection is given, and how SQLite would run it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._kept: dict[str, None] = {}
        connection.set_trace_callback(self._kept.setdefault)

    def plans(self) -> dict[str, list[str]]:
        self._connection.set_trace_callback(None)
        asked = [sql for sql in self._kept if sql.split()[0] in ("SELECT", "UPDATE", "DELETE")]
        return {sql: [row[3] for row in self._connection.execute(f"EXPLAIN QUERY PLAN {sql}")] for sql in asked}


@pytest.fixture
def filled(folder: Path) -> Iterator[Store]:
    """A store in which most events have ended."""
    store = Store(folder)
    store.begin()
    store.insert(event(seq, state=State.SUCCEEDED if seq % 50 else State.QUEUED) for seq in range(1, 2_000))
    store.commit()
    yield store
    store.close()


def test_what_a_step_asks_never_walks_through_the_events(filled: Store) -> None:
    statements = Statements(filled._connection)
    filled.begin()
    filled.due("fn1", 2_000.0, 256)
    filled.functions_due(1_000.0, 2_000.0)
    filled.next_due(1_500.0)
    filled.queued_functions()
    filled.running()
    filled.event("id-7")
    filled.update([event(7)])
    filled.deliveries_due(1_000.0, 256)
    filled.next_delivery()
    filled.message("m1")
    filled.delete_dead_letters("id-7")
    filled.delivered([1])
    filled.set_engine_time(1.0)
    filled.rollback()
    plans = statements.plans()
    assert len(plans) == 13, list(plans)
    for sql, plan in plans.items():
        for line in plan:
            walks = line.startswith("SCAN") and "INDEX" not in line and "SCAN engine" not in line
            assert not walks, (sql, plan)
            assert "TEMP B-TREE FOR ORDER BY" not in line, (sql, plan)

    def indexes(fragment: str) -> str:
        return " ".join(line for sql, plan in plans.items() if fragment in sql for line in plan)

    assert "event_next" in indexes("ORDER BY due_at, seq LIMIT 256")
    assert "event_due" in indexes("SELECT DISTINCT function FROM event WHERE state = 'queued' AND due_at")
    assert "event_due" in indexes("SELECT min(due_at) FROM event")
    assert "event_next" in indexes("SELECT DISTINCT function FROM event WHERE state = 'queued'")
    assert "event_running" in indexes("state = 'running'")
    assert "delivery_due" in indexes("FROM delivery WHERE due_at")


def test_what_the_screen_asks_without_a_filter_never_walks_through_the_events(filled: Store) -> None:
    peek = Peek(filled.path)
    statements = Statements(peek._connection)
    for descending in (False, True):
        window = Window(descending=descending)
        for retries in (False, True):
            peek.queued(window, retries=retries)
            peek.queued(window._replace(after=(1_500.0, 7)), retries=retries)
        peek.dead_letters(window, ["dead"])
    peek.event("id-7")
    peek.attempts(7)
    peek.deliveries(7)
    peek.queues_with("id-7")
    plans = statements.plans()
    peek.close()
    assert len(plans) >= 14
    for sql, plan in plans.items():
        assert not any(line.startswith(("SCAN event", "SCAN e")) and "INDEX" not in line for line in plan), (sql, plan)
        if "state = 'queued'" in sql:
            assert any("INDEX event_" in line for line in plan), (sql, plan)


# -- history -----------------------------------------------------------------------------------------------------------


def lines(history: History, count: int, request_id: str = "r1") -> list[int]:
    return [history.line("orders", request_id, 1, float(n), "output", f"line {n}") for n in range(count)]


def test_lines_keep_their_order_and_their_words(folder: Path) -> None:
    history = History(folder)
    heard: list[LogLine] = []
    history.listeners.append(heard.append)
    assert lines(history, 5_000) == list(range(1, 5_001))
    odd = "two\nlines, \0, \x1b[31m, ü and \ud800".encode(errors="replace").decode()
    history.line("orders", "r2", 2, 5.5, "platform", odd)
    history.hand_over()
    history.wait()
    kept = history.newest_lines(10_000)
    assert kept == heard
    assert [line.number for line in kept] == list(range(1, 5_002))
    assert kept[-1] == LogLine(5_001, 5.5, "orders", "r2", 2, "platform", odd)
    assert history.newest_lines(3) == kept[-3:]
    assert history.newest_lines(3, before=100) == kept[96:99]
    assert history.newest_lines(10, lambda line: line.request_id == "r2") == kept[-1:]
    history.close()


def test_a_line_with_half_a_character_is_kept_and_costs_no_other_line(folder: Path) -> None:
    """A surrogate cannot be written as UTF-8; whoever passes one on must not take the whole batch down."""
    history = History(folder)
    history.line("orders", "r1", 1, 1.0, "output", "before")
    history.line("orders", "r1", 1, 1.0, "output", "half \ud800")
    history.line("orders", "r1", 1, 1.0, "output", "after")
    history.hand_over()
    history.wait()
    history.line("orders", "r1", 1, 1.0, "output", "later")
    history.hand_over()
    history.wait()
    assert [line.text for line in history.newest_lines(10)][::3] == ["before", "later"]
    assert len(history.newest_lines(10)) == 4
    history.close()


def test_numbers_go_on_after_reopening(folder: Path) -> None:
    history = History(folder)
    lines(history, 10)
    history.close()
    history = History(folder)
    assert history.next_number == 11
    assert lines(history, 2) == [11, 12]
    history.hand_over()
    history.wait()
    assert [line.number for line in history.newest_lines(100)] == list(range(1, 13))
    history.close()


def test_the_lines_of_one_request_are_found_between_its_first_and_last(folder: Path) -> None:
    history = History(folder)
    for n in range(20):
        history.line("orders", f"r{n % 2}", 1, float(n), "output", str(n))
    history.hand_over()
    history.wait()
    assert [line.text for line in history.lines_of("r1", 3, 9)] == ["3", "5", "7"]
    assert history.lines_of("r1", 9, 3) == []
    assert history.lines_of("nobody", 1, 20) == []
    history.close()


def test_a_synchronous_invocation_is_kept(folder: Path) -> None:
    history = History(folder)
    function = Function("orders", "app.handler", "/nowhere")
    invocation = Invocation("r1", function, b'{"a":1}', lambda: True, print, source="http", accepted_at=5.0)
    outcome = Outcome(Ended.FUNCTION_ERROR, b"{}", "KeyError", "'card'", 5.1, 5.4, 0.3, None, 30, "stream", 2, 7, 9)
    history.record(invocation, outcome)
    history.hand_over()
    history.wait()
    found = history.invocation("r1")
    assert found is not None
    assert (found["function"], found["payload"], found["ended"]) == ("orders", '{"a":1}', "function error")
    assert (found["error_type"], found["first_line"], found["last_line"]) == ("KeyError", 7, 9)
    assert history.invocation("nobody") is None
    history.close()


def test_one_timer_is_set_for_a_crowd_of_lines(folder: Path) -> None:
    history = History(folder)
    planned: list[Callable[[], None]] = []
    history.call_later = lambda seconds, then: planned.append(then)
    lines(history, 5_000)
    assert len(planned) == 1
    planned[0]()
    history.wait()
    assert len(history.newest_lines(10_000)) == 5_000
    lines(history, 1)
    assert len(planned) == 2
    history.close()


def test_the_beginning_of_an_id_is_not_found_in_the_middle_of_a_newer_one(folder: Path) -> None:
    history = History(folder)
    function = Function("orders", "app.handler", "/nowhere")
    for request_id in ("abcd-1", "0000-abcd"):
        history.record(Invocation(request_id, function, b"{}", lambda: True, print), Outcome(Ended.RETURNED))
        history.hand_over()
    history.wait()
    found = history.invocation("abcd")
    assert found is not None
    assert found["id"] == "abcd-1"
    history.close()


def test_reasons_are_read_back_as_what_they_were(folder: Path) -> None:
    store = Store(folder)
    store.begin()
    store.insert(event(n, reason=reason, dropped=n % 2 == 0) for n, reason in enumerate(Reason, 1))
    store.commit()
    found = [store.event(f"id-{n}") for n in range(1, len(Reason) + 1)]
    assert [(e.reason, e.dropped) for e in found if e] == [(r, n % 2 == 0) for n, r in enumerate(Reason, 1)]
    assert all(type(e.reason) is Reason and type(e.dropped) is bool for e in found if e)
    store.close()
