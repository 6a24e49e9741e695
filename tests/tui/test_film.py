"""Films, and the files that they are kept in."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from pictures import WIDTH, line, screen, short_film

from lamtop.tui.film.cast import read_cast
from lamtop.tui.film.files import write_film
from lamtop.tui.film.frame import Frame
from lamtop.tui.film.reel import Film, FilmError
from lamtop.tui.film.svg import svg, svg_of_letters
from lamtop.tui.film.text import film_text


def test_a_picture_that_looks_as_before_is_no_new_shot() -> None:
    film = Film(WIDTH, 1, "")
    for at, text in ((0.0, "a"), (1.0, "a"), (2.0, "b"), (3.0, "a")):
        film.shoot(at, screen(text))
    assert [(shot.at, shot.frame.text) for shot in film.shots] == [(0.0, "a"), (2.0, "b"), (3.0, "a")]
    assert film.seconds == 3.0


def test_of_two_pictures_at_one_moment_the_last_counts() -> None:
    film = Film(WIDTH, 1, "")
    for at, text in ((0.0, "a"), (1.0, "half drawn"), (1.0, "b")):
        film.shoot(at, screen(text))
    assert [(shot.at, shot.frame.text) for shot in film.shots] == [(0.0, "a"), (1.0, "b")]


def test_a_film_without_pictures_has_no_last_one() -> None:
    with pytest.raises(FilmError, match="nothing was shown"):
        _ = Film(WIDTH, 1, "").last


def test_a_dim_text_is_between_its_colour_and_its_ground() -> None:
    [run, *_] = line(("dim", "dim #ffffff on #000000"))
    assert run.look.front == "#999999"


def test_the_ground_of_a_picture_is_what_most_cells_have() -> None:
    assert screen(line(("a", "on #111111"), "b"), line(("c" * WIDTH, "on #222222"))).ground == "#222222"
    assert Frame(WIDTH, ()).ground.startswith("#")


# the kinds of files


def test_the_suffix_chooses_the_kind(tmp_path: Path) -> None:
    film = short_film()
    for suffix in (".cast", ".svg", ".txt", ".CAST"):
        write_film(film, tmp_path / f"film{suffix}")
    assert read_cast(tmp_path / "film.cast") == film
    assert read_cast(tmp_path / "film.CAST") == film
    assert (tmp_path / "film.svg").read_text(encoding="utf-8") == svg(film.last, "a short film", "fail")
    assert (tmp_path / "film.txt").read_text(encoding="utf-8") == film_text(film)


@pytest.mark.parametrize(("name", "told"), [("a.webm", "the suffix '.webm'"), ("film", "no suffix")])
def test_another_suffix_is_refused_with_those_that_there_are(name: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(FilmError, match=rf"{name} has {told}; a film is kept as one of .cast, .gif, .mp4, .svg, .txt"):
        write_film(short_film(), tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".cast", ".svg", ".txt"])
def test_a_folder_that_is_not_there_is_told(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(FilmError, match=r"cannot be written: No such file"):
        write_film(short_film(), tmp_path / "none" / f"a{suffix}")


def test_a_text_has_the_last_picture_of_each_scene_and_the_keys_that_led_there() -> None:
    assert film_text(short_film()).split("\n") == [
        "a short film, 24x3, 0:04.0",
        "",
        "── 0:00.0-0:02.0 send ───",
        "keys: a",
        "",
        "Queue 1",
        "always-fails",
        "0:01",
        "",
        "── 0:02.0-0:04.0 fail ───",
        "keys: enter",
        "",
        "Queue 0",
        "✗ failed boom",
        "0:03",
        "",
    ]


def test_a_text_of_a_film_without_scenes_has_its_last_picture() -> None:
    film = short_film()
    film.marks.clear()
    assert film_text(film).split("\n")[2:] == [
        "── 0:00.0-0:04.0 ───────",
        "keys: a enter",
        "",
        "Queue 0",
        "✗ failed boom",
        "0:03",
        "",
    ]


# a still


def test_a_still_shows_each_text_in_its_place_and_look() -> None:
    root = ElementTree.fromstring(svg(short_film().last, "a title", "what it shows"))
    texts = {one.text: one for one in root.iter("{http://www.w3.org/2000/svg}text")}
    assert [root[0].text, root[1].text] == ["a title", "what it shows"]
    assert set(texts) == {"Queue 0", "failed", "boom", "0:03"}
    assert texts["boom"].get("x") == f"{9 * 8.4:.5g}"
    assert texts["boom"].get("y") == str(18 + 14)
    assert "#ff8f8f" in svg(short_film().last, "", "")


def test_a_still_of_letters_has_the_signs_among_them() -> None:
    drawn = svg_of_letters(short_film().last, "", "")
    assert ">✗ failed</text>" in drawn
    assert "<path" not in drawn


def paths(drawn: str) -> dict[str, list[tuple[int, ...]]]:
    """Colour -> left, top, width and height of each box that is filled with it, in tenths of a pixel."""
    found = re.findall(r'<path fill="(#\w+)" d="([^"]*)"', drawn)
    return {colour: [tuple(map(int, box)) for box in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)", d)] for colour, d in found}


def test_what_touches_is_one_shape_in_a_still() -> None:
    look = "#ffffff on #000000"
    drawn = paths(svg(screen(*[line(("███", look), "  ", ("──", look), width=7)] * 2, width=7), "", ""))
    assert drawn["#ffffff"] == [(0, 0, 252, 360), (420, 85, 168, 10), (420, 265, 168, 10)]


def test_nothing_lies_under_a_bar_in_a_still() -> None:
    drawn = paths(svg(screen(line(" ", ("▂", "#ffffff on #ff0000"), " ", width=3), width=3), "", ""))
    assert drawn["#ff0000"] == [(84, 0, 84, 135)]
    assert drawn["#ffffff"] == [(84, 135, 84, 45)]


def test_a_window_has_a_bar_with_the_title() -> None:
    plain, window = (svg(short_film().last, "a <title>", "", window=one) for one in (False, True))
    assert ">a &lt;title&gt;</text>" not in plain
    assert ">a &lt;title&gt;</text>" in window
    assert window.count("<circle") == 3
    heights = [float(ElementTree.fromstring(one).get("height", 0)) for one in (plain, window)]
    assert heights[1] > heights[0]


def test_a_still_needs_nothing_from_elsewhere_and_hides_no_markup() -> None:
    drawn = svg(screen("</text><script>"), "<title>", "&")
    ElementTree.fromstring(drawn)
    assert not re.search(r"href|url\(|@import|@font-face|<script", drawn)
    assert drawn == svg(screen("</text><script>"), "<title>", "&")
