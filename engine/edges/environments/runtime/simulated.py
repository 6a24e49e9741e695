"""Simulated time inside an execution environment.

`enter` puts this module between the handler and everything that tells the time or waits for it: `time`, `datetime`,
threads, locks, selectors (and so asyncio), and sockets that lead to the engine. Two things follow. Time stands still
while the handler computes, and a wait gives the turn back to the engine, which wakes the process at the moment it
named. And of the threads in here only one runs at a time, from one wait to the next, in a fixed order: the same
program with the same seed does the same, however busy the machine is.

What cannot be simulated happens in real time, while the process keeps the turn: other programs, sockets that lead
elsewhere, waits inside C code. A process that computes for long keeps it too; the engine decides what to make of it.
While other threads wait for their moment, a thread that waits for the outside (a pipe, a foreign socket) lets them run,
and time passes as fast as real time.

Python 3.9 and the standard library only, as in `bootstrap.py`.

A frame from the engine that grants the turn has an empty head; its payload is the engine's time, a double. A frame to
the engine that gives it back has the kind WAITS; its payload is when to be woken, infinity for never, and in the place
of a request id it says whether to be woken also when the engine has answered somebody.
"""

import _thread
import collections
import datetime
import math
import os
import queue
import random
import select
import selectors
import signal
import socket
import stat
import struct
import sys
import threading
import time

MYPY = False
if MYPY:
    from collections.abc import Callable
    from typing import Any

WAITS = b"W"
LISTENS = "listens"
REQUEST = struct.Struct("!II")
READ_SIZE = 65536
MOMENT = struct.Struct("!d")
READS_AT_ONCE = 1_000  # looks at the clock without a wait between; a loop that waits for time to pass sees it pass
LOOK = 0.001  # seconds that each further look takes
PATIENCE = 0.5  # real seconds of waiting after which the engine lets time pass although a process has the turn

real = {name: getattr(time, name) for name in ("sleep", "monotonic", "localtime", "strftime")}
PIECE = 0.05  # real seconds of waiting for the outside that take no time; then time passes in such pieces
LOOK_OUTSIDE = 0.002  # real seconds between two looks

real_read, real_select, real_poll, real_waitpid = os.read, select.select, select.poll, os.waitpid
real_alarms = signal.getitimer, signal.setitimer
real_gettime, real_asctime = time.clock_gettime, time.asctime
MONOTONIC = {
    getattr(time, name)
    for name in ("CLOCK_MONOTONIC", "CLOCK_MONOTONIC_RAW", "CLOCK_BOOTTIME", "CLOCK_UPTIME_RAW")
    if hasattr(time, name)
}
real_lock = _thread.allocate_lock
real_join = threading.Thread.join
real_date_time = datetime.datetime


class Waiter:
    """A thread that waits: until a moment, until something can be read, or until somebody wakes it."""

    __slots__ = ("came", "gate", "is_alarmed", "outside", "poll", "thread", "until")

    def __init__(self, until: float, poll: "Callable[[], Any] | None" = None, outside: bool = False) -> None:
        self.until = until
        self.poll = poll
        self.outside = outside  # what it waits for comes in real time
        self.thread = _thread.get_ident()
        self.is_alarmed = False  # it has to see to a signal first
        self.came: Any = None  # what the poll found; True if it was woken
        self.gate = real_lock()
        self.gate.acquire()


