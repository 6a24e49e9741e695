"""Keys in their turn: the next one is looked at when the one before has done all that it does.

A key passes from the app to the widget that has the keys and back through everything around it, and what it does may
give the keys to a field or to another screen. Somebody who types quickly, or pastes, has typed on by then: without a
turn their letters would act on the place where the keys were, and an enter would overtake the letters before it.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from textual import events
from textual.app import App
from textual.dom import DOMNode

Typed = events.Key | events.Paste
_ROUNDS_MAX = 8  # a screen opens, draws itself and gives one of its fields the keys: three
_LOOK_EVERY = 0.1  # seconds between two looks whether a widget that is waited for is still there
_HELD_MAX = 2.0  # seconds that keys wait for an answer of the engine


class Keyboard:
    """Gives keys and pastes to the app one after another; `deliver` is what the app does with one."""

    def __init__(self, app: App[Any], deliver: Callable[[Typed], Awaitable[None]]) -> None:
        self._app, self._deliver = app, deliver
        self._waiting: deque[Typed] = deque()
        self._turn: asyncio.Task[None] | None = None
        self._held: asyncio.Event | None = None

    @property
    def idle(self) -> bool:
        """Has every key done what it does?"""
        return self._turn is None or self._turn.done()

    def take(self, typed: Typed) -> None:
        """Something was typed."""
        self._waiting.append(typed)
        if self.idle:
            self._turn = asyncio.create_task(self._run())

    def hold(self) -> asyncio.Event:
        """What the last key asked for takes time, and will take the keys: the next ones wait until this is set.

        If that takes too long they are dropped, for they were meant for what has not come.
        """
        self._held = asyncio.Event()
        return self._held

    def close(self) -> None:
        if self._turn is not None:
            self._turn.cancel()

    async def _run(self) -> None:
        while self._waiting:
            typed = self._waiting.popleft()
            await _through(self._app, partial(self._deliver, typed))
            if not (self._waiting and self._is_text(typed) and self._is_text(self._waiting[0])):
                await self._settled()

    def _is_text(self, typed: Typed) -> bool:
        """Is it a letter for the field that has the keys? A field takes them in the order in which they come."""
        focused = self._app.focused
        return isinstance(typed, events.Key) and (
            focused is not None and focused.check_consume_key(typed.key, typed.character)
        )

    async def _settled(self) -> None:
        """Until everything that a key has led to is done, and the keys stay where they are."""
        before: object = None
        for _ in range(_ROUNDS_MAX):
            if self._held is not None:
                await self._released(self._held)
            place = (self._app.screen, self._app.focused)
            for node in (self._app.focused or self._app.screen).ancestors_with_self:
                await _through(node)
            if place == before == (self._app.screen, self._app.focused) and self._held is None:
                return
            before = (self._app.screen, self._app.focused)

    async def _released(self, held: asyncio.Event) -> None:
        try:
            await asyncio.wait_for(held.wait(), _HELD_MAX)
        except TimeoutError:
            self._waiting.clear()
        self._held = None


async def _through(node: DOMNode, do: Callable[[], Awaitable[None]] | None = None) -> None:
    """Until a node has handled what was sent to it before this, and then done this."""
    done = asyncio.Event()

    async def reached() -> None:
        try:
            if do is not None:
                await do()
        finally:
            done.set()

    if not node.call_later(reached):
        return  # it is closing
    while not done.is_set() and (isinstance(node, App) or node.is_attached):
        try:
            await asyncio.wait_for(done.wait(), _LOOK_EVERY)
        except TimeoutError:
            continue
