"""Who may compute while time is simulated: one process at a time, in the order of asking.

So results never race. A process has the turn from the moment it is granted until it answers, waits or ends; while
nobody has it and nobody asks, time may go on.
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple, Protocol

from .simulated import SimulatedClock, SimulatedTimer

Grant = Callable[[], object]


class Usage(Protocol):
    """Real seconds on a core, and in line for one; whether it waits for something else at this moment."""

    @property
    def computed(self) -> float: ...
    @property
    def queued(self) -> float: ...
    @property
    def waits(self) -> bool: ...


class Process(Protocol):
    """Something that computes."""

    def usage(self) -> Usage | None:
        """What it has had of the cores so far; None if it does not run yet, or the system does not say."""
        ...

    @property
    def can_be_seen(self) -> bool:
        """Whether the system says what processes have had of the cores."""
        ...

    @property
    def time_left(self) -> float:
        """Seconds until its deadline."""
        ...


class Sleep(NamedTuple):
    timer: SimulatedTimer
    grant: Grant
    listens: bool


class Turns:
    """Hands the one turn round."""

    def __init__(self, clock: SimulatedClock, changed: Callable[[], None] = lambda: None) -> None:
        """`changed` is called whenever there may be something to do."""
        self.holder: Process | None = None
        self.changed = changed
        self._clock = clock
        self._asking: deque[tuple[Process, Grant]] = deque()
        self._asleep: dict[Process, Sleep] = {}
        self._ending: set[Process] = set()

    @property
    def all_rest(self) -> bool:
        """Whether no process computes, and none is on its way out."""
        return self.holder is None and not self._ending

    def ask(self, process: Process, grant: Grant) -> None:
        """It has something to compute. `grant` is called when it may."""
        self._asking.append((process, grant))
        self.changed()

    def grant_next(self) -> bool:
        """Give the turn to whoever asked first; False if nobody asks."""
        if not self._asking:
            return False
        self.holder, grant = self._asking.popleft()
        grant()
        return True

    def give_back(self, process: Process) -> None:
        """It has answered, or is given up."""
        if self.holder == process:
            self.holder = None
        self.changed()

    def sleep(self, process: Process, until: float, grant: Grant, *, listens: bool) -> None:
        """It waits until a moment of engine time. One that `listens` is woken too when somebody was answered."""
        self._asleep[process] = Sleep(self._clock.ring_at(until, lambda: self._wake(process)), grant, listens)
        self.give_back(process)

    def wake_who_listens(self) -> None:
        """Somebody was answered: let each that may have waited for that look, in a fixed order."""
        for process in [process for process, sleep in self._asleep.items() if sleep.listens]:
            self._wake(process)

    def _wake(self, process: Process) -> None:
        sleep = self._asleep.pop(process)
        sleep.timer.cancel()
        self.ask(process, sleep.grant)

    def end(self, process: Process) -> None:
        """It was killed, and computes no more. Time stands still until it is `gone`."""
        self._forget(process)
        self._ending.add(process)

    def gone(self, process: Process) -> None:
        """It has ended and is reaped."""
        self._forget(process)
        self._ending.discard(process)
        self.changed()

    def _forget(self, process: Process) -> None:
        if sleep := self._asleep.pop(process, None):
            sleep.timer.cancel()
        self._asking = deque(asking for asking in self._asking if asking[0] != process)
        if self.holder == process:
            self.holder = None
