"""A shop whose days pass in moments: the examples' own engine on simulated time, and the monitor on top of it.

What would differ from run to run or from machine to machine (folders, ports, process ids, versions of Python) is given
one name at the only door through which the monitor sees the engine.
"""

import asyncio
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from stage import Stage
from textual.events import Resize
from textual.geometry import Size
from textual.widgets import Input, TextArea

from lamtop import handlers
from lamtop.engine import Engine, Settings
from lamtop.tui.app import Lamtop
from lamtop.tui.client import LocalClient, Values
from lamtop.tui.inflow import Inflow
from lamtop.tui.widgets.line_view import LineView

SEED = 4
HOME = "/home/ann/shop"  # as it is called on the screen
_PATIENCE = 20.0  # seconds; these machines are busy
_LOOKS = 2  # that show the same before it is believed
_PYTHON = f"python3.{sys.version_info.minor}"


class Door(LocalClient):
    """The client of an engine that looks the same everywhere. Knows whether anything is under way."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        super().__init__(engine)
        self._folder = folder
        self.under_way = 0
        self.is_cut = False
        self.is_open = asyncio.Event()  # closed while time passes: nobody needs pictures of that
        self.is_open.set()

    async def hello(self) -> Values:
        hello = {**await super().hello(), "url": "http://127.0.0.1:4566", "pid": 4711, "python": "3.13.9"}
        return self._renamed({**hello, "interpreter": "/usr/bin/python3.13", "version": "0.1.0"})

    async def frames(self) -> AsyncIterator[Values]:
        read = self._subscription._frame

        async def counted(*given: Any, **named: Any) -> Values:
            self.under_way += 1
            return await read(*given, **named)

        self._subscription._frame = counted  # type: ignore[method-assign]
        while not self.is_cut:
            await self.is_open.wait()
            frame = await self._subscription.next_frame()
            yield self._renamed(frame)
            self.under_way -= 1  # the monitor has taken it in
        raise ConnectionResetError("the line was cut")

    @property
    def has_news(self) -> bool:
        return self.under_way > 0 or self._subscription._news()

    async def invoke(self, function: str, payload: bytes, *, asynchronous: bool, dry_run: bool = False) -> Values:
        answer = super().invoke(function, payload, asynchronous=asynchronous, dry_run=dry_run)
        return self._renamed(await (self._counted(answer) if asynchronous or dry_run else answer))

    async def life(self, request_id: str) -> Values | None:
        return self._renamed(await self._counted(super().life(request_id)))

    async def page(self, view: Values, cursor: str | None = None) -> Values:
        return self._renamed(await self._counted(super().page(view, cursor)))

    async def redrive(self, ids: list[str], payloads: dict[str, str] | None = None) -> Values:
        return await self._counted(super().redrive(ids, payloads))

    async def letters(self, ids: list[str]) -> list[Values]:
        return self._renamed(await self._counted(super().letters(ids)))

    async def reload(self) -> Values:
        return self._renamed(await super().reload())  # it takes simulated time

    async def _counted(self, wish: Any) -> Any:
        self.under_way += 1
        try:
            return await wish
        finally:
            self.under_way -= 1

    def _renamed(self, value: Any) -> Any:
        if isinstance(value, str):
            value = value.replace(str(self._folder), HOME).replace(_PYTHON, "python3.13")
            value = re.sub(r"^(\S+ v\d+, .*), \d+ ms$", r"\1, 9 ms", value)  # a reload takes real time
            return re.sub(r"python:3\.\S+(\tRuntime Version ARN: \S+:)\w+", r"python:3.13.v9\1c0ffee", value)
        if isinstance(value, dict):
            return {key: self._renamed(one) for key, one in value.items()}
        return [self._renamed(one) for one in value] if isinstance(value, list) else value


class Monitor(Stage):
    """The real app on the shop's engine."""

    def __init__(self, shop: "Shop", app: Lamtop, pilot: Any, doors: list[Door]) -> None:
        super().__init__(app, pilot, shop.engine)  # type: ignore[arg-type]
        self.shop, self._doors = shop, doors

    def cut_the_line(self) -> None:
        """For the monitor the engine is gone, and stays away."""
        self._doors[-1].is_cut = True
        self.shop.engine.notices.say("info", "not heard any more")  # the frame that is waited for ends

    async def advance(self, seconds: float) -> None:
        """Let time pass."""
        await self.until(self._is_quiet, "quiet")
        self._doors[-1].is_open.clear()
        await self.shop.engine.simulation.advance(seconds)
        self._doors[-1].is_open.set()

    async def settle(self) -> None:
        """Until everything is on the screen that the engine has to say now."""
        await self.shop.engine.simulation.settle()
        await self.until(self._is_quiet, "quiet")
        if hasattr(self.app.screen, "show_again"):
            self.app.screen.show_again()  # it looks at the clock by itself, but not this moment
        for field in (*self.app.screen.query(Input), *self.app.screen.query(TextArea)):
            field.cursor_blink = False
        for view in self.app.screen.query(LineView):
            view._let_bar_go()  # lays it out anew, as it does by itself after a while: scrollbars depend on the time
            if view.show_vertical_scrollbar:
                bar = view.vertical_scrollbar
                bar.window_virtual_size, bar.position = view.virtual_size.height, view.scroll_y
                bar.window_size = view.container_size.height
        seen: list[str] = []
        while seen[-_LOOKS:] != [self.screen()] * _LOOKS:
            seen.append(self.screen())
            self.app.screen.refresh()  # what lies under a panel is drawn anew only with the panel
            await asyncio.sleep(1 / 60)  # as often as Textual lays out and paints
            await self.until(self._is_quiet, "quiet")

    async def until(self, holds: Callable[[], Any], what: str = "") -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                while not (holds() and self._is_drawn()):
                    await asyncio.sleep(0.001)
        except TimeoutError:
            raise AssertionError(f"never happened: {what} {self._under_way()}\n{self.screen()}") from None

    def _is_drawn(self) -> bool:
        """Whether no widget has anything left to do."""
        screen = self.app.screen
        nodes = (self.app, screen, *screen.query("*"))
        return not screen._layout_required and not any(node._message_queue.qsize() for node in nodes)

    def _is_quiet(self) -> bool:
        return not self._under_way()

    def _under_way(self) -> list[str]:
        """What will still change the screen."""
        stack, link, model = self.app.screen_stack, self.app.link, self.app.model
        found = [f"{screen} asks" for screen in stack if getattr(screen, "_waiting", False)]
        paints = [(screen, paint) for screen in stack if (paint := getattr(screen, "_paint", None))]
        found += [f"{screen} paints" for screen, paint in paints if paint._timer is not None]
        if link.client is None:
            return found + (["the connection"] if model.connected else [])
        found += ["a frame"] if self._doors[-1].has_news else []
        found += ["a view"] if link._views != link._sent else []
        return found + (["time"] if model.time.engine != self.shop.engine.clock.now() else [])

    async def press(self, *keys: str) -> None:
        """Press keys one after another. What a key does may depend on what is shown, so each waits for that."""
        for key in keys:
            await self.until(self._is_quiet, "quiet")
            self.send(key)
            for _ in range(60):  # a key passes from app to screen to widget, and a new screen is mounted
                await asyncio.sleep(0)
        await self.until(self._is_quiet, "quiet")

    async def resize(self, columns: int, rows: int) -> None:
        size = Size(columns, rows)
        self.app._driver.send_message(Resize(size, size))  # type: ignore[union-attr]
        await self.until(lambda: self.app.main.size == size, "the new size")


