"""ctrl+r: what is on the screen gets into a file while it happens, and nothing else does."""

import os
import re
from pathlib import Path

import pytest
from fake_engine import FakeEngine, dead, life
from pictures import WIDTH, line, screen
from stage import Stage, play
from textual.widgets import Input

from lamtop.tui.film import live, recording
from lamtop.tui.film.cast import CastWriter, read_cast
from lamtop.tui.film.frame import Frame
from lamtop.tui.film.mark import mark_of, without_mark
from lamtop.tui.film.recording import Recording
from lamtop.tui.film.reel import Film


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the monitor was started."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every picture counts, however soon it follows."""
    monkeypatch.setattr(live, "_GAP", 0.0)


def the_file(folder: Path) -> Path:
    [path] = folder.glob("*.cast")
    return path


def texts(film: Film) -> list[str]:
    return [shot.frame.text for shot in film.shots]


# the file


def test_each_picture_is_in_the_file_as_soon_as_it_was_shown(clock: Clock, tmp_path: Path) -> None:
    made = Recording(tmp_path, screen("a"), "lamtop", clock)
    assert texts(read_cast(made.path)) == ["a"]
    clock.now += 0.5
    made.show(screen("b"))
    assert [(shot.at, shot.frame.text) for shot in read_cast(made.path).shots] == [(0.0, "a"), (0.5, "b")]
    made.end()


def test_what_looks_as_before_takes_no_room(clock: Clock, tmp_path: Path) -> None:
    made = Recording(tmp_path, screen("a"), "lamtop", clock)
    before = made.path.stat().st_size
    made.show(screen("a"))
    assert made.path.stat().st_size == before
    made.end()


def test_a_screen_on_which_nothing_happens_stands_for_two_seconds_of_the_film(clock: Clock, tmp_path: Path) -> None:
    made = Recording(tmp_path, screen("a"), "lamtop", clock)
    for after, text in ((1.0, "b"), (60.0, "c"), (0.25, "d")):
        clock.now += after
        made.show(screen(text))
    clock.now += 600
    assert made.seconds == 5.25
    made.end()
    film = read_cast(made.path)
    assert [shot.at for shot in film.shots] == [0.0, 1.0, 3.0, 3.25]
    assert film.seconds == 5.25


def test_a_recording_is_for_its_owner_alone(clock: Clock, tmp_path: Path) -> None:
    made = Recording(tmp_path, screen("a"), "lamtop", clock)
    made.end()
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert re.fullmatch(r"lamtop-\d{8}-\d{6}\.cast", made.path.name)


def test_no_file_is_written_over(clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording.time, "strftime", lambda form: "lamtop-20260101-120000")
    (tmp_path / "lamtop-20260101-120000.cast").write_text("precious")
    for _ in range(2):
        Recording(tmp_path, screen("a"), "lamtop", clock).end()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["lamtop-20260101-120000-2.cast", "lamtop-20260101-120000-3.cast", "lamtop-20260101-120000.cast"]
    assert (tmp_path / "lamtop-20260101-120000.cast").read_text() == "precious"


def test_a_terminal_of_another_size_is_told_when_its_picture_is_whole(clock: Clock, tmp_path: Path) -> None:
    made = Recording(tmp_path, screen("a"), "lamtop", clock)
    clock.now += 1
    made.show(Frame(WIDTH * 2, screen("half laid out").rows))
    made.show(Frame(WIDTH, ()))
    made.show(screen("b", "c", width=WIDTH * 2))
    made.end()
    film = read_cast(made.path)
    assert texts(film) == ["a", "b\nc"]
    assert film.extent == (WIDTH * 2, 2)
    assert '"r", "48x2"' in made.path.read_text()


# what says so on the screen


@pytest.mark.parametrize("mark", [mark_of("0:12"), mark_of("1:00:12"), "# REC 0:12"])
def test_the_words_in_the_header_are_left_out_of_the_film(mark: str) -> None:
    marked = screen(line(("lamtop ", "bold"), (f" {mark} ", "red"), "   ok 3", width=40), "● REC 0:12", width=40)
    plain = screen(line(("lamtop ", "bold"), " " * (len(mark) + 2), "   ok 3", width=40), "● REC 0:12", width=40)
    assert without_mark(marked) == plain
    assert without_mark(plain) == plain


def test_a_picture_of_nothing_has_no_such_words() -> None:
    assert without_mark(Frame(WIDTH, ())) == Frame(WIDTH, ())


