"""`lamtop demo` and `lamtop record`, as somebody types them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lamtop.tui.cli import main
from lamtop.tui.demo.shelf import NAMES
from lamtop.tui.film.cast import read_cast

SHORT = """title Short
size 80x24

scene One event
caption A sentence
choose always-fails
key a
wait retries == 1
assert retries[0].error ~ "OutOfStock"
still short.svg
"""


@pytest.fixture
def tape(tmp_path: Path) -> Path:
    path = tmp_path / "short.tape"
    path.write_text(SHORT)
    return path


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(main, [str(word) for word in words])


def test_demo_alone_lists_the_tapes_with_a_line_each() -> None:
    told = run("demo")
    assert told.exit_code == 0
    lines = [line for line in told.stdout.splitlines() if line]
    assert [line.split()[0] for line in lines] == list(NAMES)
    assert all(len(line.split(maxsplit=1)[1]) > 10 for line in lines)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("demo", "nothing-like-it"), "there is no tape 'nothing-like-it'"),
        (("demo", "retries"), "a tape is watched in a terminal"),
        (("demo", "retries", "tour"), "one tape at a time"),
        (("demo", "--check", "no.tape"), "no.tape: cannot be read: No such file or directory"),
        (("demo", "--check", "retries", "--size", "10x4"), "--size: size '10x4' is not allowed"),
        (("record", "retries"), "where to? Give -o FILE"),
        (("record", "no.cast", "-o", "x.gif"), "no.cast cannot be read"),
    ],
)
def test_what_cannot_be_played_is_said_in_a_sentence(
    words: tuple[str, ...], why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = run(*words)
    assert told.exit_code == 1
    assert why in told.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_check_says_how_long_it_was_and_which_processes_ran_and_fails_if_it_does_not_come_out(tape: Path) -> None:
    told = run("demo", "--check", tape)
    assert told.exit_code == 0, told.output
    assert " ok in " in told.stdout
    assert "1 handler process (pid " in told.stdout
    tape.write_text(SHORT.replace("OutOfStock", "KeyError"))
    told = run("demo", "--check", tape)
    assert told.exit_code == 1
    assert 'short.tape:9: assert retries[0].error ~ "KeyError"' in told.stderr
    assert "that is not so; retries[0].error: OutOfStock: no umbrella left" in told.stderr


def test_one_tape_that_fails_keeps_no_other_from_being_checked(tape: Path) -> None:
    bad = tape.with_name("bad.tape")
    bad.write_text("jump high\n")
    told = run("demo", "--check", bad, tape)
    assert told.exit_code == 1
    assert "bad.tape:1: jump high" in told.stderr
    assert " ok in " in told.stdout


def test_a_film_is_kept_in_each_file_that_is_named_with_the_stills_beside_the_first(tape: Path) -> None:
    there = tape.parent / "films"
    told = run("record", tape, "-o", there / "short.cast", "-o", there / "short.txt", "-o", there / "last.svg")
    assert told.exit_code == 0, told.output
    assert sorted(path.name for path in there.iterdir()) == ["last.svg", "short.cast", "short.svg", "short.txt"]
    film = read_cast(there / "short.cast")
    assert (film.columns, film.rows, film.title) == (80, 24, "Short")
    assert [mark.label for mark in film.marks] == ["One event"]
    assert [key.text for key in film.keys] == ["a"]
    assert "A sentence" in film.last.text
    assert "handler process (pid " in told.stderr


def test_size_theme_speed_and_captions_are_those_of_the_command_line(tape: Path) -> None:
    plain, other = tape.with_name("plain.cast"), tape.with_name("other.cast")
    assert run("record", tape, "-o", plain).exit_code == 0
    wishes = ("--size", "100x30", "--theme", "light", "--speed", "2", "--no-captions")
    assert run("record", tape, "-o", other, *wishes).exit_code == 0
    first, second = read_cast(plain), read_cast(other)
    head = json.loads(other.read_text().splitlines()[0])
    assert (head["width"], head["height"]) == (100, 30)
    assert "A sentence" not in second.last.text
    assert second.seconds < 0.75 * first.seconds
    assert int(second.last.ground[1:3], 16) > 0xC0  # light


def test_a_suffix_that_no_film_has_is_refused_before_anything_is_played(tape: Path) -> None:
    told = run("record", tape, "-o", tape.with_name("film.avi"))
    assert told.exit_code == 1
    assert "'.avi'" in told.stderr
    assert "handler process" not in told.stderr
