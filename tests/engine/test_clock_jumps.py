"""The clock on the wall is set, the laptop sleeps, the engine is stopped: nothing happens twice or late."""

import asyncio
import itertools
import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from engine.live import live, until_awaited
from engine.running import Project, linux_only, quick_python, until
from lamtop.engine import Engine
from lamtop.engine.clock import SystemClock
from lamtop.engine.testing import Lamtop
from lamtop.engine.wall_clock import WallClock

DAY = 86_400.0
FAILS = {"fails.py": "def lambda_handler(event, context):\n    raise ValueError('no')\n"}


class Clocks:
    """The three clocks of a laptop, which tests move."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.wall, self.elapsed, self.awake = time.time(), 1_000.0, 1_000.0
        patch.setattr(time, "time", lambda: self.wall)
        patch.setattr(time, "monotonic", lambda: self.awake)
        patch.setattr(time, "clock_gettime", lambda _: self.elapsed)

    def run(self, seconds: float) -> None:
        self.sleep(seconds)
        self.awake += seconds

    def sleep(self, seconds: float) -> None:
        self.wall += seconds
        self.elapsed += seconds


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    return Clocks(monkeypatch)


# -- while an engine runs ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jump", [DAY, -DAY])
def test_engine_time_does_not_care_for_a_wall_clock_that_is_set(clocks: Clocks, jump: float) -> None:
    clock = SystemClock()
    start = clock.now()
    clocks.run(30)
    clocks.wall += jump
    clocks.run(30)
    assert clock.now() - start == pytest.approx(60)


def test_engine_time_goes_on_while_the_laptop_sleeps_and_handler_time_does_not(clocks: Clocks) -> None:
    clock = SystemClock()
    start = clock.now()
    clocks.sleep(8 * 3600)
    assert clock.now() - start == pytest.approx(8 * 3600)
    stands_still = time.get_clock_info("perf_counter").implementation
    assert "BOOTTIME" not in stands_still
    assert SystemClock.ticks is time.perf_counter


def test_a_jump_and_a_sleep_are_told_once(clocks: Clocks) -> None:
    said: list[str] = []
    wall = WallClock(lambda level, text: said.append(f"{level}: {text.partition(': ')[0]}"))
    clocks.run(600)
    clocks.wall += 1.5  # a clock that is adjusted
    wall.look()
    assert said == []
    clocks.sleep(8 * 3600)
    wall.look()
    clocks.wall -= DAY
    wall.look()
    clocks.wall += 3600
    wall.look()
    wall.look()
    assert said == [
        "warning: the computer slept for 8:00:00",
        "warning: the clock was put back by 1 day, 0:00:00",
        "warning: the clock was put forward by 1:00:00",
    ]


# -- between two engines -----------------------------------------------------------------------------------------------


async def _life(engine: Engine, request_id: str, state: str) -> dict[str, Any]:
    """Once it has failed and come to this state."""
    return await until_awaited(partial(_if_it_is, engine, request_id, state), f"an event that is {state}")


async def _if_it_is(engine: Engine, request_id: str, state: str) -> dict[str, Any]:
    life = await engine.life(request_id)
    return life if life and life["attempts"] and life["state"] == state else {}


@pytest.mark.parametrize(
    ("jump", "condition", "waits"),
    [(-DAY, "RetriesExhausted", [60, 120]), (3_600.0, "RetriesExhausted", [3_600, 120]), (DAY, "EventAgeExceeded", [])],
)
def test_a_retry_comes_when_it_is_due_whatever_the_clock_says_after_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float, condition: str, waits: list[float]
) -> None:
    real = time.time

    async def first_life() -> str:
        async with live(tmp_path, FAILS, watch=False) as engine:
            event = await engine.accept(engine.functions["fails"], b"1", source="test", request_id="a-request")
            await _life(engine, event.id, "queued")
            return event.id

    async def second_life(request_id: str) -> dict[str, Any]:
        async with live(tmp_path, FAILS, watch=False, speed=2_000) as engine:
            return await _life(engine, request_id, "discarded")

    request_id = asyncio.run(first_life())
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    life = asyncio.run(second_life(request_id))
    assert (life["condition"], life["losses"]) == (condition, 0)
    starts = [attempt["started_at"] for attempt in life["attempts"]]
    gaps = [later - before for before, later in itertools.pairwise(starts)]
    for gap, wait in zip(gaps, waits, strict=True):
        assert wait - 1 < gap < wait + DAY / 4


def test_a_simulated_engine_that_finds_its_own_past_gives_no_request_id_twice(tmp_path: Path) -> None:
    (tmp_path / "fails.py").write_text(FAILS["fails.py"])
    found: dict[str, list[str]] = {}
    for state in ("once", "again"):
        found[state] = []
        for _ in range(2):
            lab = Lamtop(tmp_path / "fails.py", tmp_path / state, seed=7)
            event = lab.send("fails")
            lab.advance(minutes=10)
            found[state] += [event.id, str(event.condition)]
            lab.close()
    assert found["once"] == found["again"]
    assert len(set(found["once"])) == 3  # two requests, one way to end


# -- stopped and continued ---------------------------------------------------------------------------------------------

STOPPED = """
import os, time

