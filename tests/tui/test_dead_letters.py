"""The DLQ pane: purge, undo, edit and retry, export, errors in groups."""

import asyncio
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from fake_engine import NOW, FakeEngine, dead
from stage import HOSTILE, Stage, is_harmless, play

from lamtop.tui import keyboard
from lamtop.tui.badge import DeadLetterBadge
from lamtop.tui.dead_letters import json_line
from lamtop.tui.screens.retry import editable


def three() -> FakeEngine:
    engine = FakeEngine("always-fails", "flaky")
    engine.rows["dlq"] = [dead(1), dead(2, "flaky"), dead(3, queue=None)]
    engine.totals["dead_letters"] = 3
    return engine


def test_a_purge_asks_for_the_count_and_u_brings_back_what_went() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("4", "space", "space", "d")
        await stage.shows("Purge 2 dead letters? Type 2:")
        await stage.press("3", "enter")
        await stage.shows("type 2 and press enter")
        assert not stage.called("purge")
        await stage.press("backspace")
        for key in ("2", "enter"):  # as quickly as a terminal pastes them
            stage.send(key)
        await stage.shows("purged 2 dead letters · u brings back, for 10 s")
        await stage.until(lambda: stage.table("dlq").rows.total == 1)
        assert stage.called("purge") == [("purge", "m1", "m2")]
        await stage.press("1", "u")  # from any pane
        await stage.shows("brought back 2 dead letters")
        assert stage.called("undo") == [("undo", "p1")]
        await stage.until(lambda: stage.table("dlq").rows.total == 3)
        await stage.press("u")
        await stage.shows("there is nothing to bring back")

    play(story, three())


@pytest.mark.parametrize("patience", [2.0, 0.01])
def test_what_is_typed_while_a_question_is_prepared_is_for_the_question_or_for_nobody(
    patience: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyboard, "_HELD_MAX", patience)
    engine, go_on = three(), asyncio.Event()

    async def story(stage: Stage) -> None:
        assert engine.client is not None
        page = engine.client.page

        async def slow(*wish: Any) -> dict[str, Any]:
            await go_on.wait()
            return await page(*wish)

        engine.client.page = slow  # type: ignore[method-assign]
        await stage.press("4", "c")
        assert stage.app.main.views["dlq"].by_error
        for key in ("D", "3", "enter"):
            stage.send(key)
        await stage.typed()
        if patience < 1:
            await stage.until(lambda: stage.app.keyboard.idle)
        assert stage.app.main.focused_pane == "dlq"
        go_on.set()
        if patience < 1:
            await stage.shows("Purge 3 dead letters? Type 3:")
            assert not stage.called("purge")
        else:
            await stage.until(lambda: stage.called("purge"))

    play(story, engine)


def test_escape_keeps_them_and_letters_are_not_keys_while_the_count_is_typed() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("4", "D")
        await stage.shows("Purge 3 dead letters?")
        await stage.press("q", "y", "escape")
        await stage.hides("Purge 3")
        assert not stage.called("purge")

    play(story, three())


def test_a_star_marks_all_and_again_none() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("4", "asterisk")
        await stage.shows("3 marked")
        await stage.press("asterisk")
        await stage.hides("3 marked")

    play(story, three())


def test_a_dropped_event_has_the_same_verbs() -> None:
    engine = three()
    engine.rows["dlq"] = [dead(3, id="dropped:x", queue=None)]

    async def story(stage: Stage) -> None:
        await stage.press("4", "d", "1", "enter")
        await stage.until(lambda: stage.called("purge") == [("purge", "dropped:x")])

    play(story, engine)


def test_e_opens_the_payload_of_a_dead_letter_and_redrives_what_is_saved() -> None:
    engine = three()

    async def story(stage: Stage) -> None:
        await stage.press("4", "e")
        await stage.shows("edit and retry", '"order": 7')
        await stage.press("ctrl+s")
        await stage.until(lambda: stage.called("redrive") == [("redrive", "m1")])  # unchanged: byte for byte
        await stage.press("e")
        await stage.shows("edit and retry")
        await stage.press("{", "ctrl+s")
        await stage.shows("not JSON: line 1")
        await stage.press("escape", "e")
        await stage.shows("edit and retry")
        await stage.press("space", "ctrl+s")
        await stage.until(lambda: len(stage.called("redrive")) == 2)
        changed: Any = stage.called("redrive")[1]
        assert json.loads(changed[2]["m1"]) == {"order": 7}
        await stage.shows("redriven")

    play(story, engine)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_payload_is_edited_as_escapes_and_comes_out_as_it_was(text: str) -> None:
    payload = json.dumps({"name": text})
    assert is_harmless(editable(payload))
    assert json.loads(editable(payload)) == json.loads(payload)


