"""A program in a real terminal of 140 x 40, and the moment at which a word appears in what it writes."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

SIZE = (40, 140)  # rows, columns
_ESCAPES = re.compile(
    rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_].*?\x1b\\|[@-Z\\-_])", re.DOTALL
)
_END_SECONDS = 10.0
_TOLD = 2_000  # bytes of what was read last that an error shows


class Terminal:
    """A program that has been started in a terminal of its own. A context manager: ends it."""

    def __init__(self, command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> None:
        self._near, far = pty.openpty()
        fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
        self._last = b""
        self._cut = b""  # an escape sequence of which the end has not come yet
        self._text = b""  # since the last key, without escape sequences
        self.started = time.perf_counter()
        self._child = subprocess.Popen(
            command, cwd=folder, env={**environ, "TERM": "xterm-256color"}, stdin=far, stdout=far, stderr=far,
            start_new_session=True,
        )  # fmt: skip
        self.pid = self._child.pid
        os.close(far)

    def press(self, keys: str) -> None:
        """Type; from now on only what is written after it counts."""
        self._text = b""
        os.write(self._near, keys.encode())

    def seconds_until(self, word: str, patience: float = 30.0) -> float:
        """When the word was there, in seconds since the start. Raises TimeoutError or EOFError with what was there."""
        wanted = re.compile(rb"\b" + re.escape(word.encode()) + rb"\b")
        deadline = time.perf_counter() + patience
        while not wanted.search(self._text):
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{word!r} did not appear, but {self._text[-_TOLD:]!r}")
            self.read(0.1)
        return time.perf_counter() - self.started

    def wait(self, patience: float = 20.0) -> None:
        """Until the program has ended, reading what it writes meanwhile: a full terminal would hold it up."""
        deadline = time.perf_counter() + patience
        with suppress(EOFError):
            while self._child.poll() is None and time.perf_counter() < deadline:
                self.read(0.02)
        self._child.wait(_END_SECONDS)

    def read(self, patience: float) -> None:
        """Take in what the program writes, waiting so many seconds at most."""
        if not select.select([self._near], [], [], patience)[0]:
            return
        try:
            data = os.read(self._near, 65_536)
        except OSError:  # Linux says so once the program has closed the terminal
            data = b""
        if not data:
            raise EOFError(f"the program has ended: {self._last!r}")
        self._last = (self._last + data)[-_TOLD:]
        self._take(self._cut + data)

    def _take(self, data: bytes) -> None:
        """Add to the text. Every byte is looked at once: a slow reader would hold up what it measures."""
        escape = data.rfind(b"\x1b")
        whole = len(data) if escape < 0 or _ESCAPES.match(data, escape) else escape
        self._text, self._cut = self._text + _ESCAPES.sub(b"", data[:whole]), data[whole:]

    def drain(self, seconds: float) -> None:
        """Read for so long."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self.read(left)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child.poll() is None:
            self._child.terminate()
        try:
            self.wait()
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        os.close(self._near)
