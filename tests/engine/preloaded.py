"""`lamtop` commands as forks of one process that has loaded lamtop already.

A third of an engine's start and nearly all of a small command is the loading of modules, which is the same each time.
A fork has its own process, working folder, variables, descriptors and exit code, and it ends as a program does. What it
does not show is whether each command imports what it needs: a few tests start a new interpreter for that.

`python preloaded.py SOCKET` is the process that loads and forks.
"""

import atexit
import contextlib
import functools
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

MARKER = "LAMTOP_TEST_MARKER"
_NONE = "-" * 32  # as long as a marker is
_LARGEST = 1 << 20


class Child:
    """A fork, with what a test uses of `subprocess.Popen`."""

    def __init__(self, pid: int, told: io.FileIO, stdout: "io.TextIOWrapper[Any] | None") -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None
        self._told = told

    def poll(self) -> int | None:
        return self._end(0)

    def wait(self, seconds: float | None = None) -> int:
        code = self._end(seconds)
        if code is None:
            raise subprocess.TimeoutExpired("lamtop", seconds or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _end(self, seconds: float | None) -> int | None:
        if self.returncode is None and select.select([self._told], [], [], seconds)[0]:
            status = self._told.read(16)
            assert status, "the process that forks has ended"
            self.returncode = os.waitstatus_to_exitcode(int(status))
            self._told.close()
        return self.returncode


class _Forker:
    """The process that loads and forks, seen from a test."""

    def __init__(self) -> None:
        self._near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with far:
            self._process = subprocess.Popen(
                [sys.executable, __file__, str(far.fileno())], pass_fds=[far.fileno()], stdin=subprocess.DEVNULL,
                env={**os.environ, MARKER: _NONE},
            )  # fmt: skip
        atexit.register(self._close)

    def start(
        self, words: Sequence[str], folder: Path, environ: Mapping[str, str], stdin: int, stdout: int, stderr: int
    ) -> tuple[int, io.FileIO]:
        """Start a command; return its number and the pipe that tells of its end."""
        mask = os.umask(0)
        os.umask(mask)
        told, tell = os.pipe()
        order = {"words": words, "folder": str(folder), "environ": dict(environ), "umask": mask}
        try:
            socket.send_fds(self._near, [json.dumps(order).encode()], [stdin, stdout, stderr, tell])
        finally:
            os.close(tell)
        end = os.fdopen(told, "rb", 0)
        return int(end.read(16)), end

    def _close(self) -> None:
        self._near.close()
        self._process.wait()


@functools.cache
def _forker() -> _Forker:
    return _Forker()


def start(words: Sequence[str], folder: Path, environ: Mapping[str, str], stderr: int) -> Child:
    """Start a `lamtop` command that reads nothing and whose standard output is a pipe."""
    out, far = os.pipe()
    with Path(os.devnull).open() as nothing:
        try:
            pid, told = _forker().start(words, folder, environ, nothing.fileno(), far, stderr)
        finally:
            os.close(far)
    return Child(pid, told, os.fdopen(out, encoding="utf-8"))


def run(
    words: Sequence[str], folder: Path, environ: Mapping[str, str], stdin: bytes, seconds: float
) -> tuple[int, bytes, bytes]:
    """Run a `lamtop` command to its end; return its exit code and what it printed."""
    (given, give), (out, to_out), (err, to_err) = os.pipe(), os.pipe(), os.pipe()
    os.write(give, stdin)  # less than a pipe holds
    os.close(give)
    try:
        child = Child(*_forker().start(words, folder, environ, given, to_out, to_err), None)
    finally:
        for far in (given, to_out, to_err):
            os.close(far)
    try:
        printed = _read_all(out, err, seconds)
        return child.wait(seconds), *printed
    finally:
        child.kill()
        child.wait()
        os.close(out)
        os.close(err)


def _read_all(out: int, err: int, seconds: float) -> tuple[bytes, bytes]:
    """All that comes through two pipes until nobody writes to them."""
    found = {out: b"", err: b""}
    left = [out, err]
    while left:
        ready = select.select(left, [], [], seconds)[0]
        if not ready:
            raise subprocess.TimeoutExpired("lamtop", seconds, found[out], found[err])
        for pipe in ready:
            data = os.read(pipe, _LARGEST)
            found[pipe] += data
            if not data:
                left.remove(pipe)
    return found[out], found[err]


# -- the process that forks --------------------------------------------------------------------------------------------


def _serve(orders: socket.socket) -> list[str]:
    """Fork for each order. Returns in each fork, with the words of its command; ends when the test does."""
    woken, wake = os.pipe()
    os.set_blocking(woken, False)
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    tell: dict[int, int] = {}
    while True:
        ready, _, _ = select.select([orders.fileno(), woken], [], [])
        if woken in ready:
            os.read(woken, 4096)
            while tell and (ended := os.waitpid(-1, os.WNOHANG))[0]:
                _tell(tell.pop(ended[0]), ended[1])
        if orders.fileno() not in ready:
            continue
        order, descriptors, _, _ = socket.recv_fds(orders, _LARGEST, 4)
        if not order:
            for pid in tell:
                os.kill(pid, signal.SIGKILL)
            sys.exit(0)
        pid = os.fork()
        if not pid:
            return _become(json.loads(order), descriptors[:3])
        for descriptor in descriptors[:3]:
            os.close(descriptor)
        os.write(descriptors[3], f"{pid:16}".encode())
        tell[pid] = descriptors[3]


def _tell(descriptor: int, status: int) -> None:
    with contextlib.suppress(BrokenPipeError):
        os.write(descriptor, f"{status:16}".encode())
    os.close(descriptor)


def _become(order: dict[str, Any], descriptors: list[int]) -> list[str]:
    """Make this fork what a new process would be."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    os.closerange(3, 1024)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        old = getattr(sys, name)
        buffering = 1 if name == "stderr" else -1
        new = open(number, old.mode, buffering, old.encoding, old.errors, closefd=False)  # noqa: SIM115
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)
    os.chdir(order["folder"])
    os.umask(order["umask"])
    os.environ.clear()
    os.environ.update(order["environ"])
    _carry(order["environ"].get(MARKER, _NONE))
    words: list[str] = order["words"]
    return words


def _carry(marker: str) -> None:
    """Change the variables that others read of this process: the kernel reads them from its memory."""
    begin, end = map(int, Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()[47:49])
    with Path("/proc/self/mem").open("r+b", 0) as memory:
        memory.seek(begin)
        at = memory.read(end - begin).index(f"{MARKER}={_NONE}".encode())
        memory.seek(begin + at + len(MARKER) + 1)
        memory.write(marker.encode())


if __name__ == "__main__":
    import lamtop.engine.engine
    import lamtop.tui.client  # noqa: F401  (for the forks)
    from lamtop.tui.cli import main

    sys.argv = ["lamtop", *_serve(socket.socket(fileno=int(sys.argv[1])))]
    main()
