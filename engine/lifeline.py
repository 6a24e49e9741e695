"""What ties an engine to the supervisor that would bring it back: a note for its successor, and a watch on each other.

The note is a file without a name that the supervisor and all lives of the engine have open. Only its owner can read it,
it is rewritten in place, and nothing of it is left behind.
"""

import asyncio
import contextlib
import json
import os
import signal
import struct
from collections.abc import Callable
from typing import Any, BinaryIO, NoReturn

_LENGTH = struct.Struct("<I")


class Note:
    """A JSON object that outlives whoever wrote it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self) -> dict[str, Any]:
        """What was written last; empty before."""
        head = os.pread(self._file.fileno(), _LENGTH.size, 0)
        if not head:
            return {}
        found: dict[str, Any] = json.loads(os.pread(self._file.fileno(), _LENGTH.unpack(head)[0], _LENGTH.size))
        return found

    def write(self, content: dict[str, Any]) -> None:
        """In one call: whoever is killed, the note is the old one or the new one."""
        text = json.dumps(content).encode()
        os.pwrite(self._file.fileno(), _LENGTH.pack(len(text)) + text, 0)


class Lifeline:
    """The engine's end of it."""

    def __init__(self, note: Note, supervisor: int) -> None:
        """`supervisor` is a pipe that ends with it."""
        self.left = note.read()  # what the engine before this one kept; empty for the first
        self._note = note
        self._supervisor = supervisor
        self._kept = {name: value for name, value in self.left.items() if name != "killed_by"}

    def watch(self, gone: Callable[[], object]) -> None:
        """Call `gone` if the supervisor ends first: then nobody passes on what asks for the engine's end."""
        loop = asyncio.get_running_loop()

        def is_over() -> None:
            loop.remove_reader(self._supervisor)
            gone()

        loop.add_reader(self._supervisor, is_over)

    def keep(self, **known: Any) -> None:
        """Let a successor know this. The engine counts as ready from the first call on."""
        self._kept |= known
        self._note.write({**self._kept, "pid": os.getpid()})

    def die(self, why: str) -> NoReturn:
        """Be killed, as `kill -9` would: nothing is closed, flushed or told."""
        with contextlib.suppress(OSError):
            self.keep(killed_by=why)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("a killed process goes on")
