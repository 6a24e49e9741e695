"""Plays a tape in the terminal of whoever watches, who may hold it, step through it, and press keys too."""

import asyncio
from collections.abc import Callable
from typing import Any

from rich.color import ColorSystem
from rich.console import COLOR_SYSTEMS
from rich.style import Style
from textual import events
from textual.driver import Driver
from textual.geometry import Size
from textual.message import Message

from ..film.frame import Row
from .cameras import Check
from .performance import StageHands, staged
from .player import Player
from .stage import Stage
from .steps import Step
from .strip import ROWS, Strip
from .tape import Tape, TapeError

PAUSE, STEP = "space", "full_stop"
_HINT = "space pauses · . steps"
_HELD = "PAUSED · space goes on · . steps"
_OVER = "the end · the engine is yours now, ctrl+q quits"


async def watch(tape: Tape, *, speed: float = 1.0, captions: bool = True) -> str:
    """Play it until its end, and go on until the viewer quits. Returns what did not come out as the tape says."""
    async with staged(tape, for_a_film=False) as (stage, hands):
        return await Theatre(tape, stage, hands, speed, captions=captions).run()


class Theatre(Check):
    """A camera that is a terminal: it shows the strip, waits for its time, and lets the viewer hold the tape."""

    filming = True

    def __init__(self, tape: Tape, stage: Stage, hands: StageHands, speed: float, *, captions: bool) -> None:
        self._stage, self._speed, self._fps = stage, speed, tape.fps
        self._captions = captions
        self._player = Player(tape, stage, hands, self)
        self._held = self._stepping = False
        self._next = 0.0  # loop time of the next picture
        self._shown: tuple[Row, ...] = ()
        self._trouble = ""
        self._note = _HINT
        app = stage.app
        app.driver_class = _driver_with_strip(app.driver_class, self._key, ROWS if captions else 0)

    async def run(self) -> str:
        """Until the monitor is closed."""
        running = asyncio.create_task(self._stage.app.run_async())
        playing = asyncio.create_task(self._play())
        await asyncio.wait((running, playing), return_when=asyncio.FIRST_COMPLETED)
        app, is_left = self._stage.app, running.done() or self._stage.app._exit
        if not is_left:
            app.exit()  # the player has failed
        await running
        playing.cancel()
        try:
            await playing
        except asyncio.CancelledError:
            pass
        except Exception:
            if not is_left:  # else it looked for a screen that was about to go
                raise
        return self._trouble

    async def _play(self) -> None:
        await self._stage.begin()
        try:
            await self._player.play()
        except TapeError as error:
            self._trouble = str(error)
            self._player.strip.caption = f"the tape stopped: {self._trouble.splitlines()[-1].strip()}"
        self._note = _OVER
        await self._player.go_on()

    # -- what the player says ----------------------------------------------------------------------------------------

    async def shoot(self, at: float, strip: Strip, rate: float) -> None:
        await self._until_its_time(strip, at, rate)
        while self._held and not self._stepping:
            await self._stage.settle()  # keys of the viewer's
            await self._until_its_time(strip, at, rate)

    async def next_step(self, step: Step) -> None:  # noqa: ARG002 - it is enough that there is one
        self._stepping = False

    async def _until_its_time(self, strip: Strip, at: float, rate: float) -> None:
        strip.note = _HELD if self._held else self._note
        self._draw(strip.rows(self._stage.app.size.width, at, rate) if self._captions else ())
        now = asyncio.get_running_loop().time()
        self._next = max(self._next + 1 / (self._fps * self._speed), now)
        await asyncio.sleep(self._next - now)

    # -- the terminal ------------------------------------------------------------------------------------------------

    def _key(self, key: str) -> None:
        """A key of the viewer's that is for the tape."""
        if key == PAUSE:
            self._held = not self._held
        elif self._held:
            self._stepping = True
        else:
            self._held = True

    def _draw(self, rows: tuple[Row, ...]) -> None:
        app = self._stage.app
        if app._driver is None or rows == self._shown or app.size.width != sum(run.width for run in rows[0]):
            return
        self._shown = rows
        system = COLOR_SYSTEMS.get(app.console.color_system or "", ColorSystem.STANDARD)
        lines = (_line(row, system) for row in rows)
        top = app.size.height + 1
        app._driver.write("".join(f"\x1b[{top + number};1H{line}" for number, line in enumerate(lines)))
        app._driver.flush()


def _line(row: Row, system: ColorSystem) -> str:
    styles = ((run.text, Style(color=run.look.front, bgcolor=run.look.ground, bold=run.look.bold)) for run in row)
    return "".join(style.render(text, color_system=system) for text, style in styles)


def _driver_with_strip(driver: type[Driver], key: Callable[[str], Any], rows: int) -> type[Driver]:
    """The same driver, but the monitor gets that many rows less, and the keys of the tape go to the tape."""

    class StripDriver(driver):  # type: ignore[misc,valid-type]
        def _get_terminal_size(self) -> tuple[int, int]:
            width, height = super()._get_terminal_size()
            return width, max(1, height - rows)

        def process_message(self, message: Message) -> None:
            if isinstance(message, events.Resize):
                size = Size(message.size.width, max(1, message.size.height - rows))
                message = events.Resize(size, size)
            if isinstance(message, events.Key) and message.key in (PAUSE, STEP):
                self._loop.call_soon_threadsafe(self._for_the_tape, message)  # this is the thread that reads
            else:
                super().process_message(message)

        def _for_the_tape(self, pressed: events.Key) -> None:
            if self._app.keyboard.takes("a", "a"):  # letters go to a field
                super().process_message(pressed)
            else:
                key(pressed.key)

    return StripDriver
