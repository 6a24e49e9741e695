"""The timeline's rows: recent requests of both kinds and the stretches of time that they are made of."""

import asyncio
import os
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.live import live, until_awaited
from engine.test_views import Watched, always, function
from lamtop.engine.core.event import Outcome
from lamtop.engine.core.function import EventInvokeConfig
from lamtop.engine.core.invocation import Invocation
from lamtop.engine.core.log import LogLine
from lamtop.engine.refusals import Refusals
from lamtop.engine.store import History
from lamtop.engine.view import Subscription, parse_view
from simulation.world import FAILED, RETURNED

Row = dict[str, Any]
CODE = """
def handler(event, context):
    if event.get("fail"):
        raise ValueError("no luck")
    return "done"
"""


@pytest.fixture
def watch(tmp_path: Path) -> Any:
    made: list[Watched] = []

    def make(*arguments: Any, **settings: Any) -> Watched:
        folder = tmp_path / str(len(made))
        folder.mkdir()
        made.append(Watched(folder, *arguments, **settings))
        return made[-1]

    yield make
    for watched in made:
        watched.close()


def kinds(row: Row) -> list[str]:
    return [segment[2] for segment in row["segments"]]


def lengths(row: Row) -> list[int | None]:
    return [None if end is None else round(end - start) for start, end, _ in row["segments"]]


def test_a_life_is_its_tries_its_waits_and_what_is_still_to_come(watch: Callable[..., Watched]) -> None:
    watched = watch([function()], always(FAILED, 2.0))
    event = watched.world.send("orders")
    watched.world.run(watched.world.clock.now() + 10)
    row = watched.rows("timeline")[0]
    assert (row["id"], row["state"], row["due_at"] is not None) == (event, "retry", True)
    assert kinds(row) == ["error", "retry"]
    assert (row["attempt"], row["tries"]) == (2, 3)
    assert row["segments"][-1][1] == row["due_at"]
    watched.world.run(watched.world.clock.now() + 600)
    row = watched.rows("timeline")[0]
    assert (row["state"], row["condition"], row["due_at"]) == ("dead", "RetriesExhausted", None)
    assert kinds(row) == ["error", "retry", "error", "retry", "error"]
    assert [length for length, kind in zip(lengths(row), kinds(row), strict=True) if kind == "error"] == [2, 2, 2]


def test_what_runs_and_what_waits_for_a_place_have_no_end(watch: Callable[..., Watched]) -> None:
    watched = watch([function(reserved_concurrency=1)], always(RETURNED, 500.0))
    for _ in range(2):
        watched.world.send("orders")
    watched.world.run(watched.world.clock.now() + 3)
    assert watched.views.totals()["concurrency"] == [["", 1, 1000], ["orders", 1, 1]]
    found = {row["state"]: row for row in watched.rows("timeline")}
    assert kinds(found["running"])[-1] == "running"
    assert found["running"]["segments"][-1][1] is None
    assert kinds(found["throttled"]) == ["throttled"]
    assert found["throttled"]["segments"][0][1] == found["throttled"]["due_at"]


def test_the_newest_come_first_and_a_filter_knows_states_names_and_ids(watch: Callable[..., Watched]) -> None:
    def script(invocation: Invocation) -> tuple[Outcome, float]:
        return (FAILED if invocation.function.name == "fails" else RETURNED), 0.0

    once = EventInvokeConfig(maximum_retry_attempts=0)
    watched = watch([function("works"), function("fails", event_invoke_config=once)], script)
    sent = []
    for name in ("works", "fails", "works"):
        sent.append(watched.world.send(name))
        watched.world.run(watched.world.clock.now() + 1)
    assert [row["id"] for row in watched.rows("timeline")] == sent[::-1]
    assert [row["id"] for row in watched.rows("timeline", filter="dead")] == [sent[1]]
    assert [row["id"] for row in watched.rows("timeline", filter="fn:works !" + sent[0])] == [sent[2]]
    assert [row["function"] for row in watched.rows("timeline", sort="function")] == ["fails", "works", "works"]
    assert watched.total("timeline", filter=sent[0]) == 1


