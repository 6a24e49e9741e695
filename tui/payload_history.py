"""The last payloads that a project's functions were sent, in a private file of its state folder."""

import contextlib
import json
import os
from pathlib import Path
from typing import NamedTuple

KEPT = 20
KEPT_MAX = 64 * 1024
"""Characters of a payload that is worth a place in the file; a longer one is kept until the monitor ends."""


class Sent(NamedTuple):
    """A payload and the function that got it."""

    function: str
    payload: str


class PayloadHistory:
    """Newest first, none twice. Without a file (an engine on simulated time) it lasts as long as the monitor."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self.entries = _read(file)

    def last(self, function: str) -> str | None:
        """What this function was sent last."""
        return next((entry.payload for entry in self.entries if entry.function == function), None)

    def add(self, function: str, payload: str) -> None:
        """Remember a payload. What another monitor has written meanwhile is kept."""
        newest = Sent(function, payload)
        if self.entries[:1] == [newest]:
            return
        self.entries = list(dict.fromkeys([newest, *self.entries, *_read(self._file)]))[:KEPT]
        with contextlib.suppress(OSError):  # a full disk must not keep anybody from invoking
            self._write()

    def _write(self) -> None:
        if self._file is None:
            return
        fresh = self._file.with_suffix(f".{os.getpid()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump([entry for entry in self.entries if len(entry.payload) <= KEPT_MAX], file)
        fresh.replace(self._file)


def _read(file: Path | None) -> list[Sent]:
    """What the file says; nothing if there is none, or if it says something else."""
    try:
        told = json.loads(file.read_text(encoding="utf-8")) if file else []
        found = [Sent(function, payload) for function, payload in told]
    except (OSError, ValueError, TypeError):
        return []
    return [entry for entry in found if isinstance(entry.function, str) and isinstance(entry.payload, str)][:KEPT]
