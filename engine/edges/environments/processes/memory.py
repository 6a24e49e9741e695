"""How much memory processes use, and how much the machine has left."""

import asyncio
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

_LOOK_EVERY = 0.05  # seconds, while something runs
_LOOKS_AT_ONCE = 100  # processes; a look costs 10 us
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Limited(Protocol):
    """A process that may use so much and no more."""

    @property
    def pid(self) -> int: ...

    def limit_memory(self, used: int) -> bool:
        """End it if it uses more memory, in KB, than it may."""
        ...


class MemoryWatch:
    """Looks at the resident memory of busy processes, and has those ended that use more than they may.

    Linux only: elsewhere a process is measured when it answers. Pages that a forked process shares with its zygote
    count as its own, as they do in one that was started by itself and loaded the same.
    """

    def __init__(self, busy: Callable[[], Iterable[Limited]]) -> None:
        self._busy = busy
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._to_see: list[Limited] = []

    def watch(self) -> None:
        """Something has begun to run."""
        if self._timer is None and _PROC:
            self._timer = self._loop.call_later(_LOOK_EVERY, self._look)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = None
        if not self._to_see:
            self._to_see = list(self._busy())
            if not self._to_see:
                return
        seen, self._to_see = self._to_see[:_LOOKS_AT_ONCE], self._to_see[_LOOKS_AT_ONCE:]
        for process in seen:
            process.limit_memory(resident(process.pid))
        self.watch()


_PROC = Path("/proc/self/statm").exists()


def resident(pid: int) -> int:
    """Resident memory of a process in KB; 0 if there is none, or the system does not say."""
    try:
        with open(f"/proc/{pid}/statm", "rb", buffering=0) as file:  # noqa: PTH123 (half the time of Path)
            return int(file.read(64).split(b" ", 2)[1]) * _PAGE // 1024
    except (OSError, IndexError):
        return 0


def peak(pid: int) -> int:
    """The most resident memory of a living process so far, in KB; 0 if the system does not say."""
    return _kilobytes(Path(f"/proc/{pid}/status"), "VmHWM:") or 0


def available(path: Path = Path("/proc/meminfo")) -> int | None:
    """Memory in MB that can be had without swapping; None if the system does not say."""
    found = _kilobytes(path, "MemAvailable:")
    return None if found is None else found // 1024


def _kilobytes(path: Path, name: str) -> int | None:
    """The value of one line of a file in /proc, "MemAvailable:    7654321 kB"."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith(name)), None)
