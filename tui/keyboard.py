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

    async def take(self, typed: Typed) -> None:
        """Something was typed. Called by the app."""
        if not self.idle:
            self._waiting.append(typed)
            return
        place = self._place()
        await self._deliver(typed)
        self._turn = asyncio.create_task(self._follow(typed, place))

    def hold(self) -> asyncio.Event:
        """What the last key asked for takes time, and will take the keys: the next ones wait until this is set.

        If that takes too long they are dropped, for they were meant for what has not come.
        """
        self._held = asyncio.Event()
        return self._held

    def close(self) -> None:
        if self._turn is not None:
            self._turn.cancel()

    async def _follow(self, typed: Typed, place: object) -> None:
        """Wait for what was typed at this place, then take the next in turn."""
        while True:
            if not (self._waiting and self._is_text(typed) and self._is_text(self._waiting[0])):
                await self._settled(place)
            if not self._waiting:
                return
            typed, place = self._waiting.popleft(), self._place()
            await self._in_app(partial(self._deliver, typed))

    def _place(self) -> object:
        """Where the keys go."""
        return self._app.screen, self._app.focused

    def _is_text(self, typed: Typed) -> bool:
        """Is it a letter for the field that has the keys? A field takes them in the order in which they come."""
        return isinstance(typed, events.Key) and self.takes(typed.key, typed.character)

    def takes(self, key: str, character: str | None) -> bool:
        """Is it for the field that has the keys?"""
        return self._app.focused is not None and self._app.focused.check_consume_key(key, character)

    async def _settled(self, start: object) -> None:
        """Until everything that a key has led to is done, and the keys stay where they are."""
        last: object = None
        for _ in range(_ROUNDS_MAX):
            if self._held is not None:
                await self._released(self._held)
            await self._round()
            place = self._place()
            went_nowhere = place == start and not self.takes("a", "a")  # a field tells of its text in a second round
            if self._held is None and (went_nowhere or place == last):
                return
            last = place

    async def _released(self, held: asyncio.Event) -> None:
        try:
            await asyncio.wait_for(held.wait(), _HELD_MAX)
        except TimeoutError:
            self._waiting.clear()
        self._held = None

    async def _round(self) -> None:
        """Go the way of a key, behind it: from the widget that has the keys to the app, which may give them away."""
        nodes = [*(self._app.focused or self._app.screen).ancestors_with_self, self._app]
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        at = 0

        def pass_on(index: int) -> None:
            nonlocal at
            for at in range(index, len(nodes)):
                if nodes[at].call_later(pass_on, at + 1):
                    return  # else it is closing
            if not done.done():
                done.set_result(None)

        pass_on(0)
        while not done.done():
            await asyncio.wait({done}, timeout=_LOOK_EVERY)
            if not done.done() and nodes[at] is not self._app and not nodes[at].is_attached:
                pass_on(at + 1)

    async def _in_app(self, do: Callable[[], Awaitable[None]]) -> None:
        """Do something where the app handles its messages."""
        done = asyncio.Event()

        async def reached() -> None:
            try:
                await do()
            finally:
                done.set()

        if self._app.call_later(reached):
            await done.wait()