def tell(what, context):
    with open(os.environ["WITNESS"], "a") as file:
        print(what, context.aws_request_id, file=file)

def ends(event, context):
    tell("begun", context)
    while not os.path.exists(event["wait_for"]):
        time.sleep(0.01)
    tell("ended", context)
    return "in time"

def overruns(event, context):
    tell("begun", context)
    time.sleep(1.2)
    tell("ended", context)

def hangs(event, context):
    tell("begun", context)
    time.sleep(60)

def fails(event, context):
    tell("begun", context)
    raise ValueError("no")
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    functions = {name: {"Handler": f"app.{name}", "Timeout": 1} for name in ("overruns", "hangs", "fails")}
    functions["ends"] = {"Handler": "app.ends", "Timeout": 60}
    for name, retries in (("overruns", 0), ("hangs", 0), ("fails", 1)):
        functions[name] |= {"EventInvokeConfig": {"MaximumRetryAttempts": retries}}
    with Project(tmp_path, functions, {"app.py": STOPPED}, variables={"WITNESS": str(tmp_path / "witness")}) as made:
        yield made


@linux_only
def test_an_engine_that_was_stopped_takes_up_what_happened_and_what_fell_due_meanwhile(project: Project) -> None:
    engine = project.serve("--speed", "60", "--python", quick_python(project.folder))
    witness, flag = project.folder / "witness", project.folder / "flag"

    def told(what: str, request_id: str) -> int:
        return witness.read_text().splitlines().count(f"{what} {request_id}") if witness.exists() else 0

    ends = engine.send("ends", {"wait_for": str(flag)})
    hangs = engine.send("hangs")
    fails = engine.send("fails")
    overruns = engine.send("overruns")
    until(lambda: engine.life(fails)["reason"] == "retry", "the first failure")
    until(lambda: all(told("begun", request_id) for request_id in (ends, hangs, overruns)), "all at work")
    due_at = engine.life(fails)["due_at"]
    os.kill(engine.pid, signal.SIGSTOP)
    until(lambda: told("ended", overruns), "the time of the retry, and two timeouts")
    flag.touch()
    until(lambda: told("ended", ends), "a handler that does not need the engine to end")
    assert told("begun", fails) == 1
    os.kill(engine.pid, signal.SIGCONT)
    lives = {request_id: engine.ended(request_id) for request_id in (ends, hangs, overruns, fails)}
    assert lives[ends]["condition"] == "Success"
    for request_id in (hangs, overruns):
        (attempt,) = lives[request_id]["attempts"]
        assert attempt["error_type"] == "Sandbox.Timedout"
    assert (lives[fails]["condition"], lives[fails]["errors"]) == ("RetriesExhausted", 2)
    assert lives[fails]["attempts"][1]["started_at"] >= due_at
    assert [told("begun", request_id) for request_id in lives] == [1, 1, 1, 2]
    assert engine.stop() == 0
