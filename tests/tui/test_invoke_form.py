"""The invoke form through its keys."""

import asyncio
import json
from pathlib import Path

from fake_engine import FakeEngine
from stage import HOSTILE, Stage, is_harmless, play
from textual import events

from lamtop.tui.payload_history import PayloadHistory
from lamtop.tui.widgets.json_editor import JsonEditor


def two() -> FakeEngine:
    engine = FakeEngine("orders", "bills")
    engine.rows["functions"][0] |= {"versions": ["1", "2"], "aliases": [["live", "2"]]}
    return engine


async def empty(stage: Stage) -> None:
    """Open the form and take the {} away."""
    await stage.press("e")
    await stage.shows("function", "✓ JSON, 2 bytes")
    await stage.press("delete", "delete")


def test_an_error_is_told_while_one_types_and_keeps_the_event_from_being_sent() -> None:
    async def story(stage: Stage) -> None:
        await empty(stage)
        await stage.shows("✓ sent as {}")
        await stage.press("left_curly_bracket")
        await stage.shows("✗ line 1, column 2: the text ends too early")
        await stage.press(*'"a":1}')
        await stage.shows("✓ JSON, 7 bytes")
        await stage.press(*["backspace"] * 2, "end", *"[1,]}", "end", "ctrl+s")
        await stage.shows("✗ not sent: line 1, column 8: no comma before a closing bracket")
        assert stage.app.screen.query_one(JsonEditor).cursor_location == (0, 7)
        assert stage.engine.calls == []

    play(story, two())


def test_ctrl_s_invokes_and_the_result_stands_where_that_of_i_does() -> None:
    async def story(stage: Stage) -> None:
        await empty(stage)
        await stage.press(*"[7]", "ctrl+s")
        await stage.shows("orders · synchronous", '"body": "hello"')
        assert stage.called("sync") == [("sync", "orders", b"[7]")]
        await stage.press("e")
        await stage.shows("✓ JSON, 3 bytes")
        await stage.press("escape", "i")
        await stage.until(lambda: stage.called("sync")[1:] == [("sync", "orders", b"[7]")])

    play(story, two())


def test_escape_keeps_what_was_typed_and_i_a_and_b_send_it() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("e", "escape")
        assert "kept" not in stage.screen()
        await empty(stage)
        await stage.press(*"[7]", "escape")
        await stage.shows("kept for orders; i, a and b send it")
        await stage.press("a")
        await stage.until(lambda: stage.called("async") == [("async", "orders", b"[7]")])
        await stage.press("e", "end", *",", "escape")
        await stage.shows("it is not JSON yet: i, a and b send the one before")
        await stage.press("e")
        await stage.shows("[7],", "✗ line 1, column 4")
        await stage.press("escape", "a")
        await stage.until(lambda: stage.called("async")[1:] == [("async", "orders", b"[7]")])

    play(story, two())


def test_ctrl_t_goes_through_the_modes_and_a_dry_run_leaves_the_form_open() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("e")
        await stage.shows("[synchronous]")
        await stage.press("ctrl+t")
        await stage.shows("[asynchronous]", "per second")
        await stage.press("ctrl+t")
        await stage.shows("[dry run]")
        await stage.hides("per second")
        await stage.press("ctrl+s")
        await stage.shows("204: orders is there and would take this; nothing ran", "[dry run]")
        assert stage.called("dry") == [("dry", "orders", b"{}")]

    play(story, two())


def test_every_field_is_reached_by_tab_and_enter_sends_from_those_of_one_line() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("e")
        await stage.shows("‹ $LATEST › 1 of 4")
        seen = []
        for _ in range(4):
            await stage.press("tab")
            focused = stage.app.focused
            assert focused is not None
            seen.append(focused.id)
        assert seen == ["function", "qualifier", "mode", None]
        await stage.press("shift+tab", "shift+tab", "right")
        await stage.shows("‹ live → version 2 › 2 of 4")
        await stage.press("enter")
        await stage.until(lambda: stage.called("sync") == [("sync", "orders:live", b"{}")])
        await stage.shows("orders:live · synchronous")

    play(story, two())


def test_each_function_has_a_draft_of_its_own() -> None:
    async def story(stage: Stage) -> None:
        await empty(stage)
        await stage.press(*"[7]", "tab", "b")
        await stage.shows("‹ bills › 2 of 2", "✓ JSON, 2 bytes")
        await stage.hides("qualifier")
        await stage.press("o")
        await stage.shows("‹ orders › 1 of 2", "[7]", "qualifier")

    play(story, two())


def test_a_burst_goes_out_from_the_form_and_says_how_it_went() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("e", "ctrl+t", *["tab"] * 4, *"10001", "ctrl+s")
        await stage.shows("✗ not sent: events: '10001' is not allowed; use 1 to 10,000")
        assert stage.engine.calls == []
        await stage.press("backspace", "backspace", "enter")
        await stage.shows("202 accepted 100 of 100 for orders")
        assert stage.called("async") == [("async", "orders", b"{}")] * 100

    play(story, two())


