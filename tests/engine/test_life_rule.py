"""Whose life is whose: engine and monitors, the registry by which they find each other, and whose Python runs."""

import asyncio
import json
import os
import stat
import subprocess
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest

from engine.live import live, notices, stopped, until
from lamtop.engine import Engine, InterpreterError, monitors, registry
from lamtop.engine.interpreter import Interpreter, choose, mismatch
from lamtop.tui.client import HttpClient

CODE = {"app.py": "import time\n\ndef handler(event, context):\n    time.sleep(event.get('seconds', 0))\n"}
LONG = 60.0


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "lamtop" / "engines"


def play(story: Awaitable[None]) -> None:
    async def run() -> None:
        await asyncio.wait_for(story, 25)

    asyncio.run(run())


async def attach(engine: Engine) -> HttpClient:
    client = HttpClient(engine.server.url, engine.token)
    await client.subscribe({"f": {"view": "functions"}})
    await anext(aiter(client.frames()))
    return client


# -- engine and monitors -----------------------------------------------------------------------------------------------


def test_an_owned_engine_ends_after_its_last_monitor_and_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitors, "_ALONE", 0.0)

    async def story() -> None:
        async with live(tmp_path / "p", CODE, owned=True, watch=False) as engine:
            first, second = await attach(engine), await attach(engine)
            await first.close()
            await until(lambda: engine.monitors.count == 1, "the first monitor's departure")
            assert (await second.hello())["owned"] is True  # some turns of the loop later
            assert not engine.ended.done()
            await second.close()
            assert "last monitor" in await asyncio.wait_for(engine.ended, 5)

    play(story())


def test_an_owned_engine_outlives_its_last_monitor_by_a_moment_in_which_another_may_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitors, "_ALONE", LONG)

    async def story() -> None:
        async with live(tmp_path / "p", CODE, owned=True, watch=False) as engine:
            first = await attach(engine)
            await first.close()
            await until(lambda: engine.monitors.ending, "the count-down")
            second = await attach(engine)
            assert engine.monitors.ending is None
            assert not engine.ended.done()
            await second.close()

    play(story())


def test_an_owned_engine_does_not_wait_for_ever_for_its_first_monitor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitors, "_ALONE_AT_FIRST", 0.01)

    async def story() -> None:
        async with live(tmp_path / "p", CODE, owned=True, watch=False) as engine:
            assert await asyncio.wait_for(engine.ended, 5) == "no monitor came"

    play(story())


def test_a_monitor_that_comes_in_time_keeps_an_owned_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitors, "_ALONE_AT_FIRST", LONG)

    async def story() -> None:
        async with live(tmp_path / "p", CODE, owned=True, watch=False) as engine:
            assert engine.monitors.ending is not None
            client = await attach(engine)
            assert engine.monitors.ending is None
            await client.close()

    play(story())


def test_an_engine_that_was_served_stays_whoever_comes_and_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitors, "_ALONE", 0.0)
    monkeypatch.setattr(monitors, "_ALONE_AT_FIRST", 0.0)

    async def story() -> None:
        async with live(tmp_path / "p", CODE, watch=False) as engine:
            client = await attach(engine)
            await client.close()
            await until(lambda: engine.monitors.count == 0, "the monitor's departure")
            other = HttpClient(engine.server.url, engine.token)
            assert (await other.hello())["owned"] is False
            await other.close()
            assert engine.monitors.ending is None
            assert not engine.ended.done()

    play(story())


def test_a_call_of_the_command_line_is_no_monitor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(monitors, "_ALONE_AT_FIRST", LONG)

    async def story() -> None:
        async with live(tmp_path / "p", CODE, owned=True, watch=False) as engine:
            client = HttpClient(engine.server.url, engine.token)
            await client.status()
            await client.close()
            assert engine.monitors.count == 0
            assert engine.monitors.ending is not None

    play(story())


