"""What is over goes, the oldest first; what somebody still needs stays, and the counts stay right."""

import asyncio
import json
from pathlib import Path

import pytest

from engine.live import live, until
from lamtop.engine import Retention
from lamtop.engine.core.event import Attempt, Delivery, Ended, Event, Message, Outcome, Reason, State
from lamtop.engine.core.function import Function
from lamtop.engine.core.invocation import Invocation
from lamtop.engine.metrics import Metrics
from lamtop.engine.store import History, Store
from lamtop.engine.store.retention import SLICE

NOW = 10_000_000.0
DAY = 86_400.0
FOREVER = Retention(days=10_000, events=10**9, lines=10**9, invocation_chunks=10**9, size=2**40)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def ended(seq: int, *, ago: float = 0.0, state: State = State.SUCCEEDED, payload: bytes = b"{}") -> Event:
    at = NOW - ago
    return Event(seq, f"id-{seq}", f"fn{seq % 3}", "", payload, "test", at, state, due_at=at, attempts=1, ended_at=at)


def write(store: Store, events: list[Event]) -> None:
    store.begin()
    store.insert(events)
    store.record(Attempt(event.seq, 1, Outcome(Ended.RETURNED)) for event in events if event.ended_at)
    store.commit()


def pruned(store: Store, retention: Retention, ever_ended: int) -> int:
    """Prune until there is no more to look at; how many events went."""
    total = 0
    for _ in range(1_000):
        gone, more = store.prune(retention, retention.oldest(NOW, 1.0), ever_ended)
        total += gone
        if not more:
            return total
    raise AssertionError("it never came to an end")


def kept(store: Store) -> list[int]:
    return [seq for (seq,) in store._connection.execute("SELECT seq FROM event ORDER BY seq")]


def test_events_that_ended_too_long_ago_go_and_their_attempts_with_them(folder: Path) -> None:
    store = Store(folder)
    write(store, [ended(seq, ago=DAY * (11 - seq)) for seq in range(1, 11)])
    assert pruned(store, FOREVER._replace(days=4.5), 10) == 6
    assert kept(store) == [7, 8, 9, 10]
    assert store._connection.execute("SELECT min(event), count(*) FROM attempt").fetchone() == (7, 4)
    store.close()


def test_an_old_event_that_has_just_ended_stays(folder: Path) -> None:
    store = Store(folder)
    write(store, [ended(1, ago=9 * DAY)._replace(ended_at=NOW), ended(2, ago=9 * DAY)])
    assert pruned(store, FOREVER._replace(days=1), 2) == 1
    assert kept(store) == [1]
    store.close()


def test_of_too_many_the_oldest_go_in_slices(folder: Path) -> None:
    store = Store(folder)
    count = 3 * SLICE + 10
    write(store, [ended(seq) for seq in range(1, count + 1)])
    retention = FOREVER._replace(events=SLICE)
    gone, more = store.prune(retention, 0.0, count)
    assert (gone, more) == (SLICE, True)
    assert pruned(store, retention, count) == SLICE + 10
    assert kept(store) == list(range(count - SLICE + 1, count + 1))
    assert pruned(store, retention, count) == 0
    store.close()


def test_what_somebody_needs_stays_however_old_and_however_much_there_is(folder: Path) -> None:
    store = Store(folder)
    waits = [ended(n, ago=99 * DAY)._replace(state=State.QUEUED, reason=reason, ended_at=None)
             for n, reason in enumerate((Reason.NEW, Reason.RETRY, Reason.THROTTLED), start=1)]  # fmt: skip
    runs = ended(4, ago=99 * DAY)._replace(state=State.RUNNING, ended_at=None)
    owes = ended(5, ago=99 * DAY, state=State.DISCARDED)
    dead = ended(6, ago=99 * DAY, state=State.DISCARDED)
    told = ended(7, ago=99 * DAY)  # its message is no dead letter: it tells of a success
    write(store, [*waits, runs, owes, dead, told, ended(8, ago=99 * DAY)])
    store.begin()
    store.owe([Delivery(1, 5, "id-5", "dead letter", "arn:dead", b"{}", {}, NOW)])
    store.send([Message("m1", "dead", b"{}", {}, NOW, "id-6"), Message("m2", "done", b"{}", {}, NOW, "id-7")])
    store.commit()
    assert pruned(store, Retention(0, 0, 0, 0, 0), 4) == 2
    assert kept(store) == [1, 2, 3, 4, 5, 6]
    store.close()


def test_the_file_stays_below_its_cap_over_many_times_as_many_bytes(folder: Path) -> None:
    store = Store(folder)
    cap = 4 * 1024 * 1024
    payload = b"x" * 20_000
    seq = 0
    for _ in range(40):  # 16 MB in all
        events = [ended(seq := seq + 1, payload=payload) for _ in range(20)]
        write(store, events)
        pruned(store, FOREVER._replace(size=cap), seq)
    store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert store.path.stat().st_size < cap
    assert kept(store)[-1] == seq
    store.close()


