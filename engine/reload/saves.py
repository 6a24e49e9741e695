"""Saves, and what is none: files that a handler writes into its own folder.

Modules always count. Any other file that changes while the function runs counts at first, because somebody may be
editing it, and not any more when that goes on.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from ..edges.contents import MODULES, Change
from ..project import Project
from ..view import Notices
from .reach import is_near

_HABIT = 3  # changes in a row, each while the function ran, that are the handler's own


class Running(Protocol):
    """What is asked of execution environments."""

    def ran_since(self, function: str, moment: float) -> bool: ...


class Saves:
    """Remembers which files change while functions run."""

    def __init__(self, environments: Running, notices: Notices) -> None:
        self._environments = environments
        self._notices = notices
        self._in_a_row: dict[Path, int] = {}

    def is_save(self, path: Path, change: Change, project: Project) -> bool:
        """Has a person or a program saved this file, or a handler of ours while it ran?"""
        if path.suffix in MODULES or path in project.watched:
            return True
        near = [f.name for f in project.functions.values() if is_near(path, f)]
        running = [name for name in near if self._environments.ran_since(name, change.written_at)]
        if not running:
            self._in_a_row.pop(path, None)
            return True
        count = self._in_a_row[path] = self._in_a_row.get(path, 0) + 1
        if count == _HABIT and not change.is_new:
            whose = running[0] if len(running) == 1 else "a function"
            self._notices.say("info", f"{whose} writes {path.name} itself: that reloads nothing any more")
        return count < _HABIT and not change.is_new


def has_module(paths: Iterable[Path]) -> bool:
    return any(path.suffix in MODULES for path in paths)