class Shop:
    """One engine that runs the examples in a folder of its own, and whoever looks at it."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.folder = engine, folder

    async def send(self, name: str, payload: str = "{}") -> str:
        """Queue an event, as boto3 does; its request id."""
        engine, sent = self.engine, payload.encode()
        request_id = engine.new_request_id()
        return (await engine.accept(engine.functions[name], sent, source="boto3", request_id=request_id)).id

    @asynccontextmanager
    async def watched(
        self, size: tuple[int, int] = (100, 30), theme: str = "dark", *, in_ascii: bool = False
    ) -> AsyncIterator[Monitor]:
        doors: list[Door] = []

        async def connect() -> Door:
            if doors:
                raise ConnectionRefusedError("nobody is there")
            doors.append(Door(self.engine, self.folder))
            return doors[0]

        app = Lamtop(connect, theme, in_ascii=in_ascii)
        app.animation_level = "none"
        async with app.run_test(size=size) as pilot:
            monitor = Monitor(self, app, pilot, doors)
            await monitor.until(lambda: app.model.rows["functions"].total and app.main.selected, "the first frame")
            await monitor.settle()
            yield monitor


@asynccontextmanager
async def shop(folder: Path, environ: Mapping[str, str] = os.environ) -> AsyncIterator[Shop]:
    """Open one in this folder, with the examples as they come with lamtop, for the Python at hand."""
    folder = folder.resolve()
    source = Path(handlers.__file__).parent
    shutil.copytree(source, folder / "handlers", ignore=shutil.ignore_patterns("__*"))
    template = folder / "handlers" / "template.yaml"
    template.write_text(template.read_text().replace("python3.13", _PYTHON))
    marks = folder / "tmp"  # the examples leave marks there, by request id: and those are the same each time
    marks.mkdir()
    environ = {**environ, "TMPDIR": str(marks), "LEDGERS": str(marks)}
    engine = Engine(
        Settings(
            template, folder / ".lamtop", port=0, simulate=SEED, watch=False, environ=environ, python=sys.executable
        )
    )
    await engine.reloader.learn()
    await engine.start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Inflow, "counts", lambda *_: [0, 0])  # drawn from when frames come, which is real time
        try:
            yield Shop(engine, folder)
        finally:
            await engine.stop()
