"""The Timeline pane, the scope, the frozen picture and the header's line of requests."""

import re
from typing import Any

import pytest
from fake_engine import NOW, FakeEngine, answered, log_line, queued, request, request_id, retry
from rich.cells import cell_len
from stage import Stage, is_harmless, play

from lamtop.tui import timeline
from lamtop.tui.axis import Scale
from lamtop.tui.columns import COLUMNS, laid_out
from lamtop.tui.inflow import Inflow, spark
from lamtop.tui.model import PaneRows
from lamtop.tui.widgets.timeline_table import TimelineTable

Row = dict[str, Any]


def text(row: Row, scale: Scale, now: float = NOW) -> str:
    return "".join(part for part, _ in timeline.drawn(row, scale, now))


def plain(start: float, end: float) -> Scale:
    """An axis of a cell a second, from so long before now to so long after it."""
    return Scale(NOW + start, NOW + end, round(end - start))


def segments(*spans: tuple[float, float | None, str]) -> list[list[Any]]:
    return [[NOW + start, None if end is None else NOW + end, kind] for start, end, kind in spans]


# --- rows to text -----------------------------------------------------------------------------------------------------


def test_a_wait_is_drawn_to_its_due_time_and_what_is_to_come_of_it_otherwise() -> None:
    row = request(1, due_at=NOW + 6, segments=segments((-10, -8, "error"), (-8, 6, "retry")))
    assert text(row, plain(-12, 8)) == "  █✗▒▒▒▒▒▒▒▒│┄┄┄┄┄↻ "


def test_the_wait_drains_as_time_goes_by() -> None:
    row = request(1, due_at=NOW + 6, segments=segments((-10, -8, "error"), (-8, 6, "retry")))
    later = text(row, Scale(NOW - 9, NOW + 11, 20), NOW + 3)
    assert later == "✗▒▒▒▒▒▒▒▒▒▒▒│┄┄↻    "


def test_a_dead_event_shows_all_its_tries_however_short_and_ends_in_a_mark() -> None:
    tries = segments(
        (-9, -8.999, "error"), (-9, -6, "retry"), (-6, -5.9, "error"), (-6, -3, "retry"), (-3, -2.9, "error")
    )
    row = request(1, state="dead", ended_at=NOW - 2.9, due_at=None, segments=tries)
    assert text(row, plain(-10, 2)) == " ✗▒▒✗▒▒✗■ │ "


def test_what_runs_reaches_to_now_and_what_waits_for_a_place_too() -> None:
    running = request(1, state="running", due_at=None, segments=segments((-6, -4, "queued"), (-4, None, "running")))
    assert text(running, plain(-8, 2)) == "  ··███▶│ "
    waiting = request(1, state="queued", due_at=NOW - 6, segments=segments((-6, None, "queued")))
    assert text(waiting, plain(-8, 2)) == "  ······│ "
    throttled = request(1, state="throttled", due_at=NOW + 3, segments=segments((-6, 3, "throttled")))
    assert text(throttled, plain(-8, 4)) == "  ‖‖‖‖‖‖│┄┄↻"


def test_a_success_and_a_failure_differ_without_colour() -> None:
    assert text(answered(1), plain(-10, 1)).rstrip(" │") == "   ██✓"
    failed = answered(1, state="failed", segments=segments((-7, -5, "error")))
    assert text(failed, plain(-10, 1)).rstrip(" │") == "   █✗✗"


def test_what_ended_before_the_axis_begins_says_when() -> None:
    assert text(answered(1, ago=700), plain(-30, 2)).rstrip() == "ended 11m ago"


@pytest.mark.parametrize("width", [10, 41, 90])
@pytest.mark.parametrize("past", [None, 10.0, 3600.0])
def test_every_line_and_the_ruler_are_as_wide_as_the_axis(width: int, past: float | None) -> None:
    rows = [
        request(1),
        answered(2),
        answered(3, ago=0, took=0),
        request(4, state="running", segments=[[NOW, None, "running"]]),
    ]
    scale = timeline.scale_of(rows, NOW, width, past)
    for line in (timeline.ruler(scale, NOW), *(text(row, scale) for row in rows)):
        assert cell_len(line) == width
    assert "now" in timeline.ruler(scale, NOW)


@pytest.mark.parametrize("width", [60, 80, 110, 140])
def test_the_words_and_the_axis_fill_the_pane_and_no_more(width: int) -> None:
    table = TimelineTable("timeline", PaneRows(), lambda: NOW, lambda: "", lambda _: None)
    words = laid_out(COLUMNS["timeline"], table.columns_room(width))
    axis = "".join(part for part, _ in table.beside(None, width))
    assert 2 + sum(cells + 1 for _, cells in words) + len(axis) <= width


