"""Short tapes on a real engine: what they wait for, what they leave on film, and that it is the same each time."""

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from pictures import OURS
from stage import HOSTILE, is_harmless

from lamtop.tui.demo.cameras import Check
from lamtop.tui.demo.filming import film_of
from lamtop.tui.demo.performance import Report, perform
from lamtop.tui.demo.stage import Stage
from lamtop.tui.demo.tape import TapeError, parse_tape
from lamtop.tui.film.cast import write_cast
from lamtop.tui.film.reel import Film

SENT = "size 80x24\nhide\nsend always-fails\nwait retries == 1\nshow\n"


def check(text: str, folder: Path = Path("/nowhere")) -> Report:
    return asyncio.run(perform(parse_tape(text, folder / "a.tape"), lambda _stage: Check()))


def film(text: str, folder: Path = Path("/nowhere"), stills: Path | None = None) -> Film:
    return asyncio.run(film_of(parse_tape(text, folder / "a.tape"), stills=stills))[0]


def cast(made: Film, folder: Path) -> bytes:
    path = folder / "a.cast"
    write_cast(made, path)
    return path.read_bytes()


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ("wait dlq == 1 max 2s", "a.tape:6: wait dlq == 1 max 2s\n  it did not come to that in 2 s; dlq: 0"),
        ("assert retries[0].attempt == 3", "retries[0].attempt == 3\n  that is not so; retries[0].attempt: 2"),
        ("assert retries[0].tempo == 3", "retries has no 'tempo'; it has accepted_at, attempt"),
        ("choose nobody", "there is no function 'nobody'; there are always-fails"),
        ("send nobody", "there is no function 'nobody'"),
        ('edit no.py "a" -> "b"', "there is no file 'no.py'"),
        ('edit ../../etc/passwd "a" -> "b"', "there is no file '../../etc/passwd'"),
        ('edit flaky.py "print(" -> "b"\nedit flaky.py "print(" -> "c"', "has 'print(' 0 times; expected once"),
    ],
)  # fmt: skip
def test_what_does_not_come_out_is_told_with_its_line_and_with_what_is_there_instead(steps: str, why: str) -> None:
    with pytest.raises(TapeError) as told:
        check(f"{SENT}{steps}\n")
    assert why in str(told.value)


def test_a_tape_that_is_checked_lives_through_the_moments_of_one_that_is_filmed(tmp_path: Path) -> None:
    lives: list[dict[str, Any]] = []

    class Watched(Check):
        def __init__(self, stage: Stage) -> None:
            self._stage = stage

        async def still(self, name: str) -> None:
            engine = self._stage.company.engine
            page = await engine.page({"view": "timeline"}, None)
            found = [await engine.life(row["id"]) for row in page["rows"]]
            told = [{**life, "processes": 0} for life in found if life]
            lives.append({"now": engine.clock.now(), "lives": self._stage.costume.on(told)})

    class Filmed(Watched):
        filming = True

    text = f"{SENT}caption One\nkey a\nwait retries == 2\nuntil totals.errors == 4 max 3m speed 16x\nstill end.svg\n"
    for kind in (Watched, Filmed):
        asyncio.run(perform(parse_tape(text, tmp_path / "a.tape"), kind))
    assert len(lives[0]["lives"]) == 2
    assert lives[0] == lives[1]


def test_the_same_tape_is_the_same_film_and_another_message_of_a_handler_is_another(tmp_path: Path) -> None:
    text = f"{SENT}pause 1s\n"
    first, second = (cast(film(text), tmp_path) for _ in range(2))
    assert first == second
    other = (
        f'edit always_fails.py "looking for one" -> "searching for one"\npause 1s\n{text.removeprefix("size 80x24")}'
    )
    assert b"searching for one" in cast(film(f"size 80x24\n{other}"), tmp_path)