def test_x_exports_what_is_shown_as_private_json_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    engine = three()
    engine.payload = '{\n "big": 12345678901234567890.10, "text": "\\u001b[31m"}'

    async def story(stage: Stage) -> None:
        await stage.press("4", "x")
        await stage.shows("exported 3 dead letters: dead-letters-")

    play(story, engine)
    [file] = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    lines = file.read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["m1", "m2", "m3"]
    assert all('"big": 12345678901234567890.10, "text": "\\u001b[31m"' in line for line in lines)


def test_only_the_marked_ones_are_exported_and_a_file_that_is_there_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("time.strftime", lambda *_: "same.jsonl")
    engine = three()

    async def story(stage: Stage) -> None:
        await stage.press("4", "space", "x")
        await stage.shows("exported 1 dead letter: same.jsonl in")
        await stage.press("x")
        await stage.shows("not exported: [Errno 17] File exists")

    play(story, engine)
    assert len((tmp_path / "same.jsonl").read_text().splitlines()) == 1


@pytest.mark.parametrize("payload", ["{}", "[1, 2.50]", "no json", '"a\\nb"', "\r\n{\r\n}"])
def test_a_payload_stands_in_its_line_letter_for_letter(payload: str) -> None:
    line = json_line({"id": "m1", "payload": payload})
    assert "\n" not in line
    found = json.loads(line)["payload"]
    assert found == (payload if payload == "no json" else json.loads(payload))


def test_c_groups_by_error_enter_opens_one_and_escape_goes_back() -> None:
    engine = three()
    letters = engine.rows["dlq"]
    group = {"id": "ValueError: no luck", "error": "ValueError: no luck", "count": 3, "function": "2 functions"}
    groups = [group | {"first_at": NOW - 90, "dead_at": NOW - 20}]

    async def story(stage: Stage) -> None:
        await stage.press("4", "c")
        await stage.until(lambda: engine.client and engine.client.views["dlq"].get("by_error"))
        engine.rows["dlq"] = groups
        engine.publish()
        await stage.shows("COUNT", "FIRST", "LAST", "2 functions", "by error")
        assert stage.app.main.selected in ("always-fails", "flaky")
        engine.rows["dlq"] = letters
        await stage.press("enter")
        await stage.until(lambda: engine.client and engine.client.views["dlq"].get("error") == group["id"])
        await stage.shows("TRIES")
        await stage.press("escape")
        await stage.until(lambda: engine.client and engine.client.views["dlq"].get("by_error"))
        await stage.press("escape")
        await stage.until(lambda: engine.client and "by_error" not in engine.client.views["dlq"])

    play(story, engine)


def test_a_purge_of_a_group_counts_its_dead_letters() -> None:
    engine = three()
    letters = engine.rows["dlq"]
    group = {"id": "E", "error": "E", "count": 3, "function": "flaky", "first_at": NOW, "dead_at": NOW}

    async def story(stage: Stage) -> None:
        await stage.press("4", "c")
        engine.rows["dlq"] = [group]
        engine.publish()
        await stage.shows("COUNT")
        engine.rows["dlq"] = letters
        await stage.press("d")
        await stage.shows("Purge 3 dead letters?")

    play(story, engine)


def test_the_first_new_dead_letter_rings_once_until_somebody_looks() -> None:
    badge = DeadLetterBadge()
    assert not badge.look(5, is_seen=False)  # they were there before
    assert badge.look(6, is_seen=False)
    assert not badge.look(9, is_seen=False)
    assert badge.new == 4
    assert not badge.look(9, is_seen=True)
    assert badge.new == 0
    assert not badge.look(8, is_seen=False)
    assert badge.look(9, is_seen=False)


def test_a_new_dead_letter_stands_in_the_title_of_its_pane(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, rung = three(), []

    async def story(stage: Stage) -> None:
        monkeypatch.setattr(stage.app, "bell", lambda: rung.append(1))
        engine.rows["dlq"].insert(0, dead(4))
        engine.totals["dead_letters"] = 4
        engine.publish()
        await stage.shows("4 DLQ 4 · 1 new")
        await stage.press("4")
        await stage.hides("1 new")

    play(story, engine)
    assert rung == [1]
