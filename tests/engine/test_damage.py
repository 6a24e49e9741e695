"""Files that were damaged on the disk: what can be read is kept, what is lost is told, nothing is thrown away."""

import asyncio
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.live import live, notices
from lamtop.engine.core.event import Attempt, Ended, Event, Message, Outcome, State
from lamtop.engine.store import History, Peek, Store, StoreError

EVENTS = 1_200
PAGE = 4_096
EVERY = int(os.environ.get("LAMTOP_EVERY", "6"))  # how many pages lie between two that are damaged


def event(seq: int) -> Event:
    state = State.QUEUED if seq % 5 == 0 else State.DISCARDED
    return Event(seq, f"id-{seq:05}", f"fn{seq % 3}", "$LATEST", b'{"n":%d}' % seq, "test", 1_000.0, state, due_at=9e9)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder with many events, closed in order."""
    folder = tmp_path_factory.mktemp("whole") / "state"
    store = Store(folder)
    store.begin()
    store.insert(event(seq) for seq in range(1, EVENTS + 1))
    store.record(Attempt(seq, 1, Outcome(Ended.FUNCTION_ERROR)) for seq in range(1, EVENTS + 1))
    store.send(Message(f"m{seq}", "dead", b"{}", {}, 5.0, f"id-{seq:05}") for seq in range(1, EVENTS + 1, 7))
    store.set_engine_time(5_555.5)
    store.commit()
    store.close()
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "state"))


def damage(path: Path, page: int, junk: bytes = b"\xa5" * PAGE) -> bytes:
    """Overwrite a page, the first of which is number 0; what the file is then."""
    with path.open("r+b") as file:
        file.seek(page * PAGE)
        file.write(junk)
    return path.read_bytes()


def page_with(path: Path, text: bytes) -> int:
    return path.read_bytes().index(text) // PAGE


def told(text: str | None) -> tuple[int, int | None]:
    """How many events were recovered and lost, as a notice says it."""
    found = re.search(r"damaged: (\d+) events were recovered, (?:(\d+) are lost|how many are lost cannot)", text or "")
    assert found, text
    return int(found[1]), int(found[2]) if found[2] else None


def test_of_a_damaged_queue_what_can_be_read_is_recovered_and_what_is_lost_is_told(folder: Path) -> None:
    path = folder / "queue.sqlite3"
    damaged = damage(path, page_with(path, b'{"n":600}'))
    store = Store(folder)
    recovered, lost = told(store.mended)
    assert lost is not None
    assert 0 < lost < 60
    assert recovered + lost == EVENTS
    kept = [found for seq in range(1, EVENTS + 1) if (found := store.event(f"id-{seq:05}"))]
    assert kept == [event(found.seq) for found in kept]
    assert len(kept) == recovered
    assert sum(sum(places.values()) for places in store.counts().values()) == recovered
    assert store.message("m1") is not None
    assert store.engine_time() == 5_555.5
    [aside] = folder.glob("queue.sqlite3.corrupt-*")
    assert aside.name in (store.mended or "")
    assert aside.read_bytes() == damaged
    store.begin()
    store.insert([event(EVENTS + 1)])
    store.commit()
    store.close()
    store = Store(folder)
    assert store.mended is None
    assert store.last_seq() == EVENTS + 1
    store.close()


def test_whichever_page_is_damaged_the_queue_opens_and_never_silently_without_its_events(
    whole: Path, tmp_path: Path
) -> None:
    pages = (whole / "queue.sqlite3").stat().st_size // PAGE
    assert pages > 60
    for page in range(1, pages, EVERY):
        folder = Path(shutil.copytree(whole, tmp_path / f"state{page}"))
        damage(folder / "queue.sqlite3", page)
        store = Store(folder)
        recovered, lost = told(store.mended)
        assert recovered == sum(sum(places.values()) for places in store.counts().values())
        assert lost is None or recovered + lost == EVENTS
        assert len(list(folder.glob("*.corrupt-*"))) == 1
        store.close()
        shutil.rmtree(folder)


def test_a_queue_without_its_header_is_refused_and_left_as_it_is(folder: Path) -> None:
    path = folder / "queue.sqlite3"
    damaged = damage(path, 0, b"\0" * 100)
    with pytest.raises(StoreError, match=r"queue\.sqlite3 is not a database: move the file away"):
        Store(folder)
    assert path.read_bytes() == damaged


class Killed(Exception):
    """The process ended here."""


def test_a_kill_during_the_recovery_leaves_the_old_or_the_new_file_in_place(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moves: list[str] = []
    replace = Path.replace

    def dying(self: Path, target: Path) -> Path:
        moves.append(self.name)
        if len(moves) == deadly:
            raise Killed
        return replace(self, target)

    for deadly in range(1, 8):
        moves.clear()
        folder = Path(shutil.copytree(whole, tmp_path / f"state{deadly}"))
        damage(folder / "queue.sqlite3", page_with(folder / "queue.sqlite3", b'{"n":600}'))
        with monkeypatch.context() as patched:
            patched.setattr(Path, "replace", dying)
            try:
                Store(folder).close()
            except Killed:
                pass
            else:
                break
        store = Store(folder)
        assert EVENTS - 60 < sum(sum(places.values()) for places in store.counts().values()) < EVENTS
        assert len(list(folder.glob("queue.sqlite3.corrupt-*"))) == 1
        store.close()
    assert deadly > 3


def test_without_its_log_the_queue_is_what_it_was_at_the_last_checkpoint(folder: Path, tmp_path: Path) -> None:
    """Nobody should delete queue.sqlite3-wal; who does loses the newest events and nothing else."""
    store = Store(folder)
    store.begin()
    store.insert([event(EVENTS + 1)])
    store.commit()
    without = tmp_path / "without"
    without.mkdir()
    shutil.copy(folder / "queue.sqlite3", without)
    store.close()
    store = Store(without)
    assert store.mended is None
    assert store.last_seq() == EVENTS
    store.close()
    assert Store(folder).last_seq() == EVENTS + 1


@pytest.fixture
def history(tmp_path: Path) -> Iterator[Path]:
    kept = History(tmp_path / "history")
    for n in range(200):
        kept.line("orders", "r1", 1, float(n), "output", f"line {n} " + "x" * 500)
        kept.hand_over()
    kept.wait()
    kept.close()
    return tmp_path / "history"  # type: ignore[return-value]


def test_a_damaged_history_is_recovered_as_far_as_it_can_be_read(history: Path) -> None:
    damage(history / "history.sqlite3", page_with(history / "history.sqlite3", b"line 100 "))
    kept = History(history)
    assert kept.mended
    assert "pieces of the log were recovered" in kept.mended
    lines = kept.newest_lines(1_000)
    assert 150 < len(lines) < 200
    assert kept.next_number == 201
    kept.close()


def test_a_large_history_that_is_damaged_shows_what_it_can(history: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lamtop.engine.store.salvage._ALWAYS_CHECKED", 0)
    damage(history / "history.sqlite3", page_with(history / "history.sqlite3", b"line 100 "))
    kept = History(history)
    said: list[str] = []
    kept.failed = said.append
    assert kept.next_number == 201
    assert 0 < len(kept.newest_lines(1_000)) < 200
    assert "the history cannot be read" in said[0]
    kept.close()


def test_the_monitor_is_told_of_a_recovery(folder: Path) -> None:
    async def play() -> None:
        shutil.copytree(folder, folder.parent / "project" / ".lamtop")
        queue = folder.parent / "project" / ".lamtop" / "queue.sqlite3"
        damage(queue, page_with(queue, b'{"n":600}'))
        async with live(folder.parent / "project", {"app.py": "def handler(event, context): pass"}) as engine:
            told(notices(engine, "error")[0])

    asyncio.run(play())


def test_an_engine_that_meets_damage_says_what_to_do(folder: Path) -> None:
    store = Store(folder)
    for page in range(1, 40):
        damage(store.path, page)
    with pytest.raises(StoreError, match="start lamtop again, and what can be read will be recovered"):
        store.event("id-00007")
    store.close(failed=True)
    assert Peek(folder / "queue.sqlite3")