class World:
    """Which thread runs, which wait for what, and what time it is."""

    def __init__(self) -> None:
        self.channel: Any = None
        self.process = os.getpid()
        self.now = 0.0
        self.begin = 0.0
        self.reads = 0  # of the clock, since the last wait
        self.turn_at = self.used_at = 0.0  # by the real clocks, when this turn began
        self.ready: collections.deque[Waiter] = collections.deque()
        self.waiting: list[Waiter] = []
        self.threads = {_thread.get_ident()}
        self.engine: tuple[str, int] | None = None
        self.alarm_at = math.inf
        self.alarm_every = 0.0
        self.main = _thread.get_ident()

    def has_company(self) -> bool:
        """Whether there are other threads that wait, or could run."""
        return bool(self.waiting or self.ready)

    def is_ours(self) -> bool:
        """Whether this thread takes part: not one of a fork, and none that was started behind our back."""
        return _thread.get_ident() in self.threads and os.getpid() == self.process

    # --- time ---------------------------------------------------------------------------------------------------------

    def look(self) -> float:
        """The time. Whoever looks again and again lets it pass."""
        if self.is_ours():
            self.reads += 1
            if self.reads > READS_AT_ONCE:
                self.reads = 0
                self.sleep(LOOK)
                self.reads = READS_AT_ONCE
            if self.waited_outside():
                self.let_time_pass(self.now)  # the engine knows how much of that counts
        return self.now

    def waited_outside(self) -> bool:
        """Has this turn been a wait for something that is not simulated, for longer than the engine's patience?"""
        passed: float = real["monotonic"]() - self.turn_at
        return passed > PATIENCE and passed - (used() - self.used_at) > PATIENCE

    def sleep(self, seconds: float) -> None:
        self.wait(Waiter(self.now + seconds))

    # --- turns --------------------------------------------------------------------------------------------------------

    def receive(self) -> "tuple[bytes, bytes] | None":
        """One frame, and nothing of the one that may be behind it; None when the engine has closed the channel."""
        sizes = self.read(REQUEST.size)
        if len(sizes) < REQUEST.size:
            return None
        head, payload = REQUEST.unpack(sizes)
        return self.read(head), self.read(payload)

    def read(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size and (piece := real_read(self.channel.descriptor, min(size - len(data), READ_SIZE))):
            data += piece
        return bytes(data)

    def take_turn(self) -> None:
        """Wait for the engine's word, and for the time it tells."""
        frame = self.receive()
        if frame is None:
            os._exit(0)  # the engine has gone
        (self.now,) = MOMENT.unpack(frame[1])
        self.reads = 0
        self.turn_at, self.used_at = real["monotonic"](), used()

    def next_frame(self) -> "tuple[bytes, bytes] | None":
        """What the bootstrap gets instead of `channel.receive`: an invocation, once it is this process's turn."""
        frame = self.receive()
        if frame is not None:
            self.take_turn()
        return frame

    def wait(self, waiter: Waiter) -> "Any":
        """Let others run until this thread's wait is over. Returns what came; None if the time came first."""
        self.waiting.append(waiter)
        self.run_another()
        waiter.gate.acquire()
        while waiter.is_alarmed:
            waiter.is_alarmed = False
            self.see_to_alarm(waiter)
        self.reads = 0
        return waiter.came

    def see_to_alarm(self, waiter: Waiter) -> None:
        """Run the handler of the signal; if it raises nothing the wait goes on."""
        try:
            signal.raise_signal(signal.SIGALRM)
        except BaseException:
            for queue_ in (self.waiting, self.ready):
                if waiter in queue_:
                    queue_.remove(waiter)
            raise
        self.run_another()
        waiter.gate.acquire()

    def run_another(self) -> None:
        """Hand over to the next thread that can run, perhaps the one that leaves; let time pass if there is none."""
        while not self.ready:
            if not self.something_came() and not self.came_from_outside():
                self.let_time_pass(self.wake_at())
        self.ready.popleft().gate.release()

    def something_came(self) -> bool:
        for waiter in list(self.waiting):
            if waiter.poll is not None and (came := waiter.poll()):
                self.wake(waiter, came)
        return bool(self.ready)

    def wake_at(self) -> float:
        """When somebody in here has to be woken."""
        until = min((waiter.until for waiter in self.waiting), default=math.inf)
        if any(waiter.outside for waiter in self.waiting):
            until = min(until, self.now + PIECE)
        return min(until, self.alarm_at)

    def let_time_pass(self, until: float) -> None:
        """Give the turn back, until then at least."""
        self.reads = 0
        self.turn_at = real["monotonic"]()  # sending looks at the clock
        listens = any(waiter.poll is not None for waiter in self.waiting)
        self.channel.send(WAITS, LISTENS if listens else "", MOMENT.pack(until))
        self.take_turn()
        for waiter in sorted(self.waiting, key=lambda waiter: waiter.until):
            if waiter.until <= self.now:
                self.wake(waiter, None)
        if self.alarm_at <= self.now:
            self.ring_alarm()

    def came_from_outside(self) -> bool:
        """Where somebody waits for what is not simulated: look for as long as costs no time."""
        if not any(waiter.outside for waiter in self.waiting):
            return False
        end = real["monotonic"]() + PIECE
        while real["monotonic"]() < end:
            real["sleep"](LOOK_OUTSIDE)
            if self.something_came():
                return True
        return False

    def ring_alarm(self) -> None:
        """Signals are for the main thread, which waits: whoever lets time pass does."""
        self.alarm_at = self.now + self.alarm_every if self.alarm_every else math.inf
        for waiter in [*self.waiting, *self.ready]:
            if waiter.thread == self.main and not waiter.is_alarmed:
                waiter.is_alarmed = True
                if waiter not in self.ready:
                    self.ready.append(waiter)
                return

    def wake(self, waiter: Waiter, came: "Any" = True) -> None:
        waiter.came = came
        self.waiting.remove(waiter)
        if waiter not in self.ready:
            self.ready.append(waiter)


def used() -> float:
    """Seconds that this process was on a core or in line for one; 0 where the system does not say."""
    used = 0
    try:
        for task in os.listdir("/proc/self/task"):  # noqa: PTH208
            with open(f"/proc/self/task/{task}/schedstat") as file:  # noqa: PTH123
                used += sum(map(int, file.read().split()[:2]))
    except (OSError, ValueError):
        return 0.0
    return used / 1e9


world = World()


# --- locks ------------------------------------------------------------------------------------------------------------


class Lock:
    """A lock whose waiters let time pass. Everything in `threading` and `queue` is made of it."""

    def __init__(self) -> None:
        self._waiters: collections.deque[Waiter] = collections.deque()
        self._is_held = False

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if not blocking and timeout != -1:
            raise ValueError("can't specify a timeout for a non-blocking call")
        if timeout < 0 and timeout != -1:
            raise ValueError("timeout value must be a non-negative number")
        if not self._is_held:
            self._is_held = True
            return True
        if not blocking or timeout == 0:
            return False
        return self._wait(timeout)

    def _wait(self, timeout: float) -> bool:
        if not world.is_ours():
            while self._is_held:
                real["sleep"](0.001)
            self._is_held = True
            return True
        waiter = Waiter(math.inf if timeout < 0 else world.now + timeout)
        self._waiters.append(waiter)
        came = None
        try:
            came = world.wait(waiter)
        finally:
            if not came and waiter in self._waiters:
                self._waiters.remove(waiter)
        return bool(came)

    def release(self) -> None:
        """The lock goes straight to whoever has waited longest."""
        if not self._is_held:
            raise RuntimeError("release unlocked lock")
        for waiter in self._waiters:
            if waiter in world.waiting:
                self._waiters.remove(waiter)
                world.wake(waiter)
                return
        self._is_held = False

    def locked(self) -> bool:
        return self._is_held

    def _at_fork_reinit(self) -> None:
        self.__init__()  # type: ignore[misc]

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *error: object) -> None:
        self.release()

    def __repr__(self) -> str:
        return f"<{'locked' if self._is_held else 'unlocked'} simulated lock at {id(self):#x}>"


