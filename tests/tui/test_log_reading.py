"""Reading logs: errors are jumped to, long lines can be read, the whole history is there."""

from fake_engine import FakeEngine
from stage import Stage, play

from lamtop.tui.loglines import LogBuffer, drawn_lines
from lamtop.tui.widgets.whole_lines import unrolled


def chatty(lines: int) -> FakeEngine:
    engine = FakeEngine()
    engine.log(*(f"line {number}" for number in range(lines)))
    return engine


def test_brackets_jump_between_errors_and_stop_following() -> None:
    engine = chatty(60)
    engine.log("[ERROR] first trouble\nTraceback\n  here")
    engine.log(*(f"more {number}" for number in range(60)))
    engine.log("[ERROR] second trouble")
    engine.log(*(f"last {number}" for number in range(60)))

    async def story(stage: Stage) -> None:
        await stage.shows("last 59")
        await stage.press("5", "[")
        await stage.shows("second trouble", "paused")
        await stage.press("[")
        await stage.shows("first trouble")
        place = stage.logs.cursor
        await stage.press("[")
        assert stage.logs.cursor == place
        await stage.press("]")
        line = stage.logs.line()
        assert line is not None
        assert "second trouble" in line.text
        engine.log("news")
        await stage.shows("+1 new")
        assert stage.logs.line() == line
        await stage.press("]")
        await stage.shows("no error below")

    play(story, engine)


def test_going_up_beyond_the_first_line_fetches_older_ones_and_the_reader_stays() -> None:
    engine = chatty(1300)

    async def story(stage: Stage) -> None:
        await stage.shows("line 1299")
        assert stage.logs.buffer.lines[0].id == 801
        await stage.press("5", "g")
        await stage.until(lambda: stage.logs.buffer.lines[0].id == 301, "older lines")
        line = stage.logs.line()
        assert line is not None
        assert line.id == 801
        await stage.shows("line 800")
        await stage.press("g")
        await stage.until(lambda: stage.logs.buffer.lines[0].id == 1, "the oldest lines")
        await stage.press("g")
        await stage.until(lambda: stage.logs.buffer.at_beginning, "the beginning")
        await stage.shows("line 0")
        await stage.press("G")
        await stage.shows("line 1299", "follow")

    play(story, engine)


def test_w_wraps_long_lines_and_hides_none_and_l_and_h_move_cut_ones() -> None:
    engine = chatty(3)
    engine.log("x" * 250 + "the end", "after it")

    async def story(stage: Stage) -> None:
        await stage.press("5", "k")
        await stage.hides("the end")
        await stage.press("w")
        await stage.shows("the end", "after it", "line 0", "wrapped")
        await stage.press("l", "l", "l", "l")
        await stage.shows("the end")
        await stage.hides("wrapped")
        await stage.press("h", "h", "h", "h", "h")
        await stage.hides("the end")
        await stage.shows("line 0")

    play(story, engine)


def test_a_page_of_whole_lines_begins_at_the_top_or_ends_with_the_cursor_s() -> None:
    raws = [{"id": at, "at": 0, "text": "ab" * 10 if at % 2 else "short"} for at in range(10)]
    lines = [line for raw in raws for line in drawn_lines(raw)]
    page = [(piece.at, piece.part) for piece in unrolled(lines, 2, 3, 5, 10)]
    assert page == [(2, 0), (3, 0), (3, 1), (4, 0), (5, 0)]
    page = [(piece.at, piece.part) for piece in unrolled(lines, 2, 9, 5, 10)]
    assert page == [(7, 0), (7, 1), (8, 0), (9, 0), (9, 1)]
    long = drawn_lines({"id": 1, "at": 0, "text": "x" * 90})
    assert [piece.part for piece in unrolled(long, 0, 0, 3, 10)] == [0, 1, 2]
    assert unrolled([], 0, 0, 3, 10) == []


def test_a_pane_that_grows_goes_on_following() -> None:
    engine = chatty(60)

    async def story(stage: Stage) -> None:
        await stage.shows("line 59")
        await stage.press("5", "5")
        await stage.shows("follow", "line 30")
        await stage.press("7", "5", "5", "5")
        engine.log("news")
        await stage.shows("follow", "news")

    play(story, engine)


def test_v_asks_the_engine_for_worse_lines_only_and_escape_for_all() -> None:
    engine = chatty(3)

    async def story(stage: Stage) -> None:
        await stage.press("5", "v")
        await stage.until(lambda: engine.client and engine.client.views["logs"].get("level") == "WARN")
        await stage.shows("WARN and worse")
        await stage.press("v")
        await stage.until(lambda: engine.client and engine.client.views["logs"].get("level") == "ERROR")
        await stage.press("escape")
        await stage.until(lambda: engine.client and "level" not in engine.client.views["logs"])

    play(story, engine)


def test_nothing_falls_off_the_front_while_somebody_reads() -> None:
    buffer = LogBuffer()

    def lines(first: int, count: int) -> list[dict[str, object]]:
        return [{"id": first + n, "at": 0.0, "text": "t"} for n in range(count)]

    buffer.reads = True
    buffer.take({"lines": lines(1_000, 15_000)})
    assert buffer.dropped == 0
    assert buffer.take_older(lines(1, 999)) == 999
    assert (buffer.dropped, buffer.lines[0].id) == (-999, 1)
    assert buffer.take_older(lines(1, 999)) == 0
    buffer.reads = False
    buffer.take({"lines": lines(20_000, 1)})
    assert len(buffer.lines) == 10_000
    assert buffer.dropped == 16_000 - 10_000 - 999