@pytest.mark.parametrize("count", [1, 100])
def test_an_engine_that_is_stopped_with_events_in_its_queue_ends_and_the_next_one_runs_them(
    tmp_path: Path, count: int
) -> None:
    async def story() -> None:
        sent = []
        async with live(tmp_path / "p", CODE, watch=False) as engine:
            function = engine.functions["app"]
            for _ in range(count):
                sent.append(engine.new_request_id())
                await engine.accept(function, b"{}", source="test", request_id=sent[-1])
            await stopped(engine, 5)
        async with live(tmp_path / "p", CODE, watch=False) as engine:
            await until(lambda: engine.views.totals()["succeeded"] == count, "the end of every event", 8)
            for request_id in sent:
                life = await engine.life(request_id)
                assert life is not None
                assert life["errors"] == 0

    play(story())


def test_an_attempt_that_runs_when_the_engine_is_stopped_may_finish(tmp_path: Path) -> None:
    async def story() -> None:
        async with live(tmp_path / "p", CODE, watch=False) as engine:
            function, request_id = engine.functions["app"], engine.new_request_id()
            await engine.accept(function, b'{"seconds": 0.3}', source="test", request_id=request_id)
            await until(lambda: engine.environments.executing, "the attempt's start", 8)
            await stopped(engine, 5)
        async with live(tmp_path / "p", CODE, watch=False) as engine:
            assert engine.views.totals()["succeeded"] == 1

    play(story())


# -- the registry ------------------------------------------------------------------------------------------------------


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def entry(state: Path, pid: int | None = None, url: str = "http://127.0.0.1:1") -> registry.Entry:
    return registry.Entry(url, os.getpid() if pid is None else pid, "token", str(state), str(state.parent))


def dead_pid() -> int:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_an_engine_is_found_by_its_state_folder_while_it_runs_and_by_nobody_else(tmp_path: Path, home: Path) -> None:
    async def story() -> None:
        state = tmp_path / "p" / ".lamtop"
        async with live(tmp_path / "p", CODE, watch=False) as engine:
            [path] = home.iterdir()
            assert (mode(path), mode(home)) == (0o600, 0o700)
            found = registry.find(state)
            assert found == registry.Entry(
                engine.server.url, os.getpid(), engine.token, str(state), str(tmp_path / "p")
            )
            assert registry.running() == [found]
            assert len(engine.token) >= 32
        assert list(home.iterdir()) == []
        assert registry.find(state) is None

    play(story())


def test_two_engines_of_different_folders_stand_side_by_side(tmp_path: Path) -> None:
    async def story() -> None:
        async with live(tmp_path / "a", CODE, watch=False) as a, live(tmp_path / "b", CODE, watch=False) as b:
            assert {e.url for e in registry.running()} == {a.server.url, b.server.url}
            assert a.token != b.token
            found = registry.find(b.settings.state)
            assert found is not None
            assert found.url == b.server.url
            await stopped(a)
            assert [e.url for e in registry.running()] == [b.server.url]

    play(story())


def test_the_entry_of_an_engine_that_has_died_is_ignored_and_removed(tmp_path: Path, home: Path) -> None:
    registry.enter(entry(tmp_path / "dead", dead_pid()))
    registry.enter(entry(tmp_path / "alive"))
    assert registry.find(tmp_path / "dead") is None
    assert [e.state for e in registry.running()] == [str(tmp_path / "alive")]
    assert len(list(home.iterdir())) == 1


def test_an_entry_that_cannot_be_read_is_ignored(tmp_path: Path, home: Path) -> None:
    path = registry.enter(entry(tmp_path / "state"))
    for content in ("", "[]", "{", '{"url": 1}', json.dumps({**entry(tmp_path / "state")._asdict(), "more": 1})):
        path.write_text(content)
        assert registry.find(tmp_path / "state") is None
        assert registry.running() == []


def test_an_engine_that_leaves_does_not_remove_its_successor(tmp_path: Path) -> None:
    old, new = (entry(tmp_path / "state", url=f"http://127.0.0.1:{port}") for port in (1, 2))
    registry.enter(old)
    registry.enter(new)
    registry.leave(old)
    assert registry.find(tmp_path / "state") == new
    registry.leave(new)
    assert registry.find(tmp_path / "state") is None


def test_a_registry_that_others_could_read_is_closed_to_them(tmp_path: Path, home: Path) -> None:
    home.mkdir(parents=True)
    home.chmod(0o755)
    before = os.umask(0)
    try:
        path = registry.enter(entry(tmp_path / "state"))
    finally:
        os.umask(before)
    assert (mode(home), mode(path)) == (0o700, 0o600)


