"""One execution environment: one process that runs one invocation of one function at a time.

Its life is init, invoke, invoke, …, end. The process leads a session and a process group of its own, so that a timeout
can end it with everything it has started. Nothing in here blocks, and nothing waits for the process's goodwill.
"""

import asyncio
import errno
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from ...clock import Clock
from ...core.event import Ended, Outcome
from ...core.function import Function
from ...core.invocation import Invocation
from . import channel as frames
from . import failures, lines
from .channel import Channel
from .failures import Failure
from .variables import variables

BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
INIT_MAX = 10.0  # seconds (Lambda guide, "Init phase")

_READ_SIZE = 64 * 1024
_PIPE_MAX = 1024 * 1024  # the most that a pipe can hold: what is in it when the answer arrives
_REAP_EVERY = 0.002  # seconds, where the system has no descriptor for a process


class LogSink(Protocol):
    """Where log lines go."""

    @property
    def next_number(self) -> int:
        """The number that the next line will get."""
        ...

    def line(self, function: str, request_id: str, attempt: int, at: float, kind: str, text: str) -> int:
        """Keep one log event and return its number. `kind`: "platform" (START, END, REPORT …) or "output"."""
        ...


class Owner(Protocol):
    """Who is told what becomes of an environment. Each is called on the event loop."""

    def ready(self, environment: "Environment") -> None:
        """Init is done: it can take an invocation."""
        ...

    def finished(self, environment: "Environment", invocation: Invocation, outcome: Outcome) -> None:
        """An invocation has ended; the environment is idle, or about to end if `environment.usable` is False."""
        ...

    def start_failed(self, environment: "Environment", failure: Failure) -> None:
        """Init came to nothing. `gone` follows."""
        ...

    def gone(self, environment: "Environment") -> None:
        """The process has ended and is reaped."""
        ...