def test_the_axis_stands_while_a_wait_drains_and_has_room_for_its_end() -> None:
    row = request(1)
    at = [timeline.scale_of([row], NOW + later, 60) for later in (-50, -20, 1)]
    assert {round(scale.end - (NOW + later)) for scale, later in zip(at, (-50, -20, 1), strict=True)} == {70}
    assert at[0].end >= row["due_at"]
    over = timeline.scale_of([row], NOW + 3, 60)
    assert over.end - NOW - 3 < 70


def test_the_axis_reaches_back_to_the_oldest_row_but_not_for_ever() -> None:
    assert round(NOW - timeline.scale_of([answered(1, ago=12)], NOW, 60).start) == 20
    assert round(NOW - timeline.scale_of([answered(1, ago=9000)], NOW, 60).start) == 300
    assert round(NOW - timeline.scale_of([], NOW, 60).start) == 10


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (request(1), "↻ retry in 2.0s"),
        (request(1, state="throttled"), "‖ throttled 2.0s"),
        (request(1, state="queued", due_at=NOW - 63), "· queued 1:03"),
        (request(1, state="retry", due_at=NOW - 1), "↻ retry is due"),
        (request(1, state="running", segments=segments((-1.5, None, "running"))), "▶ runs 1.5s"),
        (request(1, state="dead", ended_at=NOW), "■ dead 1:03"),
        (answered(1, took=0.041), "✓ ok 41ms"),
        (answered(1, state="failed"), "✗ failed 2.00s"),
        (answered(1, state="refused", took=0), "‖ throttled 429"),
    ],
)  # fmt: skip
def test_each_state_is_a_shape_a_word_and_a_time(row: Row, words: str) -> None:
    assert timeline.state_words(row, NOW)[0] == words
    assert len(words) <= 16


def test_a_try_counts_to_its_limit_while_there_may_be_more() -> None:
    assert timeline.kind_words(request(1))[0] == "2/3"
    assert timeline.kind_words(request(1, state="dead", attempt=3))[0] == "3"
    assert timeline.kind_words(answered(1))[0] == "sync"


# --- the pane ---------------------------------------------------------------------------------------------------------


def busy() -> FakeEngine:
    engine = FakeEngine("always-fails", "request-response")
    engine.rows["timeline"] = [answered(2), request(1), answered(3, state="failed", error="KeyError: 'card'")]
    engine.rows["queue"] = [queued(1)]
    engine.lives[request_id(1)] = {}
    return engine


@pytest.mark.parametrize("size", [(140, 40), (100, 30), (80, 24)])
def test_7_shows_the_timeline_in_every_layout_and_again_zooms_it(size: tuple[int, int]) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("7")
        assert stage.app.main.focused_pane == "timeline"
        await stage.shows("╔═ 7 Timeline 3", "↻ retry in 2.0s", "✓ ok 2.00s", "▒▒▒▒▒", "now", "█✗")
        await stage.press("7")
        await stage.hides("1 Queue 1 ─")
        assert stage.app.main.zoomed
        await stage.press("z")
        assert not stage.app.main.zoomed
        assert {cell_len(line) for line in stage.screen().splitlines()} == {size[0]}

    play(story, busy(), size)


def test_where_there_is_room_for_one_the_timeline_and_the_logs_take_turns() -> None:
    async def story(stage: Stage) -> None:
        await stage.shows("5 Logs · follow", "7 timeline")
        await stage.press("7")
        await stage.shows("7 Timeline 3", "5 logs", "6 Functions 2")
        await stage.hides("5 Logs")
        await stage.press("1")
        await stage.shows("7 Timeline 3")
        await stage.press("5")
        await stage.hides("7 Timeline")

    play(story, busy(), (100, 30))


def test_enter_opens_the_request_under_the_cursor_and_s_and_slash_are_the_engines_work() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("7", "j", "enter")
        await stage.until(lambda: stage.called("life"), "the inspector")
        assert stage.called("life")[0] == ("life", request_id(1))
        await stage.press("escape", "s", "slash", *"dead", "enter")
        await stage.until(lambda: stage.engine.client.views["timeline"]["filter"] == "dead")
        assert stage.engine.client.views["timeline"]["sort"] == "function"
        await stage.shows("Nothing matches /dead")

    play(story, busy())


def test_the_cursor_rests_on_the_newest_until_it_is_moved_and_then_keeps_its_row() -> None:
    engine = busy()

    async def story(stage: Stage) -> None:
        await stage.press("7")
        engine.rows["timeline"].insert(0, answered(10))
        engine.publish()
        await stage.until(lambda: stage.table("timeline").cursor_id == request_id(10), "the newest")
        await stage.press("j")
        engine.rows["timeline"].insert(0, answered(11))
        engine.publish()
        await stage.until(lambda: stage.table("timeline").cursor == 2, "the cursor went with its row")
        assert stage.table("timeline").cursor_id == request_id(2)

    play(story, engine)


