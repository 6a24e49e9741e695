"""Environments started as programs: everywhere but on Linux, there on demand, and where forking is not possible."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Collection
from functools import partial

from ..runtime import BOOTSTRAP
from .orphans import end_orphans, limit
from .starting import Child, kill_group

_REAP_EVERY = 0.002  # seconds, where the system has no descriptor for a process
_ORPHANS_AFTER = 0.005  # seconds in which a killed process's children find their new parent


class Spawner:
    """Starts, watches and reaps processes of this one. `living` has the marks of all environments there are."""

    def __init__(self, loop: asyncio.AbstractEventLoop, life: int, family: int, living: Collection[int]) -> None:
        self._loop = loop
        self._life = life
        self._family = family
        self._living = living
        self._leaders: dict[int, tuple[Child, subprocess.Popen[bytes] | None]] = {}
        self._sweeping: asyncio.TimerHandle | None = None

    def start(self, child: Child) -> None:
        order = child.order
        try:
            process = subprocess.Popen(  # noqa: S603 (running users' code is the purpose)
                [order.interpreter, "-B", str(BOOTSTRAP), str(order.channel), str(self._life)],
                stdin=subprocess.DEVNULL,
                stdout=order.output,
                stderr=order.output,
                pass_fds=(order.channel, self._life),
                start_new_session=True,
                cwd=order.folder,
                env=order.variables,
            )
        finally:
            order.close()
        limit(process.pid, resource.RLIMIT_RSS, order.mark)
        limit(process.pid, resource.RLIMIT_AS, order.address_space)
        self._leaders[process.pid] = child, process
        pidfd = process_descriptor(process.pid)
        if pidfd is not None:
            self._loop.add_reader(pidfd, self._on_exit, process.pid, pidfd)
        child.started(process.pid, partial(self._kill, process.pid, pidfd))

    def adopt(self, child: Child, pidfd: int) -> None:
        """Watch a process whose parent has gone; it has become ours."""
        self._leaders[child.pid] = child, None
        self._loop.add_reader(pidfd, self._on_exit, child.pid, pidfd)
        child.killed_by(partial(self._kill, child.pid, pidfd))

    def sweep(self) -> None:
        """End and reap orphans of environments that have ended. Each may leave some of its own, so look again."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        if end_orphans(self._family, self._living, self._leaders):
            self._sweeping = self._loop.call_later(_ORPHANS_AFTER, self.sweep)

    async def stop(self) -> None:
        """Wait until the last orphan has gone, within reason."""
        for _ in range(400):
            self.sweep()
            if self._sweeping is None:
                return
            await asyncio.sleep(_ORPHANS_AFTER)
        if self._sweeping is not None:
            self._sweeping.cancel()

    def _kill(self, pid: int, pidfd: int | None) -> None:
        if pid in self._leaders:
            kill_group(pid)
            if pidfd is None:
                self._loop.call_later(_REAP_EVERY, self._on_exit, pid, None)

    def _on_exit(self, pid: int, pidfd: int | None) -> None:
        """The process is a zombie: its number and its group are still reserved. End the group, then reap."""
        if pid not in self._leaders:
            return
        kill_group(pid)
        child, process = self._leaders[pid]
        try:
            ended, status = os.waitpid(pid, os.WNOHANG)
            code: int | None = os.waitstatus_to_exitcode(status)
        except ChildProcessError:  # it was not ours after all: nobody here learns how it ended
            ended, code = pid, None
        if ended == 0:
            self._loop.call_later(_REAP_EVERY, self._on_exit, pid, pidfd)
            return
        if pidfd is not None:
            self._loop.remove_reader(pidfd)
            os.close(pidfd)
        if process is not None:
            process.returncode = code if code is not None else -signal.SIGKILL
        del self._leaders[pid]
        child.ended(code)
        self.sweep()


def process_descriptor(pid: int) -> int | None:
    """A descriptor that becomes readable when the process ends; None where there is no such thing."""
    if sys.platform != "linux":
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None
