"""What is on the screen: layouts, words, hostile text, and what never moves under a reader."""

import pytest
from fake_engine import NOW, FakeEngine, dead, function, queued, request_id, retry, running
from rich.cells import cell_len
from stage import HOSTILE, Stage, is_harmless, play
from textual.geometry import Size

from lamtop.tui.layout import layout_for
from lamtop.tui.widgets.text_lines import TextLines, wrapped


def busy() -> FakeEngine:
    engine = FakeEngine("always-fails", "request-response")
    engine.rows["queue"] = [queued(1), queued(2, wait="throttled", due_at=NOW + 3.5)]
    engine.rows["inflight"] = [running(3), running(4, "request-response", kind="synchronous", cold=False)]
    engine.rows["retries"] = [retry(5), retry(6, due_at=NOW + 119, attempt=3)]
    engine.rows["dlq"] = [dead(7), dead(8, queue=None)]
    engine.totals |= {"queued": 2, "in_flight": 2, "retrying": 2, "dead_letters": 2, "soonest_retry": NOW + 59}
    return engine


@pytest.mark.parametrize(
    ("size", "layout"),
    [
        ((140, 40), "wide"),
        ((130, 34), "wide"),
        ((100, 30), "normal"),
        ((140, 30), "normal"),
        ((80, 24), "narrow"),
        ((120, 27), "narrow"),
        ((60, 15), "narrow"),
        ((59, 40), "tiny"),
        ((140, 14), "tiny"),
    ],
)
def test_each_size_has_its_layout(size: tuple[int, int], layout: str) -> None:
    assert layout_for(*size) == layout


@pytest.mark.parametrize("size", [(140, 40), (100, 30)])
def test_a_large_terminal_shows_all_six_panes_and_why_each_row_is_there(size: tuple[int, int]) -> None:
    async def story(stage: Stage) -> None:
        await stage.shows(
            "1 Queue 2", "2 In-flight 2", "3 Retries 2 · next in 59s", "4 DLQ 2", "5 Logs · follow", "6 Functions 2"
        )
        await stage.shows(
            "waiting for a place", "throttled, in 3.5s", "sync", "2/3", "1:59", "Value", "dropped", "always-fails"
        )
        await stage.shows("shop/template.yaml", ":4566", "python 3.11.7", "simulated", "function: always-fails")
        assert {cell_len(line) for line in stage.screen().splitlines()} == {size[0]}

    play(story, busy(), size)


def test_a_narrow_terminal_shows_one_list_a_tab_strip_and_the_logs() -> None:
    async def story(stage: Stage) -> None:
        await stage.shows("[6 Functions]", "1 Queue 2", "3 Retries 2 in 59s", "5 Logs")
        await stage.press("1")
        await stage.shows("[1 Queue 2]", "throttled, next try in 4 s", "612B")
        await stage.hides("6 Functions 2")
        await stage.press("5")
        await stage.shows("[5 Logs]", "1 Queue 2")

    play(story, busy(), (80, 24))


def test_a_terminal_that_is_too_small_says_what_it_needs() -> None:
    async def story(stage: Stage) -> None:
        await stage.shows("60x15")
        await stage.pilot.resize_terminal(140, 40)
        await stage.shows("1 Queue 2", "6 Functions 2")

    play(story, busy(), (50, 12))


def test_empty_panes_tell_the_next_key() -> None:
    async def story(stage: Stage) -> None:
        await stage.shows("Nothing queued. Press a to send", "Press i to invoke always-fails", "No dead letters.")

    play(story)


def test_the_focused_pane_is_known_without_colour() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("1")
        await stage.shows("╔═ 1 Queue", "> always-fails")
        await stage.press("4")
        await stage.shows("╔═ 4 DLQ", "╭─ 1 Queue")

    play(story, busy())


def test_the_cursor_stays_on_its_row_when_rows_come_and_go() -> None:
    engine = busy()
    engine.rows["queue"] = [queued(number) for number in range(10, 30)]

    async def story(stage: Stage) -> None:
        await stage.press("1", *"jjj")
        assert stage.table("queue").cursor_id == request_id(13)
        engine.rows["queue"] = [queued(5), *engine.rows["queue"][2:]]
        engine.publish()
        await stage.until(lambda: stage.table("queue").cursor == 2, "the cursor went with its row")
        assert stage.table("queue").cursor_id == request_id(13)
        engine.rows["queue"] = [row for row in engine.rows["queue"] if row["id"] != request_id(13)]
        engine.publish()
        await stage.until(lambda: stage.table("queue").cursor_id == request_id(14), "the next row takes over")

    play(story, engine)


