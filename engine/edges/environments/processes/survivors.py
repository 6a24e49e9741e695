"""The processes of a killed engine. Each engine lists its children on disk, so that the next one can end what is left.

A process id alone says nothing: the number may belong to somebody else by now. It counts only together with the moment
at which that process was started. The list also names the mark that all their descendants carry (see `orphans`).
"""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

from .orphans import marked
from .starting import kill_group

_GONE_WITHIN = 5.0  # seconds
_MARK = "mark"


def start_time(pid: int) -> str | None:
    """When a process started, in the system's own form; None if there is none, or only its exit status is left."""
    if Path("/proc/self/stat").exists():
        try:
            fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        except OSError:
            return None
        return None if fields[0] in b"ZX" else fields[19].decode()
    command = ["/bin/ps", "-o", "lstart=", "-p", str(pid)]
    shown = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return shown.stdout.strip() or None


def end_survivors(processes: Path) -> int:
    """Kill the process groups that `processes` lists and that still live, and what they left behind.

    Returns how many of those listed there were.
    """
    try:
        lines = processes.read_text().splitlines()
    except FileNotFoundError:
        return 0
    listed = {int(pid): started for pid, _, started in (line.partition(" ") for line in lines) if pid.isdigit()}
    alive = {pid: started for pid, started in listed.items() if start_time(pid) == started}
    for pid in alive:
        kill_group(pid)
    _wait_until_gone(alive)
    for line in lines:
        word, _, family = line.partition(" ")
        if word == _MARK and family.isdigit():
            _end_marked(int(family))
    processes.write_text("")
    return len(alive)


def _end_marked(family: int) -> None:
    """Kill whatever carries such a mark, until there is nothing more."""
    deadline = time.monotonic() + _GONE_WITHIN
    while (left := [pid for pid in marked(family) if start_time(pid)]) and time.monotonic() < deadline:
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.002)


def _wait_until_gone(alive: dict[int, str]) -> None:
    deadline = time.monotonic() + _GONE_WITHIN
    while any(start_time(pid) == started for pid, started in alive.items()) and time.monotonic() < deadline:
        time.sleep(0.002)


class ProcessList:
    """The list that a running engine keeps: one line "pid start_time" for each child, after one with their mark."""

    def __init__(self, path: Path) -> None:
        self.family = 0
        self._live: dict[int, str] = {}
        self._written = 0
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def add(self, pid: int) -> None:
        started = start_time(pid)
        if started is None:
            return
        self._live[pid] = f"{pid} {started}\n"
        try:
            if self._written == 0 or self._written > 1_000 + 2 * len(self._live):
                self._rewrite(f"{_MARK} {self.family}\n")
            else:
                os.write(self._file, self._live[pid].encode())
                self._written += 1
        except OSError:  # a full disk keeps no handler from running: the whole list is written with the next one
            self._written = 2**62

    def remove(self, pid: int) -> None:
        self._live.pop(pid, None)  # its line stays: with the start time it harms nobody

    def close(self) -> None:
        """Nothing lives any more: leave an empty file."""
        self._live.clear()
        self._rewrite("")
        os.close(self._file)

    def _rewrite(self, head: str) -> None:
        os.ftruncate(self._file, 0)
        os.write(self._file, "".join((head, *self._live.values())).encode())
        self._written = 1 + len(self._live)
