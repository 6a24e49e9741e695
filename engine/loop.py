"""The production loop around `Dispatcher.step`: gather, step, commit in a thread of its own, release.

While a commit is under way no second step begins; what arrives gathers and shares the next commit. A slow disk makes
acceptance slow and nothing else: synchronous invocations never come this way. A store that is not durable waits for no
disk: its commits need neither the crowd nor the thread.

A full disk holds everything up that must be written, and nothing else: the step that found no room is tried again
until it is on the disk, no attempt begins meanwhile, and what is sent is refused.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from .clock import Clock, Timer
from .dispatcher import Dispatcher
from .store import Retention, Store, Unwritable

_GATHER_TURNS = 100  # turns of the event loop that a step waits, at most, for a crowd like the last one to arrive
_LONGEST_SLEEP = 5.0  # between two looks whether the file is still there
_PRUNE_EVERY = 0.25  # seconds between two looks for what need not be kept any longer …
_PRUNE_ON = 0.05  # … and between two slices of it
_TRY_AGAIN = 0.5  # seconds between two tries to write to a full disk, and between two looks for room
T = TypeVar("T")


class Loop:
    """Runs a dispatcher until told to stop."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        dispatcher: Dispatcher,
        held_up: Callable[[str | None], None],
        retention: Retention,
    ) -> None:
        """`held_up` is told why nothing can be accepted, and again, with None, when it can."""
        self._store = store
        self._clock = clock
        self._dispatcher = dispatcher
        self._held_up = held_up
        self._retention = retention
        self._prune_at = 0.0
        self._pruning = False  # there is more to look at
        self.trouble: str | None = None  # why nothing can be accepted
        self._something = asyncio.Event()
        self._writer = ThreadPoolExecutor(1, "commit")
        self._stopping = False
        self.due_at: float | None = None  # when there is something to do again, in engine time
        self._waits = False  # there is nothing to do until a moment that is known, or something arrives
        self._crowd = 0.0  # how many reports the last steps found waiting

    @property
    def rests(self) -> bool:
        """Whether everything that has arrived is settled, and nothing is due yet."""
        return self._waits and not self._something.is_set() and not self._dispatcher.unread

    def arrived(self) -> None:
        """Something was left in the inbox, or a place has become free."""
        self._something.set()

    def stop(self) -> None:
        """Return from `run` once everything that has arrived is settled."""
        self._stopping = True
        self._something.set()

    async def run(self, failed: Callable[[BaseException], None]) -> None:
        """Step until `stop`. If a commit fails nothing more is accepted: `failed` is told and the loop ends."""
        try:
            await self._run()
        except Exception as error:  # boundary: an engine whose disk or logic failed must say so and end
            self._store.rollback()
            failed(error)
        finally:
            self._writer.shutdown()

    async def _run(self) -> None:
        wake_at: float | None = 0.0
        while not (self._stopping and not self._dispatcher.unread):
            await self._wait(wake_at)
            self._something.clear()
            if self._store.durable:
                await self._gather()
            step = self._dispatcher.step()
            self.due_at = wake_at = step.wake_at
            if step.wrote:
                await self._commit()
            self._dispatcher.release()
            if not self._store.has_room:
                await self._look_for_room()
            if not step.wrote:
                self._store.check_that_it_is_there()
            if self.trouble is None:
                await self._prune()

    async def _commit(self) -> None:
        """Until it is on the disk, however often that takes. Raises StoreError, and Unwritable while stopping."""
        while True:
            try:
                await self._in_writer(self._store.commit)
            except Unwritable as error:
                self._turn(str(error))
                if self._stopping:
                    raise
                await asyncio.sleep(_TRY_AGAIN)
            else:
                return

    async def _look_for_room(self) -> None:
        if await self._in_writer(self._store.look_for_room):
            self._turn(None)
        else:
            self._turn(self.trouble or f"{self._store.path} cannot be written: the disk is full")

    async def _prune(self) -> None:
        """Let a slice of what is old go, every so often."""
        now = asyncio.get_running_loop().time()
        if now < self._prune_at:
            return
        functions = self._dispatcher.metrics.functions.values()
        ended = sum(function.succeeded + function.discarded for function in functions)
        oldest = self._retention.oldest(self._clock.now(), self._clock.rate)
        try:
            pruned, more = await self._in_writer(partial(self._store.prune, self._retention, oldest, ended))
        except Unwritable:
            self._store.rollback()
            return
        self._pruning = more
        self._prune_at = now + (_PRUNE_ON if more else _PRUNE_EVERY)
        if pruned:
            self._dispatcher.metrics.changed("dlq")  # those that had nowhere to go were shown there

    async def _in_writer(self, act: Callable[[], T]) -> T:
        if not self._store.durable:
            await asyncio.sleep(0)
            return act()
        return await asyncio.get_running_loop().run_in_executor(self._writer, act)

    def _turn(self, trouble: str | None) -> None:
        if (trouble is None) == (self.trouble is None):
            return
        self.trouble = trouble
        self._dispatcher.hold(trouble is not None)
        self._held_up(trouble)

    async def _wait(self, wake_at: float | None) -> None:
        if self._something.is_set() or self._dispatcher.unread or self._stopping:
            return
        if wake_at is not None and wake_at <= self._clock.now():
            return
        longest = _LONGEST_SLEEP if self.trouble is None else _TRY_AGAIN
        if self._pruning:
            longest = _PRUNE_ON
        timers: list[Timer] = [asyncio.get_running_loop().call_later(longest, self._something.set)]
        if wake_at is not None:
            timers.append(self._clock.ring_at(wake_at, self._something.set))
        self._waits = True
        try:
            await self._something.wait()
        finally:
            self._waits = False
            for timer in timers:
                timer.cancel()

    async def _gather(self) -> None:
        """Let a crowd assemble: clients that were answered together send again together, and can share a commit.

        A timer cannot do it (its grain is a millisecond), so the event loop is turned a few times.
        """
        for _ in range(_GATHER_TURNS):
            if self._dispatcher.unread >= self._crowd:
                break
            await asyncio.sleep(0)
        self._crowd = max(float(self._dispatcher.unread), self._crowd - 1)
