"""The monitor as a Textual app: theme, screens, and a boundary that lets no error pass silently."""

import gc
import os
import traceback
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import events
from textual.app import App
from textual.binding import BindingType
from textual.dom import DOMNode
from textual.driver import Driver
from textual.worker import WorkType

from . import format as f
from .colours import OWN_THEMES
from .keyboard import Keyboard
from .keymap import REMAPPED, bindings, key_for
from .link import Connect, Link
from .look import TERMINAL, THEMES, next_theme, theme_for, wants_ascii
from .model import Change, Model
from .pace import Pace
from .replay_keys import ReplayKeys
from .screens.main import MainScreen
from .stopped import stoppable_driver
from .wishes import Wishes

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.actions import ActionParseResult
    from textual.screen import Screen

    from .film.live import Recorder


class Lamtop(ReplayKeys, App[None]):
    """Watches one engine. `connect` is awaited after the first paint; if it raises, the screen shows why and the
    exit code is 1."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("everywhere"), *bindings("replay")]
    CSS_PATH = "theme.tcss"
    TITLE = "lamtop"
    ENABLE_COMMAND_PALETTE = False
    pace = Pace()

    def __init__(
        self, connect: Connect, theme: str | None = None, opening: str = "", *, in_ascii: bool | None = None
    ) -> None:
        """`theme` is "dark", "light" or "terminal", `in_ascii` draws with ASCII only; None: what fits the terminal.

        `opening` is said until the engine answers.
        """
        self.look = theme_for(os.environ, theme)
        self.draws_ascii = wants_ascii(os.environ) if in_ascii is None else in_ascii
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)  # else its greys are drawn as colours
        for own in OWN_THEMES:
            self.register_theme(own)
        self.theme = THEMES[self.look]
        self.set_keymap(REMAPPED)
        self.model = Model(opening or "connecting…")
        self.link = Link(self.model, connect, self._model_changed)
        self.wishes = Wishes(self.model, self.link, self._said)
        self.main = MainScreen(self)
        self.keyboard = Keyboard(self, super().on_event)
        self.recorder: Recorder | None = None

    def run(self, *args: Any, **named: Any) -> None:
        gc.freeze()  # what is loaded stays: looking at all of it again and again would hold keys up for 50 ms
        super().run(*args, **named)

    def get_default_screen(self) -> MainScreen:
        return self.main

    def on_ready(self) -> None:
        self.main.watch_windows()
        self.run_worker(self.link.run(self.pace.retry), name="link")

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            await self.keyboard.take(event)
        else:
            await super().on_event(event)

    def _model_changed(self, change: Change | None) -> None:
        for screen in self.screen_stack:
            told = getattr(screen, "model_changed", None)
            if told is not None:
                told(change)

    def _said(self) -> None:
        self.main.paint_soon()
        for line in self.screen.query("#status"):
            line.refresh()

    def begin(self, wish: Callable[[], Coroutine[Any, Any, None]], *, takes_keys: bool = False) -> None:
        """Do something that takes time beside the screen. It is only started if the app still runs.

        With `takes_keys` it ends in a question or a form: what is typed from now on is for that.
        """
        done = self.keyboard.hold().set if takes_keys else None

        async def run() -> None:
            try:
                await wish()
            finally:
                if done is not None:
                    done()

        work: WorkType[None] = run
        self.run_worker(work)

    def next_theme(self) -> None:
        """Other colours: dark, light, the terminal's own."""
        self.look = next_theme(self.look)
        self.theme = THEMES[self.look]
        self.wishes.say("info", f"colours: {'those of the terminal' if self.look == TERMINAL else self.look}")

    def get_driver_class(self) -> type[Driver]:
        driver = stoppable_driver(super().get_driver_class())
        if not self.draws_ascii:
            return driver
        from .ascii_output import ascii_driver

        return ascii_driver(driver)

    def action_record(self) -> None:
        """Record the screen from now on, or end that."""
        if self.recorder is not None:
            self.recorder.stop()
            return
        from .film.live import Recorder

        try:
            self.recorder = Recorder(self)
        except OSError as error:
            self.wishes.say("error", f"not recorded: this folder takes no new file: {error.strerror or error}")

    def _display(self, screen: "Screen[Any]", renderable: "RenderableType | None") -> None:
        super()._display(screen, renderable)  # private: nothing else is told of all that is drawn
        if self.recorder is not None:
            self.recorder.drawn()

    def leave(self) -> None:
        """Quit; with exit code 1 if there never was an engine."""
        said = Text(self.recorder.stop()) if self.recorder is not None else None  # nobody sees the status line now
        self.exit(return_code=1 if self.link.failure else 0, message=said)

    def failed(self, error: Exception) -> None:
        """Something could not be done or drawn: say so, and go on with the rest."""
        said = f"this is a fault of lamtop: {type(error).__name__}: {error}"
        if self.model.notice.text != f.clean(said):
            self.wishes.say("error", said)

    async def run_action(
        self,
        action: "str | ActionParseResult",
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        passed_by = self.passed_by(action) if isinstance(action, str) else None
        if passed_by is not None:
            return passed_by
        try:
            return await super().run_action(action, default_namespace, namespaces)
        except Exception as error:  # a key that fails must not take the others with it
            self.failed(error)
            return True

    async def action_quit(self) -> None:
        self.leave()

    def action_help_quit(self) -> None:
        self.wishes.say("info", f"{key_for('quit')} quits")

    async def on_unmount(self) -> None:
        self.keyboard.close()
        if self.recorder is not None:
            self.recorder.close()
        if self.link.client is not None:
            await self.link.client.close()

    def _fatal_error(self) -> None:
        """What ends the program is told in full, and cleaned: an error may carry a handler's own text."""
        self.bell()
        self.panic(Text(f.clean(traceback.format_exc())))
