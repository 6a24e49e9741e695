"""Lets simulated time pass: a conservative discrete-event simulation of real processes.

When nobody computes, the turn goes to whoever asked for it first. When nobody asks, time jumps to the next moment at
which something is due, but never past the horizon: whoever drives the simulation (a test, a tape, a person at the
keyboard) moves that.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable

from .simulated import SimulatedClock
from .turns import Process, Turns

_PACE = 0.02  # real seconds between two steps of the horizon
_LAG_MAX = 0.2  # real seconds that are made up for after a pause of the event loop
_SETTLING = 40  # turns of the event loop in which nothing happens: then nothing is on its way any more …
_EMPTY = 5  # … and one in which the loop has nothing else to do at all counts for so many
_LOOK_EVERY = 0.1  # real seconds between two looks at a process that has the turn
WAITED_AT_LEAST = 0.5  # real seconds of waiting in one turn: less is the disk, or the engine


class Simulation:
    """Drives a simulated clock. `rests` says whether the engine itself has nothing to do."""

    def __init__(self, clock: SimulatedClock, rests: Callable[[], bool]) -> None:
        self.clock = clock
        self.turns = Turns(clock, self._stir)
        self.horizon = clock.now()  # engine time
        self._rests = rests
        self.follows_callers = False  # time passes, beyond the horizon too, while a synchronous caller waits
        self._callers = 0
        self._stirred = asyncio.Event()
        self._stirs = 0
        self._has_answered = False
        clock.changed = self._stir
        self._is_there = asyncio.Event()  # at the horizon, with nothing left to do before it

    # --- what the driver says -----------------------------------------------------------------------------------------

    async def advance(self, seconds: float) -> None:
        """Let so many seconds pass, and everything happen that is due by then."""
        await self.advance_to(self.clock.now() + seconds)

    async def advance_to(self, when: float) -> None:
        self.move_horizon(when)
        await self._is_there.wait()

    async def settle(self) -> None:
        """Let everything happen that is due now."""
        await self.advance(0.0)

    def answered(self) -> None:
        """The engine has answered a request; whoever sent it may be a handler that waits."""
        self._has_answered = True
        self._stir()

    def callers_wait(self, more: int) -> None:
        """So many more synchronous callers, who are no handlers, wait for an answer; -1 when one has got it."""
        self._callers += more
        self._stir()

    def move_horizon(self, when: float) -> None:
        """Time may pass until then; nobody waits for it."""
        self.horizon = max(self.horizon, when)
        self._stir()

    async def pace(self) -> None:
        """Let time pass by itself, at the clock's rate, until this is cancelled."""
        last = time.monotonic()
        self.clock.is_paced = True
        while True:
            await asyncio.sleep(_PACE)
            now = time.monotonic()
            if self.clock.rate:
                behind = min(now - last, _LAG_MAX)
                self.move_horizon(min(self.horizon + behind * self.clock.rate, self.clock.now() + self.clock.rate))
            last = now

    def _stir(self) -> None:
        self._stirs += 1
        self._is_there.clear()
        self._stirred.set()

    # --- the run ------------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await self._until_all_rest()
            if self._has_answered:
                self._has_answered = False
                self.turns.wake_who_listens()
            if not self.turns.grant_next() and not self._pass_time():
                self._is_there.set()
                self._stirred.clear()
                await self._stirred.wait()

    def _pass_time(self) -> bool:
        """Go on to the next thing due. False if there is nothing before the horizon."""
        due = self.clock.next_ring()
        if due is not None and due <= self._limit:
            self._ring_next()
            return True
        if math.isfinite(self.horizon):
            self.clock.advance_to(self.horizon)
        return False

    @property
    def _limit(self) -> float:
        """Until when time may pass without a word of the driver's."""
        return math.inf if self.follows_callers and self._callers else self.horizon

    def _ring_next(self) -> None:
        try:
            self.clock.ring_next()
        except Exception as error:  # boundary, as the event loop's: a timer that fails does not stop time
            loop = asyncio.get_running_loop()
            loop.call_exception_handler({"message": "a timer of simulated time", "exception": error})

    async def _until_all_rest(self) -> None:
        quiet_turns, loop_has_work = 0, _work_of_the_loop()
        stirs = self._stirs
        while quiet_turns < _SETTLING:
            if self.turns.holder is not None:
                await self._until_it_answers(self.turns.holder)
            await asyncio.sleep(0)
            is_quiet = self.turns.all_rest and self._rests() and self._stirs == stirs
            quiet_turns = quiet_turns + (1 if loop_has_work() else _EMPTY) if is_quiet else 0
            stirs = self._stirs

    async def _until_it_answers(self, holder: Process) -> None:
        patience = Patience(holder)
        while self.turns.holder is holder:
            if await self._is_over(holder):
                return
            patience.look()
            if patience.spins():
                self.turns.give_back(holder)  # it keeps nobody up, and meets its deadline
            elif waited := patience.waited():
                self.clock.advance_to(min(self.clock.now() + waited, self._limit))

    async def _is_over(self, holder: Process) -> bool:
        """Wait a little; False if the process still has the turn then."""
        end = asyncio.get_running_loop().time() + _LOOK_EVERY
        while self.turns.holder is holder:
            self._stirred.clear()
            try:
                async with asyncio.timeout_at(end):
                    await self._stirred.wait()
            except TimeoutError:
                return False
        return True


def _work_of_the_loop() -> Callable[[], bool]:
    """Whether callbacks wait to be called in the running loop. One of another make does not say: then some do."""
    ready = getattr(asyncio.get_running_loop(), "_ready", None)
    return (lambda: bool(ready)) if isinstance(ready, deque) else (lambda: True)


class Patience:
    """With a process that has the turn. A busy machine changes nothing: what counts is what the process itself does."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._looked_at = time.monotonic()
        self._usage = process.usage()
        self._computed = self._waited = self._credited = 0.0

    def look(self) -> None:
        """Take in what it has done since the last look."""
        before, self._usage = self._usage, self._process.usage()
        passed, self._looked_at = time.monotonic() - self._looked_at, time.monotonic()
        if before is None or self._usage is None:
            self._waited += 0.0 if self._process.can_be_seen else passed
            return
        computed = self._usage.computed - before.computed
        self._computed += computed
        if self._usage.waits:
            self._waited += max(0.0, passed - computed - (self._usage.queued - before.queued))

    def spins(self) -> bool:
        """Has it computed for longer than it may take in all?"""
        return self._computed > self._process.time_left

    def waited(self) -> float:
        """Real seconds, since it was last asked, of waiting for the world; 0 until that is beyond doubt."""
        if self._waited < WAITED_AT_LEAST:
            return 0.0
        more, self._credited = self._waited - self._credited, self._waited
        return more
