"""The files that a film can be kept in: which kind is told by the name's suffix."""

from collections.abc import Callable
from pathlib import Path

from .cast import write_cast
from .reel import Film, FilmError
from .svg import svg
from .text import film_text

Progress = Callable[[int, int], None]
"""Told how much of a long work is done, and how much there is: for a line on the screen."""
_KINDS = (".cast", ".gif", ".mp4", ".svg", ".txt")


def check_file(path: Path) -> None:
    """Raises FilmError if no film can be kept there: ask it before an hour of filming."""
    kind = path.suffix.lower()
    if kind not in _KINDS:
        told = f"the suffix {kind!r}" if kind else "no suffix"
        raise FilmError(f"{path.name} has {told}; a film is kept as one of {', '.join(_KINDS)}")
    if kind in (".gif", ".mp4"):
        from . import gif, mp4  # noqa: F401  # they say what is missing


def write_film(film: Film, path: Path, progress: Progress | None = None, comment: str = "") -> None:
    """Keep a film as .cast, .gif, .mp4, .txt, or its last picture as .svg. A file that is there is replaced.

    `comment` is a short text that a .gif carries along. FilmError if it cannot be done.
    """
    check_file(path)
    writers: dict[str, Callable[[], None]] = {
        ".cast": lambda: write_cast(film, path),
        ".gif": lambda: _gif(film, path, progress, comment),
        ".mp4": lambda: _mp4(film, path, progress),
        ".svg": lambda: _text(path, svg(film.last, film.title or "lamtop", _words(film))),
        ".txt": lambda: _text(path, film_text(film)),
    }
    try:
        writers[path.suffix.lower()]()
    except OSError as error:
        raise FilmError(f"{path} cannot be written: {error.strerror or error}") from error


def _text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _words(film: Film) -> str:
    """What the last picture shows: the scene it belongs to."""
    return film.marks[-1].label if film.marks else "the last picture"


def _gif(film: Film, path: Path, progress: Progress | None, comment: str) -> None:
    from .gif import write_gif  # Pillow is only there with the extra

    write_gif(film, path, progress, comment)


def _mp4(film: Film, path: Path, progress: Progress | None) -> None:
    from .mp4 import write_mp4

    write_mp4(film, path, progress)
