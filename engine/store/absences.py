"""When no engine ran on this state folder: a retry that was due then came late, and whoever looks is told why."""

import contextlib
import json
from pathlib import Path
from typing import Any, NamedTuple

_KEPT = 200  # the newest
_SHORTEST = 0.5  # seconds; what is shorter delays nothing


class Absence(NamedTuple):
    """No engine ran from `start` to `end`, engine time; `start` is not known exactly if the engine was killed."""

    start: float
    end: float
    exact: bool


class Absences:
    """A small file beside the queue, read at the start and written at the start and the end of an engine.

    It is for looking at only: where it cannot be read or written nothing is said of absences.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "absences.json"
        self._all: list[Absence] = []

    def opened(self, now: float, last_written: float) -> None:
        """An engine has started; `last_written` is the last moment at which the queue was written before (0: never)."""
        told = self._read()
        stopped = told.get("stopped")
        self._all = told.get("absences", [])
        start = max(last_written, stopped or 0.0)
        if start and now - start >= _SHORTEST:
            self._all = [*self._all, Absence(start, now, stopped is not None)][-_KEPT:]
        self._write(None)

    def closed(self, now: float) -> None:
        """The engine ends in good order."""
        self._write(now)

    def on_disk(self) -> list[Absence]:
        """Those that the file tells of, oldest first."""
        return list(self._read().get("absences", []))

    def between(self, since: float, until: float) -> list[Absence]:
        """Those that overlap a stretch of time, oldest first."""
        return [absence for absence in self._all if absence.start < until and absence.end > since]

    def _read(self) -> dict[str, Any]:
        try:
            told = json.loads(self._path.read_text(encoding="utf-8"))
            found = [Absence(float(start), float(end), bool(exact)) for start, end, exact in told["absences"]]
            stopped = told["stopped"]
            return {"absences": found, "stopped": None if stopped is None else float(stopped)}
        except (OSError, ValueError, TypeError, KeyError):
            return {}

    def _write(self, stopped: float | None) -> None:
        text = json.dumps({"stopped": stopped, "absences": self._all})
        fresh = self._path.with_suffix(".new")
        with contextlib.suppress(OSError):
            fresh.write_text(text, encoding="utf-8")
            fresh.chmod(0o600)
            fresh.replace(self._path)
