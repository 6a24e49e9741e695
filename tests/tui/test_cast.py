"""Films as asciicast files: what is written can be read again, by us and by any player, and commands no terminal."""

import io
import json
import re
import sys
from pathlib import Path

import pytest
from pictures import OURS, WIDTH, line, screen, short_film
from rich.segment import Segment
from stage import HOSTILE, Stage, is_harmless, play

from lamtop.tui.film.cast import CastWriter, read_cast, write_cast
from lamtop.tui.film.frame import Frame, frame_of, row_of
from lamtop.tui.film.reel import Film, FilmError


def events(text: str) -> list[tuple[float, str, str]]:
    return [tuple(json.loads(one)) for one in text.splitlines()[1:]]


def written(film: Film, path: Path) -> list[tuple[float, str, str]]:
    write_cast(film, path)
    return events(path.read_text(encoding="utf-8"))


def test_a_film_that_is_written_and_read_is_the_same_film(tmp_path: Path) -> None:
    film = short_film()
    write_cast(film, tmp_path / "a.cast")
    assert read_cast(tmp_path / "a.cast") == film


@pytest.mark.parametrize(
    "style",
    ["bold", "italic", "underline", "strike", "reverse", "dim", "bold italic #ffb000 on #102030", "red on blue"],
)
def test_every_look_survives(style: str, tmp_path: Path) -> None:
    film = Film(WIDTH, 1, "")
    film.shoot(0.0, screen(line("plain ", ("styled", style), " plain")))
    write_cast(film, tmp_path / "a.cast")
    assert read_cast(tmp_path / "a.cast").shots == film.shots


@pytest.mark.parametrize(
    "text", ["注文 umbrella", "a\u0301bc ñ", "⚡ hit", "╭─ 1 Queue ─╮", "✓✗■‖↻█░▒┄↯ ▁▂▃", "␛[2J � ␤", "👍🏽 ok"]
)
def test_letters_of_every_width_stay_in_their_columns(text: str, tmp_path: Path) -> None:
    film = Film(WIDTH, 1, "")
    film.shoot(0.0, screen(line(text, ("|", "bold"))))
    write_cast(film, tmp_path / "a.cast")
    [shot] = read_cast(tmp_path / "a.cast").shots
    before, bar, after = shot.frame.rows[0]
    assert (bar.text, before.width + 1 + after.width) == ("|", WIDTH)
    assert before.width == film.shots[0].frame.rows[0][0].width


def test_the_same_film_is_the_same_bytes(tmp_path: Path) -> None:
    write_cast(short_film(), tmp_path / "a.cast")
    write_cast(short_film(), tmp_path / "b.cast")
    assert (tmp_path / "a.cast").read_bytes() == (tmp_path / "b.cast").read_bytes()
    assert set(json.loads((tmp_path / "a.cast").read_text().splitlines()[0])) == {
        "version", "width", "height", "title", "env", "theme",
    }  # fmt: skip


def test_only_the_lines_that_changed_are_written(tmp_path: Path) -> None:
    shots = [data for _, kind, data in written(short_film(), tmp_path / "a.cast") if kind == "o"]
    assert [re.findall(r"\x1b\[(\d+);1H", data) for data in shots] == [
        ["1", "2", "3"],
        ["1", "2", "3"],
        ["1", "2", "3"],
        [],
    ]
    film = Film(WIDTH, 3, "")
    film.shoot(0.0, screen("a", "b", "c"))
    film.shoot(1.0, screen("a", "B", "c"))
    shots = [data for _, kind, data in written(film, tmp_path / "b.cast") if kind == "o"]
    assert [re.findall(r"\x1b\[(\d+);1H", data) for data in shots] == [["1", "2", "3"], ["2"], []]


def test_a_line_neither_takes_a_look_over_nor_leaves_one_behind(tmp_path: Path) -> None:
    for _, kind, data in written(short_film(), tmp_path / "a.cast")[:-1]:
        if kind == "o":
            for row in re.split(r"\x1b\[\d+;1H", data)[1:]:
                assert row.startswith("\x1b[0m")
                assert row.endswith("\x1b[0m")


def test_the_cursor_is_hidden_while_it_plays(tmp_path: Path) -> None:
    shots = [data for _, kind, data in written(short_film(), tmp_path / "a.cast") if kind == "o"]
    assert shots[0].startswith("\x1b[?25l")
    assert shots[-1].endswith("\x1b[?25h")


def test_times_have_three_decimals_and_the_end_is_told(tmp_path: Path) -> None:
    film = Film(WIDTH, 1, "", seconds=2.0)
    film.shoot(1 / 3, screen("a"))
    film.seconds = 2.0
    write_cast(film, tmp_path / "a.cast")
    assert [line.split(",")[0] for line in (tmp_path / "a.cast").read_text().splitlines()[1:]] == ["[0.333", "[2.000"]
    assert read_cast(tmp_path / "a.cast").seconds == 2.0


