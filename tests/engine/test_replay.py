"""A replay shows at each moment what a monitor showed then, from the folder and from the exported file alike.

What cannot be known, because no file tells it, and is therefore left out of the comparison here:
the jitter of throttles that were followed by others (up to a tenth of their wait); how many environments stood idle;
the id of a dead letter's message that was sent round since; how long a sender waited for its 202; faults that were
armed and have not hit, pauses of the poller, speeds, reloads that failed, and letters that were purged for good.
"""

import asyncio
import hashlib
import json
import random
import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from engine.live import live
from lamtop.engine import Engine, RecordingError, Replay, StoreError, export, open_recording
from lamtop.engine.replay import NotInAReplay
from lamtop.engine.view import Views, parse_view

Row = dict[str, Any]
PANES = ("queue", "inflight", "retries", "dlq", "functions", "timeline")
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals: {Function: {Runtime: python3.13, Timeout: 5, CodeUri: .}}
Resources:
  Works: {Type: AWS::Serverless::Function, Properties: {FunctionName: works, Handler: app.works}}
  Drops:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: drops, Handler: app.fails, EventInvokeConfig: {MaximumRetryAttempts: 0}}
  Fails:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: fails
      Handler: app.fails
      DeadLetterQueue: {Type: SQS, TargetArn: !GetAtt Dead.Arn}
      Environment: {Variables: {API_TOKEN: s3cr3t, MODE: plain}}
  Narrow:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: narrow, Handler: app.works, ReservedConcurrentExecutions: 1}
  Dead: {Type: AWS::SQS::Queue, Properties: {QueueName: dead}}
"""
CODE = """
import time

def works(event, context):
    print("works on", event)
    time.sleep(event.get("seconds", 0))
    return {"done": True}

def fails(event, context):
    print("fails")
    raise ValueError("no luck")
"""


class Taken(NamedTuple):
    """What a monitor saw."""

    what: str
    at: float
    panes: dict[str, tuple[int, list[Row]]]
    totals: Row


class Told(NamedTuple):
    """A story of a real engine: its state folder, and what was seen of it."""

    state: Path
    seen: list[Taken]
    lives: dict[str, Row]
    secret: str


def look(views: Views, what: str) -> Taken:
    """Every pane's rows, and the lines."""
    views.history.hand_over()
    panes = {pane: views.rows(parse_view(pane, {"view": pane, "limit": 500})) for pane in PANES}
    lines = views.lines(parse_view("logs", {"view": "logs", "limit": 500}))
    return Taken(what, views.clock.now(), {**panes, "logs": (len(lines), lines)}, views.totals())


async def story(engine: Engine, seen: list[Taken]) -> list[str]:
    """Some minutes of simulated time in which much goes wrong. Returns the requests."""
    simulation, sent = engine.simulation, []
    assert simulation is not None

    async def send(name: str, payload: str = "{}", times: int = 1) -> None:
        for _ in range(times):
            id_ = engine.new_request_id()
            await engine.accept(engine.functions[name], payload.encode(), source="boto3", request_id=id_)
            sent.append(id_)

    async def see(what: str, after: float) -> None:
        await simulation.advance(after)
        seen.append(await asyncio.to_thread(look, engine.views, what))
        await simulation.advance(0.01)  # nothing else is done at the very moment that was looked at

    await send("works", '{"seconds": 2}')
    await see("one runs", 0.5)
    await send("fails")
    await send("drops")
    await send("narrow", '{"seconds": 3}', 3)
    await see("one waits for its retry, one was dropped, two are throttled", 0.7)
    id_ = engine.new_request_id()
    called = asyncio.create_task(
        engine.invoke(engine.functions["works"], b'{"seconds": 1}', source="boto3", request_id=id_)
    )
    await see("somebody waits for an answer", 0.8)
    await see("and has it", 1.0)
    await called
    await see("all throttled ones have run", 20.0)
    await see("the second retry", 45.0)
    await see("a dead letter", 130.0)
    letters = await engine.page({"view": "dlq", "sort": "dead_at"}, None)
    await engine.redrive([row["id"] for row in letters["rows"]])
    await see("both dead events were sent round", 0.5)
    await see("and fail again", 200.0)
    return [*sent, id_]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    """Told once: a real engine, real handlers, simulated time."""
    folder, seen = tmp_path_factory.mktemp("story"), []

    async def tell() -> dict[str, Row]:
        files = {"template.yaml": TEMPLATE, "app.py": CODE}
        async with live(folder, files, simulate=3, watch=False) as engine:
            sent = await story(engine, seen)
            return {id_: life for id_ in sent if (life := await engine.life(id_)) is not None}

    lives = asyncio.run(tell())
    return Told(folder / ".lamtop", seen, lives, "s3cr3t")


