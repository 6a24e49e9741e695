"""One execution environment: one process that runs one invocation of one function at a time.

Its life is init, invoke, invoke, …, end. The process leads a session and a process group of its own, so that a timeout
can end it with everything it has started. Nothing in here blocks, and nothing waits for the process's goodwill.
"""

import asyncio
import os
import socket
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from ...clock import Clock, Turns
from ...core.event import Ended, Outcome
from ...core.fault import Fault, Kind
from ...core.function import Function
from ...core.invocation import Invocation
from . import channel as frames
from . import failures, turn
from .channel import Channel
from .deadline import Deadline
from .failures import Failure
from .injection import error_object, inject, spoiled
from .logs.lines import Report
from .logs.log import Log, LogSink
from .logs.tap import Tap
from .processes.memory import peak
from .processes.starting import Child, Order
from .runtime import BOOTSTRAP
from .turn import Turn
from .variables import variables

INIT_MAX = 10.0  # seconds (Lambda guide, "Init phase")

_ADDRESS_SPACE_MIN = 16 << 30  # bytes; libraries map far more than they use, and memory is watched besides


class Owner(Protocol):
    """Who is told what becomes of an environment. Each is called on the event loop."""

    def ready(self, environment: "Environment") -> None:
        """Init is done: it can take an invocation."""
        ...

    def finished(self, environment: "Environment", invocation: Invocation, outcome: Outcome) -> None:
        """An invocation has ended; the environment is idle, or about to end if `environment.usable` is False."""
        ...

    def engine_dies(self, fault: Fault) -> None:
        """An armed fault kills the engine in the middle of an invocation. Does not return if there is one to kill."""
        ...

    def start_failed(self, environment: "Environment", failure: Failure) -> None:
        """The init phase came to nothing. `gone` follows."""
        ...

    def gone(self, environment: "Environment") -> None:
        """The process has ended and is reaped."""
        ...


Start = Callable[[Order, Callable[[int | None], None]], Child]


