"""What handlers start and leave behind: found by a mark, whatever session or parent it has taken.

A daemon leaves its parent, its group and its session; resource limits it keeps, through every fork and exec. Linux
does nothing with the limit on resident memory (RLIMIT_RSS) and lets it be read from outside. So each environment has
a value of its own there, far above any memory: the marks of one engine share a random part, and the engine takes in
orphans below it (PR_SET_CHILD_SUBREAPER). Other systems have no such thing: there only process groups are ended.
"""

import contextlib
import os
import random
import resource
import signal
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

_NUMBERS = 1 << 22  # environments of one engine until numbers come again
_FLOOR = 1 << 61  # bytes: more memory than there is, and less than "unlimited"
_PR_SET_CHILD_SUBREAPER = 36

if sys.platform == "linux":
    MARKS = True

    def limit(pid: int, what: int, value: int) -> None:
        """Set the soft limit of a process, as far as its hard limit allows."""
        with contextlib.suppress(OSError, ValueError):
            hard = resource.prlimit(pid, what)[1]
            resource.prlimit(pid, what, (value, hard))

    def mark_of(pid: int) -> int:
        """The mark that a process carries; -1 if it is none of ours to ask."""
        try:
            return resource.prlimit(pid, resource.RLIMIT_RSS)[0]
        except OSError:
            return -1
else:
    MARKS = False

    def limit(pid: int, what: int, value: int) -> None:
        """Another process's limits cannot be set here."""

    def mark_of(pid: int) -> int:  # noqa: ARG001
        """Nothing is marked here."""
        return -1


class Marks:
    """The marks of one engine."""

    def __init__(self) -> None:
        self.family = _FLOOR + random.SystemRandom().randrange(1 << 36) * _NUMBERS
        self._last = 0

    def next(self) -> int:
        self._last = (self._last + 1) % _NUMBERS
        return self.family + self._last


def adopt_orphans(wanted: bool) -> None:
    """What loses its parent below this process becomes its child (Linux). False gives that up again."""
    if not MARKS:
        return
    import ctypes  # 5 ms that only an engine pays for

    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, int(wanted), 0, 0, 0)


def end_orphans(family: int, living: Collection[int], leaders: Collection[int]) -> int:
    """Kill and reap the adopted whose environment no longer lives; return how many of those there were.

    `living` are the marks of living environments, `leaders` the processes that somebody else reaps.
    """
    ended = 0
    for pid in _children():
        if pid in leaders or not _is_of(mark := mark_of(pid), family):
            continue
        if mark not in living:
            ended += 1
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
    return ended


def marked(family: int) -> Iterator[int]:
    """Every process of this machine that carries a mark of this family."""
    if not MARKS:
        return
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdigit() and _is_of(mark_of(int(name)), family):
            yield int(name)


def _is_of(mark: int, family: int) -> bool:
    return family <= mark < family + _NUMBERS


def _children() -> list[int]:
    """The processes whose parent this one's main thread is, adopted ones among them."""
    pid = os.getpid()
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