@asynccontextmanager
async def replayed(path: Path, **more: Any) -> AsyncIterator[Replay]:
    replay = Replay(open_recording(path, Path.cwd()), **more)
    replay.start()
    try:
        yield replay
    finally:
        replay.close()


def known(row: Row, pane: str) -> Row:
    """What of a row a record can tell."""
    row = dict(row)
    if pane == "functions":
        del row["environments"]
    if pane == "dlq":
        del row["id"]  # of the message
    if "throttled" in (row.get("wait"), row.get("state")):  # within its jitter
        row["due_at"] = pytest.approx(row["due_at"], abs=0.5)
        for segment in row.get("segments", ()):
            segment[1] = pytest.approx(segment[1], abs=0.5)
    return row


def assert_the_same(live: Taken, again: Taken) -> None:
    for pane, (total, rows) in live.panes.items():
        other_total, others = again.panes[pane]
        assert other_total == total, (live.what, pane)
        assert [known(row, pane) for row in others] == [known(row, pane) for row in rows], (live.what, pane)
    assert again.totals == live.totals, live.what


async def assert_all_the_same(told: Told, path: Path) -> None:
    async with replayed(path) as replay:
        for seen in (*reversed(told.seen), *told.seen):
            await replay.wind("moment", seen.at)
            again = await asyncio.to_thread(look, replay.views, seen.what)
            assert again.at == min(seen.at, replay.clock.last)
            assert_the_same(seen, again)


def test_every_pane_shows_what_it_showed_then_back_and_forwards(told: Told) -> None:
    assert {row["wait"] for taken in told.seen for row in taken.panes["queue"][1]} >= {"throttled"}
    assert any(taken.panes["inflight"][0] for taken in told.seen)
    assert any(taken.panes["retries"][0] for taken in told.seen)
    assert any(taken.panes["dlq"][0] > 1 for taken in told.seen)
    asyncio.run(assert_all_the_same(told, told.state))


def test_an_exported_file_shows_the_same_as_the_folder(told: Told, tmp_path: Path) -> None:
    file = tmp_path / "story.jsonl"
    with_recording(told.state, lambda recording: export(recording, file))
    assert file.stat().st_mode & 0o777 == 0o600
    asyncio.run(assert_all_the_same(told, file))


def with_recording(path: Path, use: Any) -> Any:
    recording = open_recording(path, Path.cwd())
    try:
        return use(recording)
    finally:
        recording.close()


def test_a_file_that_is_exported_again_is_the_same_file(told: Told, tmp_path: Path) -> None:
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"
    with_recording(told.state, lambda recording: export(recording, first))
    with_recording(first, lambda recording: export(recording, second))
    assert first.read_bytes() == second.read_bytes()
    with pytest.raises(FileExistsError):
        with_recording(told.state, lambda recording: export(recording, first))


def test_the_life_of_every_request_is_the_same_in_the_end(told: Told) -> None:
    async def compare() -> None:
        async with replayed(told.state) as replay:
            await replay.wind("moment", replay.clock.last)
            for id_, life in told.lives.items():
                again = await replay.life(id_)
                assert again is not None
                for key in ("answered", "processes"):
                    if life["kind"] == "event" or key == "processes":
                        again[key] = life[key]
                assert again == life

    asyncio.run(compare())


def test_a_life_is_as_long_as_it_was_then(told: Told) -> None:
    async def look_at(id_: str) -> list[tuple[str, int] | None]:
        async with replayed(told.state) as replay:
            found = []
            for seconds in (-1.0, 0.6, 70.0, 195.0):
                await replay.wind("moment", told.seen[0].at + seconds)
                life = await replay.life(id_)
                found.append(None if life is None else (life["state"], len(life["attempts"])))
            return found

    failing = next(id_ for id_, life in told.lives.items() if life["function"] == "fails")
    assert asyncio.run(look_at(failing)) == [None, ("queued", 1), ("queued", 2), ("discarded", 3)]


def test_secrets_of_the_template_are_neither_in_the_folder_nor_in_the_file(told: Told, tmp_path: Path) -> None:
    file = tmp_path / "story.jsonl"
    with_recording(told.state, lambda recording: export(recording, file))
    for path in (file, *told.state.iterdir()):
        assert told.secret.encode() not in path.read_bytes(), path
    variables = told.lives[next(iter(told.lives))]["declared"]["variables"]
    assert variables == []
    assert '"MODE": "plain"' in file.read_text()


