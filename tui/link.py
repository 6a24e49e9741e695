"""The line to the engine: connects, takes frames in, and connects again when the engine has gone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

from .model import Change, Model

Views = dict[str, dict[str, Any]]


class Client(Protocol):
    """The whole of what the monitor sees of an engine: plain values only."""

    async def hello(self) -> dict[str, Any]: ...
    async def subscribe(self, views: Views) -> None: ...
    def frames(self) -> AsyncIterator[dict[str, Any]]: ...
    async def invoke(
        self, function: str, payload: bytes, *, asynchronous: bool, dry_run: bool = False
    ) -> dict[str, Any]: ...
    async def redrive(self, ids: list[str], payloads: dict[str, str] | None = None) -> dict[str, Any]: ...
    async def purge(self, ids: list[str]) -> dict[str, Any]: ...
    async def undo(self, purge: str = "") -> dict[str, Any]: ...
    async def letters(self, ids: list[str]) -> list[dict[str, Any]]: ...
    async def page(self, view: dict[str, Any], cursor: str | None = None) -> dict[str, Any]: ...
    async def reload(self) -> dict[str, Any]: ...
    async def life(self, request_id: str) -> dict[str, Any] | None: ...
    async def close(self) -> None: ...


Connect = Callable[[], Awaitable[Client]]


class Link:
    """Keeps the model fed. `changed` is called after every change, with None when the connection itself changed."""

    def __init__(self, model: Model, connect: Connect, changed: Callable[[Change | None], None]) -> None:
        self.client: Client | None = None
        self.failure: str = ""
        self._model, self._connect, self._changed = model, connect, changed
        self._views: Views = {}
        self._sent: Views = {}
        self._news = asyncio.Event()
        self._told = ""

    async def run(self, retry_every: float) -> None:
        """Connect and follow the engine until cancelled; return only if the very first connection fails."""
        try:
            client = await self._connect()
        except Exception as error:  # whatever keeps the engine from starting is for the user to read
            self.failure = f"{type(error).__name__}: {error}" if not str(error) else str(error)
            self._model.lost("no engine")
            self._changed(None)
            return
        while True:
            await self._follow(client)
            client = await self._again(retry_every)

    async def _follow(self, client: Client) -> None:
        try:
            self._model.take_hello(await client.hello())
            self.client, self._sent = client, {}
            self._changed(None)
            await self._listen(client)
            self._gone("the engine has ended")
        except Exception as error:  # a frame that cannot be read is no reason to end: connect anew
            self._gone("" if isinstance(error, OSError) else f"{type(error).__name__}: {error}")
        await _quietly(client.close())

    async def _listen(self, client: Client) -> None:
        sender = asyncio.create_task(self._send_views(client))
        try:
            async for frame in client.frames():
                self._changed(self._model.apply(frame))
        finally:
            sender.cancel()

    async def _send_views(self, client: Client) -> None:
        while True:
            if self._views and self._views != self._sent:
                self._sent = {pane: dict(view) for pane, view in self._views.items()}
                await _quietly(client.subscribe(self._sent))
            self._news.clear()
            await self._news.wait()

    def _gone(self, why: str) -> None:
        self.client, self._told = None, ""
        self._model.lost("engine gone, reconnecting…")
        self._model.say("error", f"engine gone, reconnecting… {why}".rstrip())
        self._changed(None)

    async def _again(self, retry_every: float) -> Client:
        while True:
            await asyncio.sleep(retry_every)
            try:
                client = await self._connect()
            except Exception as error:  # whatever it is, the next try may succeed
                self._still_gone(error)
                continue
            self._model.say("info", "connected again")
            return client

    def _still_gone(self, error: Exception) -> None:
        said = f"engine gone, reconnecting… {error}".rstrip()
        if said != self._told:  # once, not every second: other words may have come since
            self._told = said
            self._model.say("error", said)
            self._changed(None)

    def watch(self, views: Views) -> None:
        """From now on these views; the newest wish is sent, older ones that were not sent yet are not."""
        if views != self._views:
            self._views = views
            self._news.set()


async def _quietly(wish: Awaitable[None]) -> None:
    with contextlib.suppress(Exception):  # the connection is going; frames() tells the same, and is listened to
        await wish
