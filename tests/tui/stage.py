"""Plays a story on the monitor: an app without a terminal, connected to a fake engine."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from fake_engine import FakeEngine
from textual import events
from textual.keys import _character_to_key
from textual.pilot import Pilot

from lamtop.tui.app import Lamtop
from lamtop.tui.demo.keys import CHARACTERS
from lamtop.tui.widgets.line_table import LineTable
from lamtop.tui.widgets.log_lines import LogLines

HOSTILE = {
    "escape": "a\x1b[2Jb",
    "title": "\x1b]0;PWNED\x07",
    "clipboard": "\x1b]52;c;UFdORUQ=\x07",
    "colour": "\x1b[31mred",
    "eight bit": "\x9b31mred\x9d0;t\x9c",
    "closing markup": "[/x]",
    "live markup": "[@click=app.quit]x[/]",
    "bidi": "a\u202etxt.exe\u2066b",
    "surrogate": "a\udcffb",
    "carriage return": "safe\rfake",
    "nul": "a\x00b\x7f\u200b\ufeff",
    "very long": "x" * 70_000,
}
"""Twelve texts a handler may print to do harm."""


def is_harmless(text: str) -> bool:
    """Whether a text can be written to a terminal as it is."""
    bad = set(range(0x20)) | set(range(0x7F, 0xA0)) | set(range(0xD800, 0xE000))
    bad |= {*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0xFEFF}
    return not any(ord(char) in bad for char in text if char not in "\n\t")


class Stage:
    def __init__(self, app: Lamtop, pilot: Pilot[None], engine: FakeEngine) -> None:
        self.app, self.pilot, self.engine = app, pilot, engine

    async def press(self, *keys: str) -> None:
        """Press keys one after another, as quickly as the app takes them in."""
        for key in keys:
            self.send(key)
            await self.typed()
        await self.pilot.pause()

    async def typed(self) -> None:
        """Until the keys so far have done what they do."""
        for _ in range(20):  # from the driver to the app
            await asyncio.sleep(0)
        for _ in range(2_000):
            if self.app.keyboard.idle:
                return
            await asyncio.sleep(0)

    def send(self, key: str) -> None:
        """Press a key without waiting for anything."""
        name = _character_to_key(key) if len(key) == 1 and not key.isalnum() else key
        character = key if len(key) == 1 else CHARACTERS.get(key)
        event = events.Key(name, character)
        event.set_sender(self.app)
        driver = self.app._driver
        assert driver is not None
        driver.send_message(event)

    async def until(self, holds: Callable[[], Any], what: str = "") -> None:
        """Let the app run until something holds."""
        for tries in range(300):
            if holds():
                return
            await self.pilot.pause()
            await asyncio.sleep(0.005 if tries > 100 else 0)  # a timer may be late where much else runs
        raise AssertionError(f"never happened: {what}\n{self.screen()}")

    async def lives(self, holds: Callable[[], Any], what: str, seconds: float = 20.0) -> None:
        """As `until`, for what a real engine has to do with: that takes time."""
        deadline = asyncio.get_running_loop().time() + seconds
        while not holds():
            assert asyncio.get_running_loop().time() < deadline, f"never happened: {what}\n{self.screen()}"
            await asyncio.sleep(0.01)

    async def shows(self, *texts: str) -> None:
        for text in texts:
            await self.until(lambda text=text: text in self.screen(), f"{text!r} on the screen")

    async def hides(self, text: str) -> None:
        await self.until(lambda: text not in self.screen(), f"{text!r} gone from the screen")

    def screen(self) -> str:
        """What the top screen shows, as lines of text."""
        return "\n".join(strip.text for strip in self.app.screen._compositor.render_strips())

    def table(self, pane: str) -> LineTable:
        return self.app.main.tables[pane]

    @property
    def logs(self) -> LogLines:
        return self.app.main.logs

    def called(self, verb: str) -> list[tuple[Any, ...]]:
        return [call for call in self.engine.calls if call[0] == verb]


Story = Callable[[Stage], Awaitable[None]]


def play(
    story: Story, engine: FakeEngine | None = None, size: tuple[int, int] = (140, 40), theme: str | None = None
) -> Lamtop:
    """Run a story from the first picture with the engine's rows on."""
    return asyncio.run(_play(story, engine or FakeEngine(), size, theme))


async def _play(story: Story, engine: FakeEngine, size: tuple[int, int], theme: str | None) -> Lamtop:
    app = Lamtop(engine.connect, theme)
    app.pace = app.pace._replace(retry=0.01)
    async with app.run_test(size=size) as pilot:
        stage = Stage(app, pilot, engine)
        if engine.refuse is None:
            await stage.until(lambda: app.model.rows["functions"].total and app.main.selected, "the first frame")
        await story(stage)
    return app