# --- threads ----------------------------------------------------------------------------------------------------------


class Threads:
    """What takes the place of methods of `threading.Thread`."""

    real_start = threading.Thread.start
    real_bootstrap: "Callable[..., None]" = threading.Thread._bootstrap  # type: ignore[attr-defined]

    @staticmethod
    def start(thread: "Any") -> None:
        if not world.is_ours():
            Threads.real_start(thread)
            return
        thread._first_turn = Waiter(math.inf)
        thread._waiters = []
        thread._has_ended = False
        world.ready.append(thread._first_turn)
        try:
            Threads.real_start(thread)
        except BaseException:
            if not thread._started.is_set():
                world.ready.remove(thread._first_turn)
            raise

    @staticmethod
    def run(thread: "Any") -> None:
        """In the new thread: wait for the first turn, and hand the last one on."""
        if not hasattr(thread, "_first_turn") or os.getpid() != world.process:
            Threads.real_bootstrap(thread)
            return
        thread._first_turn.gate.acquire()
        world.threads.add(_thread.get_ident())
        try:
            Threads.real_bootstrap(thread)
        finally:
            world.threads.discard(_thread.get_ident())
            thread._has_ended = True
            for waiter in thread._waiters:
                if waiter in world.waiting:
                    world.wake(waiter)
            world.run_another()

    @staticmethod
    def join(thread: "Any", timeout: "float | None" = None) -> None:
        is_ours = world.is_ours() and thread is not threading.current_thread() and hasattr(thread, "_first_turn")
        if is_ours and not thread._has_ended:
            waiter = Waiter(math.inf if timeout is None else world.now + max(0.0, timeout))
            thread._waiters.append(waiter)
            if world.wait(waiter) is None:
                return
        real_join(thread, None if is_ours else timeout)


