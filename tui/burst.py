"""Many asynchronous events to one function, at a rate or as quickly as the engine takes them."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from . import format as f

MOST = 10_000
_AT_ONCE = 16  # requests that are under way at the same time
_TOLD_EVERY = 0.2  # seconds

Send = Callable[[], Awaitable[dict[str, Any]]]


def count_trouble(count: str, rate: str) -> str:
    """What is wrong with two texts as the number of events and the events per second; "" if nothing is."""
    if not count.isascii() or not count.isdigit() or not 1 <= int(count[:9]) <= MOST:
        return f"events: '{count}' is not allowed; use 1 to {MOST:,}"
    try:
        good = not rate or 0.1 <= float(rate) <= 1000
    except ValueError:
        good = False
    return "" if good else f"per second: '{rate}' is not allowed; use 0.1 to 1,000, or nothing for as fast as it goes"


@dataclass
class Burst:
    """`count` events, `rate` a second (None: no limit). A refused event is counted; a lost connection ends it."""

    target: str
    count: int
    rate: float | None = None
    begun: int = 0
    accepted: int = 0
    refusals: list[str] = field(default_factory=list)
    trouble: str = ""
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _told: float = 0.0

    async def run(
        self, send: Send, tell: Callable[[str, str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Send them all, telling the progress now and then, and at the end how it went."""
        started = clock()
        async with asyncio.TaskGroup() as group:
            for _ in range(min(_AT_ONCE, self.count)):
                group.create_task(self._work(send, tell, started, clock))
        took = clock() - started
        level = "error" if self.trouble or self.refusals else "warning" if self.stopped else "info"
        tell(level, self.sentence() + f" in {f.span(took)}" * (not self.trouble))

    def stop(self) -> None:
        self._stop.set()

    @property
    def stopped(self) -> bool:
        return self._stop.is_set()

    def progress(self) -> str:
        done = self.accepted + len(self.refusals)
        return f"burst to {self.target}: {done:,} of {self.count:,}"

    def sentence(self) -> str:
        """How it went."""
        said = f"202 accepted {self.accepted:,} of {self.count:,} for {self.target}"
        if self.refusals:
            said += f", {len(self.refusals):,} refused: {self.refusals[0]}"
        if self.trouble:
            return f"{said}, then: {self.trouble}"
        return f"{said}, stopped" if self.stopped else said

    async def _work(
        self, send: Send, tell: Callable[[str, str], None], started: float, clock: Callable[[], float]
    ) -> None:
        while self.begun < self.count and not self.stopped:
            number, self.begun = self.begun, self.begun + 1
            await self._wait(number / self.rate - (clock() - started) if self.rate else 0.0)
            if not self.stopped:
                await self._send(send)
                self._tell_progress(tell, clock())

    async def _wait(self, seconds: float) -> None:
        if seconds > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), seconds)

    async def _send(self, send: Send) -> None:
        try:
            answer = await send()
        except Exception as error:  # nobody takes events any more: the rest would fail as well
            self.trouble = self.trouble or f.clean(str(error) or type(error).__name__)
            self.stop()
            return
        if int(answer["status"]) == 202:
            self.accepted += 1
        else:
            self.refusals.append(f.clean(f"{answer['status']} {answer.get('error') or answer.get('payload') or ''}"))

    def _tell_progress(self, tell: Callable[[str, str], None], now: float) -> None:
        if now - self._told >= _TOLD_EVERY:
            self._told = now
            tell("busy", self.progress())
