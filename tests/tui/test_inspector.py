"""The sections of the inspector: an attempt's execution environment, and the tree of calls."""

from typing import Any

import pytest
from fake_engine import NOW, FakeEngine, bill, call, dead, declared, life, relative, request_id
from stage import Stage, play

Row = dict[str, Any]
COLD, WARM = "2026/11/21/[$LATEST]aaaaaabbbb", "2026/11/21/[$LATEST]ccccccdddd"


def engine_with(**more: Any) -> FakeEngine:
    engine = FakeEngine("chain-a", "chain-b")
    engine.rows["dlq"] = [dead(1, "chain-a")]
    engine.lives[request_id(1)] = life(1, **more)
    return engine


def three_attempts() -> list[Row]:
    first = life(1)["attempts"][0] | {"environment": COLD}
    second = first | {
        "number": 2,
        "environment": WARM,
        "init_duration": None,
        "memory_used": 120,
        "error": "KeyError: 2",
    }
    return [first, second, second | {"number": 3, "error": "KeyError: 3"}]


@pytest.mark.parametrize("size", [(140, 40), (80, 24)])
def test_the_environment_of_each_attempt_is_told_and_n_goes_on_to_the_next_one(size: tuple[int, int]) -> None:
    processes = {WARM: [4242, "3.13.1"]}
    engine = engine_with(attempts=three_attempts(), processes=processes, executed_version="2")

    async def story(stage: Stage) -> None:
        await stage.press("4", "enter")
        await stage.shows("attempt 3 of 3 so far", "KeyError: 3")
        await stage.press("right_square_bracket", "right_square_bracket", "right_square_bracket")
        await stage.shows("[Environment]", "attempt 3 of 3 so far", "cccccc · number 2 of the 2", "pid 4242")
        await stage.shows("Python 3.13.1", "warm: the environment was there already", "120 of 128 MB ███████████░")
        await stage.press("N", "N")
        await stage.shows("attempt 1 of 3 so far", "aaaaaa · number 1 of the 2", "has ended, or been replaced since")
        await stage.shows("cold: this attempt paid for its init, 100 ms", "v1 since the engine started · as 2", COLD)
        await stage.press("n")
        await stage.shows("attempt 2 of 3 so far")
        await stage.press("n", "n", "n")
        await stage.shows("attempt 3 of 3 so far")

    play(story, engine, size)


def test_the_declared_variables_are_shown_and_secrets_are_not() -> None:
    engine = engine_with(declared=declared(("DB_PASSWORD", None), ("TABLE", "orders"), memory=256))

    async def story(stage: Stage) -> None:
        await stage.press("4", "enter", *["right_square_bracket"] * 3)
        await stage.shows("app.handler · python3.13 · x86_64", "3 s timeout · 256 MB", "/usr/bin/python3")
        await stage.shows("DB_PASSWORD  hidden: it looks like a secret", "TABLE        orders")

    play(story, engine)


def test_what_runs_has_an_environment_already_and_what_waits_has_none() -> None:
    running = {"number": 1, "started_at": NOW - 1, "timeout": 3, "version": 2, "cold": True, "environment": COLD}
    engine = engine_with(attempts=[], running=running, state="running", processes={COLD: [77, ""]})

    async def story(stage: Stage) -> None:
        await stage.press("4", "enter", *["right_square_bracket"] * 3)
        await stage.shows("pid 77, still there", "cold: a new environment", "limit 128 MB")
        engine.lives[request_id(1)] |= {"running": None, "state": "queued"}
        engine.rows["dlq"][0]["attempts"] = 4
        engine.publish()
        await stage.shows("It has not been given an environment yet.")

    play(story, engine)


def family() -> list[Row]:
    return [
        relative(1, 0, "chain-a", ran=3.0, waited=2.7, ended_at=NOW - 60),
        relative(2, 1, ran=2.7, waited=1.35),
        relative(3, 2, "chain-c", state="discarded", error="ValueError: no"),
        relative(4, 1, "mailer", kind="event", state="queued", ended_at=None, accepted_at=NOW - 4),
    ]


@pytest.mark.parametrize("size", [(140, 40), (80, 24)])
def test_calls_are_a_tree_with_state_time_and_share_of_waiting_and_enter_goes_there(size: tuple[int, int]) -> None:
    engine = engine_with(function="chain-a", calls=[call(2)], family=family(), bill=bill(requests=1, cost=1e-6))
    engine.lives[request_id(3)] = life(3, function="chain-c")

    async def story(stage: Stage) -> None:
        await stage.press("4", "enter", "left_square_bracket")
        await stage.shows("[Calls and cost]", "chain-a 0001 · this one", "✓ ok")
        lines = [line for line in stage.screen().splitlines() if "└─" in line]
        assert "> └─ chain-b 0002" in lines[0]
        assert "1.50s ████░░░░ 50%" in lines[0]
        assert "     └─ chain-c 0003" in lines[1]
        assert "✗ failed" in lines[1]
        assert "└─ mailer 0004 · sent an event" in lines[2]
        assert "· queued         4.0s" in lines[2].replace("4.00s", " 4.0s")
        await stage.press("j", "enter")
        await stage.shows("0003 chain-c")
        await stage.press("escape", "k", "k", "enter")
        await stage.shows("this is the request that is shown")

    play(story, engine, size)


def test_a_request_that_called_nobody_says_so_where_the_tree_would_be() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("4", "enter", "left_square_bracket")
        await stage.shows("It was not called by an invocation", "It has called no function", "It has cost nothing.")
        await stage.press("enter")
        await stage.shows("there is no call")

    play(story, engine_with())
