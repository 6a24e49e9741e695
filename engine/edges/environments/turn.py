"""A process on simulated time: it computes only when it is its turn, and what it computed takes a moment.

That moment is the same whatever the machine is doing. What becomes of the process before it has passed waits: a process
that answers and ends has answered.
"""

import os
import struct
from collections.abc import Callable

from ...clock import Clock, Turns
from .channel import LISTENS, WAITS
from .processes.usage import Usage, usage

COMPUTING = 0.001  # seconds between two waits
INIT = 0.1  # seconds
MEMORY = 38  # MB
_MOMENT = struct.Struct("!d")  # engine time


class Turn:
    """One process's part in the turns of all."""

    def __init__(
        self,
        turns: Turns,
        clock: Clock,
        pid: Callable[[], int],
        time_left: Callable[[], float],
        grant: Callable[[bytes], object],
    ) -> None:
        """`grant` sends the process a frame that says it is its turn, and what time it is."""
        self._turns = turns
        self._clock = clock
        self._pid = pid
        self._time_left = time_left
        self._grant = grant
        self._is_answering = False
        self._later: list[Callable[[], object]] = []

    # --- what the process does ----------------------------------------------------------------------------------------

    def ask(self) -> None:
        """It has something to compute."""
        self._turns.ask(self, self._tell)

    def sleeps(self, kind: bytes, request_id: str, payload: bytes) -> bool:
        """Whether this frame gives the turn back for a wait. Then that is done."""
        if kind != WAITS or len(payload) != _MOMENT.size:
            return False
        (until,) = _MOMENT.unpack(payload)
        self._turns.sleep(self, until, self._tell, listens=request_id == LISTENS)
        return True

    def answers(self, take: Callable[[], object], seconds: float) -> None:
        """It has answered, which took so many seconds: `take` its answer then."""
        self._turns.give_back(self)
        self._is_answering = True

        def arrive() -> None:
            self._is_answering = False
            take()
            self.catch_up()

        self._clock.ring(seconds, arrive)

    def defers(self, act: Callable[[], object]) -> bool:
        """Whether this has to wait until its answer has been taken. Then it will."""
        if self._is_answering:
            self._later.append(act)
        return self._is_answering

    def catch_up(self) -> None:
        """Nothing has to wait any longer."""
        later, self._later = self._later, []
        for act in later:
            act()

    def end(self) -> None:
        """It was killed: time stands still until it is `gone`."""
        self._turns.end(self)

    def gone(self) -> None:
        self._turns.gone(self)

    def _tell(self) -> None:
        self._grant(_MOMENT.pack(self._clock.now()))

    # --- what the simulation wants to know of it ----------------------------------------------------------------------

    def usage(self) -> Usage | None:
        """What it has had of the cores so far; None if it does not run yet, or the system does not say."""
        return usage(self._pid())

    @property
    def can_be_seen(self) -> bool:
        """Whether the system says what processes have had of the cores."""
        return usage(os.getpid()) is not None

    @property
    def time_left(self) -> float:
        """Seconds of handler time until it is late."""
        return self._time_left()