class Environment:
    """A process and what it is doing."""

    def __init__(self, owner: Owner, function: Function, version: int, *, clock: Clock, log: LogSink) -> None:
        self.function = function
        self.version = version
        self.stream = f"{datetime.fromtimestamp(clock.now(), UTC):%Y/%m/%d}/[$LATEST]{uuid.uuid4().hex}"
        self.invocation: Invocation | None = None
        self.usable = True  # False once it is condemned: killed, retired, ended
        self.is_ready = False
        self.started_at = time.monotonic()
        self.idle_since = 0.0
        self._owner = owner
        self._clock = clock
        self._log = log
        self._loop = asyncio.get_running_loop()
        self._output = lines.Output()
        self._early: list[tuple[float, str, str]] = []  # (time, kind, text) of init, for the next invocation's log
        self._init_duration: float | None = None
        self._started = 0.0  # performance counter at the hand-over
        self._first_line = 0
        self._deadline = 0.0  # of the running invocation, in the loop's time
        self._timer: asyncio.TimerHandle | None = None
        self._logs_open = False
        self.took = 0.0  # seconds of the last invocation, by the process's own clock
        self._memory = 0  # KB, the most that is known
        self._ending = False
        self._verdict: Failure | None = (
            None  # what the running invocation will have ended with, once the process is dead
        )

    def start(self, interpreter: str, base: Mapping[str, str], life: int, record: Callable[[int], None]) -> None:
        """Start the process. `life` is a pipe that closes when the engine dies; `record` gets the process id.

        Raises OSError if the interpreter cannot be started.
        """
        near, far = socket.socketpair()
        self._logs, logs_far = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603 (running users' code is the purpose)
                [interpreter, "-B", str(BOOTSTRAP), str(far.fileno()), str(life)],
                stdin=subprocess.DEVNULL,
                stdout=logs_far,
                stderr=logs_far,
                pass_fds=(far.fileno(), life),
                start_new_session=True,
                cwd=self.function.code,
                env=variables(self.function, self.stream, base, str(BOOTSTRAP.parent)),
            )
        except OSError:
            near.close()
            os.close(self._logs)
            raise
        finally:
            far.close()
            os.close(logs_far)
        record(self._process.pid)
        self._watch(near)
        self._early.append((self._clock.now(), "platform", lines.init_start(self.function.runtime)))
        self._started = time.perf_counter()

    @property
    def pid(self) -> int:
        return self._process.pid

    def invoke(self, invocation: Invocation) -> bool:
        """Hand over an invocation. False if the process turns out to be dead: nothing has happened to it then."""
        cold = self._init_duration is not None
        head = (
            f"{invocation.request_id}\n{invocation.invoked_arn or self.function.arn}\n"
            f"{int(self.function.timeout * 1000)}\n{invocation.trace_id}\n{invocation.client_context or ''}"
        )
        started = time.perf_counter()
        if not self._channel.send(head.encode(errors="replace"), invocation.payload):
            return False
        self._started = started
        self._take(invocation, self._clock.now(), cold)
        loop_time = self._loop.time()
        self._deadline = loop_time + self.function.timeout
        if self._timer is None:  # otherwise it is armed for no later than that
            self._timer = self._loop.call_at(self._deadline, self._on_timer)
        return True

    def _take(self, invocation: Invocation, now: float, cold: bool) -> None:
        self.invocation = invocation
        invocation.started_at = now
        invocation.environment = self.stream
        invocation.version = self.version
        invocation.cold = cold
        self._output.start()
        self._first_line = self._log.next_number
        if self._early:
            self._log_early(invocation)
        start = f"START RequestId: {invocation.request_id} Version: {invocation.executed_version}"
        self._write(invocation, now, "platform", start)

    def condemn(self, verdict: Failure | None = None) -> None:
        """Kill the process. The running invocation, if any, ends with `verdict`, else as the exit status says."""
        if self._verdict is None:
            self._verdict = verdict
        self.usable = False
        if self.invocation is not None:
            self._memory = max(self._memory, _peak_memory(self.pid))
        self._kill_group()
        if self._pidfd is None and not self._ending:
            self._ending = True
            self._loop.call_later(_REAP_EVERY, self._on_exit)

    def retire(self) -> None:
        """End it: it is no longer wanted."""
        self.condemn(failures.lost())

    def fail(self, invocation: Invocation, failure: Failure) -> None:
        """Init came to nothing, and this is the invocation that waited for it."""
        now = self._clock.now()
        self._take(invocation, now, cold=True)
        self._finish(invocation, b"", self._memory, failure.of(invocation.request_id))

    # --- what the process tells ---------------------------------------------------------------------------------------

    def _watch(self, near: socket.socket) -> None:
        self._channel = Channel(self._loop, near, self._on_answer, self._on_broken)
        os.set_blocking(self._logs, False)
        self._logs_open = True
        self._loop.add_reader(self._logs, self._on_output)
        self._pidfd = _process_descriptor(self.pid)
        if self._pidfd is not None:
            self._loop.add_reader(self._pidfd, self._on_exit)
        init_max = INIT_MAX if self.function.debug_port is None else self.function.timeout
        self._timer = self._loop.call_later(init_max, self._on_timer)

    def _on_answer(self, kind: bytes, request_id: str, payload: bytes, memory: int, took: int) -> None:
        invocation = self.invocation
        self.took = took / 1e6
        self._memory = memory or self._memory
        if self._verdict is not None:
            return
        if invocation is not None and kind in frames.ANSWERS and request_id == invocation.request_id:
            failure = None
            if kind != frames.RESULT:
                failure = failures.raised(payload) if kind == frames.ERROR else failures.too_large()
            self._finish(invocation, payload, memory, failure)
        elif not self.is_ready and kind == frames.READY:
            self._on_ready()
        elif not self.is_ready and kind == frames.INIT_ERROR:
            self.condemn(failures.init_failed(payload))
        else:
            self.condemn(failures.garbled())

    def _on_ready(self) -> None:
        self._init_duration = time.perf_counter() - self._started
        self.is_ready = True
        self._cancel_timer()
        if self.usable:
            self._owner.ready(self)

    def _on_broken(self, closed: bool) -> None:
        """The channel is of no more use. When the process has just ended, its exit status says why."""
        self.condemn(None if closed else failures.garbled())

    def _on_timer(self) -> None:
        self._timer = None
        if self.is_ready and self.invocation is None:
            return
        if self.is_ready and (early := self._deadline - self._loop.time()) > 0:
            self._timer = self._loop.call_later(early, self._on_timer)
            return
        self.condemn(failures.timed_out(self.function.timeout))

    def _on_exit(self) -> None:
        """The process is a zombie: its number and its group are still reserved. End the group, then reap."""
        self.usable = False
        self._kill_group()
        code = self._process.poll()
        if code is None:
            self._loop.call_later(_REAP_EVERY, self._on_exit)
            return
        if self._pidfd is not None:
            self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
        self._channel.read_all()  # an answer given just before the end counts
        self._cancel_timer()
        verdict = self._verdict or failures.exited(code)
        if not self.is_ready:
            self._fail_start(verdict)
        elif self.invocation is not None:
            self._finish(self.invocation, b"", self._memory, verdict.of(self.invocation.request_id))
        self._close()
        self._owner.gone(self)

    def _fail_start(self, verdict: Failure) -> None:
        self._read_output()
        self._early += [(self._clock.now(), "output", text) for text in self._output.finish()]
        if verdict.status:
            seconds = time.perf_counter() - self._started
            self._early.append((self._clock.now(), "platform", lines.init_report(seconds, verdict.status)))
        if verdict.ended is Ended.FUNCTION_ERROR:
            self._owner.start_failed(self, verdict)

    def _close(self) -> None:
        self._log_early(None)
        self._channel.close()
        if self._logs_open:
            self._loop.remove_reader(self._logs)
        os.close(self._logs)

    def _kill_group(self) -> None:
        if self._process.returncode is None:  # once it is reaped, the number may belong to somebody else
            try:
                os.killpg(self._process.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                return  # between its start and its session; or, on macOS, a group of zombies

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # --- logs ---------------------------------------------------------------------------------------------------------

    def _on_output(self) -> None:
        try:
            data = os.read(self._logs, _READ_SIZE)
        except BlockingIOError:
            return
        if data:
            self._take_output(data)
        else:  # the handler has closed standard output and standard error
            self._loop.remove_reader(self._logs)
            self._logs_open = False

    def _read_output(self) -> None:
        """Take what is in the pipe now, so that no line is counted to the next invocation."""
        taken = 0
        while self._logs_open and taken < _PIPE_MAX:
            try:
                data = os.read(self._logs, _READ_SIZE)
            except BlockingIOError:
                return
            if not data:
                return
            taken += len(data)
            self._take_output(data)

    def _take_output(self, data: bytes) -> None:
        now = self._clock.now()
        invocation = self.invocation
        if invocation is None:
            self._early += [(now, "output", text) for text in self._output.feed(data)]
            return
        for text in self._output.feed(data):
            self._write(invocation, now, "output", text)

    def _log_early(self, invocation: Invocation | None) -> None:
        """Init output belongs to the next invocation's log; to none if none comes."""
        early, self._early = self._early, []
        for at, kind, text in early:
            if invocation is not None:
                self._write(invocation, at, kind, text)
            else:
                self._log.line(self.function.name, "", 0, at, kind, text)

    def _write(self, invocation: Invocation, at: float, kind: str, text: str) -> int:
        invocation.tail.append(text)
        return self._log.line(self.function.name, invocation.request_id, invocation.attempt, at, kind, text)

    def _finish(self, invocation: Invocation, payload: bytes, memory: int, failure: Failure | None = None) -> None:
        duration = time.perf_counter() - self._started
        self._read_output()
        now = self._clock.now()
        init_duration, self._init_duration = self._init_duration, None
        used = -(-memory // 1024)
        for text in self._output.finish():
            self._write(invocation, now, "output", text)
        if failure is not None and failure.log:
            self._write(invocation, now, "platform", f"{failure.message}\n{failure.type}")
        self._write(invocation, now, "platform", f"END RequestId: {invocation.request_id}")
        status = failure.status if failure is not None else ""
        report = lines.report(invocation.request_id, duration, init_duration, self.function.memory, used, status)
        last_line = self._write(invocation, now, "platform", report)
        self.invocation = None
        outcome = Outcome(
            failure.ended if failure is not None else Ended.RETURNED,
            failure.as_json() if failure is not None else payload,
            failure.type if failure is not None else None,
            failure.message if failure is not None else None,
            invocation.started_at or now,
            now,
            duration,
            init_duration,
            used,
            self.stream,
            self.version,
            self._first_line,
            last_line,
        )
        self._owner.finished(self, invocation, outcome)


def _process_descriptor(pid: int) -> int | None:
    """A descriptor that becomes readable when the process ends; None where there is no such thing."""
    if sys.platform != "linux":
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


def _peak_memory(pid: int) -> int:
    """The most resident memory of a living process so far, in KB; 0 if the system does not say."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)


def is_shortage(error: OSError) -> bool:
    """Did the system run out of something, so that it may work later?"""
    return error.errno in (errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
