"""The fault panel, its banner and the keys of time: what they ask the engine for, and that nobody forgets a fault."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from fake_engine import NOW, FakeEngine, armed, function, life, queued, request_id
from stage import Stage, play

from lamtop.engine import Engine, Settings
from lamtop.engine.core.fault import ON_DELIVERY, TIMED, Kind
from lamtop.tui import fault_kinds, sentences
from lamtop.tui.app import Lamtop
from lamtop.tui.client import LocalClient
from lamtop.tui.fault_draft import PRESETS, FaultDraft
from lamtop.tui.fault_grammar import trouble
from lamtop.tui.format import clock
from lamtop.tui.life_picture import drawn
from lamtop.tui.life_rows import scale_of, spans
from lamtop.tui.model import EngineTime
from lamtop.tui.story import facts
from lamtop.tui.time_words import next_speed, time_words

ORDERS = sentences.Known(["orders", "order-mail"], ["dead"], [armed(2, "orders timeout 50% 25x 18s")])


def test_the_panel_offers_every_kind_under_a_letter_of_its_own() -> None:
    assert sorted(one.word for one in fault_kinds.KINDS) == sorted(Kind)
    assert len({one.letter for one in fault_kinds.KINDS}) == len(Kind)
    assert fault_kinds.TIMED == TIMED
    assert fault_kinds.ON_DELIVERY == ON_DELIVERY


def test_fields_make_the_sentence_that_the_command_line_takes() -> None:
    draft = FaultDraft("timeout", "orders", percent="50", count="25", lasts="20", seed="7")
    assert draft.sentence() == "orders timeout 50% 25x 20s seed=7"
    assert FaultDraft().of_kind("delay").sentence() == "all delay +2s"
    assert FaultDraft("delay", delay="2..5s", percent="5%").sentence() == "all delay 5% +2s..5s"
    assert FaultDraft("error", delay="2s", request="3f2a", payload='{"id": 1}').sentence() == (
        'all error request=3f2a if {"id": 1}'
    )
    everything = {"percent": "5", "count": "2", "lasts": "9", "delay": "2s", "payload": "{}", "seed": "1"}
    for one in fault_kinds.KINDS:  # fields that a kind does not take are left out
        assert trouble(FaultDraft(one.word, request="3f2a", **everything).sentence()) == ""
    assert [trouble(preset.sentence()) for _, preset in PRESETS] == [""] * 4


@pytest.mark.parametrize(
    ("typed", "first", "how_many"),
    [
        ("fault ", "fault orders", 5),
        ("fault ord", "fault orders", 2),
        ("fault orders t", "fault orders timeout", 2),
        ("fault dead ", "fault dead dlq", 2),
        ("fault all delay ", "fault all delay", 6),
        ("fault all stall ", "fault all stall", 2),
        ("fault orders timeout 50% 25x", "fault orders timeout 50% 25x", 1),
        ("fault clear", "fault clear", 2),
        ("fault clear 2", "fault clear 2", 1),
        ("speed 1", "speed 1/4", 3),
        ("speed 3", "speed 3", 1),
        ("jump", "jump", 1),
        ("fault orders tiemout", "", 0),
    ],
)
def test_sentences_are_completed_word_by_word(typed: str, first: str, how_many: int) -> None:
    found = sentences.sentences(typed, ORDERS)
    assert len(found) == how_many
    assert [one.text for one in found[:1]] == [first] * bool(first)


def test_what_is_wrong_with_a_sentence_is_told_by_the_grammar() -> None:
    assert "'tiemout' is no kind of fault; use one of error" in sentences.problem("fault orders tiemout")
    assert "use more than 0% and at most 100%" in sentences.problem("fault orders error 150%")
    assert "'fast' is no speed" in sentences.problem("speed fast")


def test_time_is_told_where_it_is_not_that_of_the_wall(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("lamtop.tui.model.time.monotonic", lambda: now[0])
    time = EngineTime()
    told = []
    for rate, mode, ahead in ((1, "real", 0.2), (0.25, "scaled", -90), (0, "scaled", 120), (16, "simulated", 9)):
        time.take({"engine": NOW + ahead, "wall": NOW, "rate": rate, "mode": mode})
        told.append(time_words(time))
    assert told == ["", "x1/4 -1:30", "time stands still +2:00", "simulated x16"]
    time.take({"engine": NOW, "wall": NOW, "rate": 16, "mode": "scaled"})
    now[0] += 2
    time.go_at(1.0)
    now[0] += 5
    assert (time.now() - NOW, time_words(time)) == (37, "+30s")
    assert [next_speed(1, 1), next_speed(0.25, -1), next_speed(0, -1), next_speed(60, 1), next_speed(999, 1)] == [
        4, 0, 0, 64, 999,
    ]  # fmt: skip


def test_a_few_keys_arm_a_timeout_for_half_of_the_next_events() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("F")
        await stage.shows("no fault was armed yet; f arms one")
        await stage.press("f", "t", "tab", "tab", *"150")
        await stage.shows("'150%' is not allowed; use more than 0%")
        await stage.press("enter", "backspace", "backspace", "backspace", *"50", "tab", *"25")
        await stage.shows("arms       always-fails timeout 50% 25x", "the handler hangs until its time is up")
        await stage.press("enter")
        await stage.hides("what is to go wrong")
        assert stage.called("arm") == [("arm", "always-fails timeout 50% 25x")]
        await stage.shows("↯ always-fails: timeout 50%", "↯1 fault", "X clears all")
        for verb in ("disarm", "arm"):
            await stage.press("F")
            await stage.until(lambda verb=verb: len(stage.called(verb)) == (2 if verb == "arm" else 1), verb)
        await stage.press("X")
        await stage.hides("↯")
        assert stage.called("disarm") == [("disarm", 1), ("disarm", None)]

    play(story)


def test_the_panel_lists_what_is_armed_and_clears_one_and_remembers_its_fields() -> None:
    engine = FakeEngine()
    engine.rows["functions"] = [function("always-fails", dead_letter_queue="dead"), function("request-response")]
    counted = armed(3, "all error 30% 25x 18s", count=25, hits=12, candidates=40, until=NOW + 18)
    engine.totals["faults"] = [counted, armed(4, "orders delay +2s..5s", hits=1, candidates=9)]

    async def story(stage: Stage) -> None:
        await stage.shows("↯ all: error 30% · 12 of 25 hit · ends in 0:18", "+1 more", "f lists", "↯2 ")
        await stage.press("f", "3", "shift+tab")
        await stage.shows("arms       always-fails delay 5% +2s..5s", "armed (2)", "orders: delay +2s..5s")
        await stage.shows("1 hit of 9", "del clear")
        await stage.press("down", "minus")
        await stage.until(lambda: stage.called("disarm"), "one was cleared")
        assert stage.called("disarm") == [("disarm", 4)]
        await stage.press("tab", "q")
        await stage.shows("arms       dead dlq 5%")
        await stage.press("tab", "right")
        await stage.shows("arms       all dlq 5%")
        await stage.press("escape", "f")
        await stage.shows("dlq 5%")

    play(story, engine, (80, 24))


def test_a_fault_for_one_request_and_what_the_engine_does_not_take_is_said_in_the_panel() -> None:
    engine = FakeEngine()
    engine.rows["queue"] = [queued(1)]
    engine.lives[request_id(1)] = life(1)

    async def story(stage: Stage) -> None:
        await stage.press("1", "f", "k")
        await stage.shows(f"arms       always-fails kill request={request_id(1)}")
        engine.refuse = ValueError("there is no such request")
        await stage.press("enter")
        await stage.shows("✗ there is no such request", "what is to go wrong")
        engine.refuse = None
        await stage.press("i")
        await stage.shows("arms       always-fails init-error")
        await stage.press("escape", "enter", "f", "k")
        await stage.shows(f"arms       always-fails kill request={request_id(1)}")

    play(story, engine)


async def write(stage: Stage, text: str) -> None:
    """Type into the palette as quickly as one can."""
    await stage.press("colon")
    for letter in text:
        stage.send(letter)
    await stage.press()


def test_the_palette_takes_sentences_and_completes_them() -> None:
    async def story(stage: Stage) -> None:
        await write(stage, "fault req")
        await stage.shows("fault request-response", "what goes wrong with it?")
        await stage.press("tab", *"time", "enter")
        await stage.until(lambda: stage.called("arm"), "it was armed")
        assert stage.called("arm") == [("arm", "request-response timeout")]
        await write(stage, "fault request-response tiemout")
        await stage.shows("✗ 'tiemout' is no kind of fault")
        await stage.press("enter", "escape")
        await write(stage, "fault clear")
        await stage.press("enter")
        await stage.until(lambda: stage.called("disarm"), "it was cleared")
        await write(stage, "speed 16")
        await stage.press("enter")
        await stage.shows("x16")
        await write(stage, "jump")
        await stage.press("enter")
        await stage.until(lambda: stage.called("jump"), "time jumped")

    play(story)


def test_keys_make_time_faster_and_slower_and_jump() -> None:
    engine = FakeEngine()
    engine.time |= {"rate": 1.0, "mode": "real"}

    async def story(stage: Stage) -> None:
        for keys, words in ((">>", "x16"), ("<", "x4"), ("<<<", "time stands still"), ("<", "W steps"), (">", "x1/4")):
            for key in keys:
                stage.send(key)
            await stage.shows(words)
        assert [speed for _, speed in stage.called("speed")] == [4, 16, 4, 1, 0.25, 0, 0, 0.25]
        await stage.press("W")
        await stage.shows("left out 59.5 s, to what was due next", "+59s")

    play(story, engine)


CODE = "def echo(event, context):\n    return event\n"
TEMPLATE = """
Resources:
  Dead:
    Type: AWS::SQS::Queue
    Properties: {QueueName: dead}
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: orders
      Handler: app.echo
      Runtime: python3.13
      DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Dead.Arn}
