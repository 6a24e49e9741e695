"""Records what the monitor shows, from one press of a key to the next.

Only pictures of the screen get in. What else a program tells its terminal (texts copied, modes, titles) does not.
"""

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

from .. import format as f
from ..alarm import ring
from .frame import Frame, frame_of
from .mark import without_mark
from .recording import Recording

if TYPE_CHECKING:
    from ..app import Lamtop

_GAP = 1 / 12  # seconds between two pictures at least
_TELL_EVERY = 1.0  # seconds between two looks at how long the film is


class Recorder:
    """Records an app's screen from now on into the current folder, and says in its header for how long."""

    def __init__(self, app: "Lamtop") -> None:
        """Raises OSError if there can be no file."""
        self._app, self._is_over = app, False
        self._recording = Recording(Path.cwd(), self._frame(), app.TITLE)
        self._looked = time.monotonic()
        self._later: asyncio.TimerHandle | None = None
        self._clock = app.set_interval(_TELL_EVERY, self._tell)
        self._tell()

    def drawn(self) -> None:
        """Something was drawn. It is looked at now, or as soon as the last look is long enough ago."""
        wait = self._looked + _GAP - time.monotonic()
        if wait <= 0:
            self._look()
        elif self._later is None:
            self._later = ring(self._app, wait, self._look)

    def stop(self) -> str:
        """End the file, and say which it is. Returns what was said."""
        try:
            self._recording.show(self._frame())
            seconds = self._recording.seconds
            self._recording.end()
            size = f.size(self._recording.path.stat().st_size)
        except OSError as error:
            return self._failed(error)
        self._rest()
        return self._say("info", f"recorded {self._recording.path.name}: {f.clock_left(seconds)}, {size}")

    def close(self) -> None:
        """End the file; there is no screen any more."""
        self._rest()
        try:
            self._recording.end()
        except OSError:
            self._recording.give_up()

    def _look(self) -> None:
        if self._is_over:  # the timer had rung already when it was stopped
            return
        self._later, self._looked = None, time.monotonic()
        try:
            self._recording.show(self._frame())
        except OSError as error:
            self._failed(error)

    def _frame(self) -> Frame:
        return without_mark(frame_of(self._app))

    def _failed(self, error: OSError) -> str:
        self._rest()
        self._recording.give_up()
        name, why = self._recording.path.name, error.strerror or str(error)
        return self._say("error", f"the recording ended: {why}; {name} has what was shown until then")

    def _say(self, level: str, text: str) -> str:
        self._app.wishes.say(level, text)
        self._refresh("#status")
        return text

    def _rest(self) -> None:
        """Look no more."""
        self._app.recorder, self._is_over = None, True
        self._clock.stop()
        if self._later is not None:
            self._later.cancel()
        self._say_how_long("")

    def _tell(self) -> None:
        if self._is_over:
            return
        self._say_how_long(f.clock_left(self._recording.seconds))

    def _say_how_long(self, length: str) -> None:
        self._app.model.recorded = length
        self._refresh("#header")

    def _refresh(self, name: str) -> None:
        """Draw these lines anew, under a panel too."""
        for screen in self._app.screen_stack:
            for one in screen.query(name):
                one.refresh()
