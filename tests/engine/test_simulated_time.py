"""Handlers on simulated time: real processes, real waits of theirs, and no waiting of ours."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from lamtop.engine import Engine, Settings

CODE = """
import asyncio
import datetime
import json
import os
import random
import select
import signal
import subprocess
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

def clocks(event, context):
    begun = time.time(), time.monotonic(), time.perf_counter(), datetime.datetime.now(datetime.timezone.utc).timestamp()
    time.sleep(5)
    ended = time.time(), time.monotonic(), time.perf_counter(), datetime.datetime.now(datetime.timezone.utc).timestamp()
    return [round(b - a, 3) for a, b in zip(begun, ended)] + [round(context.get_remaining_time_in_millis(), -1)]

def fails(event, context):
    print("charging", datetime.datetime.now().isoformat())
    time.sleep(5)
    raise ValueError(f"declined {uuid.uuid4()} {random.random()}")

def sleeps_long(event, context):
    time.sleep(1_000)

def spins(event, context):
    while True:
        pass

def watches_the_clock(event, context):
    begun = time.time()
    while time.time() - begun < 2:
        pass

def tasks(event, context):
    begun = time.time()
    async def one(seconds):
        await asyncio.sleep(seconds)
        return round(time.time() - begun, 3)
    async def all_of_them():
        first = await asyncio.gather(one(1), one(2), one(0.5))
        await asyncio.to_thread(time.sleep, 3)
        return [*first, round(time.time() - begun, 3)]
    return asyncio.run(all_of_them())

def threads(event, context):
    begun, lock, done = time.time(), threading.Lock(), threading.Event()
    def work(seconds):
        with lock:
            time.sleep(1)
        time.sleep(seconds)
        return round(time.time() - begun, 3)
    with ThreadPoolExecutor(3) as pool:
        ended = list(pool.map(work, [3, 2, 1, 0]))
    threading.Timer(2, done.set).start()
    return [ended, done.wait(1), done.wait(5), round(time.time() - begun, 3)]

def outside(event, context):
    begun = time.time()
    subprocess.run(["sleep", "0.7"])
    return time.time() - begun > 0.5

def calls(event, context):
    import boto3
    begun = time.time()
    answer = boto3.client("lambda").invoke(FunctionName="clocks", Payload=b"{}")
    return [json.loads(answer["Payload"].read())[0], round(time.time() - begun, 1)]

def alarms(event, context):
    rung, begun = [], time.time()
    signal.signal(signal.SIGALRM, lambda *_: rung.append(round(time.time() - begun, 3)))
    signal.alarm(2)
    time.sleep(5)
    select.select([], [], [], 1)
    return [rung, round(time.time() - begun, 3), time.asctime().endswith("2023"), time.clock_gettime(0) < 1.75e9]

def hears_another_thread(event, context):
    begun, (near, far) = time.time(), os.pipe()
    threading.Timer(1, os.write, (far, b"x")).start()
    return [os.read(near, 1).decode(), time.time() - begun >= 1]

def pid(event, context):
    return os.getpid()