"""


LiveStory = Callable[[Stage], Awaitable[None]]


@pytest.fixture
def live(tmp_path: Path) -> Callable[[LiveStory], None]:
    """Plays a story on a monitor of a real engine, whose simulated time passes when keys say so."""
    (tmp_path / "app.py").write_text(CODE)
    (tmp_path / "template.yaml").write_text(TEMPLATE)

    def run(story: LiveStory) -> None:
        asyncio.run(asyncio.wait_for(_run(story), 60))

    async def _run(story: LiveStory) -> None:
        source, state = tmp_path / "template.yaml", tmp_path / "state"
        engine = Engine(Settings(source, state, port=0, watch=False, simulate=1, paced=True))
        await engine.start(listen=False)

        async def connect() -> LocalClient:
            return LocalClient(engine)

        app = Lamtop(connect)
        async with app.run_test(size=(140, 40)) as pilot:
            stage = Stage(app, pilot, FakeEngine())
            await stage.lives(lambda: app.main.selected == "orders", "the first frame")
            await story(stage)
        await engine.stop()

    return run


def test_a_fault_hits_retries_follow_time_jumps_and_a_dead_letter_says_it_for_good(
    live: Callable[[LiveStory], None],
) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("f", "e", "tab", "tab", "tab", *"25", "enter")
        await stage.lives(lambda: "orders: error" in stage.screen(), "the banner")
        await stage.press("a")
        for number in (1, 2):
            await stage.lives(lambda n=number: f"{n} of 25 hit" in stage.screen(), "a hit")
            await stage.lives(lambda: stage.app.model.totals["retrying"] == 1, "a retry")
            await stage.press("W")
            await stage.lives(lambda n=number: "to what was due next" in stage.screen(), "the jump")
        await stage.lives(lambda: stage.app.model.totals["dead_letters"] == 1, "the dead letter")
        await stage.press("4", "z")
        await stage.lives(lambda: "↯ injected: error (fault 1) · InjectedFault" in stage.screen(), "its row")
        await stage.press("enter")
        await stage.lives(lambda: stage.screen().count("↯ injected: error (fault 1)") >= 3, "three attempts")
        await stage.press("X")
        await stage.lives(lambda: not stage.app.model.faults, "all cleared")
        await stage.press("escape", "z", "a")
        await stage.lives(lambda: stage.app.model.totals["succeeded"] == 1, "a success")

    live(story)


def test_plain_lines_and_the_axis_say_which_fault_hit() -> None:
    told = life(1)
    told["attempts"][0]["injected"] = "timeout (fault 2)"
    words = [fact.words for fact in facts(told)]
    assert words[1:] == [
        "running, attempt 1 of 3, cold start, ↯ injected: timeout (fault 2)",
        "failed, attempt 1 of 3, ↯ injected: timeout (fault 2): ValueError: no luck; "
        f"next try at {clock(NOW + 2)}, 1 min 2 s later",
    ]
    rows = spans(told, NOW)
    tried = next(row for row in rows if row.label == "try 1")
    assert drawn(tried, scale_of(rows, 40))[0][0].rstrip().endswith("█↯")
    told["running"] = {"number": 2, "started_at": NOW - 1, "timeout": 3, "injected": "delay (fault 3)"}
    assert spans(told, NOW)[-1].words == "running 1 s of 3 s · ↯ injected: delay (fault 3)"
