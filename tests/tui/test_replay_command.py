"""`lamtop replay` and `lamtop export` as they are typed, and a recording in a real terminal."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from terminal import SETTINGS_LEFT, Terminal
from test_replay import record

from lamtop.tui.cli import main


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project's folder with what an engine has left in it."""
    project = tmp_path_factory.mktemp("shop")
    (project / "template.yaml").write_text("Resources: {}")
    record(project / ".lamtop")
    return project


@pytest.fixture
def project(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(recorded)
    return recorded


def lamtop(*words: str) -> Result:
    return CliRunner().invoke(main, words)


@pytest.mark.parametrize("path", [None, ".", ".lamtop", "template.yaml", ".lamtop/queue.sqlite3"])
def test_a_recording_is_exported_from_wherever_it_is_named(project: Path, tmp_path: Path, path: str | None) -> None:
    file = tmp_path / "out.jsonl"
    told = lamtop("export", *([path] if path else []), "-o", str(file))
    assert told.exit_code == 0, told.output
    lines = file.read_text().splitlines()
    assert f"wrote {len(lines)} lines" in told.stderr
    assert json.loads(lines[0])["kind"] == "recording"
    assert file.stat().st_mode & 0o777 == 0o600


def test_an_export_has_a_name_of_its_own_never_overwrites_and_can_go_to_a_pipe(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert lamtop("export", str(project)).exit_code == 0
    written = (tmp_path / "lamtop-recording.jsonl").read_text()
    again = lamtop("export", str(project))
    assert (again.exit_code, "is there already; name another file with -o" in again.stderr) == (1, True)
    piped = lamtop("export", str(project), "-o", "-")
    assert piped.stdout == written
    gone = lamtop("export", str(project), "-o", "gone/x.jsonl")
    assert (gone.exit_code, "cannot be written: No such file" in gone.stderr) == (1, True)
    assert lamtop("export", "lamtop-recording.jsonl", "-o", "copy.jsonl").exit_code == 0
    assert (tmp_path / "copy.jsonl").read_text() == written


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["replay", "gone"],
            "gone does not exist; name a state folder, a project, or a file that 'lamtop export' wrote",
        ),
        (["export", "gone"], "gone does not exist"),
        (["replay", "--at", "noon"], "--at: 'noon' is no place in a recording; use minutes and seconds as in 2:13, or"),
        (["replay", "--plain"], "--plain: a replay has a screen only; 'lamtop export -o -' prints"),
    ],
)
def test_what_cannot_be_opened_is_said_in_one_line(project: Path, words: list[str], said: str) -> None:
    told = lamtop(*words)
    assert (told.exit_code, said in told.stderr, told.stderr.count("\n")) == (1, True, 1), told.output


def test_a_folder_in_which_nothing_ever_ran_is_no_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = lamtop("replay")
    assert (told.exit_code, "there is no .lamtop here: name a state folder, a project" in told.stderr) == (1, True)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def terminals(tmp_path: Path) -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for terminal in opened:
        terminal.close()


def test_a_person_opens_a_file_goes_through_it_and_quits(
    project: Path, tmp_path: Path, terminals: list[Terminal]
) -> None:
    file = tmp_path / "monday.jsonl"
    assert lamtop("export", "-o", str(file)).exit_code == 0
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    environ = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ} | {"HOME": str(tmp_path)}
    words = ["replay", "--at", "0:04", str(file)]
    terminal = Terminal([sys.executable, "-m", "lamtop.tui.cli", *words], folder, environ, 100, 30)
    terminals.append(terminal)
    terminal.until(lambda s: "REPLAY 0:04 of 3:08 held still" in s and "a-works" in s, "where it was told to begin")
    terminal.press("f")
    terminal.until(lambda s: "REPLAY 0:06" in s and "b-fails" in s and "failed, attempt 1" in s, "the first failure")
    terminal.press("i")
    terminal.until(lambda s: "this is a replay: nothing runs" in s, "a key that runs nothing")
    terminal.press(")")
    terminal.until(lambda s: "REPLAY 3:08" in s and "4 DLQ 1" in s, "the end")
    terminal.press("(}")
    terminal.until(lambda s: "▶x4" in s, "playing, and faster")
    terminal.press("p")
    terminal.until(lambda s: "held still" in s and "REPLAY 3:08" not in s, "played for a moment and held")
    terminal.press("q")
    assert terminal.wait() == 0
    assert all(setting in terminal.written for setting in SETTINGS_LEFT)
    assert terminal.settings() == terminal.settings_before
    assert list(folder.iterdir()) == []
