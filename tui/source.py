"""From a traceback to the line in the user's editor."""

import os
import re
import shlex
from pathlib import Path, PurePath

_FRAME = re.compile(r'^\s*File "(?P<file>[^"\n]+)", line (?P<line>\d+)', re.MULTILINE)
_COLON = {"code", "codium", "cursor", "subl", "zed", "hx", "helix"}  # editors that take FILE:LINE
_GOTO = {"code", "codium", "cursor"}  # … behind --goto


def newest_frame(trace: list[str]) -> tuple[Path, int] | None:
    """The innermost line of a traceback whose file is there; a handler's own before a library's."""
    frames = [(Path(found["file"]), int(found["line"])) for text in trace for found in _FRAME.finditer(text)]
    there = [(file, line) for file, line in frames if file.is_absolute() and file.is_file()]
    own = [(file, line) for file, line in there if not {"site-packages", "lib", "dist-packages"} & set(file.parts)]
    return next(reversed(own or there), None)


def editor_command(file: Path, line: int) -> list[str] | None:
    """What opens a file at a line, by VISUAL or EDITOR; None if neither is set. The path is absolute: no option."""
    words = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "")
    if not words:
        return None
    name = PurePath(words[0]).name
    if name in _COLON:
        return [*words, *(["--goto"] if name in _GOTO else []), f"{file}:{line}"]
    return [*words, f"+{line}", str(file)]