# -- nothing is written ------------------------------------------------------------------------------------------------


def standing(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Each file's time, mode and contents."""
    return {
        path.name: (path.stat().st_mtime_ns, path.stat().st_mode, hashlib.sha256(path.read_bytes()).hexdigest())
        for path in sorted(folder.iterdir())
        if path.is_file()
    }


async def go_through(path: Path) -> None:
    async with replayed(path) as replay:
        subscription = replay.subscribe()
        subscription.watch({pane: {"view": pane} for pane in (*PANES, "logs")})
        await subscription.next_frame()
        for to, amount in (("moment", replay.clock.last), ("failure", -1), ("change", 1), ("by", -20)):
            await replay.wind(to, amount)
            await subscription.next_frame()
        subscription.close()


def test_nothing_is_written_where_an_engine_ended_in_order(told: Told) -> None:
    assert not (told.state / "queue.sqlite3-wal").exists(), "the engine has put its log into the file"
    before, folder_before = standing(told.state), told.state.stat().st_mtime_ns
    asyncio.run(go_through(told.state))
    assert (standing(told.state), told.state.stat().st_mtime_ns) == (before, folder_before)


def test_nothing_is_written_where_an_engine_was_killed_and_its_last_words_are_there(told: Told, tmp_path: Path) -> None:
    async def kill() -> Path:
        """A copy of the folder in the middle of things: what is left when the power goes."""
        async with live(tmp_path / "p", {"template.yaml": TEMPLATE, "app.py": CODE}, simulate=3, watch=False) as engine:
            id_ = engine.new_request_id()
            await engine.accept(engine.functions["works"], b'{"seconds": 60}', source="boto3", request_id=id_)
            await engine.simulation.advance(1.0)  # type: ignore[union-attr]
            engine.history.hand_over()
            engine.history.wait()
            copy = Path(shutil.copytree(engine.settings.state, tmp_path / "killed"))
            await engine.simulation.advance(10.0)  # type: ignore[union-attr]
            return copy

    folder = asyncio.run(kill())
    assert (folder / "queue.sqlite3-wal").stat().st_size > 0
    before = standing(folder)

    async def look_at() -> tuple[int, list[str]]:
        async with replayed(folder) as replay:
            await replay.wind("moment", replay.clock.last)
            taken = await asyncio.to_thread(look, replay.views, "")
            return taken.panes["inflight"][0], [line["text"] for line in taken.panes["logs"][1]]

    running, lines = asyncio.run(look_at())
    assert running == 1
    assert any("works on" in line for line in lines)
    assert standing(folder) == before


def test_a_folder_can_be_looked_at_while_its_engine_goes_on(tmp_path: Path) -> None:
    async def look_at() -> tuple[set[str], set[str], list[int]]:
        async with live(tmp_path, {"template.yaml": TEMPLATE, "app.py": CODE}, simulate=3, watch=False) as engine:
            names = []
            totals = []
            for _ in range(2):
                id_ = engine.new_request_id()
                await engine.accept(engine.functions["works"], b"{}", source="boto3", request_id=id_)
                await engine.simulation.advance(1.0)  # type: ignore[union-attr]
                names.append({path.name for path in engine.settings.state.iterdir()})
                async with replayed(tmp_path) as replay:
                    await replay.wind("moment", replay.clock.last)
                    totals.append(replay.views.totals()["succeeded"])
            return names[0], {path.name for path in engine.settings.state.iterdir()}, totals

    before, after, totals = asyncio.run(look_at())
    assert (before, totals) == (after, [1, 2])


# -- going through it --------------------------------------------------------------------------------------------------


def test_the_next_thing_and_the_one_before_are_the_same_moments(told: Told) -> None:
    async def walk(of: str = "") -> tuple[list[float], list[float], list[str]]:
        async with replayed(told.state) as replay:
            there, words = [replay.clock.first], []
            while (found := await replay.wind("change", 1, of))["found"]:
                there.append(found["at"])
                words += [words for _, _, words in found["happened"]]
            back = []
            while (found := await replay.wind("change", -1, of))["found"]:
                back.append(found["at"])
            return there, back, words

    there, back, _ = asyncio.run(walk())
    assert len(there) > 15
    assert back[::-1] == there[:-1]
    failing = next(id_ for id_, life in told.lives.items() if life["function"] == "fails")
    _, _, words = asyncio.run(walk(failing))
    assert [word.partition(":")[0] for word in words] == [
        "was accepted", "failed, attempt 1", "failed, attempt 2", "is dead", "was sent round again",
    ]  # fmt: skip


def test_the_next_failure_is_found_everywhere_and_of_one_function(told: Told) -> None:
    async def failures(of: str) -> list[str]:
        async with replayed(told.state) as replay:
            found = []
            await replay.set_speed(0.01)
            while (told_of := await replay.wind("failure", 1, of))["found"]:
                found += [function for _, function, words in told_of["happened"] if words.startswith(("failed", "is"))]
                assert replay.clock.rate == 0, "it stands there"
            assert (await replay.wind("failure", -1, of))["found"]
            return found

    assert asyncio.run(failures("drops")) == ["drops", "drops"]
    assert asyncio.run(failures("")).count("fails") == 6


def test_it_goes_no_further_than_it_reaches(told: Told) -> None:
    async def wind() -> None:
        async with replayed(told.state) as replay:
            first, last = replay.clock.first, replay.clock.last
            for to, amount, expected in (
                ("by", -50.0, first), ("by", 1e9, last), ("second", 1.5, first + 1.5), ("moment", 0.0, first),
            ):  # fmt: skip
                assert (await replay.wind(to, amount))["at"] == pytest.approx(expected)
            with pytest.raises(ValueError, match="use by, second, moment, change or failure"):
                await replay.wind("sideways", 1)

    asyncio.run(wind())


def test_a_frame_after_winding_brings_the_log_anew(told: Told) -> None:
    async def frames() -> list[Row]:
        async with replayed(told.state) as replay:
            subscription = replay.subscribe()
            subscription.watch({"logs": {"view": "logs", "limit": 100}, "timeline": {"view": "timeline"}})
            found = [await subscription.next_frame()]
            for at in (replay.clock.last, replay.clock.first + 0.3):
                await replay.wind("moment", at)
                found.append(await subscription.next_frame())
            subscription.close()
            return found

    first, last, early = asyncio.run(frames())
    assert "anew" not in first["logs"]["logs"]
    assert (last["logs"]["logs"]["anew"], early["logs"]["logs"]["anew"]) == (True, True)
    assert len(last["logs"]["logs"]["lines"]) > len(early["logs"]["logs"]["lines"]) > 0
    assert (last["time"]["mode"], early["views"]["timeline"]["total"]) == ("replay", 1)


@pytest.mark.parametrize("part", ["past", "history"])
def test_it_is_closed_only_when_nobody_reads(told: Told, part: str) -> None:
    replay = Replay(open_recording(told.state, told.state))
    closing = threading.Thread(target=replay.close)
    with getattr(replay._known, part)._one_at_a_time:
        closing.start()
        closing.join(0.05)
        assert closing.is_alive()
    closing.join()


def test_every_verb_that_would_change_something_is_refused_in_one_sentence(told: Told) -> None:
    async def ask() -> list[str]:
        said = []
        async with replayed(told.state) as replay:
            for verb in ("call", "redrive", "purge", "undo", "reload", "arm", "disarm", "pause", "resume"):
                with pytest.raises(NotInAReplay) as refused:
                    await getattr(replay, verb)("works", b"{}", {})
                said.append(str(refused.value))
            assert await replay.armed() == []
        return said

    assert set(asyncio.run(ask())) == {"this is a replay: nothing runs"}


# -- what is no recording ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "path", "said"),
    [
        ({}, None, "there is no .lamtop here"),
        ({}, "gone", "does not exist; name a state folder, a project, or a file"),
        ({"shop/app.py": ""}, "shop", "no engine has ever run in"),
        ({"shop/template.yaml": ""}, "shop/template.yaml", "no engine has ever run in"),
        ({"s/queue.sqlite3": ""}, "s", "is empty: no engine has ever run there"),
        ({"s/queue.sqlite3": "x" * 5000}, "s", "is not a database"),
    ],
)
def test_what_is_no_recording_is_named(tmp_path: Path, files: dict[str, str], path: str | None, said: str) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    with pytest.raises((RecordingError, StoreError), match=said):
        open_recording(Path(path) if path else None, tmp_path)