@pytest.mark.usefixtures("at_once")
def test_ctrl_r_records_and_again_says_what_it_has_recorded(here: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("ctrl+r")
        await stage.shows("● REC 0:0")
        await stage.press("4", "z")
        await stage.shows("No dead letters")
        await stage.press("ctrl+r")
        await stage.hides("REC")
        assert re.search(r"recorded lamtop-\d{8}-\d{6}\.cast: 0:0\d, [\d.]+K", stage.screen())

    play(story)
    film = read_cast(the_file(here))
    assert (film.columns, film.rows, film.title) == (140, 40, "lamtop")
    assert "1 Queue" in texts(film)[0]
    assert "1 Queue" not in texts(film)[-1]
    assert not [text for text in texts(film) if "REC" in text or "recorded" in text]


@pytest.mark.usefixtures("at_once")
def test_a_recording_goes_on_over_every_screen_and_takes_no_letter_from_a_field(here: Path) -> None:
    engine = FakeEngine()
    engine.lives[dead(1)["request_id"]] = life(1)
    engine.rows["dlq"] = [dead(1)]

    async def story(stage: Stage) -> None:
        await stage.press("slash", "a", "ctrl+r", "b")
        await stage.shows("● REC")
        assert stage.app.screen.query_one(Input).value == "ab"
        await stage.press("escape", "4", "enter")
        await stage.shows("● REC", "Result")
        await stage.press("escape", "6", "e")
        await stage.shows("invoke")
        await stage.press("ctrl+r")
        await stage.shows("recorded lamtop-")
        assert stage.app.recorder is None

    play(story, engine)
    assert len(read_cast(the_file(here)).shots) > 3


def test_a_timer_that_comes_too_late_finds_the_recording_ended(here: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("ctrl+r")
        recorder = stage.app.recorder
        assert recorder is not None
        await stage.press("ctrl+r", "4", "z")
        recorder._look()
        recorder._tell()
        await stage.hides("REC")

    play(story)
    assert "1 Queue" in read_cast(the_file(here)).last.text


@pytest.mark.usefixtures("at_once")
def test_the_mark_is_there_in_ascii_too(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")

    async def story(stage: Stage) -> None:
        await stage.press("ctrl+r", "z")
        await stage.until(lambda: "# REC 0:0" in live.frame_of(stage.app).text)
        await stage.press("ctrl+r")

    play(story)
    film = read_cast(the_file(here))
    assert all(text.isascii() for text in texts(film))
    assert "REC" not in "".join(texts(film))


def test_leaving_ends_the_recording_and_tells_its_name(here: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("ctrl+r", "q")
        await stage.until(lambda: stage.app._exit)
        assert "recorded lamtop-" in str(stage.app._exit_renderables)

    play(story)
    assert the_file(here).read_text().splitlines()[-1].endswith('"\\u001b[0m\\u001b[?25h"]')


@pytest.mark.usefixtures("at_once")
def test_what_was_copied_is_not_in_the_recording(here: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("ctrl+r", "6", "y")
        await stage.shows("copied")
        await stage.press("ctrl+r")

    play(story)
    assert "copied" in the_file(here).read_text()
    assert "]52;" not in the_file(here).read_text()


def test_pictures_that_follow_too_soon_are_left_out_but_for_the_last(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "_GAP", 1000.0)

    async def story(stage: Stage) -> None:
        await stage.press("ctrl+r", "6", "z", "j", "k", "z", "4")
        await stage.shows("[4 DLQ" if stage.app.size.width < 100 else "4 DLQ")
        await stage.press("ctrl+r")

    play(story)
    assert len(read_cast(the_file(here)).shots) == 2


@pytest.mark.usefixtures("at_once")
def test_a_resized_terminal_goes_on_being_recorded(here: Path) -> None:
    async def story(stage: Stage) -> None:
        await stage.press("ctrl+r")
        await stage.pilot.resize_terminal(80, 24)
        await stage.shows("[6 Functions")
        await stage.press("ctrl+r")

    play(story)
    film = read_cast(the_file(here))
    assert film.last.columns == 80
    assert len(film.last.rows) == 24
    assert film.extent == (140, 40)


def test_a_folder_that_takes_no_file_is_told(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(recording.os, "open", refuse)

    async def story(stage: Stage) -> None:
        await stage.press("ctrl+r")
        await stage.shows("not recorded: this folder takes no new file: Permission denied")
        assert stage.app.recorder is None

    play(story)


@pytest.mark.usefixtures("at_once")
def test_a_full_disk_ends_the_recording_and_nothing_else(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    async def story(stage: Stage) -> None:
        await stage.press("ctrl+r")
        monkeypatch.setattr(CastWriter, "shot", full)
        await stage.press("4", "z")
        await stage.shows("the recording ended: No space left on device; lamtop-")
        assert stage.app.recorder is None
        await stage.press("z", "6", "y")
        await stage.shows("copied")

    play(story)
    assert len(read_cast(the_file(here)).shots) == 1


def test_nothing_is_looked_at_while_nothing_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[object] = []
    monkeypatch.setattr(live, "frame_of", looked.append)

    async def story(stage: Stage) -> None:
        await stage.press("4", "z", "z")

    play(story)
    assert looked == []
