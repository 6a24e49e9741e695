"""`lamtop demo TAPE` in a real terminal: a tape is watched, held, stepped through, and left."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from terminal import SETTINGS_LEFT, Terminal

TAPE = """title Watched
fps 4
scene One
caption A fault is armed
pause 24s
choose always-fails
key j k
key f
key esc
caption And now it fails
key a
wait retries == 1
pause 1s
caption That was all
"""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    (tmp_path / "watched.tape").write_text(TAPE)
    (tmp_path / "tmp").mkdir()
    environ = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    environ |= {"HOME": str(tmp_path), "TMPDIR": str(tmp_path / "tmp")}
    command = [sys.executable, "-m", "lamtop.tui.cli", "demo", "watched.tape", "--speed", "8"]
    opened = Terminal(command, tmp_path, environ, 100, 30)
    yield opened
    opened.close()


def test_a_tape_is_held_stepped_through_and_left_and_the_monitors_keys_work(terminal: Terminal, tmp_path: Path) -> None:
    terminal.until(
        lambda s: "A fault is armed" in s.splitlines()[-2] and "space pauses" in s.splitlines()[-1], "it plays"
    )
    terminal.press(" ")
    terminal.until(lambda s: "PAUSED" in s.splitlines()[-1], "it is held")
    terminal.press("?")
    terminal.until(lambda s: "╔═ keys" in s, "a key of the viewer's")
    terminal.press("\x1b")
    terminal.until(lambda s: "╔═ keys" not in s, "the help is closed")
    terminal.press("." * 3)
    terminal.until(lambda s: "PAUSED" in s.splitlines()[-1], "held again")
    terminal.resize(110, 34)
    terminal.until(lambda s: "PAUSED" in s.splitlines()[-1] and "quit" in s.splitlines()[-3], "the strip stays below")
    terminal.press(" ")
    terminal.until(lambda s: "That was all" in s and "the end" in s.splitlines()[-1], "the end")
    assert "OutOfStock" in terminal.screen()
    terminal.press("\x11")  # ctrl+q
    assert terminal.wait() == 0
    assert all(setting in terminal.written for setting in SETTINGS_LEFT)
    assert terminal.settings() == terminal.settings_before
    assert list((tmp_path / "tmp").iterdir()) == []  # the project's copy is gone


def test_who_leaves_in_the_middle_leaves_nothing_behind_and_sees_no_error(terminal: Terminal, tmp_path: Path) -> None:
    terminal.until(lambda s: "A fault is armed" in s, "the middle")
    terminal.press("\x11")
    assert terminal.wait() == 0
    assert b"Traceback" not in terminal.written.rpartition(SETTINGS_LEFT[0])[2]  # the log on the screen has one
    assert list((tmp_path / "tmp").iterdir()) == []
