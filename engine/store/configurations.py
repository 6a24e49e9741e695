"""How the functions were configured, and since when: whoever looks back later is told by the folder itself."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

_KEPT = 50  # the newest
_SIZE_MAX = 64 * 1024 * 1024  # bytes that are read


class Configuration(NamedTuple):
    """What held from `since` on, engine time: the project as plain values."""

    since: float
    project: dict[str, Any]


class Configurations:
    """A small file beside the queue. Where it cannot be read or written nothing is said of configurations."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "configuration.json"
        self._noted: list[Configuration] | None = None  # what the file says, once it was written or read here

    def note(self, since: float, project: dict[str, Any]) -> None:
        """From now on it is this. Nothing is written if it was so before."""
        known = self.read() if self._noted is None else self._noted
        told: dict[str, Any] = json.loads(json.dumps(project))
        if not known or known[-1].project != told:
            known = [*known, Configuration(since, told)][-_KEPT:]
            self._write(known)
        self._noted = known

    def read(self) -> list[Configuration]:
        """All that is known, oldest first."""
        try:
            if self._path.stat().st_size > _SIZE_MAX:
                return []
            told = json.loads(self._path.read_text(encoding="utf-8"))
            return [Configuration(float(since), dict(project)) for since, project in told]
        except (OSError, ValueError, TypeError, RecursionError):
            return []

    def _write(self, known: list[Configuration]) -> None:
        fresh = self._path.with_suffix(".new")
        with contextlib.suppress(OSError):
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(known, file)
            fresh.replace(self._path)