def test_minus_and_plus_change_the_time_on_the_axis_and_the_equals_sign_gives_it_back() -> None:
    async def story(stage: Stage) -> None:
        table = stage.app.main.tables["timeline"]
        await stage.press("7")
        own = stage.screen()
        await stage.press("minus")
        assert table.past == 120  # type: ignore[attr-defined]
        assert stage.screen() != own
        await stage.press("plus", "plus")
        assert table.past == 60  # type: ignore[attr-defined]
        await stage.press("equals_sign")
        assert stage.screen() == own

    play(story, busy())


def test_a_timeline_of_the_past_is_painted_when_it_has_moved_by_a_cell_and_one_that_goes_on_always() -> None:
    engine = busy()
    engine.rows["timeline"] = [answered(2)]

    async def story(stage: Stage) -> None:
        table, painted = stage.table("timeline"), []
        await stage.until(lambda: stage.app.main._paint._timer is None)
        table.time_went_by()
        table.refresh = lambda *_regions, **_: painted.append(1)  # type: ignore[method-assign]
        table.time_went_by()
        assert not painted
        stage.app.model.time.engine += 1
        table.time_went_by()
        assert len(painted) == 1
        table.rows.known[request_id(2)]["state"] = "running"
        table.time_went_by()
        assert len(painted) == 2

    play(story, engine)


def test_hostile_rows_are_drawn_as_text() -> None:
    engine = busy()
    engine.rows["timeline"][0] |= {"error": "\x1b[2J\n[/x]", "function": "\x9b31m"}
    engine.rows["timeline"][1]["segments"] = [["soon", None, "retry"]]

    async def story(stage: Stage) -> None:
        await stage.press("7")
        await stage.shows("cannot draw this line", "█✗")
        assert is_harmless(stage.screen())
        await stage.press("minus", "plus", "j")
        assert stage.screen().count("cannot draw this line") == 1

    play(story, engine)


# --- scope and freeze -------------------------------------------------------------------------------------------------


def filters(stage: Stage) -> dict[str, str]:
    return {pane: view["filter"] for pane, view in stage.engine.client.views.items()}


@pytest.mark.parametrize("size", [(140, 40), (80, 24)])
def test_o_narrows_every_pane_to_the_function_under_the_cursor_and_again_to_all(size: tuple[int, int]) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("6", "g", "o")
        await stage.shows(" only always-fails ")
        await stage.until(lambda: set(filters(stage).values()) == {"fn:always-fails"}, "all panes")
        await stage.press("o")
        await stage.hides("only always-fails")
        await stage.until(lambda: set(filters(stage).values()) == {""}, "all panes")

    play(story, busy(), size)


def test_o_on_a_request_narrows_to_it_and_keeps_a_panes_own_filter() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("1", "slash", *"key", "enter", "o")
        await stage.shows(f" only {request_id(1)[:4]} always-fails ")
        await stage.until(lambda: filters(stage)["queue"] == f"family:{request_id(1)} key", "both")
        assert filters(stage)["logs"] == filters(stage)["timeline"] == f"family:{request_id(1)}"
        assert filters(stage)["functions"] == "fn:always-fails"
        await stage.press("escape", "escape")
        await stage.until(lambda: set(filters(stage).values()) == {""}, "first the filter, then the scope is gone")

    play(story, busy())


def test_a_scope_begins_the_log_anew_and_0_leaves_it() -> None:
    engine = busy()
    engine.lines = [log_line(1, "mine", 1), log_line(2, "another's", 2)]

    async def story(stage: Stage) -> None:
        await stage.shows("another's")
        await stage.press("1", "o")
        await stage.hides("another's")
        await stage.shows("mine")
        await stage.press("0")
        await stage.shows("another's", "mine")

    play(story, engine)


def test_p_holds_the_rows_still_while_the_model_goes_on() -> None:
    engine = busy()

    async def story(stage: Stage) -> None:
        await stage.press("1", "p")
        await stage.shows(" FROZEN ")
        before = stage.screen().splitlines()[1:]
        engine.rows["queue"] = [queued(number) for number in range(10, 13)]
        engine.rows["timeline"][0]["state"] = "dead"
        engine.log("later")
        engine.time["engine"] = NOW + 100
        engine.publish()
        await stage.until(lambda: stage.app.model.rows["queue"].total == 3, "the model")
        await stage.press("7", "1")
        assert stage.screen().splitlines()[1:] == before
        await stage.press("p")
        await stage.hides("FROZEN")
        await stage.shows("1 Queue 3", "■ dead", "later")

    play(story, engine)


