"""Disks that are full, broken, read-only or gone, and what the engine makes of them."""

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from engine.live import live, notices, until_awaited
from engine.live import until as until_here
from lamtop.engine import Engine
from lamtop.engine.core.event import State
from lamtop.engine.core.function import EventInvokeConfig, Function
from lamtop.engine.store import Store, Unwritable
from simulation.world import FAILED, RETURNED, World

DEAD = "arn:aws:sqs:us-east-1:000000000000:dead"
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


def story(folder: Path, write: int | None) -> tuple[dict[str, Any], int, bool]:
    """Some lives of events, with no room from write number `write` until a commit fails.

    Also: how many writes there were, and whether one failed.
    """
    world = World(folder, FUNCTIONS, lambda i: (FAILED if i.function.name == "fails" else RETURNED, 2.0))
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
    letters = sorted(row[1] for row in world.history() if row[0] == "message" and row[2] == "dead" and row[6])
    _, refused = world.redrive(*map(str, letters))
    world.run()
    ends = {e.id: world.event(e.id)._replace(seq=0)[:15] for e in world.answers}
    found = {
        "ends": sorted((e[2], e[4], e[7], e[8], e[10:12], str(e[14])) for e in ends.values()),
        "answered": len({e.id for e in world.answers}) == len(world.answers) == 8,
        "starts": sorted(attempt for _, _, attempt in world.environments.starts),
        "letters": sorted((row[3], row[2]) for row in world.history() if row[0] == "message"),
        "owed": [row for row in world.history() if row[0] == "delivery"],
        "states": {row[8] for row in world.history() if row[0] == "event"},
        "refused": len(refused),
        "counts": {
            name: (m.succeeded, m.discarded, m.begun, sum(m.queued.values()))
            for name, m in world.dispatcher.metrics.functions.items()
        },
    }
    world.store.close()
    return found, len(faulty.said), failed


def test_whichever_write_finds_no_room_the_same_events_come_to_the_same_ends(tmp_path: Path) -> None:
    undisturbed, writes, _ = story(tmp_path / "state", None)
    assert writes > 60
    assert undisturbed["states"] == {State.SUCCEEDED, State.DISCARDED}
    assert undisturbed["owed"] == []
    for write in range(1, writes + 1):
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
            with pytest.raises(Unwritable):
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
