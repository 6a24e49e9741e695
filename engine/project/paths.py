"""Paths as people meet them: how they are shown, and what stands there."""

from pathlib import Path
from typing import Literal


def label(path: Path) -> str:
    """`path` as a person would type it: from the current folder when it lies below."""
    path = path.absolute()
    here = Path.cwd()
    return printable(str(path.relative_to(here) if path.is_relative_to(here) else path))


def printable(text: str) -> str:
    """`text` with control characters escaped: names in a file must not be able to steer the terminal."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def standing(path: Path) -> Literal["file", "folder", "nothing"]:
    """What is at `path`. A place that cannot be reached, or could block a reader, counts as nothing."""
    try:
        return "folder" if path.is_dir() else "file" if path.is_file() else "nothing"
    except OSError:  # no permission on the way, or a name that is too long
        return "nothing"
