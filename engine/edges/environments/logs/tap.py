"""The engine's end of the pipe that a process prints into."""

import asyncio
import os
from collections.abc import Callable

_READ_SIZE = 64 * 1024
_PAUSE = 0.005  # seconds
_FLOOD = 32 * 1024  # bytes at once
_PIPE_MAX = 1024 * 1024  # the most that a pipe can hold: what is in it when the answer arrives


class Tap:
    """Reads the pipe that a process's standard output and standard error lead to.

    A process that prints a little, often, would wake the engine for every piece. So after a small read nothing is read
    for a moment; the pipe holds what comes meanwhile. A flood is read without a pause.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, descriptor: int, take: Callable[[bytes], None]) -> None:
        self._loop = loop
        self._descriptor = descriptor
        self._take = take
        self._open = True
        self._pause: asyncio.TimerHandle | None = None
        os.set_blocking(descriptor, False)
        loop.add_reader(descriptor, self._on_readable)

    def read_all(self) -> None:
        """Take what is in the pipe now, so that no line is counted to the next invocation."""
        taken, count = 0, _READ_SIZE
        while count == _READ_SIZE and taken < _PIPE_MAX:  # a read that gets less has emptied the pipe
            count = self._read()
            taken += count

    def close(self) -> None:
        self._stop()
        os.close(self._descriptor)

    def _on_readable(self) -> None:
        if self._read() < _FLOOD and self._open:
            self._loop.remove_reader(self._descriptor)
            self._pause = self._loop.call_later(_PAUSE, self._resume)

    def _resume(self) -> None:
        self._pause = None
        if 0 < self._read() < _FLOOD:
            self._pause = self._loop.call_later(_PAUSE, self._resume)
        elif self._open:
            self._loop.add_reader(self._descriptor, self._on_readable)

    def _read(self) -> int:
        if not self._open:
            return 0
        try:
            data = os.read(self._descriptor, _READ_SIZE)
        except BlockingIOError:
            return 0
        if data:
            self._take(data)
        else:  # nobody holds the other end any more
            self._stop()
        return len(data)

    def _stop(self) -> None:
        self._open = False
        self._loop.remove_reader(self._descriptor)
        if self._pause is not None:
            self._pause.cancel()
            self._pause = None
