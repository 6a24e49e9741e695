"""Who watches a tape without a terminal: nobody, for a check, or a film."""

from collections.abc import Callable
from pathlib import Path

from ..film.frame import Frame
from ..film.reel import Film, Mark, Pressed
from ..film.svg import svg
from ..format import clean_line
from .keys import shown
from .player import Camera
from .stage import Stage
from .steps import Step
from .strip import Strip
from .tape import Tape

_LAST_STAYS = 3.0  # seconds


class Check(Camera):
    """Looks at nothing: what counts is whether the tape comes out as it says."""

    filming = False

    async def shoot(self, at: float, strip: Strip, rate: float) -> None:
        """Nothing is looked at."""

    def scene(self, at: float, title: str) -> None:
        """Nothing is kept."""

    def key(self, at: float, key: str) -> None:
        """Nothing is kept."""

    async def still(self, name: str) -> None:
        """Nothing is kept."""

    async def next_step(self, step: Step) -> None:
        """Nobody waits."""


class FilmCamera(Check):
    """Makes a film of it, and keeps its stills as SVG files in a folder, if there is one."""

    filming = True

    def __init__(
        self,
        tape: Tape,
        stage: Stage,
        *,
        captions: bool = True,
        speed: float = 1.0,
        stills: Path | None = None,
        progress: Callable[[Step], None] = lambda _step: None,
    ) -> None:
        """`speed`: how many times as fast the film is played. `progress` is told of each step."""
        self.film = Film(tape.columns, tape.rows, clean_line(tape.title or tape.file))
        self._stage, self._captions, self._speed = stage, captions, speed
        self._stills, self._progress = stills, progress
        self._scene = ""

    async def shoot(self, at: float, strip: Strip, rate: float) -> None:
        self.film.shoot(at / self._speed, self._frame(strip, at, rate))

    def _frame(self, strip: Strip, at: float, rate: float) -> Frame:
        frame = self._stage.frame()
        if not self._captions:
            return frame
        return Frame(frame.columns, (*frame.rows, *strip.rows(frame.columns, at, rate)))

    def scene(self, at: float, title: str) -> None:
        self._scene = clean_line(title)
        self.film.marks.append(Mark(at / self._speed, self._scene))

    def key(self, at: float, key: str) -> None:
        self.film.keys.append(Pressed(at / self._speed, shown(key)))

    async def still(self, name: str) -> None:
        if self._stills is not None:
            picture = svg(self._stage.frame(), self.film.title, self._scene or "lamtop")
            (self._stills / name).write_text(picture, encoding="utf-8", newline="\n")

    async def next_step(self, step: Step) -> None:
        self._progress(step)

    def ended(self) -> Film:
        """The film, its last picture held."""
        self.film.seconds += _LAST_STAYS / self._speed
        return self.film
