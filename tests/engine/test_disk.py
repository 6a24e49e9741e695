"""Disks that are full, broken, read-only or gone, and what the engine makes of them."""

import asyncio
import contextlib
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.live import live, notices, until_awaited
from engine.live import until as until_here
from engine.running import Project, linux_only, quick_python, until
from lamtop.engine import Engine
from lamtop.engine.core.event import Event, State
from lamtop.engine.core.function import EventInvokeConfig, Function
from lamtop.engine.reports import NotAccepted, Redrive
from lamtop.engine.store import History, Peek, Store, StoreError, Unwritable
from simulation.world import FAILED, RETURNED, World

DEAD = "arn:aws:sqs:us-east-1:000000000000:dead"
EVERY = int(os.environ.get("LAMTOP_EVERY", "2"))  # how many writes of a story lie between two that are made to fail
EVENT = {"X-Amz-Invocation-Type": "Event"}


class Faulty:
    """A connection on which one write fails, as SQLite says it: the transaction is taken back."""

    def __init__(self, connection: sqlite3.Connection, code: int, text: str) -> None:
        self.connection = connection
        self.error = sqlite3.OperationalError(text)
        self.error.sqlite_errorcode = code
        self.fails: Callable[[str], bool] = lambda sql: False
        self.said: list[str] = []

    @property
    def in_transaction(self) -> bool:
        return self.connection.in_transaction

    def execute(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        self._check(sql)
        return self.connection.execute(sql, values)

    def executemany(self, sql: str, rows: Sequence[Any]) -> sqlite3.Cursor:
        self._check(sql)
        return self.connection.executemany(sql, rows)

    def close(self) -> None:
        self.connection.close()

    def _check(self, sql: str) -> None:
        if sql.startswith(("SELECT", "PRAGMA", "ROLLBACK")):
            return
        self.said.append(sql)
        if self.fails(sql):
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise self.error


def break_disk(store: Store, code: int, text: str) -> Faulty:
    """Put something between the store and its file that can fail."""
    faulty = Faulty(store._connection, code, text)
    store._connection = faulty  # type: ignore[assignment]
    return faulty


def full_disk(store: Store) -> Faulty:
    return break_disk(store, sqlite3.SQLITE_FULL, "database or disk is full")


# -- a step on a full disk ---------------------------------------------------------------------------------------------

FUNCTIONS = [
    Function("works", "app.handler", "/nowhere", event_invoke_config=EventInvokeConfig(on_success=DEAD)),
    Function("fails", "app.handler", "/nowhere", dead_letter_queue=DEAD),
    Function("few", "app.handler", "/nowhere", reserved_concurrency=1),
    Function("never", "app.handler", "/nowhere", dead_letter_queue=DEAD, reserved_concurrency=0),
]


class Checked(list[Event]):
    """The events that somebody was told of, each of which must be on the disk by then."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.peek = Peek(path)

    def append(self, event: Event) -> None:
        assert self.peek.event(event.id) is not None, "answered before it was on the disk"
        super().append(event)


def story(folder: Path, write: int | None) -> tuple[dict[str, Any], int, bool]:
    """Some lives of events, with no room from write number `write` until a commit fails.

    Also: how many writes there were, and whether one failed.
    """
    world = World(folder, FUNCTIONS, lambda i: (FAILED if i.function.name == "fails" else RETURNED, 2.0))
    world.answers = Checked(world.store.path)
    faulty = full_disk(world.store)
    failed = False
    commit = world.store.commit

    def patient() -> None:
        nonlocal failed
        try:
            commit()
        except Unwritable:
            failed = True
            waiting = len(world.answers), len(world.environments.starts)
            world.environments.end_due()
            assert waiting == (len(world.answers), len(world.environments.starts)), (
                "nothing goes out before it is on disk"
            )
            commit()

    world.store.commit = patient  # type: ignore[method-assign]
    faulty.fails = lambda sql: write is not None and len(faulty.said) >= write and not failed
    for n in range(8):
        world.send(FUNCTIONS[n % 4].name, b'{"n":%d}' % n)
        if n % 2:
            world.run(world.clock.now() + 1)
    world.run()
    letters = sorted(str(row[1]) for row in world.history() if row[0] == "message")
    answers: list[Any] = []
    for ids in (letters[:3], letters[2:]):  # one of them twice; all in one step with an event
        world.send("works")
        world.report(Redrive(tuple(ids), lambda *answer: answers.append(answer)))
    world.run()
    ends = {e.id: world.event(e.id)._replace(seq=0)[:15] for e in world.answers}
    found = {
        "ends": sorted((e[2], e[4], e[7], e[8], e[10:12], str(e[14])) for e in ends.values()),
        "answered": len({e.id for e in world.answers}) == len(world.answers) == 10,
        "starts": sorted(attempt for _, _, attempt in world.environments.starts),
        "letters": sorted((row[3], row[2]) for row in world.history() if row[0] == "message"),
        "owed": [row for row in world.history() if row[0] == "delivery"],
        "states": {row[8] for row in world.history() if row[0] == "event"},
        "redriven": [(len(redriven), [why for _, why in refused]) for redriven, refused in answers],
        "counts": {
            name: (m.succeeded, m.discarded, m.begun, sum(m.queued.values()))
            for name, m in world.dispatcher.metrics.functions.items()
        },
    }
    world.answers.peek.close()
    world.store.close()
    return found, len(faulty.said), failed


def test_whichever_write_finds_no_room_the_same_events_come_to_the_same_ends(tmp_path: Path) -> None:
    undisturbed, writes, _ = story(tmp_path / "state", None)
    assert writes > 60
    assert undisturbed["states"] == {State.SUCCEEDED, State.DISCARDED}
    assert undisturbed["owed"] == []
    for write in range(1, writes + 1, EVERY):
        shutil.rmtree(tmp_path / "state")
        found, _, failed = story(tmp_path / "state", write)
        assert failed
        assert found == undisturbed, f"write {write} of {writes}"


def test_sqlite_itself_may_say_that_it_is_full_in_the_middle_of_a_step(tmp_path: Path) -> None:
    world = World(tmp_path / "state", FUNCTIONS, lambda i: (RETURNED, 1.0))
    pages = world.store.setting("page_count")
    world.store.setting(f"max_page_count = {pages}")
    sent = [world.send("works", b'"%s"' % (b"x" * 50_000)) for _ in range(5)]
    with pytest.raises(Unwritable, match=r"queue\.sqlite3 cannot be written: database or disk is full"):
        world.step()
    for _ in range(3):
        with pytest.raises(Unwritable):
            world.store.commit()
    assert (world.answers, world.environments.starts) == ([], [])
    world.store.setting(f"max_page_count = {2**30}")
    world.store.commit()
    world.dispatcher.release()
    world.run()
    assert {world.event(request_id).state for request_id in sent} == {State.SUCCEEDED}
    world.store.close()


def test_another_program_that_locks_the_file_only_delays_a_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lamtop.engine.store.transactions._PATIENCE_IN_COMMIT", 20)
    world = World(tmp_path / "state", FUNCTIONS, lambda i: (RETURNED, 1.0))
    somebody = sqlite3.connect(world.store.path, isolation_level=None)
    somebody.execute("BEGIN IMMEDIATE")
    request_id = world.send("works")
    with pytest.raises(Unwritable, match="locked"):
        world.step()
    somebody.execute("COMMIT")
    somebody.close()
    world.store.commit()
    world.dispatcher.release()
    world.run()
    assert world.event(request_id).state is State.SUCCEEDED
    world.store.close()


# -- an engine on a full disk ------------------------------------------------------------------------------------------

CODE = {
    "app.py": """
        import os, time

        def handler(event, context):
            return event

        def wait(event, context):
            while not os.path.exists(event["for"]):
                time.sleep(0.005)
            return "waited"
    """,
    "template.yaml": """
        Transform: AWS::Serverless-2016-10-31
        Resources:
          Echo: {Type: AWS::Serverless::Function, Properties: {FunctionName: echo, Handler: app.handler, CodeUri: .,
                 Runtime: python3.13}}
          Wait: {Type: AWS::Serverless::Function, Properties: {FunctionName: wait, Handler: app.wait, CodeUri: .,
                 Runtime: python3.13, Timeout: 60}}
    """,
}


async def send(engine: Engine, name: str, payload: bytes = b"{}") -> tuple[int, str]:
    """Queue an event; the status and the request id, or what a refusal says."""
    answer = await engine.call(name, payload, EVENT)
    assert (answer.status == 202) == (not answer.body)
    return answer.status, answer.body.decode() or answer.headers["x-amzn-RequestId"]


def test_a_full_disk_refuses_events_and_nothing_else_and_needs_no_restart(tmp_path: Path) -> None:
    async def play() -> None:
        gate = tmp_path / "gate"
        async with live(tmp_path / "project", CODE, watch=False) as engine:
            status, running = await send(engine, "wait", b'{"for":"%s"}' % bytes(gate))
            assert status == 202
            await until_here(lambda: engine.environments.executing, "it runs")
            disk = full_disk(engine.store)
            disk.fails = lambda sql: True

            status, refusal = await send(engine, "echo")
            assert status == 500
            assert '"Type": "Service"' in refusal
            assert "queue.sqlite3 cannot be written: database or disk is full" in refusal
            assert [await send(engine, "echo") for _ in range(3)] == [(500, refusal)] * 3
            with pytest.raises(NotAccepted):
                await engine.redrive(["m1"])
            assert (await engine.call("echo", b"[1]", {})).body == b"[1]"
            assert len((await engine.page({"view": "inflight"}, None))["rows"]) == 1
            assert engine.status()["totals"]["in_flight"] == 1
            assert "events are refused" in notices(engine, "error")[-1]
            gate.touch()
            await until_here(lambda: not engine.environments.executing, "the handler's own end")

            disk.fails = lambda sql: False
            await until_here(lambda: engine.loop.trouble is None, "room")
            assert "events are accepted" in notices(engine, "info")[-1]
            status, last = await send(engine, "echo")
            assert status == 202
            for request_id in (running, last):
                await until_awaited(lambda i=request_id: ended(engine, i), f"the end of {request_id}")
            assert not engine.ended.done()

    asyncio.run(play())


async def ended(engine: Engine, request_id: str) -> bool:
    life = await engine.life(request_id)
    return life is not None and life["state"] == "succeeded"


# -- a real one --------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB in memory; for those who may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a disk needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    code = {name: "\n".join(line[8:] for line in text.splitlines()) for name, text in CODE.items()}
    functions = {"echo": {"Handler": "app.handler"}, "wait": {"Handler": "app.wait", "Timeout": 60}}
    folder = tmp_path / "project"
    folder.mkdir()
    with Project(folder, functions, {"app.py": code["app.py"]}) as made:
        yield made


def fill(path: Path) -> None:
    """Leave no room on the disk that this file is on."""
    with path.open("wb", buffering=0) as file:
        for size in (1_000_000, 4_096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


@linux_only
def test_an_engine_outlives_a_full_disk_and_loses_nothing(
    project: Project, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project, "state", small_disk / "state")
    gate, filler = project.folder / "gate", small_disk / "filler"
    engine = project.serve("--python", quick_python(project.folder))
    running = [engine.send("wait", {"for": str(gate)}) for _ in range(3)]
    until(lambda: engine.status()["totals"]["in_flight"] == 3, "all running")

    accepted, body = [], b'"%s"' % (b"x" * 100_000)
    fill(filler)
    refused = 0
    while not refused:
        answer = engine.invoke("echo", body, "Event")
        assert answer.status in (202, 500), answer
        if answer.status == 202:
            accepted.append(answer.request_id)
        else:
            refused += 1
            assert (answer.headers["x-amzn-errortype"], answer.json["Type"]) == ("ServiceException", "Service")
            assert str(project.state / "queue.sqlite3") in answer.json["message"]
        assert len(accepted) < 100
    fill(small_disk / "and more")  # what the engine gave up is used by its own outcomes, or by somebody else
    assert engine.invoke("echo", [1]).json == [1]
    until(lambda: engine.status()["totals"]["in_flight"] == 3, "the end of what had begun already")
    assert len(engine.page("inflight")) == 3
    gate.touch()
    until(lambda: engine.status()["totals"]["in_flight"] == 0, "the end of the handlers")
    assert engine.invoke("echo", b"{}", "Event").status == 500

    filler.unlink()
    until(lambda: engine.invoke("echo", b"{}", "Event").status == 202, "room")
    for request_id in (*running, *accepted):
        assert engine.ended(request_id)["state"] == "succeeded"
    assert (project.state / "reserve").stat().st_size == 8 * 1024 * 1024
    assert engine.stop() == 0
    assert project.errors.read_text() == ""
    assert not (project.state / "reserve").exists()
    checked = sqlite3.connect(project.state / "queue.sqlite3")
    assert checked.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    checked.close()


@linux_only
def test_what_ran_when_the_disk_filled_up_is_put_on_record_in_the_room_set_aside(
    project: Project, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project, "state", small_disk / "state")
    gate = project.folder / "gate"
    engine = project.serve("--python", quick_python(project.folder))
    running = [engine.send("wait", {"for": str(gate)}) for _ in range(3)]
    until(lambda: engine.status()["totals"]["in_flight"] == 3, "all running")
    fill(small_disk / "filler")
    gate.touch()
    for request_id in running:
        assert engine.ended(request_id)["state"] == "succeeded"
    engine.kill9()
    rows = project.query("SELECT state FROM event")
    assert [row["state"] for row in rows] == ["succeeded"] * 3


# -- a broken one ------------------------------------------------------------------------------------------------------


def test_an_engine_whose_disk_fails_says_so_and_ends(tmp_path: Path) -> None:
    async def play() -> None:
        async with live(tmp_path / "project", CODE, watch=False) as engine:
            disk = break_disk(engine.store, sqlite3.SQLITE_IOERR_FSYNC, "disk I/O error")
            disk.fails = lambda sql: sql == "COMMIT"
            with pytest.raises(NotAccepted, match="disk I/O error"):
                await engine.accept(engine.functions["echo"], b"{}", source="test", request_id="r1")
            why = await engine.ended
            assert why == engine.failure
            assert f"{engine.store.path} cannot be used: disk I/O error" in why
            assert disk.said.count("COMMIT") == 1, "it went on after a failed fsync"

    asyncio.run(play())


@linux_only
@pytest.mark.skipif(not shutil.which("strace"), reason="strace makes system calls fail")
@pytest.mark.parametrize(("call", "when"), [("fdatasync", 5), ("pwrite64", 80)])
def test_after_a_failed_write_nothing_more_is_written_and_nothing_accepted_is_lost(
    project: Project, tmp_path: Path, call: str, when: int
) -> None:
    """Of each thread, the n-th call and those after it fail; a start makes fewer."""
    trace = tmp_path / "trace"
    log = str(project.state / "queue.sqlite3-wal")
    tracer = ["strace", "-f", "-qq", "-y", "-o", str(trace), "-P", log, "-P", log[:-4],
              "-e", "trace=pwrite64,fdatasync", "-e", f"inject={call}:error=EIO:when={when}+"]  # fmt: skip
    engine = project.serve("--python", quick_python(project.folder), before=tracer)
    accepted = []
    for _ in range(100):
        try:
            answer = engine.invoke("echo", b"{}", "Event")
        except OSError:
            break
        if answer.status != 202:
            assert answer.status == 500
            break
        accepted.append(answer.request_id)
    assert engine.wait() == 1
    [line] = project.errors.read_text().splitlines()
    assert line.startswith(f"lamtop: {project.state / 'queue.sqlite3'} cannot be used: disk I/O error")
    said = [entry for entry in trace.read_text().splitlines() if "queue.sqlite3" in entry]
    first = next(n for n, entry in enumerate(said) if "EIO" in entry)
    assert first > 10
    assert [entry for entry in said[first + 1 :] if "EIO" not in entry] == []
    assert len(said[first:]) <= 2, said[first:]

    project.errors.write_text("")
    engine = project.serve("--python", quick_python(project.folder))
    for request_id in accepted:
        assert engine.ended(request_id)["state"] == "succeeded"
    assert accepted


# -- one that is gone, or read-only ------------------------------------------------------------------------------------


@linux_only
def test_an_engine_whose_state_folder_was_removed_promises_nothing_says_so_and_ends(project: Project) -> None:
    engine = project.serve("--python", quick_python(project.folder))
    engine.send("echo")
    shutil.rmtree(project.state)
    with contextlib.suppress(ConnectionError):  # it may have looked by itself, and have ended
        assert engine.invoke("echo", b"{}", "Event").status == 500
    assert engine.wait() == 1
    [line] = project.errors.read_text().splitlines()
    assert line.startswith(f"lamtop: {project.state / 'queue.sqlite3'} was removed while the engine ran")


def test_an_idle_engine_notices_that_its_state_folder_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lamtop.engine.loop._LONGEST_SLEEP", 0.02)

    async def play() -> None:
        async with live(tmp_path / "project", CODE, watch=False) as engine:
            shutil.rmtree(engine.settings.state)
            assert "was removed while the engine ran" in await asyncio.wait_for(engine.ended, 20)

    asyncio.run(play())


@pytest.mark.parametrize("name", ["lock", "queue.sqlite3", "history.sqlite3"])
def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, name: str) -> None:
    """A folder stands where the file should: nobody can write that, not even root."""
    (tmp_path / "state" / name).mkdir(parents=True)
    open_it = History if name.startswith("history") else Store
    with pytest.raises(StoreError) as refused:
        open_it(tmp_path / "state")
    assert str(tmp_path / "state" / name) in str(refused.value)
    assert "--state" in str(refused.value)


@pytest.mark.parametrize("used_before", [True, False])
def test_a_read_only_disk_is_refused_by_the_name_of_a_file(small_disk: Path, used_before: bool) -> None:
    folder = small_disk / "state"
    if used_before:
        Store(folder).close()
    else:
        folder.mkdir(mode=0o700)
        (folder / ".gitignore").touch()
    before = sorted(folder.iterdir())
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(StoreError, match=f"{folder}.*Read-only file system"):
        Store(folder)
    assert sorted(folder.iterdir()) == before


@linux_only
def test_a_read_only_state_folder_is_one_clear_line(project: Project, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    done = project.command("serve", "--port", "0", "--state", str(small_disk / "state"))
    assert (done.code, done.out) == (1, "")
    [line] = done.err.splitlines()
    assert f"{small_disk / 'state'} cannot be the state folder: Read-only file system" in line


def test_a_log_on_a_full_disk_is_not_kept_and_says_so_once(tmp_path: Path) -> None:
    history = History(tmp_path / "state")
    said: list[str] = []
    history.failed = said.append

    def write(text: str) -> None:
        history.line("echo", "r1", 1, 1.0, "output", text)
        history.hand_over()
        history.wait()

    write("before")
    pages = history._connection.execute("PRAGMA page_count").fetchone()[0]
    history._connection.execute(f"PRAGMA max_page_count = {pages}")
    for _ in range(3):
        write("lost " * 10_000)
    history._connection.execute(f"PRAGMA max_page_count = {2**30}")
    write("after")
    assert [line.text for line in history.newest_lines(9)] == ["before", "after"]
    [text] = said
    assert "history.sqlite3: database or disk is full" in text
    history.close()
