"""A stage for tapes: a project's own engine on simulated time, and the real monitor on top of it.

Nothing here depends on the clock on the wall: the monitor sees the moments at which time stands, and whoever plays
waits until all that a moment means is on the screen.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

from textual import events
from textual.geometry import Size
from textual.keys import _character_to_key
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, TextArea

from ..app import Lamtop
from ..film.frame import Frame, frame_of
from ..pace import AT_ONCE
from ..widgets.line_view import LineView
from .company import Company
from .costume import Costume
from .door import Door
from .keys import CHARACTERS

_QUIET_TURNS = 12  # of the event loop, in which nothing happens: then nothing is on its way any more
_STUCK = 15.0  # real seconds; busy machines take their time


class Stage:
    """The monitor on a company's engine. Keys and time are up to others."""

    def __init__(self, company: Company, costume: Costume, theme: str = "dark", *, in_ascii: bool = False) -> None:
        self.company = company
        company.went = self.cut_the_line
        self.costume = costume
        self._door: Door | None = None
        self._has_looked = False
        self.app = Lamtop(self._connect, theme, in_ascii=in_ascii)
        self.app.pace = AT_ONCE
        self.app.animation_level = "none"

    async def _connect(self) -> Door:
        await self.company.came.wait()
        self._door = Door(self.company.engine, self.costume)
        return self._door

    def cut_the_line(self) -> None:
        """For the monitor the engine is gone."""
        if self._door is not None:
            self._door.shut()

    async def begin(self) -> None:
        """Until the first picture with the engine's rows is on."""
        await self.until(lambda: self.app.link.client is not None)
        await self.settle()

    # -- time --------------------------------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Until everything is on the screen that has happened by now. Raises TimeoutError if it never is."""
        try:
            async with asyncio.timeout(_STUCK):
                await self._settle()
        except TimeoutError:
            raise TimeoutError(f"the monitor does not come to rest: {', '.join(self.under_way())}") from None

    async def _settle(self) -> None:
        while True:
            await self.company.advance(0.0)
            await self._until_the_monitor_rests()
            if not await self._fetch() and not self._look_again():
                self._straighten()
                return

    async def _fetch(self) -> bool:
        return self.app.link.client is not None and self._door is not None and await self._door.fetch()

    async def _until_the_monitor_rests(self) -> None:
        quiet = 0
        while quiet < _QUIET_TURNS:
            await asyncio.sleep(0)
            quiet = 0 if any(self.under_way()) else quiet + 1

    def under_way(self) -> Iterator[str]:
        """What will still change the screen without anything new."""
        app, door = self.app, self._door
        if not app.keyboard.idle:
            yield "a key"
        if door is not None and door.asked:
            yield "a question"
        if not app.link.has_sent:
            yield "a view"
        workers = sum(not worker.is_finished for worker in app.workers)
        if workers > 1 + (door.waiting if door is not None else 0):  # one is the connection
            yield "work"
        if app.message_queue_size:
            yield "the app"
        for screen in app.screen_stack:
            yield from self._under_way_on(screen)

    def _under_way_on(self, screen: Screen[Any]) -> Iterator[str]:
        paint = getattr(screen, "_paint", None)
        if paint is not None and paint.is_due:
            yield "a picture"
        if getattr(screen, "_waiting", False):
            yield "another look"
        for node in (screen, *screen.walk_children(Widget)):
            if node.message_queue_size or node._layout_required or getattr(node, "_leaving", None):
                yield f"{node}"

    def _look_again(self) -> bool:
        """What looks at the clock by itself does it now, and what blinks stands still. True if that is to be drawn."""
        self._has_looked = not self._has_looked
        screen = self.app.screen
        fields: list[Input | TextArea] = [*screen.walk_children(Input), *screen.walk_children(TextArea)]
        looks = getattr(screen, "show_again", None)
        if not self._has_looked or not (fields or looks):
            return False
        for field in fields:
            field.cursor_blink = False
        if looks:
            looks()
        return True

    def frame(self) -> Frame:
        """What is on the screen."""
        if len(self.app.screen_stack) > 1:
            self.app.screen.refresh()  # what lies under a panel is drawn anew only with the panel
        return frame_of(self.app)

    # -- the monitor -------------------------------------------------------------------------------------------------

    async def press(self, key: str) -> None:
        """Press a key, by its character or Textual's name for it, once everything before is on the screen."""
        await self.settle()
        name = _character_to_key(key) if len(key) == 1 else key
        event = events.Key(name, key if len(key) == 1 else CHARACTERS.get(name))
        event.set_sender(self.app)
        self._send(event)
        await self.settle()

    async def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size."""
        size = Size(columns, rows)
        self._send(events.Resize(size, size))
        header = self.app.main.query_one("#header")
        await self.until(lambda: header.size.width == columns and self.app.main.size == size)
        await self.settle()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Let the monitor run until something holds."""
        async with asyncio.timeout(_STUCK):
            while not holds():  # noqa: ASYNC110 - Textual tells nobody
                await asyncio.sleep(0.001)

    def _send(self, event: events.Event) -> None:
        if self.app._driver is not None:
            self.app._driver.send_message(event)

    def _straighten(self) -> None:
        """Scrollbars say where they are in the order in which they were told; say it once more."""
        for view in self.app.screen.walk_children(LineView):
            if view.show_vertical_scrollbar:
                bar = view.vertical_scrollbar
                bar.window_virtual_size, bar.position = view.virtual_size.height, view.scroll_y
                bar.window_size = view.container_size.height
