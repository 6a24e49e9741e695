"""What a recording was at a moment, where a story of a real engine seldom leads."""

import asyncio
import json
import math
from pathlib import Path
from typing import Any

import pytest

from lamtop.engine import Replay, open_recording
from lamtop.engine.core.event import Attempt, Ended, Event, Message, Outcome, Reason, State
from lamtop.engine.core.function import Function
from lamtop.engine.core.invocation import Invocation
from lamtop.engine.replay.configured import Configured
from lamtop.engine.replay.tallies import Tallies
from lamtop.engine.store import Configuration, History, Store
from lamtop.engine.store.past_history import PastHistory
from lamtop.engine.store.recording import Recording
from lamtop.engine.view import parse_view

Row = dict[str, Any]


def call(number: int, accepted_at: float, ended_at: float, **more: Any) -> Row:
    """A synchronous invocation as the history has it."""
    row = {"id": f"call{number}", "function": "works", "source": "boto3", "accepted_at": accepted_at, "payload": "{}"}
    row |= {"ended": "returned", "result": "1", "error": None, "error_type": None, "started_at": accepted_at + 1}
    row |= {"ended_at": ended_at, "duration": 1.0, "init_duration": None, "memory_used": 10, "environment": "e"}
    return row | {"version": 1, "first_line": 0, "last_line": 0, "caller": "", "waited": 0.0, "injected": ""} | more


def history_of(*calls: Row) -> PastHistory:
    recording = Recording.empty(Path("nowhere"))
    history = PastHistory(Path("nowhere"), recording.history)
    history.fill(calls)
    return history


def test_a_call_is_known_when_it_is_answered_and_under_way_before() -> None:
    history = history_of(call(1, 100.0, 110.0, caller="a"), call(2, 105.0, 107.0, caller="a"))
    for at, under_way, answered in ((99.0, [], []), (100.0, ["call1"], []), (106.0, ["call1", "call2"], []),
                                    (107.0, ["call1"], ["call2"]), (110.0, [], ["call1", "call2"])):  # fmt: skip
        history.move(at)
        assert [row["id"] for row in history.under_way()] == under_way, at
        assert sorted(row["id"] for row in history.called_by("a")) == answered, at
        assert sorted(one.id for one in history.answered) == answered, at
        assert sorted(one.id for one in history.newest_invocations(9)) == answered, at
        assert (history.invocation("call2") is not None) == ("call2" in answered), at


def test_changes_and_failures_of_calls_are_found_both_ways() -> None:
    history = history_of(
        call(1, 100.0, 110.0), call(2, 105.0, 107.0, error="E"), call(3, 120.0, 121.0, function="other")
    )
    assert history.next_change(100.0) == 101.0
    assert history.next_change(100.0, "other") == 120.0
    assert history.last_change(110.0) == 107.0
    assert (history.next_failure(0.0), history.last_failure(200.0)) == (107.0, 107.0)
    assert history.next_failure(107.0) is None
    assert history.next_failure(0.0, "call1") is None


def test_lines_are_there_from_the_moment_on_at_which_they_were_printed(tmp_path: Path) -> None:
    Store(tmp_path).close()
    written = History(tmp_path)
    for number, at in enumerate((10.0, 11.0, 10.9, 12.0, 13.0, 13.0), 1):  # one is a little late
        written.line("works", "r", 1, at, "output", f"line {number}")
        if number == 4:
            written.hand_over()
    written.close()
    recording = Recording.of_folder(tmp_path)
    history = PastHistory(tmp_path, recording.history)
    expected = {9.9: 0, 10.0: 1, 10.95: 1, 11.0: 3, 12.5: 4, 13.0: 6, 99.0: 6}
    for at, count in [*expected.items(), *reversed(expected.items())]:
        history.move(at)
        assert len(history.newest_lines(100)) == count == history.next_number - 1, at
        assert len(history.lines_of("r", 1, 6)) == count, at
    assert [history.next_line_at(at) for at in (0.0, 10.0, 12.0, 13.0)] == [10.0, 11.0, 13.0, None]
    assert (history.first_at, history.last_at) == (10.0, 13.0)
    recording.close()


def test_the_code_is_the_one_that_ran_last_and_environments_live_until_they_are_idle_for_long() -> None:
    tallies = Tallies()
    for version, at in ((1, 10.0), (2, 20.0), (1, 30.0)):  # the last engine was started anew
        ran = Outcome(Ended.RETURNED, started_at=at, ended_at=at + 1, version=version, environment=f"e{at}")
        tallies.ran("works", ran)
    timeout = Outcome(
        Ended.FUNCTION_ERROR, error_type="Sandbox.Timedout", started_at=40.0, ended_at=43.0, environment="x"
    )
    tallies.ran("works", timeout)
    tallies.sort()
    assert [tallies.version("works", at) for at in (5.0, 10.0, 25.0, 35.0)] == [1, 1, 2, 1]
    assert [tallies.environments("works", at) for at in (5.0, 15.0, 42.0, 43.0, 625.0)] == [0, 1, 4, 3, 1]


def test_functions_are_those_of_the_moment() -> None:
    one, two = ({"functions": [{"name": "works", "timeout": seconds}]} for seconds in (3.0, 9.0))
    known = Configured([Configuration(10.0, one), Configuration(20.0, two)], dict)
    assert [known.function("works", at).timeout for at in (0.0, 10.0, 19.9, 20.0)] == [3.0, 3.0, 3.0, 9.0]
    assert known.changes == [20.0]
    assert known.function("gone", 20.0) == Function("gone", "", "")


