"""The engine starts late, not at all, dies and comes back."""

import asyncio
import subprocess
import sys

import pytest
from fake_engine import FakeClient, FakeEngine, queued
from stage import Stage, play

from lamtop.tui.app import Lamtop


def test_the_screen_is_there_before_the_engine() -> None:
    engine, started = FakeEngine(), asyncio.Event()

    async def connect() -> FakeClient:
        await started.wait()
        return await engine.connect()

    async def go() -> None:
        app = Lamtop(connect)
        async with app.run_test(size=(100, 30)) as pilot:
            stage = Stage(app, pilot, engine)
            await stage.shows("starting the engine…", "1 Queue")
            await stage.press("i", "a", "r", "j", "enter")
            started.set()
            await stage.shows("6 Functions 2", ":4566")

    asyncio.run(go())


def test_an_engine_that_cannot_start_is_explained_and_the_exit_code_is_1() -> None:
    engine = FakeEngine()
    engine.refuse = RuntimeError("template.yaml:7: Timeout must be a number [/x]\x1b[2J")

    async def story(stage: Stage) -> None:
        await stage.shows("could not be started", "template.yaml:7: Timeout must be a number [/x]␛[2J", "q")
        await stage.press("q")

    assert play(story, engine).return_code == 1


def test_a_gone_engine_is_said_and_its_successor_is_found() -> None:
    engine = FakeEngine()

    async def story(stage: Stage) -> None:
        engine.refuse = ConnectionRefusedError("nobody is there")
        engine.die()
        await stage.shows("engine gone, reconnecting… nobody is there")
        await stage.press("a")
        await stage.shows("no engine is connected")
        await stage.until(lambda: engine.connections > 3, "several tries")
        engine.refuse = None
        engine.rows["queue"] = [queued(1)]
        await stage.shows("connected again", "1 Queue 1")
        await stage.hides("reconnecting")
        await stage.press("a")
        await stage.shows("202 accepted")

    play(story, engine)


def test_a_frame_that_cannot_be_read_leads_to_a_new_connection_not_to_an_end() -> None:
    engine = FakeEngine()

    async def story(stage: Stage) -> None:
        engine.publish(views={"queue": {"rows": "nonsense"}})
        await stage.until(lambda: engine.connections == 2, "a second connection")
        await stage.shows("connected again")

    play(story, engine)


@pytest.mark.parametrize("key", ["a", "i", "r"])
def test_a_wish_that_fails_is_said_in_the_status_line(key: str) -> None:
    engine = FakeEngine()

    async def refuse(*_: object, **__: object) -> None:
        raise ValueError("payload is too large\x1b[2J")

    async def story(stage: Stage) -> None:
        assert engine.client is not None
        engine.client.invoke = engine.client.reload = refuse  # type: ignore[method-assign,assignment]
        await stage.press(key)
        await stage.shows("payload is too large␛[2J")

    play(story, engine)


def test_quitting_closes_the_connection() -> None:
    engine = FakeEngine()

    async def story(stage: Stage) -> None:
        await stage.press("q")

    play(story, engine)
    assert ("close",) in engine.calls


def test_starting_imports_neither_the_engine_nor_the_editor() -> None:
    program = (
        "import sys, lamtop.tui.app\n"
        "late = ('lamtop.engine', 'aiohttp', 'textual.widgets._text_area')\n"
        "print([name for name in late if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
