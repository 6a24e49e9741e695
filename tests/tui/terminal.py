"""A program in a real terminal: a pty whose screen is read with pyte."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyte
from control_sequences import foreign

SETTINGS_LEFT = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l")  # alternate screen, cursor, mouse: as they were
_PATIENCE = 40.0  # seconds; these machines are busy


class Terminal:
    """Runs a command in a pty. `screen()` is what a person would see."""

    def __init__(self, command: Sequence[str], folder: Path, environ: Mapping[str, str], columns: int, rows: int):
        self._screen = pyte.Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._near, far = pty.openpty()
        self._far = os.dup(far)  # kept open: its settings are compared at the end
        self._set_size(columns, rows)
        self.settings_before = self.settings()
        self.written = b""
        self.child = subprocess.Popen(
            command, cwd=folder, env={"TERM": "xterm-256color", "COLORTERM": "truecolor", **environ},
            stdin=far, stdout=far, stderr=far, start_new_session=True,
        )  # fmt: skip
        os.close(far)

    def press(self, keys: str) -> None:
        os.write(self._near, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        self._screen.resize(rows, columns)
        self._set_size(columns, rows)
        os.killpg(self.child.pid, 28)  # SIGWINCH, as a terminal sends it

    def screen(self) -> str:
        # not pyte's `display`: that fails on a cell whose wide character was written over
        lines = (self._screen.buffer[y] for y in range(self._screen.lines))
        return "\n".join("".join(line[x].data for x in range(self._screen.columns)) for line in lines)

    def settings(self) -> list[Any]:
        """The terminal's own settings: echo, line mode and the like."""
        return termios.tcgetattr(self._far)

    def until(self, holds: Callable[[str], bool], what: str) -> str:
        """Read until the screen is so, and return it."""
        deadline = time.monotonic() + _PATIENCE
        while not holds(self.screen()):
            assert time.monotonic() < deadline, f"still not: {what}\n{self.screen()}\nforeign: {foreign(self.written)}"
            self._read(0.1)
        return self.screen()

    def wait(self) -> int:
        """Until the program has ended; its exit code."""
        deadline = time.monotonic() + _PATIENCE
        while self.child.poll() is None:
            assert time.monotonic() < deadline, f"still running\n{self.screen()}"
            self._read(0.05)
        while self._read(0.0):
            pass
        return self.child.returncode

    def close(self) -> None:
        if self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        os.close(self._near)
        os.close(self._far)

    def _read(self, patience: float) -> bool:
        if not select.select([self._near], [], [], patience)[0]:
            return False
        data = os.read(self._near, 65_536)
        self.written += data
        self._stream.feed(data)
        return True

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._near, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