def test_a_function_that_does_not_reload_is_marked_and_its_sheet_tells_the_error_first() -> None:
    engine = FakeEngine()
    engine.rows["functions"][0]["reload_error"] = "SyntaxError: invalid syntax (a.py, line 4)"

    async def story(stage: Stage) -> None:
        await stage.shows("✗v1")
        await stage.press("enter")
        await stage.shows("The newest code does not load:", "SyntaxError: invalid syntax (a.py, line 4)")

    play(story, engine)


def test_a_notice_of_the_engine_is_in_the_status_line() -> None:
    engine = busy()

    async def story(stage: Stage) -> None:
        engine.publish(notices=[{"seq": 1, "at": NOW, "level": "info", "text": "orders v7, orders.py changed, 14 ms"}])
        await stage.shows("✓ orders v7, orders.py changed, 14 ms")

    play(story, engine)


@pytest.mark.parametrize("size", [(140, 40), (80, 24)])
def test_what_is_wrong_stays_on_the_screen_until_it_is_over(size: tuple[int, int]) -> None:
    engine = busy()

    async def story(stage: Stage) -> None:
        await stage.hides("the disk is full")
        engine.totals["standing"] = [
            {"level": "warning", "text": "invocations wait"},
            {"level": "error", "text": "the disk is full"},
        ]
        engine.publish(notices=[{"seq": 1, "at": NOW, "level": "info", "text": "orders v7"}])
        await stage.shows("✗ the disk is full", "+1 more", "✓ orders v7")
        await stage.press("1", "a", "enter")
        await stage.shows("the disk is full")
        await stage.press("escape")
        engine.totals["standing"] = []
        engine.publish()
        await stage.hides("the disk is full")

    play(story, engine, size)


def test_hostile_names_errors_and_lines_are_drawn_as_text_and_the_app_lives_on() -> None:
    engine = FakeEngine()
    engine.rows["functions"] = [function(text[:2000], reload_error=text[:2000]) for text in HOSTILE.values()]
    engine.rows["queue"] = [queued(n, text, wait=text, source=text) for n, text in enumerate(HOSTILE.values())]
    engine.rows["retries"] = [retry(n, text, error=text) for n, text in enumerate(HOSTILE.values(), 20)]
    engine.rows["dlq"] = [dead(n, text, error=text, condition=text) for n, text in enumerate(HOSTILE.values(), 40)]

    async def story(stage: Stage) -> None:
        engine.log(*HOSTILE.values())
        engine.totals["standing"] = [{"level": "error", "text": text} for text in HOSTILE.values()]
        engine.publish(notices=[{"seq": 1, "at": NOW, "level": "error", "text": HOSTILE["clipboard"]}])
        await stage.shows("[/x]", "[@click", "␛")
        for key in ("1", "3", "4", "5", "6", "enter", "escape", "question_mark", "escape", "n", "escape", "5", "z"):
            await stage.press(key)
            screen = stage.screen()
            assert is_harmless(screen)
            assert "cannot draw" not in screen
            assert {cell_len(line) for line in screen.splitlines()} == {140}
        assert not stage.app._exit

    play(story, engine)


def test_a_row_that_cannot_be_drawn_leaves_the_others_alone() -> None:
    engine = busy()
    engine.rows["queue"][0]["due_at"] = "soon"

    async def story(stage: Stage) -> None:
        await stage.shows("cannot draw this line: TypeError", "throttled, in 3.5s")
        await stage.press("2")
        assert stage.app.main.focused_pane == "inflight"

    play(story, engine)


def test_logs_follow_at_the_bottom_and_never_move_while_somebody_reads() -> None:
    engine = busy()

    async def story(stage: Stage) -> None:
        engine.log(*[f"line {number}" for number in range(100)])
        await stage.shows("line 99")
        await stage.press("5", *"kkkkkkkkkkkkkkkk")
        await stage.shows("paused ·")
        before, top = stage.screen(), stage.logs.scroll_offset.y
        engine.log(*[f"later {number}\nsecond line" for number in range(107)])
        await stage.shows("paused +214 new")
        assert stage.logs.scroll_offset.y == top
        assert _lines_of(before) == _lines_of(stage.screen())
        await stage.press("G")
        await stage.shows("5 Logs · follow", "later 106")

    play(story, engine)


