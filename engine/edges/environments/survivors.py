"""The processes of a killed engine. Each engine lists its children on disk, so that the next one can end what is left.

A process id alone says nothing: the number may belong to somebody else by now. It counts only together with the moment
at which that process was started.
"""

import os
import signal
import subprocess
import time
from pathlib import Path

_GONE_WITHIN = 5.0  # seconds


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
    """Kill the process groups that `processes` lists and that still live; return how many there were."""
    try:
        lines = processes.read_text().splitlines()
    except FileNotFoundError:
        return 0
    listed = {int(pid): started for pid, _, started in (line.partition(" ") for line in lines) if pid.isdigit()}
    alive = {pid: started for pid, started in listed.items() if start_time(pid) == started}
    for pid in alive:
        _kill(pid)
    _wait_until_gone(alive)
    processes.write_text("")
    return len(alive)


def _kill(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # it went by itself, or is not a group of ours


def _wait_until_gone(alive: dict[int, str]) -> None:
    deadline = time.monotonic() + _GONE_WITHIN
    while any(start_time(pid) == started for pid, started in alive.items()) and time.monotonic() < deadline:
        time.sleep(0.002)


class ProcessList:
    """The list that a running engine keeps: one line "pid start_time" for each child, written before it gets work."""

    def __init__(self, path: Path) -> None:
        self._path = path
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
            if self._written > 1_000 + 2 * len(self._live):
                self._rewrite()
            else:
                os.write(self._file, self._live[pid].encode())
                self._written += 1
        except OSError:  # a full disk keeps no handler from running: the whole list is written with the next one
            self._written = 2**62

    def remove(self, pid: int) -> None:
        self._live.pop(pid, None)  # its line stays: with the start time it harms nobody

    def close(self) -> None:
        """Nothing lives any more: leave an empty file."""
        self._rewrite()
        os.close(self._file)

    def _rewrite(self) -> None:
        os.ftruncate(self._file, 0)
        os.write(self._file, "".join(self._live.values()).encode())
        self._written = len(self._live)
