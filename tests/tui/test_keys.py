"""Every key of the monitor does what the help says."""

import asyncio
import json

import pytest
from fake_engine import (
    NOW,
    FakeEngine,
    bill,
    call,
    dead,
    function,
    life,
    queued,
    request_id,
    retry,
    running,
)
from stage import Stage, play

from lamtop.tui.keymap import KEYS


def busy() -> FakeEngine:
    engine = FakeEngine("always-fails", "request-response", "flaky")
    engine.rows["queue"] = [queued(number) for number in range(1, 60)]
    engine.rows["inflight"] = [running(101)]
    engine.rows["retries"] = [retry(201)]
    engine.rows["dlq"] = [dead(1), dead(2, "flaky"), dead(3, queue=None)]
    engine.lives[request_id(1)] = life(1)
    return engine


def test_a_digit_focuses_its_pane_and_the_same_digit_zooms_it() -> None:
    async def story(stage: Stage) -> None:
        for digit, pane in zip("123456", ["queue", "inflight", "retries", "dlq", "logs", "functions"], strict=True):
            await stage.press(digit)
            assert stage.app.main.focused_pane == pane
            assert stage.app.focused is not None
            assert stage.app.focused.id == pane
        await stage.press("6")
        await stage.hides("1 Queue")
        await stage.press("6")
        await stage.shows("1 Queue")

    play(story, busy())


def test_tab_goes_round_the_panes_and_z_zooms_and_0_brings_all_back() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("tab")
        assert stage.app.main.focused_pane == "timeline"
        await stage.press("tab")
        assert stage.app.main.focused_pane == "queue"
        await stage.press("shift+tab", "shift+tab", "shift+tab")
        assert stage.app.main.focused_pane == "logs"
        await stage.press("z")
        await stage.hides("6 Functions")
        await stage.press("0")
        await stage.shows("6 Functions", "4 DLQ")
        await stage.press("z", "escape")
        await stage.shows("6 Functions")

    play(story, busy())