def test_keys_act_on_the_frozen_rows_and_a_wish_for_other_rows_ends_the_freeze() -> None:
    engine = busy()

    async def story(stage: Stage) -> None:
        await stage.press("7", "p")
        engine.rows["timeline"] = [answered(20)]
        engine.publish()
        await stage.until(lambda: stage.app.model.rows["timeline"].total == 1, "the model")
        await stage.press("j", "enter")
        await stage.until(lambda: stage.called("life"), "the inspector")
        assert stage.called("life")[0] == ("life", request_id(1))
        await stage.press("escape", "s")
        await stage.hides("FROZEN")
        await stage.shows("7 Timeline 1")

    play(story, engine)


# --- the header -------------------------------------------------------------------------------------------------------


def test_requests_are_counted_by_the_second_and_seconds_without_any_are_there_too() -> None:
    inflow = Inflow()
    for total, at in ((5, 100.0), (6, 100.5), (9, 101.0), (10, 103.9)):
        inflow.take(total, at, 1.0)
    assert inflow.counts(104.0) == [0, 0, 0, 1, 3, 0, 1, 0]
    assert spark([0, 1, 40, 80]) == " ▁▄█"
    inflow.take(2, 105.0, 1.0)  # another engine: what it counted before is not an inflow
    assert sum(inflow.counts(105.0)) <= 2


@pytest.mark.parametrize("width", [140, 100, 80, 60])
def test_the_header_fits_and_says_the_most_important_first(width: int) -> None:
    engine = busy()
    engine.totals |= {"received": 0, "p50": 0.041, "p99": 1.8, "errors": 37, "throttles": 2, "invocations": 1_241}

    async def story(stage: Stage) -> None:
        engine.totals["received"] = 12
        engine.time["engine"] = NOW + 1
        engine.publish()
        await stage.press("6", "g", "o", "p")
        await stage.until(lambda: "FROZEN" in stage.screen().splitlines()[0])
        header = stage.screen().splitlines()[0]
        assert cell_len(header) == width
        for words in ("lamtop", "FROZEN", "only always-fails", "ok 1,204", "err 37", "2 "):
            assert words in header, header
        assert ("python" in header) == (width > 140)
        assert ("p99 1.80s" in header) == (width >= 140)
        assert ("█" in header) == (width >= 140)

    play(story, engine, (width, 40))


def test_a_zoomed_function_has_its_calls_of_the_last_seconds_and_a_retry_how_much_of_its_wait_is_left() -> None:
    engine = FakeEngine()
    engine.rows["retries"] = [retry(1, waits_since=NOW - 30, due_at=NOW + 30)]

    async def story(stage: Stage) -> None:
        await stage.shows("30s ██░░░ ValueErr")
        await stage.press("z")
        await stage.hides("/s")
        engine.rows["functions"][0]["invocations"] = 3
        engine.publish()
        await stage.shows("█ 0/s")

    play(story, engine)


def test_eighty_columns_have_room_for_the_inflow_and_the_slowest_when_nothing_special_is_on() -> None:
    engine = busy()
    engine.time["mode"] = "real"
    engine.totals |= {"received": 0, "p50": 0.041, "p99": 1.8, "errors": 37, "invocations": 241}

    async def story(stage: Stage) -> None:
        engine.totals["received"] = 12
        engine.time["engine"] = NOW + 1
        engine.publish()
        await stage.shows("       █ 0/s", ":4566", "ok 204", "err 37", "p99 1.80s")

    play(story, engine, (80, 24))


def test_the_header_never_glues_the_clock_to_the_port() -> None:
    engine = busy()
    engine.totals |= {"p50": 0.051, "p99": 0.060}

    async def story(stage: Stage) -> None:
        for digits in range(1, 8):
            engine.totals["invocations"] = count = int("1" * digits)
            engine.publish()
            await stage.shows(f"ok {count:,} ")
            assert not re.search(r":4566\d", stage.screen())

    play(story, engine, (80, 24))


def test_a_tab_strip_of_seven_fits_eighty_columns() -> None:
    engine = busy()
    engine.totals |= {"queued": 12, "in_flight": 3, "retrying": 2, "dead_letters": 3, "soonest_retry": NOW + 59}

    async def story(stage: Stage) -> None:
        await stage.shows("1 Queue 12", "2 Run 3", "3 Retries 2 in 59s", "4 DLQ 3", "[6 Functions]", "7 Time")
        await stage.pilot.resize_terminal(60, 24)
        await stage.shows("7 Time")

    play(story, engine, (80, 24))
