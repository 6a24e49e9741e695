"""How much memory environments use, and how much the machine has left."""

import asyncio
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from .process import Environment

_LOOK_EVERY = 0.05  # seconds, while something runs
_LOOKS_AT_ONCE = 100  # environments; a look costs 10 us
_PAGE = os.sysconf("SC_PAGE_SIZE")


class MemoryWatch:
    """Looks at the resident memory of busy environments, and ends those that use more than their function may.

    Linux only: elsewhere a process is measured when it answers. Pages that a forked environment shares with its zygote
    count as its own, as they do in one that was started by itself and loaded the same.
    """

    def __init__(self, busy: Callable[[], Iterable[Environment]]) -> None:
        self._busy = busy
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._to_see: list[Environment] = []

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
        for environment in seen:
            environment.limit_memory(resident(environment.pid))
        self.watch()


_PROC = Path("/proc/self/statm").exists()


def resident(pid: int) -> int:
    """Resident memory of a process in KB; 0 if there is none, or the system does not say."""
    try:
        with open(f"/proc/{pid}/statm", "rb", buffering=0) as file:  # noqa: PTH123 (half the time of Path)
            return int(file.read(64).split(b" ", 2)[1]) * _PAGE // 1024
    except (OSError, IndexError):
        return 0


def available(path: Path = Path("/proc/meminfo")) -> int | None:
    """Memory in MB that can be had without swapping; None if the system does not say."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("MemAvailable:")), None)