def _lines_of(screen: str) -> list[str]:
    return [line[:-2] for line in screen.splitlines() if "line 8" in line]  # without the scrollbar, which does move


def test_a_reader_stays_on_the_same_line_when_old_ones_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lamtop.tui.loglines.CAPACITY", 200)
    monkeypatch.setattr("lamtop.tui.loglines.CAPACITY_READING", 200)
    engine = busy()

    async def story(stage: Stage) -> None:
        engine.log(*[f"line {number}" for number in range(200)])
        await stage.shows("line 199")
        await stage.press("5", "k", "k")
        shown = stage.logs.line()
        top = stage.logs.buffer.lines[stage.logs.scroll_offset.y]
        engine.log(*[f"later {number}" for number in range(60)])
        await stage.until(lambda: stage.logs.buffer.dropped and stage.logs._dropped)
        assert stage.logs.line() == shown
        assert stage.logs.buffer.lines[stage.logs.scroll_offset.y] == top

    play(story, engine)


def test_a_log_filter_shows_only_what_matches() -> None:
    engine = busy()

    async def story(stage: Stage) -> None:
        engine.log("apple", "pear", "apple pie")
        await stage.shows("pear")
        await stage.press("5", "slash", *"apple", "enter")
        await stage.hides("pear")
        await stage.shows("apple pie", "/apple")
        await stage.press("escape")
        await stage.shows("pear")

    play(story, engine)


def test_nothing_is_painted_while_nothing_can_have_changed() -> None:
    async def story(stage: Stage) -> None:
        paint = stage.app.main._paint
        await stage.until(lambda: paint._timer is None, "no timer is armed on simulated time")

    play(story)


def test_a_frame_repaints_only_the_row_that_changed() -> None:
    engine = busy()
    engine.rows["dlq"] = [dead(number) for number in range(5)]

    async def story(stage: Stage) -> None:
        painted: list[object] = []
        table = stage.table("dlq")
        await stage.until(lambda: stage.app.main._paint._timer is None)
        table.refresh = lambda *regions, **_: painted.extend(regions)  # type: ignore[method-assign]
        engine.rows["dlq"][2]["attempts"] = 9
        engine.publish()
        await stage.until(lambda: painted, "a repaint")
        assert [region.y for region in painted] == [3]  # type: ignore[attr-defined]
        assert table.virtual_size == Size(0, 6)

    play(story, engine)


def test_a_text_wraps_the_last_part_of_a_line_under_its_own_start_and_nothing_without_a_width() -> None:
    lines = TextLines([[("name  ", "dim"), ("one two three four five six", "")]])
    lines._lay_out()
    assert len(lines._drawn) == 1
    assert wrapped([("name  ", "dim"), ("one two three four five six", "")], 20) == [
        [("name  ", "dim"), ("one two three ", "")],
        [("      ", ""), ("four five six", "")],
    ]


def test_rows_that_come_and_go_do_not_lay_the_whole_screen_out_again() -> None:
    async def story(stage: Stage) -> None:
        stage.engine.rows["queue"] = [queued(number) for number in range(40)]
        stage.engine.publish()
        pane = stage.table("queue")
        await stage.until(lambda: pane.show_vertical_scrollbar and not pane._layout_required, "a scrollbar")
        for count in (81, 1, 41):
            pane.hold(count)
            assert pane.vertical_scrollbar.window_virtual_size == count
            assert not pane._layout_required
        pane.hold(1)
        pane._let_bar_go()  # what a timer does when the scrollbar was not needed for a while
        assert pane._layout_required
        await stage.until(lambda: not pane.show_vertical_scrollbar, "no scrollbar")

    play(story)


def test_a_notice_of_several_lines_is_read_as_several_lines() -> None:
    engine = FakeEngine()

    async def story(stage: Stage) -> None:
        text = "template.yaml keeps its old state:\ntemplate.yaml:7: Timeout\ntemplate.yaml:9: Runtime"
        engine.publish(notices=[{"seq": 1, "at": NOW, "level": "error", "text": text}])
        await stage.press("n")
        await stage.shows("keeps its old state:", "           template.yaml:7: Timeout")
        assert "␤" not in stage.screen().split("═ notices")[1].split("╚")[0]

    play(story, engine)
