"""Films as GIF and MP4: what is drawn, how long it stands, how much it takes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from pictures import WIDTH, line, screen, short_film
from PIL import Image, ImageSequence

from lamtop.tui.film.files import write_film
from lamtop.tui.film.frame import Frame, Look, Run
from lamtop.tui.film.gif import gif_comment, write_gif
from lamtop.tui.film.palette import MOST, Palette
from lamtop.tui.film.reel import Film, FilmError


def pictures(path: Path) -> list[Image.Image]:
    with Image.open(path) as image:
        return [one.convert("RGB").copy() for one in ImageSequence.Iterator(image)]


def durations(path: Path) -> list[int]:
    """Milliseconds of each picture."""
    with Image.open(path) as image:
        return [one.info["duration"] for one in ImageSequence.Iterator(image)]


def film_of(*frames: Frame, every: float = 0.5) -> Film:
    film = Film(frames[0].columns, len(frames[0].rows), "")
    for at, frame in enumerate(frames):
        film.shoot(at * every, frame)
    return film


def test_every_picture_is_the_same_as_if_it_were_the_only_one(tmp_path: Path) -> None:
    film = short_film()
    write_gif(film, tmp_path / "all.gif")
    found = pictures(tmp_path / "all.gif")
    assert len(found) == 3
    for shot, shown in zip(film.shots, found, strict=True):
        write_gif(film_of(shot.frame), tmp_path / "one.gif")
        assert shown.tobytes() == pictures(tmp_path / "one.gif")[0].tobytes()


def test_pictures_stand_as_long_as_in_the_film_and_the_last_for_three_seconds(tmp_path: Path) -> None:
    write_gif(short_film(), tmp_path / "a.gif")
    assert durations(tmp_path / "a.gif") == [1000, 2000, 3000]
    film = short_film()
    film.seconds = 10.0
    write_gif(film, tmp_path / "b.gif")
    assert durations(tmp_path / "b.gif") == [1000, 2000, 7000]


def test_a_film_plays_for_ever(tmp_path: Path) -> None:
    write_gif(short_film(), tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as image:
        assert image.info["loop"] == 0


def test_rounding_does_not_add_up(tmp_path: Path) -> None:
    write_gif(film_of(*(screen(str(at)) for at in range(49)), every=1 / 12), tmp_path / "a.gif")
    assert sum(durations(tmp_path / "a.gif")[:-1]) == 4000


def test_what_stands_too_short_to_be_shown_gives_way_to_the_next(tmp_path: Path) -> None:
    film = film_of(screen("a"), screen("half drawn"), screen("b"))
    film.shots[1] = film.shots[1]._replace(at=0.99)
    write_gif(film, tmp_path / "a.gif")
    assert durations(tmp_path / "a.gif") == [990, 3000]


def test_a_picture_takes_as_much_room_as_differs_from_the_one_before(tmp_path: Path) -> None:
    frames = [screen("umbrella " * 9, *(["umbrella " * 9] * 28), f"0:{at:02}", width=100) for at in range(40)]
    write_gif(film_of(frames[0]), tmp_path / "one.gif")
    write_gif(film_of(*frames), tmp_path / "all.gif")
    more = (tmp_path / "all.gif").stat().st_size - (tmp_path / "one.gif").stat().st_size
    assert more < 39 * 250


def test_the_same_film_is_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.gif", "b.gif"):
        write_gif(short_film(), tmp_path / name)
    assert (tmp_path / "a.gif").read_bytes() == (tmp_path / "b.gif").read_bytes()


@pytest.mark.parametrize("comment", ["", "sha256:" + "0" * 64, "ü" * 300])
def test_a_comment_is_read_again(comment: str, tmp_path: Path) -> None:
    write_film(short_film(), tmp_path / "a.gif", comment=comment)
    assert gif_comment(tmp_path / "a.gif") == comment
    assert len(pictures(tmp_path / "a.gif")) == 3


def test_a_comment_of_what_is_no_gif_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.gif").write_text("hello")
    for name in ("a.gif", "none.gif"):
        with pytest.raises(FilmError, match=f"{name} cannot be read as a GIF"):
            gif_comment(tmp_path / name)


def test_how_far_it_is_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    write_film(short_film(), tmp_path / "a.gif", lambda done, count: told.append((done, count)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_terminal_that_was_resized_has_room_in_the_picture(tmp_path: Path) -> None:
    small, large = screen("a", width=4), screen("b", "c", width=8)
    write_gif(film_of(small, large, small), tmp_path / "a.gif")
    found = pictures(tmp_path / "a.gif")
    assert {one.size for one in found} == {(8 * 9 + 18, 2 * 20 + 18)}
    assert found[0].tobytes() == found[2].tobytes()


def test_a_film_without_pictures_is_refused(tmp_path: Path) -> None:
    for name in ("a.gif", "a.mp4", "a.svg"):
        with pytest.raises(FilmError, match="nothing was shown"):
            write_film(Film(WIDTH, 1, ""), tmp_path / name)
    assert not list(tmp_path.iterdir())


# colours


def looks(count: int) -> Frame:
    """A frame of so many pairs of colours, no two the same; the first has the most cells."""
    row = [Run("a" * 9, Look("#e0e0e0", "#121212"))]
    for at in range(count):
        mixed = f"#{at % 250:02x}{at // 250:02x}"
        row.append(Run("a", Look(f"{mixed}80", f"{mixed}00")))
    return Frame(9 + count, (tuple(row),))


def test_colours_are_exact_and_as_many_shades_as_there_is_room_for() -> None:
    few, some, many = (Palette([looks(count)]) for count in (3, 70, 120))
    assert few.steps > some.steps > many.steps == 2
    for palette in (few, some, many):
        assert palette.is_exact
        assert len(palette.colours) <= MOST
        assert {"#e0e0e0", "#121212"} <= set(palette.colours)


def test_too_many_colours_get_those_that_are_near() -> None:
    palette = Palette([looks(600)])
    assert not palette.is_exact
    assert len(palette.colours) == MOST
    assert {"#e0e0e0", "#121212"} <= set(palette.colours), "what most cells have is exact"
    assert palette.colours[palette.number("#e1e0e0")] == "#e0e0e0"
    assert len(palette.shades(Look("#123456", "#654321"))) == 256


def test_the_colour_of_letters_that_are_not_there_takes_no_room() -> None:
    blank = Frame(2, ((Run("  ", Look("#ff0000", "#121212")),),))
    assert Palette([blank]).colours == ["#121212"]
    marked = Frame(2, ((Run("  ", Look("#ff0000", "#121212", underline=True)),),))
    assert "#ff0000" in Palette([marked]).colours


# MP4


def test_a_film_as_mp4_has_its_size_its_length_and_its_colours(tmp_path: Path) -> None:
    import imageio_ffmpeg

    film = short_film()
    film.shoot(4.0, screen(*[line(("█" * WIDTH, "#ffb000 on #102030"))] * 3))
    told: list[tuple[int, int]] = []
    write_film(film, tmp_path / "a.mp4", lambda done, count: told.append((done, count)))
    read = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(tmp_path / "a.mp4")]
    pixels = subprocess.run([*read, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"], check=True, capture_output=True).stdout
    size = 2 * (WIDTH * 9 + 18), 2 * (3 * 20 + 18)
    assert len(pixels) == 7 * 12 * size[0] * size[1] * 3
    assert told == [(done, 7 * 12) for done in range(1, 7 * 12 + 1)]
    last = Image.frombytes("RGB", size, pixels[-size[0] * size[1] * 3 :])
    assert last.getpixel((100, 70)) == pytest.approx((0xFF, 0xB0, 0x00), abs=6)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_an_mp4_that_cannot_be_written_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FilmError, match=r"a.mp4 cannot be written: .*No such file"):
        write_film(short_film(), tmp_path / "none" / "a.mp4")
    assert not list(tmp_path.iterdir())


# what is installed


@pytest.mark.parametrize(
    ("missing", "suffix"),
    [("PIL", ".gif"), ("PIL", ".mp4"), ("imageio_ffmpeg", ".mp4"), ("fontpkg_jetbrains_mono", ".gif")],
)
def test_without_the_extra_it_is_told_what_to_install(
    missing: str, suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("lamtop.tui.film.")]:
        if name.rpartition(".")[2] in ("gif", "mp4", "raster", "letters"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(FilmError, match=re.escape("this needs lamtop[record]: pip install 'lamtop[record]'")):
        write_film(short_film(), tmp_path / f"a{suffix}")