def test_a_folder_is_found_by_another_name_of_it(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    registry.enter(entry(tmp_path / "real" / ".lamtop"))
    assert registry.find(tmp_path / "link" / ".lamtop") is not None


# -- whose Python ------------------------------------------------------------------------------------------------------


def environment_at(folder: Path, version: str = "3.9.1") -> Path:
    """A virtual environment, as far as one can see from outside."""
    (folder / "bin").mkdir(parents=True)
    python = folder / "bin" / "python"
    python.write_text(f"#!/bin/sh\necho Python {version}\n")
    python.chmod(0o755)
    (folder / "pyvenv.cfg").write_text(f"home = /usr\nversion = {version}\n")
    return python


def test_whose_python_the_wish_then_the_variable_then_the_folders_then_ours(tmp_path: Path) -> None:
    wished = environment_at(tmp_path / "wished", "3.9.1")
    active = environment_at(tmp_path / "active", "3.10.2")
    beside = environment_at(tmp_path / "project" / ".venv", "3.12.3")
    further = environment_at(tmp_path / "further" / ".venv", "3.13.4")
    folders = [tmp_path / "project", tmp_path / "further"]
    variables = {"VIRTUAL_ENV": str(tmp_path / "active")}

    assert choose(str(wished), folders, variables) == Interpreter(str(wished), "3.9.1", "--python")
    assert choose(None, folders, variables) == Interpreter(str(active), "3.10.2", "$VIRTUAL_ENV")
    assert choose(None, folders, {}) == Interpreter(str(beside), "3.12.3", ".venv")
    assert choose(None, folders[1:], {"VIRTUAL_ENV": ""}) == Interpreter(str(further), "3.13.4", ".venv")
    assert choose(None, [tmp_path], {"VIRTUAL_ENV": str(tmp_path / "gone")}).why == "lamtop's own"
    assert choose(None, [], {}) == Interpreter(sys.executable, ".".join(map(str, sys.version_info[:3])), "lamtop's own")


def test_a_program_outside_of_an_environment_is_asked_for_its_version(tmp_path: Path) -> None:
    python = environment_at(tmp_path / "v", "3.14.5")
    (tmp_path / "v" / "pyvenv.cfg").unlink()
    assert choose(str(python), [], {}).version == "3.14.5"
    python.write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(InterpreterError, match="does not answer as a Python"):
        choose(str(python), [], {})


@pytest.mark.parametrize("wish", ["/no/such/python", ".", __file__])
def test_a_wish_that_is_no_program_is_an_error_that_names_it(wish: str) -> None:
    with pytest.raises(InterpreterError) as refused:
        choose(wish, [], {})
    assert f"--python: '{wish}' is not a program" in str(refused.value)
    assert "3.9 or later" in str(refused.value)


def test_another_python_than_the_template_says_is_a_warning() -> None:
    ours = Interpreter("/usr/bin/python", "3.11.7", "lamtop's own")
    assert mismatch(ours, {"a": "python3.11", "b": "nodejs20.x"}) is None
    assert mismatch(ours, {}) is None
    assert mismatch(ours._replace(version="?"), {"a": "python3.13"}) is None
    assert mismatch(ours, {"a": "python3.13", "b": "python3.11", "c": "python3.1", "d": "python3.13"}) == (
        "the template says python3.1, python3.13; handlers run under Python 3.11.7 (choose with --python)"
    )


def test_an_engine_says_at_its_start_which_python_it_runs_and_that_it_is_another(tmp_path: Path) -> None:
    function = {"Type": "AWS::Serverless::Function", "Properties": {
        "FunctionName": "app", "Handler": "app.handler", "CodeUri": ".", "Runtime": "python3.99"}}  # fmt: skip
    runtime = json.dumps({"Transform": "AWS::Serverless-2016-10-31", "Resources": {"App": function}}).replace("99", "9")

    async def story() -> None:
        settings: dict[str, Any] = {"python": sys.executable, "watch": False}
        async with live(tmp_path / "p", {**CODE, "template.yaml": runtime}, **settings) as engine:
            assert engine.hello()["interpreter"] == sys.executable
            [warning] = [text for text in notices(engine, "warning") if "handlers run under" in text]
            assert "python3.9;" in warning

    play(story())
