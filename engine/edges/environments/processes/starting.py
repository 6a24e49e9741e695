"""How the process of an environment is started: what whoever starts one has to know and to tell."""

import errno
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Order:
    """What a new process gets. Whoever carries it out closes the two descriptors."""

    interpreter: str
    folder: str  # to work in
    variables: dict[str, str]
    channel: int
    output: int
    mark: int  # what its descendants are known by
    address_space: int  # bytes

    def close(self) -> None:
        os.close(self.channel)
        os.close(self.output)


class Child:
    """A process from the order to its end. It may have no number yet: an order can wait for its turn."""

    __slots__ = ("_doomed", "_kill", "_on_end", "_on_start", "order", "pid")

    def __init__(self, order: Order, on_start: Callable[[int], None], on_end: Callable[[int | None], None]) -> None:
        """`on_end` gets the exit code, negative for a signal; None if nobody can say, or it was never started."""
        self.order = order
        self.pid = 0
        self._doomed = False
        self._kill: Callable[[], None] | None = None
        self._on_start = on_start
        self._on_end = on_end

    def kill(self) -> None:
        """End it, with its process group. `on_end` follows."""
        self._doomed = True
        if self._kill is not None:
            self._kill()

    def killed_by(self, kill: Callable[[], None]) -> None:
        """From here on, this is how it is ended."""
        self._kill = kill
        if self._doomed:
            kill()

    def started(self, pid: int, kill: Callable[[], None]) -> None:
        self.pid = pid
        self._on_start(pid)
        self.killed_by(kill)

    def ended(self, code: int | None) -> None:
        self._kill = None
        self._on_end(code)


def kill_group(pid: int) -> None:
    """Kill a process and its group. It must not have been reaped: the number might belong to somebody else."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # between its start and its session; or, on macOS, a group of zombies


def is_shortage(error: OSError) -> bool:
    """Did the system run out of something, so that it may work later?"""
    return error.errno in (errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
