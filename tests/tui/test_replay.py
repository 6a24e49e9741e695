"""A recording on the screen: the same panes, keys that go through it, and nothing that runs."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from stage import HOSTILE, Stage, is_harmless, play
from textual import events

from lamtop.engine import Replay, open_recording
from lamtop.engine.core.event import Outcome
from lamtop.engine.core.function import Function
from lamtop.engine.core.function_values import values_of
from lamtop.engine.core.invocation import Invocation
from lamtop.engine.store import Configurations, History
from lamtop.tui.app import Lamtop
from lamtop.tui.bounds import place, seconds_of
from lamtop.tui.key_file import use_keys
from lamtop.tui.keymap import KEYS, NOTHING_RUNS, PANE_TITLES, REMAPPED, at_once, keys_of
from lamtop.tui.replay_client import ReplayClient
from lamtop.tui.widgets.transport import Transport
from simulation.world import FAILED, RETURNED, World

DEAD = "arn:aws:sqs:us-east-1:000000000000:dead"
FUNCTIONS = [Function("a-works", "a.handler", "/x"), Function("b-fails", "b.handler", "/x", dead_letter_queue=DEAD)]
Story = Callable[[Stage], Awaitable[None]]


def record(folder: Path, words: str = "prints") -> Path:
    """What a real dispatcher leaves of some minutes: one that works for 30 s at 0:00, one that fails at 0:05 and twice
    more, one that works at 0:08."""

    def script(invocation: Invocation) -> tuple[Outcome, float]:
        history.line(invocation.function.name, invocation.request_id, 1, world.clock.now(), "output", words)
        if invocation.function.name == "b-fails":
            return FAILED._replace(error_message=words), 1.0
        return RETURNED, 30.0

    history = History(folder)
    world = World(folder, FUNCTIONS, script)
    Configurations(folder).note(world.clock.now(), {"functions": [values_of(one) for one in FUNCTIONS]})
    start = world.clock.now()
    for after, name in ((0.0, "a-works"), (5.0, "b-fails"), (8.0, "a-works")):
        world.run(start + after)
        world.send(name)
    world.run()
    world.store.close()
    history.close()
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record(tmp_path_factory.mktemp("recording") / "state")


@pytest.fixture(autouse=True)
def default_keys() -> Iterator[None]:
    yield
    REMAPPED.clear()


def watch(folder: Path, story: Story, size: tuple[int, int] = (140, 40), **how: Any) -> Lamtop:
    """Play a story on a recording that stands at its beginning."""

    async def go() -> Lamtop:
        replay = Replay(open_recording(folder, folder), **how)

        async def connect() -> ReplayClient:
            replay.start()
            return ReplayClient(replay)

        app = Lamtop(connect)
        try:
            async with app.run_test(size=size) as pilot:
                stage = Stage(app, pilot, replay)  # type: ignore[arg-type]
                await stage.lives(lambda: app.model.rows["functions"].total, "the first frame")
                await story(stage)
        finally:
            replay.close()
        return app

    return asyncio.run(go())


async def at(stage: Stage, place: str) -> None:
    """Until the header says that it stands there, and the panes do."""
    time = stage.app.model.time
    await stage.lives(lambda: f"REPLAY {place}" in stage.screen() and stage.app.link.client is not None, place)
    await stage.lives(lambda: time.engine == time.now(), "the time stands")


async def has(stage: Stage, *texts: str) -> None:
    for text in texts:
        await stage.lives(lambda text=text: text in stage.screen(), f"{text!r} on the screen")


# -- where one is ------------------------------------------------------------------------------------------------------


def test_every_layout_says_that_it_is_a_replay_and_where_in_it_one_is(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        for size, words in (
            ((140, 40), "REPLAY 0:00 of 3:08 held still"), ((100, 30), "REPLAY 0:00 of 3:08 held still"),
            ((80, 24), "REPLAY 0:00/3:08 held"), ((60, 15), "REPLAY 0:00/3:08 held"),
        ):  # fmt: skip
            await stage.pilot.resize_terminal(*size)
            await stage.lives(
                lambda size=size: {cell_len(line) for line in stage.screen().splitlines()} == {size[0]}, f"{size}"
            )
            await has(stage, words)
        await stage.press("full_stop")
        await has(stage, "REPLAY 0:05/3:08 held")

    watch(folder, story)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "0:00"), (59.999, "0:59"), (133.2, "2:13"), (3_600.0, "1:00:00"), (90_061.0, "25:01:01")],
)
def test_a_place_is_written_as_a_clock_has_it_and_read_as_it_is_written(seconds: float, words: str) -> None:
    assert place(seconds) == words
    assert seconds_of(words) == int(seconds)


@pytest.mark.parametrize("words", ["", "x", "1:2:3:4", "-1", "1:-2", "nan:1x"])
def test_what_is_no_place_is_none(words: str) -> None:
    assert seconds_of(words) is None


def test_the_bar_shows_what_has_passed_what_failed_and_a_click_goes_there(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        bar = stage.app.main.query_one(Transport)
        await stage.until(lambda: "".join(text for text, _ in bar.left()).count("✗") == 3, "laid out")
        assert "".join(text for text, _ in bar.left()).startswith(" ‖ 0:00 ●")
        bar.on_click(events.Click(bar, 70, 0, 0, 0, 1, False, False, False))
        await at(stage, "1:33")
        assert "✗" in "".join(text for text, _ in bar.left()).split("●")[0]

    watch(folder, story)


# -- keys --------------------------------------------------------------------------------------------------------------


def test_the_keys_go_through_the_recording_and_the_panes_follow(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await has(stage, "▶ runs", "Nothing waited for a retry.", "There was no dead letter.")
        await stage.press("f")
        await at(stage, "0:06")
        await has(stage, "failed, attempt 1: Exception: prints", "3 Retries 1", "b-fails")
        await stage.press("greater_than_sign")
        await at(stage, "0:16")
        await stage.press("less_than_sign", "less_than_sign")
        await at(stage, "0:00")
        await has(stage, "Nothing waited for a retry.", "0:00 of 3:08")
        await stage.press("right_parenthesis")
        await at(stage, "3:08")
        await has(stage, "4 DLQ 1", "■ dead")
        await stage.press("F")
        await at(stage, "1:07")
        await stage.press("left_parenthesis", "comma")
        await has(stage, "nothing happens before this")
        await stage.press("W")
        await at(stage, "0:05")
        await has(stage, "b-fails", "was accepted")
        await stage.press("full_stop")
        await at(stage, "0:06")
        await stage.press("comma")
        await at(stage, "0:05")

    watch(folder, story)


def test_it_plays_is_held_still_and_plays_faster_and_slower(folder: Path) -> None:
    passed = 0.0  # seconds of real time: it plays on only when the story says so, however slow the machine is

    async def story(stage: Stage) -> None:
        nonlocal passed
        await stage.press("p")
        await has(stage, "▶x1", "plays x1")
        await stage.press("right_curly_bracket", "right_curly_bracket")
        await has(stage, "▶x16")
        await stage.press("left_curly_bracket")
        await has(stage, "▶x4")
        await stage.press("space")
        await has(stage, "held still")
        for key in ("p", "right_curly_bracket", "p", "left_curly_bracket", "p", "p"):
            stage.send(key)  # however quickly: each goes on from where the one before has led
        await has(stage, "▶x4")
        for _ in range(4):
            await stage.press("right_curly_bracket")
        passed += 1.0
        await has(stage, "REPLAY 3:08 of 3:08 held still", "4 DLQ 1")
        await stage.press("p")
        await stage.lives(lambda: "REPLAY 3:08" not in stage.screen(), "from the beginning again")

    watch(folder, story, real=lambda: passed)


def test_space_plays_in_every_pane(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        for pane, words in (("4", "▶x1"), ("5", "held still"), ("7", "▶x1")):
            await stage.press(pane, "space")
            await has(stage, words)
        assert not stage.table("dlq").marks

    watch(folder, story)


def test_what_would_run_or_change_something_says_that_nothing_runs_and_opens_nothing(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        for keys in ("i", "a", "b", "e", "r", "P", "u", "X", "4m", "4M", "4d", "4D", "4e"):
            stage.app.model.say("info", "")
            await stage.press(*keys)
            await has(stage, "this is a replay: nothing runs")
            assert len(stage.app.screen_stack) == 1, keys
        await stage.press("right_parenthesis")
        await has(stage, "4 DLQ 1")
        await stage.press("4", "enter")
        await has(stage, "■ discarded")
        for key in ("m", "e", "X"):
            stage.app.model.say("info", "")
            await stage.press(key)
            await has(stage, "this is a replay: nothing runs")

    watch(folder, story)


def test_footer_help_and_palette_have_the_keys_of_a_replay_and_none_that_does_nothing(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await has(stage, "p play  < 10 s  > 10 s  . next  f failure  } faster  enter inspect")
        assert "invoke" not in stage.screen().splitlines()[-1]
        await stage.press("question_mark")
        await has(stage, "This replay", "let the recording play, or hold it still", "nothing is written")
        assert "send it one asynchronous event" not in stage.screen()
        await stage.press("escape", "colon", *"failure")
        await has(stage, "to the next failure", "to the failure before", "speed …, jump")
        assert "arm a fault" not in stage.screen()
        await stage.press("enter")
        await at(stage, "0:06")

    watch(folder, story)


def test_no_two_keys_of_a_replay_that_work_at_the_same_time_are_the_same() -> None:
    for place_ in (*(PANE_TITLES.keys() & KEYS.keys()), "main", "inspector", "replay"):
        keys = [name for key in at_once(place_, replay=True) for name in key.keys.split(",")]
        assert sorted(set(keys)) == sorted(keys), place_


def test_what_a_replay_leaves_out_is_there_elsewhere() -> None:
    everything = {key.id for keys in KEYS.values() for key in keys}
    assert everything >= NOTHING_RUNS
    assert {key.id for key in keys_of("main", replay=True)} & NOTHING_RUNS == set()
    assert {key.id for key in keys_of("main")} & {key.id for key in KEYS["replay"]} == set()


def test_the_keys_of_a_replay_can_be_others(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text('replay.failure_next = "J"\ntime.slower = "ctrl+y"\nfault.panel = "f12"\n')
    use_keys([file])

    async def story(stage: Stage) -> None:
        await has(stage, "J failure")
        await stage.press("J")
        await at(stage, "0:06")
        await stage.press("less_than_sign")
        await at(stage, "0:00")
        await stage.press("f12")
        await has(stage, "this is a replay: nothing runs")

    watch(folder, story)


def test_the_keys_of_a_replay_do_nothing_where_an_engine_runs() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("full_stop", "comma", "right_parenthesis", "left_curly_bracket", "ctrl+home")
        await stage.shows("6 Functions 2")
        assert stage.called("speed") == []
        assert "REPLAY" not in stage.screen()
        await stage.press("p")
        await stage.shows("FROZEN")

    play(story)


# -- looking closely ---------------------------------------------------------------------------------------------------


def test_a_life_is_wound_with_the_recording_and_its_next_things_are_its_own(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("right_parenthesis", "4")
        await has(stage, "■ dead")
        await stage.press("enter")
        await has(stage, "■ discarded", "try 3")
        await stage.press("F")
        await has(stage, "1:07")
        await has(stage, "waiting for retry 2 of 2")
        await stage.lives(lambda: "try 3" not in stage.screen(), "the third try has not been")
        await stage.press("left_parenthesis")
        await has(stage, "it has not come yet")
        await stage.press("full_stop", "full_stop")
        await has(stage, "0:06", "waiting for retry 1 of 2")
        await stage.press("escape")
        await has(stage, "1 Queue")

    watch(folder, story)


def test_with_a_scope_the_next_failure_is_one_of_it(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("6", "g", "o")
        await has(stage, "only a-works")
        await stage.press("f")
        await has(stage, "nothing fails after this to it")
        await stage.press("full_stop")
        await at(stage, "0:08")

    watch(folder, story)


def test_a_jump_puts_the_cursor_on_what_failed_and_the_log_ends_there(folder: Path) -> None:
    async def story(stage: Stage) -> None:
        async def ends_at(place: str, count: int) -> None:
            await at(stage, place)
            await stage.lives(lambda: len(stage.logs.buffer.lines) == count, f"{count} lines")
            await has(stage, f"{count} lines")

        await stage.press("7", "f")
        await ends_at("0:06", 2)
        await stage.press("right_parenthesis")
        await ends_at("3:08", 5)
        await stage.press("F")
        await ends_at("1:07", 4)
        await stage.lives(lambda: (stage.table("timeline").row() or {}).get("function") == "b-fails", "the cursor")
        assert stage.table("timeline").cursor == 1
        await stage.press("F")
        await ends_at("0:06", 2)

    watch(folder, story)


def test_what_a_recording_says_does_not_command_the_terminal(tmp_path: Path) -> None:
    words = " ".join(text for name, text in HOSTILE.items() if name not in ("very long", "surrogate"))
    state = record(tmp_path / "state", words)

    async def story(stage: Stage) -> None:
        await stage.press("right_parenthesis")
        await has(stage, "■ dead", "␛[2J")
        for keys in (("f",), ("F",), ("4", "enter"), ("escape", "5", "z")):
            await stage.press(*keys)
            assert is_harmless(stage.screen())

    watch(state, story)