def test_a_folder_that_does_not_tell_how_functions_were_configured_has_them_from_what_ran(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.begin()
    dead = Event(1, "r1", "fails", "", b"{}", "boto3", 100.0, State.DISCARDED, ended_at=101.0)
    store.insert([dead])
    store.send([Message("m1", "dead", b"{}", {}, 101.0, "r1")])
    store.commit()
    store.close()

    async def look() -> tuple[list[str], int, list[str]]:
        replay = Replay(open_recording(tmp_path, tmp_path))
        replay.start()
        await replay.wind("moment", replay.clock.last)
        names = [row["id"] for row in replay.views.rows(parse_view("it", {"view": "functions"}))[1]]
        letters, _ = replay.views.rows(parse_view("it", {"view": "dlq"}))
        said = [notice["text"] for notice in replay.views.notices.since(0)]
        replay.close()
        return names, letters, said

    names, letters, said = asyncio.run(look())
    assert (names, letters) == (["fails"], 1)
    assert said == [
        "how the functions were configured is not on record: AWS's defaults are shown for timeouts, memory and retries"
    ]


def test_what_ran_when_an_engine_was_killed_ran_until_then_and_was_settled_by_the_next_one(tmp_path: Path) -> None:
    store = Store(tmp_path)
    lost = Outcome(Ended.LOST, started_at=100.0, environment="e")
    event = Event(1, "r1", "works", "", b"{}", "boto3", 100.0, State.SUCCEEDED, Reason.LOST, 500.0, 2, losses=1,
                  begun_at=500.0, ended_at=505.0)  # fmt: skip
    store.begin()
    store.insert([event])
    returned = Outcome(Ended.RETURNED, started_at=500.0, ended_at=505.0)
    store.record([Attempt(1, 1, lost), Attempt(1, 2, returned)])
    store.set_engine_time(505.0)
    store.commit()
    store.close()
    (tmp_path / "absences.json").write_text(json.dumps({"stopped": None, "absences": [[103.0, 500.0, False]]}))

    async def look() -> list[tuple[int, str]]:
        replay = Replay(open_recording(tmp_path, tmp_path))
        replay.start()
        seen = []
        for at in (100.0, 102.9, 104.0, 502.0, 505.0):
            await replay.wind("moment", at)
            in_flight, _ = replay.views.rows(parse_view("it", {"view": "inflight"}))
            life = await replay.life("r1")
            assert life is not None
            seen.append((in_flight, f"{life['state']} {len(life['absences'])}"))
        replay.close()
        return seen

    assert asyncio.run(look()) == [
        (1, "running 0"), (1, "running 0"), (0, "running 1"), (1, "running 1"), (0, "succeeded 1"),
    ]  # fmt: skip


def test_a_dead_letter_that_was_purged_a_moment_ago_had_been_there_and_so_had_one_not_delivered_yet(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path)
    store.begin()
    for seq in (1, 2):
        dead = Event(seq, f"r{seq}", "fails", "", b"{}", "boto3", 100.0, State.DISCARDED, ended_at=101.0)
        store.insert([dead])
        sent_at = 101.0 + 30.0 * seq
        store.send([Message(f"m{seq}", "dead", b"{}", {"RequestID": f"r{seq}"}, sent_at, f"r{seq}")])
    store.bury(["m1"], "purge", 210.0)
    store.set_engine_time(205.0)
    store.commit()
    store.close()

    async def look() -> list[tuple[list[str], list[bool]]]:
        replay = Replay(open_recording(tmp_path, tmp_path))
        replay.start()
        seen = []
        for at in (110.0, 140.0, 170.0, 201.0):
            await replay.wind("moment", at)
            _, rows = replay.views.rows(parse_view("it", {"view": "dlq", "sort": "dead_at"}))
            life = await replay.life("r2")
            assert life is not None
            seen.append(([row["id"] for row in rows], [one["delivered"] for one in life["deliveries"]]))
        replay.close()
        return seen

    assert asyncio.run(look()) == [([], [False]), (["m1"], [False]), (["m1", "m2"], [True]), (["m2"], [True])]


def test_a_call_that_runs_is_in_flight_and_one_that_waits_for_a_place_uses_up_concurrency(tmp_path: Path) -> None:
    Store(tmp_path).close()
    history = History(tmp_path)
    function = Function("works", "app.handler", "/x", reserved_concurrency=2)
    invocation = Invocation(
        "call1", function, b"{}", lambda: True, lambda _: None, kind="synchronous", accepted_at=100.0
    )
    history.record(invocation, Outcome(Ended.RETURNED, started_at=105.0, ended_at=110.0, duration=5.0))
    history.close()

    async def look() -> list[tuple[int, int]]:
        replay = Replay(open_recording(tmp_path, tmp_path))
        replay.start()
        seen = []
        for at in (101.0, 106.0, 110.0):
            await replay.wind("moment", at)
            in_flight, _ = replay.views.rows(parse_view("it", {"view": "inflight"}))
            seen.append((in_flight, replay.views.totals()["concurrency"][0][1]))
        replay.close()
        return seen

    assert asyncio.run(look()) == [(0, 1), (1, 1), (0, 0)]


@pytest.mark.parametrize("at", [math.inf, -math.inf])
def test_beyond_its_ends_there_is_all_or_nothing(at: float) -> None:
    history = history_of(call(1, 100.0, 110.0))
    history.move(at)
    assert len(history.answered) == (at > 0)
