"""A film: what the screen showed, and when. All times are seconds of film from its beginning."""

from dataclasses import dataclass, field
from typing import NamedTuple

from .frame import Frame


class FilmError(Exception):
    """A film cannot be read, written or drawn; the words say why and what to do."""


class Shot(NamedTuple):
    """A picture that stands from a moment on until the next one comes."""

    at: float
    frame: Frame


class Mark(NamedTuple):
    """Here a scene begins."""

    at: float
    label: str


class Pressed(NamedTuple):
    """A key, by its name, or a text that was typed."""

    at: float
    text: str


@dataclass
class Film:
    """Pictures, scenes and keys in the order of their times. The size is the one that it begins with."""

    columns: int
    rows: int
    title: str
    shots: list[Shot] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    keys: list[Pressed] = field(default_factory=list)
    seconds: float = 0.0
    """How long all of it is: the last shot stands until then."""

    def shoot(self, at: float, frame: Frame) -> None:
        """The screen looks so from now on. What looks as before is no new shot; of two at a time the last counts."""
        if self.shots and self.shots[-1].at >= at:
            self.shots.pop()
        if not self.shots or self.shots[-1].frame != frame:
            self.shots.append(Shot(at, frame))
        self.seconds = max(self.seconds, at)

    @property
    def extent(self) -> tuple[int, int]:
        """The most columns and the most rows that the screen had."""
        return max(shot.frame.columns for shot in self.shots), max(len(shot.frame.rows) for shot in self.shots)

    @property
    def last(self) -> Frame:
        """The picture that it ends with. A film without pictures has none: FilmError."""
        if not self.shots:
            raise FilmError("nothing was shown in this film: there is no picture to draw")
        return self.shots[-1].frame
