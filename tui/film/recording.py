"""A recording while it is made: each picture is in the file as soon as it was seen, however the program ends."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from .cast import CastWriter
from .frame import Frame

_IDLE = 2.0  # seconds of film that a screen stands on which nothing changes, however long it did


class Recording:
    """One file, from its first picture to its end. Every method may raise OSError."""

    def __init__(self, folder: Path, first: Frame, title: str, now: Callable[[], float] = time.monotonic) -> None:
        """Begins a new file in the folder, for its owner alone; one that is there is never touched."""
        self._now, self._changed, self._at = now, now(), 0.0
        self._shown = first
        self.path, number = _new_file(folder)
        self._file = os.fdopen(number, "w", buffering=1, encoding="utf-8", newline="\n")  # a line is out at once
        self._writer = CastWriter(self._file, first.columns, len(first.rows), title, ground=first.ground)
        self._writer.shot(0.0, first)

    @property
    def seconds(self) -> float:
        """How long the film is that has been made so far."""
        return self._at + min(_IDLE, self._now() - self._changed)

    def show(self, frame: Frame) -> None:
        """The screen looks so now."""
        if frame == self._shown:
            return
        if (frame.columns, len(frame.rows)) != (self._shown.columns, len(self._shown.rows)):
            if not frame.rows or any(sum(run.width for run in row) != frame.columns for row in frame.rows):
                return  # half laid out: it comes again
            self._writer.resized(self.seconds, frame.columns, len(frame.rows))
        self._at, self._changed = self.seconds, self._now()
        self._shown = frame
        self._writer.shot(self._at, frame)

    def end(self) -> None:
        """The last picture stood until now."""
        with self._file:
            self._writer.end(self.seconds)

    def give_up(self) -> None:
        """Leave the file as it is."""
        try:
            self._file.close()
        except OSError:  # what could not be written still cannot
            return


def _new_file(folder: Path) -> tuple[Path, int]:
    """A name for now that nobody has, and the file by it, open for writing."""
    name = time.strftime("lamtop-%Y%m%d-%H%M%S")
    for number in range(1, 100):
        path = folder / (f"{name}.cast" if number == 1 else f"{name}-{number}.cast")
        try:
            return path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            continue
    raise FileExistsError(17, "a hundred recordings of this second are there already")