def test_a_folder_of_a_newer_lamtop_is_refused(told: Told, tmp_path: Path) -> None:
    import sqlite3

    folder = Path(shutil.copytree(told.state, tmp_path / "newer"))
    with sqlite3.connect(folder / "queue.sqlite3") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match=r"written by a newer lamtop \(schema 99, this one knows"):
        open_recording(folder, tmp_path)


@pytest.fixture
def lines(told: Told, tmp_path: Path) -> Iterator[list[str]]:
    file = tmp_path / "whole.jsonl"
    with_recording(told.state, lambda recording: export(recording, file))
    return file.read_text().splitlines()


LETTER = '{"id": "m1", "request_id": "r1", "function": "f", "queue": "dead", "attempts": [], "payload": {}}'


@pytest.mark.parametrize(
    ("number", "change", "said"),
    [
        (1, lambda _: LETTER, "these are dead letters, exported from their pane, and no recording; 'lamtop export -o"),
        (1, lambda _: '{"kind": "event"}', "a recording begins with"),
        (1, lambda _: '{"version": 2, "width": 80, "height": 24}', "this is an asciicast, a film of a screen"),
        (1, lambda row: row.replace('"format": 1', '"format": 2'), "written by a newer lamtop"),
        (2, lambda _: "not json", "this is not JSON"),
        (2, lambda _: "[" * 200_000, "this is not JSON"),
        (2, lambda _: "[1]", "is not an object"),
        (2, lambda _: '{"kind": "rows"}', "'kind': \"rows\" is not known; use one of configuration, absence"),
        ("event", lambda row: row.replace('"accepted_at"', '"came"'), "'accepted_at': nothing is not allowed; a n"),
        ("event", lambda row: row.replace('"accepted_at": ', '"accepted_at": 99'), "seconds since the epoch are exp"),
        ("event", lambda row: row.replace('"state": "succeeded"', '"state": "odd"'), "use one of discarded, queued"),
        ("event", lambda row: row.replace('"seq": 1,', '"seq": 1e999,'), "a whole number is expected"),
        ("event", lambda row: row.replace('"number": 1', '"number": 7'), "1, 2, 3 … are expected"),
        ("line", lambda row: row.replace('"at": 17', '"at": true, "then": 17'), "'at': true is not allowed; a number"),
        ("line", lambda row: row.replace('"number": ', '"number": -'), "is not above"),
        ("invocation", lambda row: row.replace('"duration"', '"long"'), "'duration': nothing is not allowed"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_named_with_its_number_and_what_was_expected(
    lines: list[str], tmp_path: Path, number: int | str, change: Any, said: str
) -> None:
    kinds = [json.loads(line)["kind"] for line in lines]
    at = number if isinstance(number, int) else kinds.index(number) + 1
    changed = change(lines[at - 1])
    assert changed != lines[at - 1]
    file = tmp_path / "wrong.jsonl"
    file.write_text("\n".join([*lines[: at - 1], changed, *lines[at:]]))
    with pytest.raises(RecordingError, match=rf"wrong\.jsonl:{at}: .*({said})"):
        open_recording(file, tmp_path)


WRONG = (
    None,
    True,
    -1,
    2**80,
    1e300,
    1e999,
    "",
    "x" * 9,
    "\x1b[2J",
    "\ud83d",
    [],
    {},
    [None],
    {"a": {}},
    "queued",
    1e12,
)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_a_file_says_is_refused_with_its_line_or_can_be_looked_at(
    lines: list[str], tmp_path: Path, seed: int
) -> None:
    dice = random.Random(seed)
    for attempt in range(20):
        rows = [json.loads(line) for line in lines]
        row = dice.choice(rows)
        inside = [row, *row.get("tries", []), *row.get("project", {}).get("functions", [])]
        place = dice.choice([one for one in inside if one])
        place[dice.choice(list(place))] = dice.choice(WRONG)
        file = tmp_path / f"{seed}-{attempt}.jsonl"
        file.write_text("\n".join(map(json.dumps, rows)))
        asyncio.run(refused_or_shown(file))


async def refused_or_shown(file: Path) -> None:
    try:
        recording = open_recording(file, file.parent)
    except RecordingError as error:
        assert f"{file.name}:" in str(error)  # noqa: PT017 - which of the two it is is not known
        return
    replay = Replay(recording)
    replay.start()
    try:
        for part in (0.0, 0.02, 0.5, 1.0):
            await replay.wind("second", part * (replay.clock.last - replay.clock.first))
            taken = await asyncio.to_thread(look, replay.views, "")
            json.dumps(taken)
            for row in taken.panes["timeline"][1][:3]:
                assert await replay.life(row["id"])
    finally:
        replay.close()
