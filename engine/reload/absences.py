"""Functions that are missed, without a template: an editor may save by emptying a file, or by deleting it, first."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from ..core.function import Function
from ..project import Project
from ..view import Notices
from .reach import modules

_VANISHED = 0.5  # seconds until a file that has vanished is believed to be deleted: editors save in strange ways


class Versions(Protocol):
    """What is asked of execution environments."""

    def version(self, function: str) -> int: ...


class Absences:
    """Which of the functions that are missed keep their code. What is wrong with them is left in `errors`."""

    def __init__(
        self, environments: Versions, notices: Notices, errors: dict[str, str], look_again: Callable[[], None]
    ) -> None:
        """`look_again` is called some time after a file was missed first."""
        self._environments = environments
        self._notices = notices
        self._errors = errors
        self._look_again = look_again
        self._loop = asyncio.get_running_loop()
        self._missed: dict[str, float] = {}  # by function, when its file was missed first

    def kept(self, before: Project, after: Project) -> dict[str, Function]:
        """Functions of `before` whose file is empty, has no handler any more, or was there a moment ago."""
        if after.source.is_file() and after.source.suffix != ".py":
            return {}
        gone = {name: f for name, f in before.functions.items() if name not in after.functions}
        for name in list(self._missed):
            if name not in gone:
                del self._missed[name]
        return {name: function for name, function in gone.items() if self._stays(name, function)}

    def _stays(self, name: str, function: Function) -> bool:
        [module] = [path for path in modules(function) if path.name != "__init__.py"]
        if not module.exists():
            return self._may_come_back(name)
        self._missed.pop(name, None)
        self._complain(name, module)
        return True

    def _may_come_back(self, name: str) -> bool:
        missed = self._missed.setdefault(name, self._loop.time())
        if self._loop.time() - missed >= _VANISHED:
            del self._missed[name]
            return False
        self._loop.call_later(_VANISHED, self._look_again)
        return True

    def _complain(self, name: str, module: Path) -> None:
        error = f"there is no handler in {module.name} any more"
        if self._errors.get(name) != error:
            self._notices.say("error", f"{name} keeps v{self._environments.version(name)}: {error}")
        self._errors[name] = error
