"""The engine starts late, not at all, dies and comes back."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from fake_engine import FakeClient, FakeEngine, queued
from stage import Stage, play

from engine.running import Project, linux_only
from lamtop.engine import registry
from lamtop.tui import cli, engines, link
from lamtop.tui.app import Lamtop
from lamtop.tui.client import HttpClient
from lamtop.tui.model import Model


def test_the_screen_is_there_before_the_engine() -> None:
    engine, started = FakeEngine(), asyncio.Event()

    async def connect() -> FakeClient:
        await started.wait()
        return await engine.connect()

    async def go() -> None:
        app = Lamtop(connect, opening="starting the engine…")
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
        await stage.shows("no engine since", "reconnecting… 'lamtop serve' starts one, q quits (nobody is there)")
        await stage.press("a")
        await stage.shows("no engine is connected")
        await stage.until(lambda: engine.connections > 3, "several tries")
        engine.refuse = None
        engine.rows["queue"] = [queued(1)]
        await stage.shows("connected again; there was no engine since", "1 Queue 1")
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


def test_an_engine_that_does_not_answer_is_told_from_one_that_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "QUIET_SECONDS", 0.01)
    monkeypatch.setattr(link, "ANSWER_SECONDS", 0.01)
    engine, awake = FakeEngine(), asyncio.Event()

    async def story(stage: Stage) -> None:
        assert engine.client is not None
        answer = engine.client.hello

        async def hello() -> dict[str, object]:
            await awake.wait()
            return await answer()

        engine.client.hello = hello  # type: ignore[method-assign]
        await stage.shows("no answer since", "the engine (pid 1) is paused or too busy; lamtop goes on when it answers")
        awake.set()
        await stage.shows("the engine answers again; it did not since")
        await stage.hides("no answer since")
        assert engine.connections == 1

    play(story, engine)


def test_an_engine_of_another_version_is_named_for_as_long_as_it_is_there() -> None:
    engine = FakeEngine()
    engine.more_hello = {"version": "9.9.9"}

    async def story(stage: Stage) -> None:
        words = "the engine is lamtop 9.9.9, this monitor "
        await stage.shows(words)
        engine.more_hello = {}
        engine.die()
        await stage.shows("connected again")
        await stage.hides(words)

    play(story, engine)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    code = "def handler(event, context):\n    return 1\n"
    with Project(tmp_path, {"one": {"Handler": "app.handler"}}, {"app.py": code}) as project:
        for name, value in project.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        yield project


async def attended(connect: link.Connect, story: Callable[[Stage], Awaitable[None]]) -> None:
    """A story on a monitor of a real engine."""
    app = Lamtop(connect)
    app.pace = app.pace._replace(retry=0.05)
    async with app.run_test(size=(140, 40)) as pilot:
        await story(Stage(app, pilot, FakeEngine()))


@linux_only
def test_two_monitors_outlive_an_engine_that_is_stopped_goes_on_is_killed_and_starts_on_another_port(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "QUIET_SECONDS", 0.1)
    monkeypatch.setattr(link, "ANSWER_SECONDS", 0.3)
    engine = project.serve()

    async def story(stage: Stage) -> None:
        other = Model()
        beside = link.Link(other, lambda: engines.connect(project.state), lambda _: None)
        beside.watch({"functions": {"view": "functions"}})
        follows = asyncio.create_task(beside.run(0.05))
        await stage.lives(lambda: ":" + str(engine.port) in stage.screen() and other.connected, "both see it")
        os.kill(engine.pid, signal.SIGSTOP)
        await stage.lives(lambda: "no answer since" in stage.screen() and not other.connected, "both miss it")
        os.kill(engine.pid, signal.SIGCONT)
        await stage.lives(lambda: "answers again" in stage.screen() and other.connected, "both hear it again")
        os.kill(engine.pid, signal.SIGKILL)
        await stage.lives(lambda: "no engine since" in stage.screen() and not other.connected, "both lose it")
        again = await asyncio.to_thread(project.serve)
        await stage.lives(lambda: ":" + str(again.port) in stage.screen() and other.connected, "both find the next")
        await stage.shows("connected again; there was no engine since")
        await stage.press("i")
        await stage.lives(lambda: "200 after" in stage.screen(), "an answer")
        await stage.lives(lambda: other.totals.get("invocations") == 1, "the other monitor saw it")
        follows.cancel()

    asyncio.run(attended(lambda: engines.connect(project.state), story))


@linux_only
def test_who_meets_an_engine_that_is_about_to_end_starts_one_of_their_own(project: Project) -> None:
    ending = subprocess.Popen(["sleep", "60"])
    registry.enter(registry.Entry("http://127.0.0.1:9", ending.pid, "", str(project.state), str(project.folder)))
    given = ["--port", "0", "--state", str(project.state), "--python", sys.executable]
    door = engines.Door(None, project.state, 0, cli.monitor.make_context("monitor", given).params)
    assert door.opening == "connecting to http://127.0.0.1:9…"

    async def story(stage: Stage) -> None:
        await stage.lives(lambda: "no engine since" in stage.screen(), "nobody answers there")
        ending.kill()
        ending.wait()
        await stage.lives(lambda: "6 Functions 1" in stage.screen(), "an engine of its own")
        client = stage.app.link.client
        assert isinstance(client, HttpClient)
        await client.stop()

    asyncio.run(attended(door.connect, story))
    assert door._started is not None
    door._started.communicate(timeout=10)


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