class Environment:
    """A process and what it is doing."""

    def __init__(
        self,
        owner: Owner,
        function: Function,
        version: int,
        *,
        clock: Clock,
        log: LogSink,
        new_id: Callable[[], str],
        turns: Turns | None = None,
        init_max: float = INIT_MAX,
        after: "Environment | None" = None,
    ) -> None:
        """`after` is one whose init has failed, and is repeated in this one: on AWS they are the same environment.

        With `turns` time is simulated: the process computes only when it is its turn.
        """
        self.function = function
        self.version = version
        self.stream: str = after.stream if after else _new_stream(clock, new_id())
        self.invocation: Invocation | None = None
        self.fault: Fault | None = None  # what goes wrong with its init …
        self._init_hit: Fault | None = after._init_hit if after else None  # … and went: the next invocation says so
        self.usable = True  # False once it is condemned: killed, retired, ended
        self.unwanted = False  # it did not fail: it was retired
        self.scratch: Path | None = None  # its temporary folder
        self.started_at = clock.ticks()
        self.idle_since = 0.0  # ticks
        self.took = 0.0  # seconds of the last invocation, by the process's own clock
        self._owner = owner
        self._clock = clock
        self._log: Log = after._log if after else Log(log, clock, function, self.stream)
        self._log_is_passed_on = False
        if after:
            after._log_is_passed_on = True
        self._is_ready = False
        self._phase = "invoke" if after else "init"
        self._init_max = init_max
        self._python = ""  # its version, once the process has told it
        self._loop = asyncio.get_running_loop()
        self._init_duration: float | None = None
        self._started: float | None = None  # ticks at the hand-over, or at the start
        self._deadline = Deadline(clock, self._on_late)
        self._turn = Turn(turns, clock, lambda: self.pid, lambda: self._deadline.left, self._grant) if turns else None
        self._memory = 0  # KB, the most that is known
        self._verdict: Failure | None = None  # what the invocation will have ended with, once it is dead

    def start(self, start: Start, interpreter: str, base: Mapping[str, str], mark: int) -> None:
        """Start the process, in its own temporary folder if there is one.

        Raises OSError if the interpreter cannot be started.
        """
        near, far = socket.socketpair()
        logs, logs_far = os.pipe()
        if self.scratch is not None:
            base = {**base, "TMPDIR": str(self.scratch)}
        order = Order(
            interpreter,
            self.function.code,
            variables(self.function, self.stream, base, str(BOOTSTRAP.parent)),
            far.detach(),
            logs_far,
            mark,
            max(_ADDRESS_SPACE_MIN, self.function.memory << 24),
        )
        try:
            self._child = start(order, self._on_exit)
        except OSError:
            near.close()
            os.close(logs)
            raise
        self._watch(near, logs)
        if self._phase == "init":
            self._log.init_started()
        self._started = self._clock.ticks()
        if self._turn is not None:
            self._turn.ask()

    @property
    def pid(self) -> int:
        """Its process id; 0 if it has none yet."""
        return self._child.pid

    @property
    def python(self) -> str:
        """The version of its Python; "" until the process has told it."""
        return self._python

    def invoke(self, invocation: Invocation) -> bool:
        """Hand over an invocation. False if the process turns out to be dead: nothing has happened to it then."""
        started = self._clock.ticks()
        if invocation.fault is None and not self.send(invocation, invocation.payload):
            return False
        self._started = started
        self._take(invocation, cold=self._init_duration is not None)
        self._log.begin(invocation)
        self._deadline.set(self.function.timeout)
        if invocation.fault is not None:
            inject(self, invocation, invocation.fault, self._clock)
        return True

    def expect(self, invocation: Invocation) -> None:
        """Init is part of this invocation, and of its timeout. To be called before `start`."""
        self._take(invocation, cold=True)

    def send(self, invocation: Invocation, payload: bytes) -> bool:
        """Give the process its work. False if it turns out to be dead."""
        seconds = self._deadline.left if invocation is self.invocation else self.function.timeout
        head = (
            f"{invocation.request_id}\n{invocation.invoked_arn or self.function.arn}\n"
            f"{int(seconds * 1000)}\n{invocation.trace_id}\n{invocation.client_context or ''}"
        )
        if not self._channel.send(head.encode(errors="replace"), payload):
            return False
        if self._turn is not None:
            self._turn.ask()
        return True

    def _grant(self, moment: bytes) -> None:
        self._channel.send(b"", moment)

    def fail_without_process(self, invocation: Invocation, failure: Failure) -> None:
        """End the invocation that it has taken; the process knows nothing of it."""
        self._finish(invocation, b"", self._memory, failure)

    def kill_engine(self, fault: Fault) -> None:
        """Nobody settles this invocation any more."""
        self._owner.engine_dies(fault)

    def print(self, text: bytes) -> None:
        """As if the process had."""
        self._log.take(text)

    def _take(self, invocation: Invocation, cold: bool) -> None:
        self.invocation = invocation
        invocation.started_at = self._clock.now()
        invocation.environment = self.stream
        invocation.version = self.version
        invocation.cold = cold

    def condemn(self, verdict: Failure | None = None) -> None:
        """Kill the process. The running invocation, if any, ends with `verdict`, else as the exit status says."""
        if self._verdict is None:
            self._verdict = verdict
        self.usable = False
        if self.invocation is not None:
            self._memory = max(self._memory, peak(self.pid))
        if self._turn is not None:
            self._turn.end()
        self._child.kill()
        if self._turn is not None:
            self._turn.catch_up()

    def retire(self) -> None:
        """End it: it is no longer wanted."""
        self.unwanted = True
        self.condemn(failures.lost())

    def limit_memory(self, used: int) -> bool:
        """End it if it uses more memory, in KB, than its function may. True if that is so."""
        most = self.function.memory * 1024
        if used <= most or not self.usable:
            return False
        self.condemn(failures.out_of_memory())
        self._memory = most
        return True

    def fail(self, invocation: Invocation, failure: Failure) -> None:
        """There is no process, and this is the invocation that waited for it."""
        self._take(invocation, cold=True)
        self._log.begin(invocation)
        self._finish(invocation, b"", self._memory, failure.of(invocation.request_id))

    # --- what the process tells ---------------------------------------------------------------------------------------

    def _watch(self, near: socket.socket, logs: int) -> None:
        self._channel = Channel(self._loop, near, self._on_answer, self._on_broken)
        self._tap = Tap(self._loop, logs, self._log.take)
        has_init_max = self.invocation is None and self.function.debug_port is None
        self._deadline.set(self._init_max if has_init_max else self.function.timeout)

    def _on_answer(self, kind: bytes, request_id: str, payload: bytes, memory: int, took: int) -> None:
        if self._turn is None:
            self._take_answer(kind, request_id, payload, memory, took)
            return
        self._tap.read_all()
        if not self._turn.sleeps(kind, request_id, payload):
            take = partial(self._take_answer, kind, request_id, payload, memory, took)
            self._turn.answers(take, turn.COMPUTING if self._is_ready else turn.INIT)

    def _comes_later(self, act: Callable[[], None]) -> bool:
        """Whether its end has to wait, because simulated time has yet to reach the moment of its answer."""
        return self._turn is not None and self._verdict is None and self._turn.defers(act)

    def _take_answer(self, kind: bytes, request_id: str, payload: bytes, memory: int, took: int) -> None:
        invocation = self.invocation
        if self._verdict is not None:
            return
        self.took = took / 1e6
        self._memory = memory or self._memory
        if self.limit_memory(memory):
            return
        if invocation is not None and kind in frames.ANSWERS and request_id == invocation.request_id:
            if self._turn is None and self.took > self.function.timeout:
                self._on_late()  # nobody was there to end it in time: the engine was stopped
                return
            failure = None
            if invocation.fault is not None and invocation.fault.kind is Kind.ENGINE:
                self.kill_engine(invocation.fault)
            if kind != frames.RESULT:
                failure = failures.raised(payload) if kind == frames.ERROR else failures.too_large()
            elif invocation.fault is not None:
                failure = spoiled(invocation.fault, invocation.request_id)
            self._finish(invocation, payload, memory, failure)
        elif not self._is_ready and kind == frames.READY:
            self._python = request_id
            self._on_loaded()
        elif not self._is_ready and kind == frames.INIT_ERROR:
            self._python = request_id
            self.condemn(failures.init_failed(payload))
        else:
            self.condemn(failures.garbled())

    def _on_loaded(self) -> None:
        """The handler is there. That may be too easy."""
        fault, self.fault = self.fault, None
        if fault is None:
            self._on_ready()
            return
        self._init_hit = fault
        self.print(f"lamtop: injected {fault}\n".encode())
        if fault.kind is Kind.INIT_ERROR:
            self.condemn(failures.init_failed(error_object(fault, "")))
        else:
            self._clock.ring(fault.seconds, self._on_loaded)

    def _on_ready(self) -> None:
        if self._verdict is not None:
            return
        seconds = self._since_start()
        self._is_ready = True
        self._tap.read_all()
        self._log.init_ended(self._python, self._phase, seconds)
        if self.invocation is not None:
            self._log.begin(self.invocation)
            self._hand_over(self.invocation)
            return
        self._init_duration = seconds
        self._deadline.clear()
        if self.usable:
            self._owner.ready(self)

    def _hand_over(self, invocation: Invocation) -> None:
        if invocation.fault is None:
            self.send(invocation, invocation.payload)
        else:
            inject(self, invocation, invocation.fault, self._clock)

    def _on_broken(self, closed: bool) -> None:
        """The channel is of no more use. When the process has just ended, its exit status says why."""
        if not self._comes_later(partial(self._on_broken, closed)):
            self.condemn(None if closed else failures.garbled())

    def _on_late(self) -> None:
        """The last deadline that was set has passed; it may be of an invocation that ended in time."""
        if self.invocation is not None:
            self.condemn(failures.timed_out(self.function.timeout))
        elif not self._is_ready:
            self.condemn(failures.init_timed_out(self._init_max))

    def _on_exit(self, code: int | None) -> None:
        """The process has ended and is reaped, with its group."""
        self.usable = False
        self._channel.read_all()  # an answer given just before the end counts
        if self._comes_later(partial(self._on_exit, code)):
            return
        if self._turn is not None:
            self._turn.gone()
        self._deadline.clear()
        verdict = self._verdict or (failures.exited(code) if code is not None else failures.lost())
        if not self._is_ready:
            self._on_init_failed(verdict)
        if self.invocation is not None:
            self._finish(self.invocation, b"", self._memory, verdict.of(self.invocation.request_id))
        self._close()
        self._owner.gone(self)

    def _on_init_failed(self, verdict: Failure) -> None:
        self._tap.read_all()
        self._log.init_ended(self._python, self._phase, self._since_start(), verdict)
        if self.invocation is not None:
            self._log.begin(self.invocation)
        elif verdict.ended is Ended.FUNCTION_ERROR:
            self._owner.start_failed(self, verdict)

    def _since_start(self) -> float:
        """Seconds that the running invocation or init has taken; 0 if there is no process."""
        return 0.0 if self._started is None else round(self._clock.ticks() - self._started, 9)

    def _close(self) -> None:
        self._tap.close()
        self._channel.close()
        if not self._log_is_passed_on:
            self._log.close()

    def _finish(self, invocation: Invocation, payload: bytes, memory: int, failure: Failure | None = None) -> None:
        duration = self._since_start()
        if self._started is not None:  # otherwise there is no process
            self._tap.read_all()
        init_duration, self._init_duration = self._init_duration, None
        init_hit, self._init_hit = self._init_hit, None
        used = -(-memory // 1024) if self._turn is None else turn.MEMORY
        self._log.end(
            Report(invocation.request_id, duration, init_duration, self.function.memory, used, failure, len(payload))
        )
        self.invocation = None
        now = self._clock.now()
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
            self._log.first_line,
            self._log.last_line,
            injected=str(invocation.fault or init_hit or ""),
        )
        self._owner.finished(self, invocation, outcome)


def _new_stream(clock: Clock, name: str) -> str:
    return f"{datetime.fromtimestamp(clock.now(), UTC):%Y/%m/%d}/[$LATEST]{name}"