def test_b_asks_how_many_and_sends_ten_unless_told_otherwise() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("b")
        await stage.shows("burst of asynchronous events to orders", "payload    {}")
        await stage.press("escape", "b", "enter")
        await stage.shows("202 accepted 10 of 10 for orders")
        assert len(stage.called("async")) == 10

    play(story, two())


def test_keys_that_come_all_at_once_are_typed_before_they_are_sent() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("b")
        await stage.shows("burst of asynchronous events to orders")
        for key in (*"25", "enter"):
            stage.send(key)
        await stage.shows("202 accepted 25 of 25 for orders")
        await empty(stage)
        for key in (*"[7]", "ctrl+s"):
            stage.send(key)
        await stage.until(lambda: stage.called("sync") == [("sync", "orders", b"[7]")])

    play(story, two())


def test_b_stops_a_burst_that_is_under_way() -> None:
    engine = two()

    async def story(stage: Stage) -> None:
        engine.hold = asyncio.Event()
        await stage.press("b", *"100", "enter")
        await stage.until(lambda: stage.called("async"))
        await stage.press("b")
        await stage.shows("Stop the burst of 100 to orders?")
        await stage.press("y")
        engine.hold.set()
        await stage.shows("of 100 for orders, stopped")
        assert len(stage.called("async")) < 100

    play(story, engine)


def test_ctrl_o_offers_examples_files_and_what_was_sent_before(tmp_path: Path) -> None:
    engine = two()
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "big order.json").write_text('{"order": 99}')
    PayloadHistory(tmp_path / "payloads.json").add("bills", '{"bill":1}')
    engine.more_hello = {"project": str(tmp_path / "template.yaml"), "state": str(tmp_path)}

    async def story(stage: Stage) -> None:
        await stage.press("e", "ctrl+o")
        await stage.shows("Sent before", "Files beside the template", "events/big order.json", "S3: an object was put")
        await stage.shows('"bill": 1')
        await stage.press("j")
        await stage.shows('{"order": 99}')
        await stage.press("enter")
        await stage.shows("✓ JSON, 13 bytes")
        await stage.press("ctrl+s")
        await stage.until(lambda: stage.called("sync") == [("sync", "orders", b'{"order": 99}')])
        kept = PayloadHistory(tmp_path / "payloads.json").entries
        assert [entry.function for entry in kept] == ["orders", "bills"]

    play(story, engine)


def test_a_hostile_file_is_shown_and_loaded_without_harm(tmp_path: Path) -> None:
    engine = two()
    (tmp_path / "events").mkdir()
    hostile = {name: text for name, text in HOSTILE.items() if name not in ("surrogate", "very long")}
    (tmp_path / "events" / "a\x1b[2Jb[red]x.json").write_text(json.dumps(hostile, ensure_ascii=False))
    engine.more_hello = {"project": str(tmp_path / "template.yaml")}

    async def story(stage: Stage) -> None:
        await stage.press("e", "ctrl+o")
        await stage.shows("a␛[2Jb[red]x.json")
        assert is_harmless(stage.screen())
        await stage.press("enter", "ctrl+s")
        await stage.until(lambda: stage.called("sync"))
        assert json.loads(stage.called("sync")[0][2]) == hostile
        assert is_harmless(stage.screen())
        await stage.press("e")
        await stage.shows("function")
        editor = stage.app.screen.query_one(JsonEditor)
        editor.take("")
        editor.post_message(events.Paste(json.dumps(hostile, ensure_ascii=False)))
        await stage.until(lambda: editor.text)
        assert is_harmless(editor.text)
        assert json.loads(editor.text) == hostile

    play(story, engine)


def test_enter_indents_ctrl_f_does_all_of_it_and_ctrl_l_copies_the_aws_cli_command() -> None:
    async def story(stage: Stage) -> None:
        await empty(stage)
        await stage.press("left_curly_bracket", "enter", *'"a":1', "enter", *'"b"')
        editor = stage.app.screen.query_one(JsonEditor)
        assert editor.text == '{\n  "a":1\n  "b"'
        await stage.shows("line 3, column 6", "✗ line 3, column 3: a comma is missing")
        editor.take('{"a":1}')
        await stage.press("ctrl+f")
        assert editor.text == '{\n  "a": 1\n}'
        await stage.press("ctrl+z")
        assert editor.text == '{"a":1}'
        await stage.press("ctrl+t", "ctrl+l")
        await stage.shows("✓ copied: aws lambda invoke --function-name orders --invocation-type Event")
        assert stage.app.clipboard.endswith("--payload '{\"a\":1}' --endpoint-url http://127.0.0.1:4566 /dev/null")

    play(story, two())


def test_the_footer_tells_the_keys_of_the_form() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("e")
        await stage.until(lambda: "^s invoke" in bottom(stage), "the keys at the bottom")
        assert "^l AWS CLI" in bottom(stage)
        await stage.press("ctrl+o")
        await stage.until(lambda: "enter use it" in bottom(stage), "the keys of the list")
        await stage.press("escape")
        await stage.until(lambda: "^s invoke" in bottom(stage), "those of the form again")

    def bottom(stage: Stage) -> str:
        return stage.screen().splitlines()[-1]

    play(story, two(), size=(80, 24))
