"""The engine's side of a zygote (see `runtime.zygote`): orders go out, word of starts and ends comes back."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from ..runtime import ZYGOTE
from .spawning import process_descriptor
from .starting import Child, Order

HELLO, STARTED, NOT_STARTED, EXITED = b"H", b"S", b"N", b"X"
ORDER_MAX = 60 * 1024  # bytes; what is larger is started the other way

_REPORT = struct.Struct("!cQii")
_MESSAGE_MAX = 64 * 1024
_BOOT_MAX = 10.0  # seconds until it has to have said hello
_END_MAX = 6.0  # seconds that it may take to leave nothing behind


class Zygote:
    """One process that forks environments for one interpreter.

    `on_lost(zygote, why)` is called once when it takes no more orders: it cannot fork here, or it has died; `waiting`
    then holds what it will not start. `adopt(child, descriptor)` gets each child that outlives it.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        interpreter: str,
        environment: Mapping[str, str],
        life: int,
        on_lost: Callable[["Zygote", str], None],
        adopt: Callable[[Child, int], None],
    ) -> None:
        """Raises OSError if the interpreter cannot be started."""
        self.usable = True
        self.was_ready = False
        self.waiting: deque[Child] = deque()
        self._loop = loop
        self._on_lost = on_lost
        self._adopt = adopt
        self._children: dict[int, Child] = {}
        self._variables = dict(environment)  # of the last order
        self._descriptors: dict[Child, int] = {}
        self._sites: dict[str, int] = {}
        self._ended: asyncio.Future[None] = loop.create_future()
        near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._words, words_far = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603
                [interpreter, "-B", str(ZYGOTE), str(far.fileno()), str(life)],
                stdin=subprocess.DEVNULL,
                stdout=words_far,
                stderr=words_far,
                pass_fds=(far.fileno(), life),
                start_new_session=True,
                cwd="/",
                env=dict(environment),
            )
        except OSError:
            near.close()
            os.close(self._words)
            raise
        finally:
            far.close()
            os.close(words_far)
        self._control = near
        near.setblocking(False)
        loop.add_reader(near, self._on_message)
        self._pidfd = process_descriptor(self.pid)
        if self._pidfd is not None:
            loop.add_reader(self._pidfd, self._on_end)
        self._boot = loop.call_later(_BOOT_MAX, self._lose, f"it was not ready within {_BOOT_MAX:.0f} s")

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def idle(self) -> bool:
        """Whether nothing that it started lives."""
        return not self._children and not self.waiting

    def is_stale(self) -> bool:
        """Have the interpreter's start-up files changed since?"""
        return any(_changed(path) != seen for path, seen in self._sites.items())

    def start(self, child: Child) -> None:
        Path(child.order.folder).stat()  # raises as starting a program there would
        self.waiting.append(child)
        child.killed_by(partial(self._withdraw, child))
        self._send()

    async def stop(self) -> None:
        """Ask it to end everything and itself, and wait for that."""
        self.usable = False
        self._boot.cancel()
        if not self._ended.done():
            with contextlib.suppress(OSError):
                self._control.shutdown(socket.SHUT_WR)
            await asyncio.wait([self._ended], timeout=_END_MAX)
        if not self._ended.done():
            self._process.kill()
            self._on_end()

    # --- orders -------------------------------------------------------------------------------------------------------

    def _send(self) -> None:
        while self.was_ready and self.usable and self.waiting:
            child = self.waiting[0]
            order = child.order
            try:
                socket.send_fds(self._control, [_as_message(order, self._variables)], [order.channel, order.output])
            except BlockingIOError:
                self._loop.add_writer(self._control, self._on_writable)
                return
            except OSError as error:
                self._lose(error.strerror or str(error))
                return
            self.waiting.popleft()
            self._variables = order.variables
            order.close()
            child.killed_by(lambda: None)  # until its start is known; `started` looks whether it is still wanted
            self._children[order.mark] = child

    def _on_writable(self) -> None:
        self._loop.remove_writer(self._control)
        self._send()

    def _withdraw(self, child: Child) -> None:
        """It was killed while it waited for its turn."""
        if child in self.waiting:
            self.waiting.remove(child)
            child.order.close()
            self._loop.call_soon(child.ended, -signal.SIGKILL)

    # --- word from it -------------------------------------------------------------------------------------------------

    def _on_message(self) -> None:
        while self._receive():
            continue

    def _receive(self) -> bool:
        """Take in one message. False if there is none."""
        try:
            message, descriptors, _, _ = socket.recv_fds(self._control, _MESSAGE_MAX, 1, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return False
        except OSError:
            message = b""
        if not message:
            self._loop.remove_reader(self._control)
            self._lose("it has ended")
            if self._pidfd is None:
                self._on_end()
            return False
        kind, mark, pid, code = _REPORT.unpack_from(message)
        if kind == HELLO:
            self._on_hello(json.loads(message[_REPORT.size :]))
        elif kind == STARTED:
            self._on_started(self._children[mark], pid, descriptors[0])
        else:
            self._on_exit(self._children.pop(mark), None if kind == NOT_STARTED else code)
        return True

    def _on_hello(self, told: dict[str, object]) -> None:
        self._boot.cancel()
        if told["problem"]:
            self._lose(str(told["problem"]))
            return
        self.was_ready = True
        sites = told["sites"]
        if isinstance(sites, list):
            files = (file for path in sites for file in Path(path).glob("*.pth"))
            self._sites = {path: _changed(path) for path in [*sites, *map(str, files)]}
        self._send()

    def _on_started(self, child: Child, pid: int, pidfd: int) -> None:
        self._descriptors[child] = pidfd
        child.started(pid, partial(_kill, pidfd))

    def _on_exit(self, child: Child, code: int | None) -> None:
        if child in self._descriptors:
            os.close(self._descriptors.pop(child))
        child.ended(code)

    # --- its end ------------------------------------------------------------------------------------------------------

    def _lose(self, why: str) -> None:
        """It takes no more orders. What it has started goes on."""
        if not self.usable:
            return
        self.usable = False
        self._boot.cancel()
        self._loop.remove_writer(self._control)
        self._on_lost(self, self._last_words() or why)

    def _last_words(self) -> str:
        os.set_blocking(self._words, False)
        with contextlib.suppress(BlockingIOError):
            lines = os.read(self._words, _MESSAGE_MAX).decode(errors="replace").split("\n")
            return next((line for line in reversed(lines) if line.strip()), "")
        return ""

    def _on_end(self) -> None:
        """The process has ended. Its children have come to the engine; who has not started by now never will."""
        if self._ended.done():
            return
        self._ended.set_result(None)
        self._process.wait()
        if self._pidfd is not None:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
        self._on_message()
        self._loop.remove_reader(self._control)
        self._lose("it has ended")
        self._control.close()
        os.close(self._words)
        children, self._children = self._children, {}
        for child in children.values():
            if child in self._descriptors:
                self._adopt(child, self._descriptors.pop(child))
            else:
                child.ended(None)


def fits(order: Order) -> bool:
    """Whether an order is small enough for one message."""
    return sum(len(name) + len(value) for name, value in order.variables.items()) < ORDER_MAX / 6  # \uXXXX at worst


def _as_message(order: Order, before: Mapping[str, str]) -> bytes:
    wanted = order.variables
    message = {
        "mark": order.mark,
        "folder": order.folder,
        "set": {name: value for name, value in wanted.items() if before.get(name) != value},
        "unset": [name for name in before if name not in wanted],
        "address_space": order.address_space,
    }
    return json.dumps(message).encode()


def _kill(pidfd: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)


def _changed(path: str) -> int:
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116
    except OSError:
        return 0