def test_scenes_keys_and_stills_are_where_they_happened_and_what_is_hidden_takes_no_film(tmp_path: Path) -> None:
    made = film(
        f"{SENT}scene First\nkey 3\nhide\npause 30s\nshow\nscene Second\nkey enter\nstill life.svg\n", stills=tmp_path
    )
    assert [(mark.label) for mark in made.marks] == ["First", "Second"]
    assert [key.text for key in made.keys] == ["3", "enter"]
    assert made.marks[1].at < 5.0
    assert "30 s" not in made.last.text
    assert "OutOfStock" in (tmp_path / "life.svg").read_text()
    assert "always-fails" in made.shots[0].frame.text  # the first picture is there at once
    assert (made.columns, len(made.last.rows)) == (80, 24)


def test_a_wait_that_is_sped_up_says_so_under_the_picture_and_in_the_header() -> None:
    made = film(f"{SENT}until totals.errors == 2 max 3m speed 16x\n")
    fast = [shot.frame.text for shot in made.shots if "▸▸ x16" in shot.frame.text]
    assert len(fast) > 10
    assert all("x16" in text.splitlines()[0] for text in fast)
    assert "x16" not in made.last.text
    assert made.seconds < 10


def test_handlers_run_in_processes_of_their_own_and_the_report_names_them() -> None:
    report = check(SENT)
    assert report.pids
    assert os.getpid() not in report.pids


def test_an_engine_that_a_fault_kills_is_missed_and_another_takes_its_place_with_what_was_accepted() -> None:
    made = film(
        "size 100x30\nhide\nchoose fire-and-forget\nkey :\ntype fault all engine 1x\nkey enter\nkey a\n"
        'wait screen ~ "no engine" max 10s\nedit flaky.py "this event" -> "such an event"\nshow\n'
        "wait totals.received == 0 max 10s\n"
        'wait screen ~ "attempt was lost" max 10s\nuntil timeline[0].state == succeeded max 20s\n'
    )
    told = [shot.frame.text for shot in made.shots]
    assert any("no engine since" in text for text in told)
    assert "✓" in told[-1]


def test_nothing_that_a_handler_prints_commands_the_player_of_a_film(tmp_path: Path) -> None:
    project = tmp_path / "bad"
    project.mkdir()
    texts = {name: text for name, text in HOSTILE.items() if name != "very long"}
    (project / "bad.py").write_text(
        f"def handler(event, context):\n    for text in {list(texts.values())!r}:\n"
        "        print(text.encode('utf-8', 'surrogateescape').decode('utf-8', 'replace'))\n"
    )
    made = film(
        "project bad/bad.py\nsize 100x30\nchoose bad\nkey a\nwait timeline[0].state == succeeded\nkey 5 z\n", tmp_path
    )
    assert "PWNED" in made.last.text
    told = "".join(json.loads(event)[2] for event in cast(made, tmp_path).decode().splitlines()[1:])
    left = OURS.sub("", told)
    assert is_harmless(left)
    assert not {"\n", "\t"} & set(left)


@pytest.mark.parametrize("project", ["shop", "shop/orders.py", "tapes/../shop/orders.py"])
def test_a_project_of_ones_own_is_played_and_left_as_it_was(
    project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen from the tape, wherever somebody stands; a project of one file is reloaded like any other."""
    monkeypatch.chdir(tmp_path.parent)
    (tmp_path / "tapes").mkdir()
    (tmp_path / "shop").mkdir()
    handler = tmp_path / "shop" / "orders.py"
    handler.write_text("def handler(event, context):\n    print('paid')\n")
    before = handler.read_text()
    check(
        f'project {project}\nsize 80x24\nchoose orders\nkey a\nwait log[orders] ~ "paid"\n'
        'edit orders.py "paid" -> "paid in full"\nwait functions[orders].version == 2\nkey a\n'
        'wait log ~ "paid in full"\n',
        Path(tmp_path.name),
    )
    assert handler.read_text() == before
    assert [path.name for path in (tmp_path / "shop").iterdir()] == ["orders.py"]