def test_rows_and_segments_are_bounded_and_a_retry_stays_however_many_come_after_it(
    watch: Callable[..., Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lamtop.engine.view.timeline._EVENTS", 3)
    monkeypatch.setattr("lamtop.engine.view.timeline._EVENTS_FILTERED", 3)
    monkeypatch.setattr("lamtop.engine.view.timeline._SEGMENTS", 2)

    def script(invocation: Invocation) -> tuple[Outcome, float]:
        return (FAILED if invocation.function.name == "fails" else RETURNED), 0.0

    watched = watch([function("works"), function("fails")], script)
    old = watched.world.send("works")
    watched.world.send("fails")
    watched.world.run(watched.world.clock.now() + 70)
    for _ in range(5):
        watched.world.send("works")
    watched.world.run(watched.world.clock.now() + 1)
    assert watched.total("timeline", limit=1) == 4
    assert kinds(watched.rows("timeline", sort="function", limit=1)[0]) == ["error", "retry"]
    assert [row["id"] for row in watched.rows("timeline", filter=old)] == [old]
    assert {row["function"] for row in watched.rows("timeline", filter="fn:fails")} == {"fails"}


def test_a_frame_carries_the_timeline_whenever_anything_happened(watch: Callable[..., Watched]) -> None:
    watched = watch([function()], always(RETURNED))

    async def story() -> None:
        client = Subscription(watched.views)
        client.watch({"timeline": {"view": "timeline"}})
        assert (await asyncio.wait_for(client.next_frame(), 10))["views"]["timeline"]["rows"] == []
        watched.world.send("orders")
        watched.world.run(watched.world.clock.now() + 1)
        frame = await asyncio.wait_for(client.next_frame(), 10)
        assert [row["state"] for row in frame["views"]["timeline"]["rows"]] == ["succeeded"]
        assert frame["totals"]["received"] == 1
        client.close()

    asyncio.run(story())


def test_synchronous_requests_of_a_real_engine_are_there_also_after_it_was_started_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with live(tmp_path, {"app.py": CODE}) as engine:
            assert (await engine.call("app", b"{}", {})).status == 200
            await engine.call("app", b'{"fail": true}', {})
            await engine.call("app", b"{}", {"x-amz-invocation-type": "Event"})

            async def seen() -> list[Row]:
                rows = list(reversed((await engine.page({"view": "timeline"}, None))["rows"]))
                return rows if [row["state"] for row in rows] == ["succeeded", "failed", "succeeded"] else []

            rows = await until_awaited(seen, "three requests that have ended")
            assert [row["kind"] for row in rows] == ["synchronous", "synchronous", "event"]
            assert [kinds(row)[-1] for row in rows] == ["ok", "error", "ok"]
            assert rows[1]["error"] == "ValueError: no luck"
            totals = engine.views.totals()
            assert totals["received"] == 3
            assert 0 < totals["p50"] <= totals["p99"]
            life = await engine.life(rows[0]["id"])
            assert life is not None
            pid, python = life["processes"][life["attempts"][0]["environment"]]
            os.kill(pid, 0)  # it is there
            assert life["declared"]["interpreter"] == sys.executable
            assert sys.version.startswith(python)
            assert python
        async with live(tmp_path, {}) as engine:
            again = list(reversed((await engine.page({"view": "timeline"}, None))["rows"]))
            assert [(row["id"], row["segments"]) for row in again] == [(row["id"], row["segments"]) for row in rows]

    asyncio.run(story())


def test_a_synchronous_invocation_that_a_limit_sends_away_is_kept_with_its_reason(tmp_path: Path) -> None:
    async def story() -> None:
        async with live(tmp_path, {"app.py": CODE}) as engine:
            app = engine.functions["app"]
            engine.dispatcher.configure({"app": replace(app, reserved_concurrency=0)})
            answer = await engine.call("app", b"{}", {})
            assert answer.status == 429
            [row] = (await engine.page({"view": "timeline"}, None))["rows"]
            assert (row["state"], row["kind"], kinds(row)) == ("refused", "synchronous", ["throttled"])
            assert row["error"] == "throttled: ReservedFunctionConcurrentInvocationLimitExceeded"
            life = await engine.life(row["id"])
            assert life is not None
            assert (life["answered"]["status"], life["attempts"], life["bill"]["requests"]) == (429, [], 0)
            assert life["refused"] == row["error"]
            totals = engine.views.totals()
            assert (totals["throttles"], totals["invocations"], totals["errors"]) == (1, 0, 0)

    asyncio.run(story())


def test_of_a_flood_of_refusals_some_are_kept_each_second_and_of_each_function(tmp_path: Path) -> None:
    history = History(tmp_path)
    refusals = Refusals(history)
    assert [refusals.wants("a", 100.5) for _ in range(12)] == [True] * 10 + [False] * 2
    assert refusals.wants("b", 100.6)
    assert refusals.wants("a", 101.0)
    history.close()


def answered(watched: Watched, request_id: str, caller: str = "") -> None:
    """A synchronous invocation that printed a line and has ended."""
    now = watched.world.clock.now()
    number = watched.history.line("orders", request_id, 1, now, "output", f"line of {request_id}")
    made = Invocation(
        request_id, function(), b"{}", lambda: True, print, kind="synchronous", accepted_at=now, caller=caller
    )
    ended = RETURNED._replace(started_at=now, ended_at=now + 1, first_line=number, last_line=number)
    watched.history.record(made, ended)


def test_a_view_of_one_request_holds_its_callers_and_what_it_led_to(watch: Callable[..., Watched]) -> None:
    watched = watch([function(event_invoke_config=EventInvokeConfig(maximum_retry_attempts=0))], always(FAILED))
    for request_id, caller in (("aaaa", ""), ("bbbb", "aaaa"), ("cccc", "bbbb"), ("sibling", "aaaa"), ("other", "")):
        answered(watched, request_id, caller)
    sent = watched.world.send("orders")
    watched.world.run(watched.world.clock.now() + 1)
    watched.write(lambda store: store._connection.execute("UPDATE event SET caller = 'cccc' WHERE id = ?", (sent,)))
    watched.history.hand_over()
    watched.history.answered.clear()  # what is older than the newest few is found too

    def seen(view: str, wish: str) -> set[str]:
        return {row.get("request_id") or row["id"] for row in watched.rows(view, filter=wish)}

    assert seen("timeline", "family:bbbb") == {"aaaa", "bbbb", "cccc", sent}
    assert seen("timeline", "family:bbbb fn:none") == set()
    assert seen("timeline", "family:other") == {"other"}
    assert seen("dlq", "family:bbbb") == seen("dlq", "") == {sent}
    assert seen("dlq", "family:other") == seen("queue", "family:bbbb") == seen("inflight", "family:bbbb") == set()
    lines = watched.page("logs", filter="family:bbbb")["rows"]
    assert [line["request_id"] for line in lines] == ["aaaa", "bbbb", "cccc"]


def test_lines_of_a_call_that_has_just_begun_belong_to_its_caller_at_once(watch: Callable[..., Watched]) -> None:
    watched = watch([function()], always(RETURNED))
    families, window = watched.views.families, parse_view("it", {"view": "logs", "filter": "family:aaaa"}).window
    begun = Invocation("bbbb", function(), b"{}", lambda: True, print, caller="aaaa")
    watched.pools.executing["bbbb"] = begun
    seen = {
        id_: families.has(window, LogLine(1, 0.0, "orders", id_, 1, "output", "x")) for id_ in ("aaaa", "bbbb", "c")
    }
    assert seen == {"aaaa": True, "bbbb": True, "c": False}
    watched.pools.executing.clear()


def test_whoever_goes_down_sees_the_whole_history_of_both_kinds(
    watch: Callable[..., Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lamtop.engine.view.timeline._EVENTS", 4)
    watched = watch([function()], always(RETURNED))
    watched.history.answered = deque(maxlen=2)
    sent = []
    for number in range(30):
        sent.append(watched.world.send("orders"))
        watched.world.run(watched.world.clock.now() + 1)
        answered(watched, f"sync-{number}")
        sent.append(f"sync-{number}")
        watched.world.run(watched.world.clock.now() + 1)
        watched.history.hand_over()
    seen: list[str] = []
    while rows := watched.rows("timeline", offset=len(seen), limit=7):
        assert watched.total("timeline", offset=len(seen), limit=7) >= len(seen) + len(rows)
        seen += [row["id"] for row in rows]
    assert seen == sent[::-1]
    pages, cursor = [], None
    while True:
        page = watched.page("timeline", cursor, limit=9)
        pages += [row["id"] for row in page["rows"]]
        if not (cursor := page["cursor"]):
            break
    assert pages == sent[::-1]