def join_all() -> None:
    """At the end of the program, as `threading` does it."""
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.main_thread():
            thread.join()
    real_shutdown()


real_shutdown: "Callable[[], None]" = threading._shutdown  # type: ignore[attr-defined]


# --- what can be read -------------------------------------------------------------------------------------------------


def is_engine(end: "Any") -> bool:
    """Whether a socket leads to this engine."""
    try:
        return world.engine is not None and end.getpeername()[:2] == world.engine
    except (OSError, ValueError):
        return False


def can_be_simulated(descriptor: int) -> bool:
    """Nothing comes through it but from this process or the engine: what wakes an event loop, a call of the engine."""
    try:
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            return False
        with socket.socket(fileno=os.dup(descriptor)) as end:
            return end.family == socket.AF_UNIX or is_engine(end)
    except OSError:
        return False


def readable(descriptor: int) -> bool:
    poll = real_poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))


def read(descriptor: int, size: int) -> bytes:
    """`os.read`: of a pipe, perhaps, that another thread in here writes to."""
    if world.is_ours() and world.has_company() and os.get_blocking(descriptor) and not readable(descriptor):
        world.wait(Waiter(math.inf, lambda: readable(descriptor), outside=True))
    return real_read(descriptor, size)


def waitpid(pid: int, options: int) -> "tuple[int, int]":
    """`os.waitpid`: for a program, perhaps, that waits for another thread in here."""
    if options & os.WNOHANG or not world.is_ours() or not world.has_company():
        return real_waitpid(pid, options)

    def ended() -> "Any":
        try:
            found = real_waitpid(pid, options | os.WNOHANG)
        except OSError as error:
            return error
        return found if found[0] else None

    found = ended() or world.wait(Waiter(math.inf, ended, outside=True))
    if isinstance(found, OSError):
        raise found
    ended_pid, status = found
    return ended_pid, status


def share_semaphores() -> None:
    """Locks between processes: whoever waits for one lets the other threads run."""
    try:
        import _multiprocessing  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return
    kind: Any = _multiprocessing.SemLock

    class SemLock(kind):  # type: ignore[misc]
        def acquire(self, block: bool = True, timeout: "float | None" = None) -> bool:
            if not block or not world.is_ours() or not world.has_company():
                return bool(super().acquire(block, timeout))
            until = math.inf if timeout is None else world.now + timeout
            while not super().acquire(False):
                if not world.wait(Waiter(until, lambda: not self._is_zero(), outside=True)):
                    return False
            return True

        def __enter__(self) -> bool:
            return self.acquire()

    _multiprocessing.SemLock = SemLock


