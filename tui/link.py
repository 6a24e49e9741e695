"""The line to the engine: connects, takes frames in, and connects again when the engine has gone."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Protocol

from .format import clock
from .keymap import key_for
from .model import Change, Model, Notice

QUIET_SECONDS = 2.0  # without a frame until the engine is asked whether it is there
ANSWER_SECONDS = 3.0  # until an engine that does not answer is said to be silent
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
    async def arm(self, sentence: str) -> dict[str, Any]: ...
    async def disarm(self, number: int | None = None) -> dict[str, Any]: ...
    async def set_speed(self, speed: float) -> dict[str, Any]: ...
    async def jump(self) -> dict[str, Any]: ...
    async def pause(self) -> dict[str, Any]: ...
    async def resume(self) -> dict[str, Any]: ...
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
        self._heard_at = 0.0

    async def run(self, retry_every: float) -> None:
        """Connect and follow the engine until cancelled; return only if the very first connection fails."""
        try:
            client = await self._connect()
        except Exception as error:  # whatever keeps the engine from starting is for the user to read
            self.failure = f"{type(error).__name__}: {error}" if not str(error) else str(error)
            self._model.link = "no engine"
            self._changed(None)
            return
        while True:
            await self._follow(client)
            client = await self._again(retry_every)

    async def _follow(self, client: Client) -> None:
        try:
            hello = await asyncio.wait_for(client.hello(), ANSWER_SECONDS)
            since = self._model.lost_at
            self._model.take_hello(hello)
            self._model.trouble = other_version(hello)
            if since is not None:
                self._model.say("info", f"connected again; there was no engine since {clock(since)}")
            self.client, self._sent = client, {}
            self._changed(None)
            await self._listen(client)
            self._gone("it has ended")
        except TimeoutError:
            self._silent()
        except Exception as error:  # a frame that cannot be read is no reason to end: connect anew
            self._gone(str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}")
        finally:
            self.client = None
            await _quietly(client.close())

    async def _listen(self, client: Client) -> None:
        beside = [asyncio.create_task(work) for work in (self._send_views(client), self._feel_pulse(client))]
        try:
            async for frame in client.frames():
                self._heard_at = time.monotonic()
                self._changed(self._model.apply(frame))
        finally:
            for task in beside:
                task.cancel()

    async def _send_views(self, client: Client) -> None:
        while True:
            self._news.clear()  # first: what is wished while the last wish is sent is not to be missed
            if self._views and self._views != self._sent:
                self._sent = {pane: dict(view) for pane, view in self._views.items()}
                await _quietly(client.subscribe(self._sent))
            await self._news.wait()

    async def _feel_pulse(self, client: Client) -> None:
        """An engine that is idle sends nothing, and neither does one that hangs: ask what was quiet for a while."""
        while True:
            await asyncio.sleep(QUIET_SECONDS)
            if time.monotonic() - self._heard_at < QUIET_SECONDS:
                continue
            asked = asyncio.ensure_future(_quietly(client.hello()))
            try:
                await asyncio.wait_for(asyncio.shield(asked), ANSWER_SECONDS)
            except TimeoutError:
                await self._until_it_answers(asked)
            finally:
                asked.cancel()

    async def _until_it_answers(self, asked: Awaitable[None]) -> None:
        before = self._model.trouble
        self._silent()
        await asked
        since = self._model.lost_at
        self._model.found()
        self._model.trouble = before
        self._model.say("info", f"the engine answers again; it did not since {clock(since or 0)}")
        self._changed(None)

    def _silent(self) -> None:
        pid = self._model.hello.get("pid", "?")
        self._model.lost("no answer", f"the engine (pid {pid}) is paused or too busy; lamtop goes on when it answers")
        self._changed(None)

    def _gone(self, why: str) -> None:
        self._model.lost("no engine", f"reconnecting… 'lamtop serve' starts one, {key_for('quit')} quits ({why})")
        self._changed(None)

    async def _again(self, retry_every: float) -> Client:
        while True:
            await asyncio.sleep(retry_every)
            try:
                return await self._connect()
            except Exception as error:  # whatever it is, the next try may succeed
                self._gone(str(error) or type(error).__name__)

    @property
    def has_sent(self) -> bool:
        """Does the engine know what is wished?"""
        return self.client is None or self._views == self._sent

    def watch(self, views: Views) -> None:
        """From now on these views; the newest wish is sent, older ones that were not sent yet are not."""
        if views != self._views:
            self._views = views
            self._news.set()


def other_version(hello: dict[str, Any]) -> Notice | None:
    """What is to be said of an engine that is not of this monitor's version."""
    from importlib.metadata import version

    ours, theirs = version("lamtop"), hello.get("version")
    if theirs == ours:
        return None
    return Notice(
        "warning",
        f"the engine is lamtop {theirs}, this monitor {ours}: what is shown may be wrong; "
        "'lamtop stop' ends it, then start lamtop again",
    )


async def _quietly(wish: Awaitable[object]) -> None:
    with contextlib.suppress(Exception):  # the connection is going; frames() tells the same, and is listened to
        await wish