def test_a_terminal_that_is_resized_shows_what_fits_it(tmp_path: Path) -> None:
    film = Film(WIDTH, 1, "")
    film.shoot(0.0, screen("small"))
    film.shoot(1.0, screen("large", "and high", width=40))
    assert [kind for _, kind, _ in written(film, tmp_path / "a.cast") if kind == "r"] == ["r"]
    assert read_cast(tmp_path / "a.cast").shots == film.shots


@pytest.mark.parametrize("harm", HOSTILE, ids=str)
def test_no_text_commands_the_terminal_that_plays_it(harm: str) -> None:
    file = io.StringIO()
    writer = CastWriter(file, WIDTH, 1, HOSTILE[harm])
    writer.shot(0.0, Frame(WIDTH, (row_of([Segment(HOSTILE[harm])]),)))
    writer.mark(0.5, HOSTILE[harm])
    writer.key(0.6, HOSTILE[harm])
    writer.end(1.0)
    told = json.loads(file.getvalue().splitlines()[0])["title"] + "".join(
        data for _, _, data in events(file.getvalue())
    )
    assert is_harmless(OURS.sub("", told))
    assert is_harmless(file.getvalue()), "the file itself may be looked at with cat"
    file.getvalue().encode()


def test_what_a_handler_prints_cannot_get_into_a_recording(tmp_path: Path) -> None:
    frames: list[Frame] = []

    async def story(stage: Stage) -> None:
        for text in HOSTILE.values():
            stage.engine.log(text[:200])
        await stage.press("5", "z")
        await stage.shows("PWNED", "xxxxxx")
        frames.append(frame_of(stage.app))

    play(story)
    film = Film(140, 40, "")
    film.shoot(0.0, frames[0])
    told = "".join(data for _, _, data in written(film, tmp_path / "a.cast"))
    assert "PWNED" in told
    assert is_harmless(OURS.sub("", told))


HEAD = '{"version": 2, "width": 10, "height": 2}'


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "no JSON"),
        ("hello\n", 1, "no JSON"),
        ("[1]\n", 1, "not the head of an asciicast"),
        ('{\n  "version": 1,\n', 1, "version 1"),
        ('{"version": 1, "width": 80, "height": 24}\n', 1, "asciinema convert"),
        ('{"version": 3, "term": {"cols": 80, "rows": 24}}\n', 1, "asciinema convert"),
        ('{"version": 2, "width": 0, "height": 2}\n', 1, "size"),
        ('{"version": 2, "width": 9, "height": 100000}\n', 1, "size"),
        ('{"version": 2, "width": "wide"}\n', 1, "size"),
        (f'{HEAD}\n[0.5, "o", "a"]\n[1, "o"\n[2, "o", "b"]\n', 3, "no JSON"),
        (f'{HEAD}\n[1, "o"]\n', 2, "not an event"),
        (f'{HEAD}\n[1, "o", 7]\n', 2, "not an event"),
        (f'{HEAD}\n["now", "o", ""]\n', 2, "no time"),
        (f'{HEAD}\n[-1, "o", ""]\n', 2, "no time"),
        (f'{HEAD}\n[NaN, "o", ""]\n', 2, "no time"),
        (f'{HEAD}\n[1, "r", "80"]\n', 2, "size"),
    ],
)
def test_a_damaged_file_is_refused_with_its_line_and_what_to_do(
    text: str, line: int, says: str, tmp_path: Path
) -> None:
    path = tmp_path / "bad.cast"
    path.write_text(text)
    with pytest.raises(FilmError, match=f"bad.cast, line {line} .*{says}"):
        read_cast(path)


def test_a_file_that_is_no_text_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bytes.cast").write_bytes(b"\xff\xfe")
    for name in ("bytes.cast", "none.cast"):
        with pytest.raises(FilmError, match=f"{name} cannot be read"):
            read_cast(tmp_path / name)


def test_what_a_killed_recorder_wrote_is_read_up_to_its_last_whole_line(tmp_path: Path) -> None:
    path = tmp_path / "a.cast"
    write_cast(short_film(), path)
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:6]) + lines[6][:40])
    assert [shot.at for shot in read_cast(path).shots] == [0.0, 1.0]


def test_a_recording_of_another_program_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "other.cast"
    path.write_text(
        '{"version": 2, "width": 10, "height": 2, "timestamp": 1, "theme": {"fg": "#AABBCC", "bg": "#000000"}}\n'
        '[0.1, "o", "$ ls\\r\\n"]\n[0.2, "o", "\\u001b[1;31mred\\u001b[0m"]\n[0.3, "x", "0"]\n'
    )
    film = read_cast(path)
    assert film.shots[-1].frame.text == "$ ls\nred"
    red, rest = film.shots[-1].frame.rows[1]
    assert red.look.bold
    assert (rest.look.front, rest.look.ground) == ("#aabbcc", "#000000")


def test_without_the_extra_reading_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_cast(short_film(), tmp_path / "a.cast")
    monkeypatch.setitem(sys.modules, "pyte", None)
    with pytest.raises(FilmError, match=re.escape("pip install 'lamtop[record]'")):
        read_cast(tmp_path / "a.cast")