def waiting_first(method: str) -> "Callable[..., Any]":
    """A method of a socket that reads, and lets time pass until there is something to read."""
    read = getattr(socket.socket, method)

    def wait_and_read(self: "Any", *args: "Any", **kwargs: "Any") -> "Any":
        timeout = self.gettimeout()
        outside = timeout == 0 or not world.is_ours() or not is_engine(self)
        if timeout != 0 and world.is_ours() and (not outside or world.has_company()):
            descriptor = self.fileno()
            until = math.inf if timeout is None else world.now + timeout
            waiter = Waiter(until, lambda: readable(descriptor), outside)
            if not readable(descriptor) and not world.wait(waiter):
                raise socket.timeout("timed out")  # noqa: UP041  (before 3.10 that is no TimeoutError)
        return read(self, *args, **kwargs)

    return wait_and_read


def selecting(kind: "Any") -> "Callable[..., Any]":
    """The `select` of a selector, letting time pass."""
    select_now = kind.select

    def wait_and_select(self: "Any", timeout: "float | None" = None) -> "Any":
        found = select_now(self, 0)
        if found or (timeout is not None and timeout <= 0) or not world.is_ours():
            return found
        outside = not all(can_be_simulated(key.fd) for key in self.get_map().values())
        if outside and not world.has_company():
            return select_now(self, timeout)
        until = math.inf if timeout is None else world.now + timeout
        return world.wait(Waiter(until, lambda: select_now(self, 0), outside)) or []

    return wait_and_select


def select_(reads: "Any", writes: "Any", errors: "Any", timeout: "float | None" = None) -> "Any":
    """`select.select`; without anything to wait for it is another word for `sleep`."""
    reads, writes, errors = list(reads), list(writes), list(errors)

    def ready() -> "Any":
        found = real_select(reads, writes, errors, 0)
        return found if any(found) else None

    if not world.is_ours():
        return real_select(reads, writes, errors, timeout)
    found = ready()
    if found or (timeout is not None and timeout <= 0):
        return found or ([], [], [])
    things = [thing if isinstance(thing, int) else thing.fileno() for thing in (*reads, *writes, *errors)]
    outside = not all(can_be_simulated(descriptor) for descriptor in things)
    if outside and not world.has_company():
        return real_select(reads, writes, errors, timeout)
    until = math.inf if timeout is None else world.now + timeout
    return world.wait(Waiter(until, ready, outside)) or ([], [], [])


# --- alarms -----------------------------------------------------------------------------------------------------------


def getitimer(which: int) -> "tuple[float, float]":
    if which != signal.ITIMER_REAL or not world.is_ours():
        return real_alarms[0](which)
    left = world.alarm_at - world.now
    return (max(left, 0.0) if left < math.inf else 0.0), world.alarm_every


def setitimer(which: int, seconds: float, interval: float = 0.0) -> "tuple[float, float]":
    if which != signal.ITIMER_REAL or not world.is_ours():
        return real_alarms[1](which, seconds, interval)
    before = getitimer(which)
    world.alarm_at, world.alarm_every = (world.now + seconds if seconds else math.inf), interval
    return before


def alarm(seconds: int) -> int:
    return math.ceil(setitimer(signal.ITIMER_REAL, seconds)[0])


# --- clocks -----------------------------------------------------------------------------------------------------------


def sleep(seconds: float) -> None:
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    if world.is_ours():
        world.sleep(seconds)
    else:
        real["sleep"](seconds)


def passed() -> float:
    return world.look() - world.begin


def in_nanoseconds(tell: "Callable[[], float]") -> "Callable[[], int]":
    return lambda: round(tell() * 1e9)


class AtThisTime:
    """A function of `time` that takes the present if it is given no other. A class that has it stays without `self`:
    `logging.Formatter.converter` is one of these."""

    def __init__(self, tell: "Callable[..., Any]") -> None:
        self.tell = tell

    def __call__(self, seconds: "float | None" = None) -> "Any":
        return self.tell(world.look() if seconds is None else seconds)


def clock_gettime(which: int) -> float:
    if which == time.CLOCK_REALTIME:
        return world.look()
    return passed() if which in MONOTONIC else real_gettime(which)