def test_the_cursor_moves_by_letters_arrows_and_pages() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("1")
        table = stage.table("queue")
        for keys, place in [
            (("j", "down"), 2),
            (("k", "up"), 0),
            (("G",), 58),
            (("g",), 0),
            (("end",), 58),
            (("home",), 0),
            (("pagedown",), table.page - 1),
            (("pageup",), 0),
            (("ctrl+d",), table.page // 2),
            (("ctrl+u",), 0),
        ]:
            await stage.press(*keys)
            assert table.cursor == place, keys

    play(story, busy())


def test_the_end_of_a_long_list_is_asked_for_when_one_goes_there() -> None:
    engine = busy()
    engine.rows["queue"] = [queued(number) for number in range(5000)]

    async def story(stage: Stage) -> None:
        await stage.press("1", "z", "G")
        await stage.shows(request_id(4999)[:4])
        await stage.until(lambda: stage.table("queue").row(), "the row under the cursor")
        assert stage.table("queue").cursor_id in (None, request_id(4999))
        assert engine.client is not None
        assert engine.client.views["queue"]["limit"] < 200

    play(story, engine)


def test_i_invokes_without_blocking_and_shows_the_result() -> None:
    engine = busy()

    async def story(stage: Stage) -> None:
        engine.hold = asyncio.Event()
        await stage.press("i")
        await stage.shows("always-fails · synchronous", "running…")
        engine.hold.set()
        await stage.shows("200 after 2 ms", '"body": "hello"')
        assert stage.called("sync") == [("sync", "always-fails", b"{}")]
        await stage.press("escape")
        await stage.shows("always-fails answered 200 in 2 ms")

    play(story, engine)


def test_a_closed_result_panel_does_not_stop_the_invocation() -> None:
    engine = busy()

    async def story(stage: Stage) -> None:
        engine.hold = asyncio.Event()
        await stage.press("i", "escape")
        await stage.shows("1 Queue")
        engine.hold.set()
        await stage.shows("always-fails answered 200")

    play(story, engine)


def test_a_function_error_shows_its_type_and_its_traceback() -> None:
    engine = busy()
    trace = json.dumps(
        {"errorMessage": "no luck", "errorType": "ValueError", "stackTrace": ['  File "a.py", line 3, in f\n']}
    )
    engine.answer = lambda *_: {
        "request_id": request_id(1),
        "status": 200,
        "payload": trace,
        "error": "ValueError: no luck",
        "took": 1.2,
    }

    async def story(stage: Stage) -> None:
        await stage.press("i")
        await stage.shows(
            "function error after 1.2 s", "ValueError: no luck", 'File "a.py", line 3', "printed by the handler"
        )

    play(story, engine)


def test_a_sends_an_asynchronous_event_to_the_selected_function() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("j", "a")
        await stage.shows("202 accepted", "for request-response in 2 ms", "function: request-response")
        assert stage.called("async") == [("async", "request-response", b"{}")]

    play(story, busy())


def test_keys_that_come_all_at_once_act_on_the_row_they_were_aimed_at() -> None:
    async def story(stage: Stage) -> None:
        await stage.pilot.pause()
        for key in "jja":
            stage.send(key)
        await stage.shows("202 accepted")
        assert stage.called("async") == [("async", "flaky", b"{}")]

    play(story, busy())


def test_the_selected_function_is_that_of_the_row_one_goes_to_and_stays_when_rows_move() -> None:
    engine = busy()

    async def story(stage: Stage) -> None:
        await stage.press("4", "j")
        await stage.shows("function: flaky")
        engine.rows["dlq"] = []
        engine.publish()
        await stage.shows("No dead letters")
        assert stage.app.main.selected == "flaky"

    play(story, engine)


def test_r_reloads_and_says_what_was_loaded() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("r")
        await stage.shows("reloaded always-fails v2")

    play(story, busy())


def test_m_redrives_the_row_under_the_cursor_or_the_marked_ones() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("4", "m")
        await stage.until(lambda: stage.called("redrive") == [("redrive", "m1")])
        await stage.shows("redriven")
        await stage.press("g", "space", "space")
        await stage.shows("2 marked")
        await stage.press("m")
        await stage.until(lambda: stage.called("redrive")[-1] == ("redrive", "m1", "m2"))

    play(story, busy())


def test_capital_m_asks_before_it_redrives_all() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("4", "M")
        await stage.shows("Redrive 3 dead letters?")
        await stage.press("n")
        await stage.hides("Redrive 3")
        assert not stage.called("redrive")
        await stage.press("M", "y")
        await stage.until(lambda: stage.called("redrive") == [("redrive", "m1", "m2", "m3")])

    play(story, busy())


def test_a_filter_is_typed_live_kept_by_enter_and_cleared_by_escape() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("4", "slash", *"flaky")
        await stage.until(lambda: stage.table("dlq").rows.total == 1, "the engine filters")
        assert not stage.called("sync")
        await stage.press("enter")
        await stage.shows("4 DLQ 1 · /flaky")
        assert stage.app.focused is stage.table("dlq")
        await stage.press("escape")
        await stage.until(lambda: stage.table("dlq").rows.total == 3)
        await stage.press("slash", *"nothing")
        await stage.shows("Nothing matches /nothing")
        await stage.press("escape")
        await stage.until(lambda: stage.table("dlq").rows.total == 3)

    play(story, busy())


def test_s_sorts_by_the_next_column_and_capital_s_turns_it_round() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("4", "s")
        await stage.shows("by function↑")
        await stage.press("S")
        await stage.shows("by function↓")
        await stage.until(lambda: next(iter(stage.table("dlq").rows.window()))["function"] == "flaky")

    play(story, busy())


def test_y_copies_the_request_id() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("4", "y")
        assert stage.app.clipboard == request_id(1)
        await stage.press("6", "y")
        assert stage.app.clipboard == "always-fails"

    play(story, busy())


def test_enter_opens_the_life_of_the_request_and_escape_goes_back() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("4", "enter")
        await stage.shows("202 after 2 ms", "2 of 2 retries left", "try 1", "ValueError: no luck")
        await stage.press("right_square_bracket")
        await stage.shows('"order": 7')
        await stage.press("right_square_bracket")
        await stage.shows("printed by the handler")
        await stage.press("left_square_bracket", "y")
        assert stage.app.clipboard == request_id(1)
        await stage.press("question_mark")
        await stage.shows("next attempt")
        await stage.press("escape", "escape")
        await stage.shows("1 Queue")

    play(story, busy())


def test_the_inspector_follows_the_request_and_redrives_it_at_its_end() -> None:
    engine = busy()

    async def story(stage: Stage) -> None:
        await stage.press("4", "enter")
        await stage.shows("next try in 2.0s")
        end = {"state": "discarded", "condition": "RetriesExhausted", "ended_at": engine.time["engine"]}
        engine.lives[request_id(1)] |= end | {
            "deliveries": [{"kind": "dlq", "target": "dlq-1", "delivered": True, "error": None}]
        }
        engine.rows["dlq"][0]["attempts"] = 4
        engine.publish()
        await stage.shows("RetriesExhausted: 1 of 3 tries failed → dead-letter queue dlq-1")
        await stage.press("m")
        await stage.until(lambda: stage.called("redrive") == [("redrive", "m1")])

    play(story, engine)


def test_n_shows_another_attempt() -> None:
    engine = busy()
    first = engine.lives[request_id(1)]["attempts"][0]
    engine.lives[request_id(1)]["attempts"] = [first, first | {"number": 2, "error": "KeyError: second"}]

    async def story(stage: Stage) -> None:
        await stage.press("4", "enter")
        await stage.shows("attempt 2 of 2")
        await stage.press("N")
        await stage.shows("attempt 1 of 2")
        await stage.press("n")
        await stage.shows("attempt 2 of 2")

    play(story, engine)


def chain() -> FakeEngine:
    """chain-a called chain-b once and sent flaky an event; both are asked for by their ids."""
    engine = busy()
    caller = {"id": request_id(1), "function": "chain-a", "attempt": 1}
    calls = [call(0x2B), call(0x3C, "flaky", kind="event", state="queued", ended_at=None)]
    attempt = life(1)["attempts"][0] | {"waited": 1.5, "billed_ms": 3100, "cost": 0.0000067}
    cost = bill(requests=1, billed_ms=3100, gb_seconds=0.3875, duration_cost=6.46e-6, request_cost=2e-7, cost=6.66e-6)
    cost |= {"waited_gb_seconds": 0.1875, "waited_cost": 3.1e-6}
    engine.lives[request_id(1)] = life(1, function="chain-a", calls=calls, attempts=[attempt], bill=cost)
    engine.lives[request_id(0x2B)] = life(
        0x2B, function="chain-b", caller=caller, qualifier="live", executed_version="2"
    )
    return engine


def test_a_digit_goes_to_a_call_and_c_to_the_caller() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("4", "enter")
        await stage.shows("→ 1", "chain-b 002b · 1.5 s", "→ 2", "flaky 003c · 202 at once", "waited 1.5 s")
        await stage.press("1")
        await stage.shows("called by chain-a 0001, attempt 1", "chain-b:live → version 2")
        await stage.press("c")
        await stage.shows("chain-b 002b · 1.5 s")
        await stage.press("7")
        await stage.shows("it has made 2 calls")
        await stage.press("c")
        await stage.shows("it was not called by an invocation")
        await stage.press("escape", "escape", "escape")
        await stage.shows("1 Queue")

    play(story, chain())


def test_the_inspector_tells_what_a_request_cost_and_where_its_log_is() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("4", "enter")
        await stage.shows("cost $0.0000067 for 1 attempt", "billed 3,100 ms = $0.0000067")
        await stage.press("left_square_bracket")
        await stage.shows("[Calls and cost]", "0.388 GB-s, 3.1 s billed", "Double billing: 47% of the bill")
        await stage.press("left_square_bracket", "left_square_bracket")
        await stage.shows("/aws/lambda/always-fails", "stream e1", "printed by the handler")

    play(story, chain())


def test_the_sheet_of_a_function_tells_its_bill_its_counters_and_its_settings() -> None:
    engine = chain()
    cost = bill(requests=2, billed_ms=3000, gb_seconds=0.375, duration_cost=6.25e-6, request_cost=4e-7, cost=6.66e-6)
    cost |= {"waited_gb_seconds": 0.1, "waited_cost": 1.7e-6}
    counters = engine.rows["functions"][0]["metrics"] | {"Invocations": 2, "AsyncEventsDropped": 1}
    engine.rows["functions"][0] |= {
        "bill": cost,
        "cost_per_million": 3.33,
        "metrics": counters,
        "layers": ["/x/shared"],
    }
    engine.rows["functions"][0] |= {"versions": ["1", "2"], "aliases": [["live", "2"]], "lab": ["retries after 1 s"]}
    engine.rows["functions"][0] |= {"log_format": "JSON", "dead_letter_queue": "dlq-1", "recursive_loop": "Allow"}

    async def story(stage: Stage) -> None:
        await stage.press("enter")
        await stage.shows("$0.0000067", "$3.33", "26% of the bill was spent waiting", "2026-05-05, no free tier")
        await stage.shows("Invocations", "AsyncEventsDropped", "RecursiveInvocationsDropped")
        await stage.shows(
            "always_fails.handler · python3.13 · x86_64", "shared", "1, 2 · live → 2", "JSON, application"
        )
        await stage.shows("dead-letter queue dlq-1", "Allow", "lab, not AWS", "retries after 1 s", "lazy: one more")

    play(story, engine)


def test_the_zoomed_functions_tell_what_each_and_all_of_them_cost() -> None:
    engine = FakeEngine()
    engine.rows["functions"] = [function("chain-a", cost=6.66e-6, cost_per_million=3.33, waited_share=0.47)]
    engine.totals |= {"cost": 6.66e-6, "waited_cost": 3.1e-6}

    async def story(stage: Stage) -> None:
        await stage.hides("WAITED")
        await stage.press("z")
        await stage.shows("COST", "PER 1M", "WAITED", "$0.0000067", "$3.33", "47%")
        await stage.shows("on AWS $0.0000067 since the start, 47% of it waiting for others")

    play(story, engine)


def test_n_lists_what_the_engine_has_said_and_what_stands() -> None:
    engine = busy()

    async def story(stage: Stage) -> None:
        said = [
            {"seq": 1, "at": NOW, "level": "info", "text": "orders v7, orders.py changed, 14 ms"},
            {"seq": 2, "at": NOW + 1, "level": "warning", "text": "template.yaml: Layers: not there"},
        ]
        engine.totals["standing"] = [{"level": "error", "text": "the disk is full"}]
        engine.publish(notices=said)
        await stage.press("n")
        await stage.shows("notices", "✗ the disk is full", "✓ orders v7, orders.py changed", "! template.yaml: Layers")
        await stage.press("escape")
        await stage.shows("1 Queue")

    play(story, engine)


def test_enter_on_a_function_shows_it_in_full() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("enter")
        await stage.shows("always_fails.handler", "not reserved")
        await stage.press("escape")
        await stage.shows("1 Queue")

    play(story, busy())


@pytest.mark.parametrize("pane", ["4", "5"])
def test_help_shows_the_keys_of_the_focused_pane_first(pane: str) -> None:
    async def story(stage: Stage) -> None:
        await stage.press(pane, "question_mark")
        await stage.shows("Every pane", "invoke the selected function")
        lines = stage.screen()
        assert ("redrive the marked" in lines) == (pane == "4")
        await stage.press("escape")
        await stage.shows("1 Queue")

    play(story, busy())


def test_the_poller_is_paused_and_resumed_and_everybody_is_told() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("P")
        await stage.shows("PAUSED: events wait; P resumes", "· PAUSED", "PAUSED: events wait here")
        assert stage.screen().split("\n")[0].count("PAUSED") == 1
        await stage.press("P")
        await stage.shows("resumed: events begin again")
        await stage.hides("PAUSED")
        assert [call for call in stage.engine.calls if call[0] in ("pause", "resume")] == [("pause",), ("resume",)]

    play(story)


def test_q_quits_with_exit_code_0() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("q")
        await stage.until(lambda: stage.app._exit)

    assert play(story, busy()).return_code == 0


def test_no_key_means_two_things_in_one_place() -> None:
    for place in ("main", "dlq", "inspector", "result", "sheet", "ask", "events"):
        keys = [key for name in {place, "rows"} for entry in KEYS[name] for key in entry.keys.split(",")]
        if place == "dlq":
            keys += [key for entry in KEYS["main"] for key in entry.keys.split(",")]
        assert sorted(set(keys)) == sorted(keys), place
    for place in ("form", "choice", "burst", "filter"):  # over the panes, and without their movement keys
        keys = [key for entry in KEYS[place] for key in entry.keys.split(",")]
        assert sorted(set(keys)) == sorted(keys), place


def test_every_binding_has_an_id_of_its_own_and_says_what_it_does() -> None:
    entries = [entry for place in KEYS.values() for entry in place]
    assert len({entry.id for entry in entries}) == len(entries)
    assert all(entry.does for entry in entries)


def test_no_key_is_one_that_terminals_or_multiplexers_keep_for_themselves() -> None:
    lost = {"ctrl+a", "ctrl+b", "ctrl+h", "ctrl+i", "ctrl+j", "ctrl+m", "ctrl+z", "ctrl+enter"}
    first_keys = {entry.keys.split(",")[0] for place in KEYS.values() for entry in place}
    others = {key for place in KEYS.values() for entry in place for key in entry.keys.split(",")[1:]}
    assert not first_keys & lost
    assert others & lost == {"ctrl+enter"}  # few terminals can tell it from enter; ctrl+s does the same in all


def test_the_foot_of_functions_names_the_handler_of_the_row_that_somebody_just_went_to() -> None:
    engine = FakeEngine()
    engine.rows["functions"] = [function(name, handler=f"{name}.handler") for name in ("one", "two")]

    async def story(stage: Stage) -> None:
        stage.app.main._paint.soon = lambda: None  # type: ignore[method-assign]  # no picture comes by itself
        await stage.press("j")
        assert "two.handler" in str(stage.table("functions").border_subtitle)

    play(story, engine, (100, 30))