"""
FUNCTIONS = (
    "clocks",
    "fails",
    "sleeps_long",
    "spins",
    "watches_the_clock",
    "tasks",
    "threads",
    "outside",
    "calls",
    "alarms",
    "hears_another_thread",
    "pid",
)
TIMEOUT = 10  # seconds


class Story:
    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    async def result(self, name: str) -> tuple[Any, float]:
        """What a synchronous invocation answers, and its duration in seconds."""
        engine = self.engine
        asked = asyncio.create_task(
            engine.invoke(engine.functions[name], b"{}", source="test", request_id=engine.new_request_id())
        )
        await asyncio.sleep(0)
        await engine.simulation.advance(60)
        outcome = (await asked).outcome
        return json.loads(outcome.payload), outcome.duration

    async def send(self, name: str) -> str:
        engine = self.engine
        return (
            await engine.accept(engine.functions[name], b"{}", source="test", request_id=engine.new_request_id())
        ).id

    async def life(self, request_id: str) -> dict[str, Any]:
        life = await self.engine.life(request_id)
        assert life
        return life


@pytest.fixture
def tell(tmp_path: Path) -> Callable[..., Any]:
    def play(story: Callable[[Story], Awaitable[Any]], seed: int = 1, *, spawn: bool = False) -> Any:
        async def play() -> Any:
            async with engine(tmp_path, seed, spawn=spawn) as found:
                return await asyncio.wait_for(story(Story(found)), 60)

        return asyncio.run(play())

    return play


@asynccontextmanager
async def engine(folder: Path, seed: int, *, spawn: bool) -> AsyncIterator[Engine]:
    (folder / "app.py").write_text(CODE)
    resources = {
        name.replace("_", ""): {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "FunctionName": name,
                "Handler": f"app.{name}",
                "Runtime": "python3.13",
                "Timeout": 1 if name == "spins" else TIMEOUT,
            },
        }
        for name in FUNCTIONS
    }
    (folder / "template.yaml").write_text(json.dumps({"Resources": resources}))
    state = folder / f"state{len(list(folder.glob('state*')))}"
    found = Engine(Settings(folder / "template.yaml", state, port=0, simulate=seed, spawn=spawn, watch=False))
    await found.start()
    try:
        yield found
    finally:
        await found.stop()


def test_a_handler_waits_in_simulated_time_and_every_clock_of_its_says_so(tell: Any) -> None:
    async def story(it: Story) -> None:
        seen, duration = await it.result("clocks")
        assert seen == [5.0, 5.0, 5.0, 5.0, 5000]
        assert duration == pytest.approx(5.001)

    tell(story)


def test_tasks_and_threads_wait_side_by_side(tell: Any) -> None:
    async def story(it: Story) -> None:
        assert (await it.result("tasks"))[0] == [1.0, 2.0, 0.5, 5.0]
        assert (await it.result("threads"))[0] == [[4.0, 4.0, 4.0, 5.0], False, True, 7.0]

    tell(story)


def test_alarms_ring_and_a_thread_that_waits_for_a_pipe_lets_the_others_run(tell: Any) -> None:
    async def story(it: Story) -> None:
        assert (await it.result("alarms"))[0] == [[2.0], 6.0, True, True]
        assert (await it.result("hears_another_thread"))[0] == ["x", True]

    tell(story)


def test_a_call_of_another_function_is_a_wait(tell: Any) -> None:
    async def story(it: Story) -> None:
        assert (await it.result("calls"))[0] == [5.0, 5.1]  # its init took 0.1 s

    tell(story)


def test_a_timeout_comes_at_its_moment(tell: Any) -> None:
    async def story(it: Story) -> None:
        for name, timeout in {"sleeps_long": TIMEOUT, "spins": 1}.items():
            answer, duration = await it.result(name)
            assert answer["errorMessage"].endswith(f"Task timed out after {timeout}.00 seconds")
            assert duration == timeout

    tell(story)


def test_who_looks_at_the_clock_again_and_again_sees_it_move(tell: Any) -> None:
    async def story(it: Story) -> None:
        assert (await it.result("watches_the_clock"))[1] == pytest.approx(2.0, abs=0.01)

    tell(story)


def test_what_cannot_be_simulated_takes_real_time(tell: Any) -> None:
    async def story(it: Story) -> None:
        saw, duration = await it.result("outside")
        assert saw
        assert duration >= 0.5

    tell(story)


def test_both_retries_of_an_event_come_when_they_are_due_and_nobody_waits(tell: Any) -> None:
    async def story(it: Story) -> None:
        begun = it.engine.clock.now()
        sent = await it.send("fails")
        await it.engine.simulation.advance(30)
        assert (await it.life(sent))["state"] == "queued"
        await it.engine.simulation.advance(300)
        life = await it.life(sent)
        assert (life["state"], life["condition"]) == ("discarded", "RetriesExhausted")
        started = [round(attempt["started_at"] - begun, 2) for attempt in life["attempts"]]
        assert started == [0.1, 65.1, 190.1]

    tell(story)


def test_the_same_seed_is_the_same_history_to_the_last_digit(tell: Any) -> None:
    async def story(it: Story) -> list[dict[str, Any]]:
        sent = [await it.send(name) for name in ("fails", "calls", "threads", "fails", "tasks")]
        await it.engine.simulation.advance(600)
        lives = [await it.life(request_id) for request_id in sent]
        return [{name: told for name, told in life.items() if name != "processes"} for life in lives]  # real pids

    first, again, other = tell(story), tell(story, spawn=True), tell(story, seed=2)
    assert first == again
    assert first != other
    assert {life["state"] for life in first} == {"succeeded", "discarded"}


def test_a_reload_says_why_code_does_not_load(tell: Any, tmp_path: Path) -> None:
    async def story(it: Story) -> None:
        (tmp_path / "app.py").write_text("def clocks(event, context) return 1")
        reloading = asyncio.create_task(it.engine.reload())
        while not reloading.done():  # it reads the project first, in a thread
            await it.engine.simulation.advance(1)
        errors = {found["error"].partition(":")[0] for found in (await reloading)["reloaded"]}
        assert errors == {"Runtime.UserCodeSyntaxError"}

    tell(story)


def test_the_processes_are_real(tell: Any) -> None:
    async def story(it: Story) -> None:
        pid = (await it.result("pid"))[0]
        assert Path(f"/proc/{pid}").exists() or not Path("/proc/self").exists()

    tell(story)