def asctime(moment: "Any" = None) -> str:
    return real_asctime(real["localtime"](world.look()) if moment is None else moment)


def strftime(layout: str, moment: "Any" = None) -> str:
    text: str = real["strftime"](layout, real["localtime"](world.look()) if moment is None else moment)
    return text


class DateType(type):
    """`isinstance` sees no difference between the date type that the handler gets and the one that C code makes."""

    def __instancecheck__(cls, thing: object) -> bool:
        return isinstance(thing, real_date_time)

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(kind, real_date_time)


class datetime_(datetime.datetime, metaclass=DateType):  # noqa: N801
    @classmethod
    def now(cls, tz: "datetime.tzinfo | None" = None) -> "Any":
        return cls.fromtimestamp(world.look(), tz)

    @classmethod
    def utcnow(cls) -> "Any":
        return cls.fromtimestamp(world.look(), datetime.timezone.utc).replace(tzinfo=None)  # noqa: UP017  (3.9)

    @classmethod
    def today(cls) -> "Any":
        return cls.fromtimestamp(world.look())


datetime_.__name__ = datetime_.__qualname__ = "datetime"
datetime_.__module__ = "datetime"


# --- the entrance -----------------------------------------------------------------------------------------------------


def replacements() -> "dict[Any, Any]":
    """What takes the place of what, wherever a module that is loaded already has it."""
    found: dict[Any, Any] = {
        time.sleep: sleep,
        time.time: world.look,
        time.monotonic: passed,
        time.perf_counter: passed,
        time.time_ns: in_nanoseconds(world.look),
        time.monotonic_ns: in_nanoseconds(passed),
        time.perf_counter_ns: in_nanoseconds(passed),
        time.gmtime: AtThisTime(time.gmtime),
        time.localtime: AtThisTime(time.localtime),
        time.ctime: AtThisTime(time.ctime),
        time.strftime: strftime,
        time.asctime: asctime,
        time.clock_gettime: clock_gettime,
        time.clock_gettime_ns: lambda which: round(clock_gettime(which) * 1e9),
        os.read: read,
        os.waitpid: waitpid,
        select.select: select_,
        signal.alarm: alarm,
        signal.setitimer: setitimer,
        signal.getitimer: getitimer,
        datetime.datetime: datetime_,
        threading.Lock: Lock,
        _thread.allocate_lock: Lock,
        queue.SimpleQueue: queue._PySimpleQueue,  # type: ignore[attr-defined]
    }
    return found


def replace_everywhere(found: "dict[Any, Any]") -> None:
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            try:
                other = found.get(value)
            except TypeError:
                continue
            if other is not None and module.__name__ not in (__name__, "_thread"):
                setattr(module, name, other)


def enter(channel: "Any", seed: str) -> None:
    """From here on time is the engine's. Returns at this process's first turn."""
    world.channel = channel
    world.take_turn()
    world.begin = world.now - 1_000  # a clock that starts at 0 is never met in life
    host, _, port = os.environ.get("AWS_ENDPOINT_URL", "").rpartition("://")[2].rpartition(":")
    world.engine = (host, int(port)) if port.isdigit() else None
    replace_everywhere(replacements())
    threads: Any = threading
    threads._CRLock = None  # a lock that can be taken twice is then made of ours
    threads.Thread.start, threads.Thread._bootstrap, threads.Thread.join = Threads.start, Threads.run, Threads.join
    threads._shutdown = join_all
    share_semaphores()
    sockets: Any = socket.socket
    for method in ("recv", "recv_into", "recvfrom", "_accept"):
        setattr(sockets, method, waiting_first(method))
    for kind in {selectors.DefaultSelector, selectors.PollSelector, selectors.SelectSelector}:
        kind.select = selecting(kind)  # type: ignore[method-assign]
    dice = random.Random(seed)
    replace_everywhere({os.urandom: lambda size: dice.getrandbits(size * 8).to_bytes(size, "big")})
    random.seed(seed)
    channel.receive = world.next_frame
