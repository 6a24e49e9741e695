"""The client through which a monitor sees an engine whose time somebody else lets pass."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import TYPE_CHECKING, TypeVar

from ..client import EngineUnreachable, LocalClient, Values
from .costume import Costume
from .unless import Over, unless

if TYPE_CHECKING:
    from lamtop.engine import Engine

T = TypeVar("T")
_GONE = "the engine has gone"


class Door(LocalClient):
    """Frames pass when they are fetched, so that the monitor sees the moments at which time stands, and no others."""

    def __init__(self, engine: "Engine", costume: Costume) -> None:
        super().__init__(engine)
        self._costume = costume
        self._frames: asyncio.Queue[Values | None] = asyncio.Queue()
        self._taken = asyncio.Event()
        self._gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.asked = 0  # questions that take no time, under way
        self.waiting = 0  # those whose answers take simulated time

    async def fetch(self) -> bool:
        """Let the monitor take in what has changed; False if nothing has."""
        if not self._subscription.has_news:
            return False
        await self._pass(self._costume.on(await self._subscription.frame()))
        return True

    def shut(self) -> None:
        """For the monitor the engine is gone, with all answers that it owes."""
        self._frames.put_nowait(None)
        if not self._gone.done():
            self._gone.set_result(None)

    async def _pass(self, frame: Values) -> None:
        self._taken.clear()
        self._frames.put_nowait(frame)
        await self._taken.wait()

    async def frames(self) -> AsyncIterator[Values]:
        while (frame := await self._frames.get()) is not None:
            yield frame
            self._taken.set()
        self._taken.set()
        raise EngineUnreachable(_GONE)

    async def hello(self) -> Values:
        return self._costume.on_hello(await super().hello())

    async def invoke(self, function: str, payload: bytes, *, asynchronous: bool, dry_run: bool = False) -> Values:
        answer = super().invoke(function, payload, asynchronous=asynchronous, dry_run=dry_run)
        return await (self._soon(answer) if asynchronous or dry_run else self._in_time(answer))

    async def reload(self) -> Values:
        return await self._in_time(super().reload())

    async def redrive(self, ids: list[str], payloads: dict[str, str] | None = None) -> Values:
        return await self._soon(super().redrive(ids, payloads))

    async def purge(self, ids: list[str]) -> Values:
        return await self._soon(super().purge(ids))

    async def undo(self, purge: str = "") -> Values:
        return await self._soon(super().undo(purge))

    async def letters(self, ids: list[str]) -> list[Values]:
        return await self._soon(super().letters(ids))

    async def life(self, request_id: str) -> Values | None:
        return await self._soon(super().life(request_id))

    async def page(self, view: Values, cursor: str | None = None) -> Values:
        return await self._soon(super().page(view, cursor))

    async def _soon(self, answer: Awaitable[T]) -> T:
        self.asked += 1
        try:
            return await self._unless_gone(answer)
        finally:
            self.asked -= 1

    async def _in_time(self, answer: Awaitable[T]) -> T:
        self.waiting += 1
        try:
            return await self._unless_gone(answer)
        finally:
            self.waiting -= 1

    async def _unless_gone(self, answer: Awaitable[T]) -> T:
        try:
            given: T = self._costume.on(await unless(self._gone, answer))
        except Over:
            raise EngineUnreachable(_GONE) from None
        return given
