"""Time faster, slower, stopped and skipped: on the clock, and in an engine with real handlers."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from lamtop.engine import Engine, Settings
from lamtop.engine.clock import SystemClock

CODE = "def lambda_handler(event, context):\n    raise ValueError('no')\n"


def test_a_clock_goes_on_from_where_it_is_at_its_new_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    passed = [0.0]
    monkeypatch.setattr(time, "clock_gettime", lambda _: passed[0])
    clock = SystemClock()
    start = clock.now()

    def after(seconds: float) -> float:
        passed[0] += seconds
        return round(clock.now() - start, 3)

    assert (after(10), clock.mode) == (10, "real")
    clock.set_rate(16)
    assert (after(0), after(1), clock.mode) == (10, 26, "scaled")
    clock.set_rate(0)
    assert (after(0), after(100)) == (26, 26)
    clock.set_rate(1)
    assert after(4) == 30
    clock.jump_to(start + 150)
    assert (after(0), after(1), clock.mode) == (150, 151, "scaled")
    clock.jump_to(start)
    assert after(0) == 151  # time never goes back


Story = Callable[[Engine], Awaitable[Any]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., None]:
    @asynccontextmanager
    async def engine(**wishes: Any) -> AsyncIterator[Engine]:
        (tmp_path / "fails.py").write_text(CODE)
        found = Engine(Settings(tmp_path / "fails.py", tmp_path / "state", port=0, watch=False, **wishes))
        await found.start()
        try:
            yield found
        finally:
            await found.stop()

    def play(story: Story, **wishes: Any) -> None:
        async def run() -> None:
            async with engine(**wishes) as found:
                await asyncio.wait_for(story(found), 30)

        asyncio.run(run())

    return play


async def sent(engine: Engine) -> str:
    function = engine.functions["fails"]
    return (await engine.accept(function, b"{}", source="test", request_id=engine.new_request_id())).id


async def until_attempt(engine: Engine, request_id: str, number: int) -> dict[str, Any]:
    """The life of a request, once so many attempts are over."""
    while True:
        life = await engine.life(request_id)
        if life and len(life["attempts"]) == number and life["state"] != "running":
            return life
        await asyncio.sleep(0.005)


def test_a_jump_goes_to_the_retry_that_is_due_next(play: Any) -> None:
    async def story(engine: Engine) -> None:
        event = await sent(engine)
        for number in (1, 2):
            life = await until_attempt(engine, event, number)
            assert life["state"] == "queued"
            seconds = (await engine.jump())["seconds"]
            assert 50 * number < seconds < 65 * number
        life = await until_attempt(engine, event, 3)
        assert life["condition"] == "RetriesExhausted"
        assert (await engine.jump())["seconds"] is None

    play(story)


def test_a_stopped_clock_keeps_retries_back_and_a_fast_one_brings_them(play: Any) -> None:
    async def story(engine: Engine) -> None:
        await engine.set_speed(0)
        event = await sent(engine)
        life = await until_attempt(engine, event, 1)
        assert engine.clock.now() == engine.clock.now() == life["due_at"] - 60
        await engine.set_speed(10_000)
        assert (await until_attempt(engine, event, 3))["condition"] == "RetriesExhausted"

    play(story)


def test_a_fault_is_over_when_its_time_is_however_fast_that_came(play: Any) -> None:
    async def story(engine: Engine) -> None:
        await engine.arm("fails stall 10m")
        event = await sent(engine)
        await engine.set_speed(10_000)
        assert (await until_attempt(engine, event, 3))["condition"] == "RetriesExhausted"
        said = [notice["text"] for notice in engine.notices.since(0)]
        assert "fault 1 is over: fails stall; 0 hits of 0" in said

    play(story)


@pytest.mark.parametrize("wishes", [{}, {"simulate": 1, "paced": True}])
def test_a_fault_that_was_cleared_is_nothing_to_jump_to(play: Any, wishes: dict[str, Any]) -> None:
    async def story(engine: Engine) -> None:
        await engine.arm("fails error 1000h")
        await engine.arm("fails error 10m")
        await engine.disarm()
        before = engine.clock.now()
        assert (await engine.jump())["seconds"] is None
        assert engine.clock.now() - before < 60

    play(story, **wishes)


def test_a_speed_that_makes_no_sense_is_refused(play: Any) -> None:
    async def story(engine: Engine) -> None:
        for speed in (-1, 1e9, "fast", float("nan")):
            with pytest.raises(ValueError, match="is not allowed; use a number from 0"):
                await engine.set_speed(speed)  # type: ignore[arg-type]

    play(story)


def test_simulated_time_may_pass_by_itself_and_be_jumped(play: Any) -> None:
    async def story(engine: Engine) -> None:
        event = await sent(engine)
        await until_attempt(engine, event, 1)
        await engine.jump()
        await until_attempt(engine, event, 2)
        await engine.set_speed(10_000)
        life = await until_attempt(engine, event, 3)
        assert life["ended_at"] - life["accepted_at"] == pytest.approx(180, abs=5)

    play(story, simulate=1, paced=True)