def test_counts_stay_right_after_pruning_and_after_a_restart(folder: Path) -> None:
    store = Store(folder)
    states = [State.SUCCEEDED if seq % 4 else State.DISCARDED for seq in range(1, 101)]
    write(store, [ended(seq, ago=DAY, state=state) for seq, state in enumerate(states, start=1)])
    before = store.counts()
    assert pruned(store, FOREVER._replace(events=30), 100) == 70
    assert store.counts() == before
    store.close()
    store = Store(folder)
    assert store.counts() == before
    assert pruned(store, FOREVER._replace(events=30), 100) == 0
    assert pruned(store, FOREVER._replace(events=10), 100) == 20
    metrics = Metrics()
    for function, places in store.counts().items():
        for place, number in places.items():
            metrics.counted(function, place, number)
    assert sum(counts.succeeded for counts in metrics.functions.values()) == 75
    assert sum(counts.discarded for counts in metrics.functions.values()) == 25
    store.close()


def test_engine_time_that_runs_faster_does_not_forget_sooner() -> None:
    week = Retention(days=7)
    assert week.oldest(NOW, 1.0) == NOW - 7 * DAY
    assert week.oldest(NOW, 60.0) == NOW - 7 * DAY * 60
    assert week.oldest(NOW, 0.5) == NOW - 7 * DAY


# -- the history -------------------------------------------------------------------------------------------------------


def log(history: History, count: int, *, at: float = NOW, text: str = "x") -> None:
    """So many lines, ten in each chunk."""
    for n in range(count):
        history.line("orders", "r1", 1, at, "output", text)
        if n % 10 == 9:
            history.hand_over()
    history.hand_over()
    history.wait()


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lamtop.engine.store.history._PRUNE_EVERY", 0.0)


@pytest.mark.usefixtures("always")
def test_the_oldest_lines_go_when_there_are_too_many(folder: Path) -> None:
    history = History(folder, FOREVER._replace(lines=100))
    log(history, 1_000)
    lines = history.newest_lines(10_000)
    assert 100 <= len(lines) <= 110
    assert lines[-1].number == 1_000
    history.close()


@pytest.mark.usefixtures("always")
def test_lines_and_invocations_that_are_too_old_go(folder: Path) -> None:
    history = History(folder, FOREVER._replace(days=1))
    history.oldest = lambda: NOW - DAY
    log(history, 100, at=NOW - 2 * DAY, text="old")
    function = Function("orders", "app.handler", "/nowhere")
    for number, at in enumerate((NOW - 2 * DAY, NOW)):
        invocation = Invocation(f"r{number}", function, b"{}", lambda: True, print, accepted_at=at)
        history.record(invocation, Outcome(Ended.RETURNED, ended_at=at))
        history.hand_over()
    log(history, 50, text="new")
    assert [line.text for line in history.newest_lines(1_000)] == ["new"] * 50
    assert history.invocation("r0") is None
    assert history.invocation("r1") is not None
    history.close()


@pytest.mark.usefixtures("always")
def test_the_history_stays_below_its_cap(folder: Path) -> None:
    cap = 2 * 1024 * 1024
    history = History(folder, FOREVER._replace(size=cap))
    log(history, 6_000, text="x" * 1_000)  # 6 MB
    assert (folder / "history.sqlite3").stat().st_size < cap
    assert history.newest_lines(1)[0].number == 6_000
    history.close()


# -- an engine ---------------------------------------------------------------------------------------------------------


def test_a_running_engine_forgets_and_goes_on_counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lamtop.engine.loop._LONGEST_SLEEP", 0.05)
    monkeypatch.setattr("lamtop.engine.loop._PRUNE_EVERY", 0.0)
    code = {"app.py": "def handler(event, context): return event"}
    retention = FOREVER._replace(events=20)

    async def play() -> None:
        async with live(tmp_path, code, watch=False, retention=retention) as engine:
            [function] = engine.functions.values()
            for n in range(60):
                await engine.accept(function, json.dumps(n).encode(), source="test", request_id=f"r{n}")
            await until(lambda: engine.status()["totals"]["succeeded"] == 60, "the end of all")
            await until(lambda: len(kept(engine.store)) <= 20, "only the newest are kept")
            assert engine.status()["totals"]["succeeded"] == 60
            assert await engine.life("r0") is None
            assert await engine.life("r59") is not None
        async with live(tmp_path, code, watch=False, retention=retention) as engine:
            assert engine.status()["totals"]["succeeded"] == 60

    asyncio.run(play())
