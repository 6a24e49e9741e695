"""Hot reload: reads the project again and switches functions to their new code, each behind the ready gate.

A function's new code serves only once an environment has imported it and found its handler; otherwise the old code goes
on, and the screen says what is wrong. A template with an error changes nothing.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from .core.function import Function
from .project import ConfigurationError, Project
from .view import Notices

#: What a function may have read when it was imported.
_CODE = frozenset({".py", ".json", ".yaml", ".yml", ".toml", ".so", ".env", ".txt"})


class Environments(Protocol):
    """What a reload needs of execution environments."""

    def reload(self, function: Function) -> Awaitable[str | None]: ...
    def version(self, function: str) -> int: ...
    def live(self, function: str) -> int: ...
    def forget(self, function: str) -> None: ...


class Reloader:
    """Reloads one project. `adopt` gets each new configuration; `errors` says what keeps old code running."""

    def __init__(
        self,
        project: Project,
        environments: Environments,
        notices: Notices,
        adopt: Callable[[Project], Awaitable[None]],
    ) -> None:
        self.project = project
        self.errors: dict[str, str] = {}  # by function
        self._environments = environments
        self._notices = notices
        self._adopt = adopt
        self._one_at_a_time = asyncio.Lock()
        self._running: set[asyncio.Task[dict[str, Any]]] = set()

    def files_changed(self, paths: set[Path]) -> None:
        """Reload what these files may concern, in the background; nothing, if no code or template is among them."""
        if not any(path.suffix in _CODE or path in self.project.watched for path in paths):
            return
        task = asyncio.get_running_loop().create_task(self.reload(paths))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def finish(self) -> None:
        """Wait for reloads that are under way."""
        await asyncio.gather(*self._running)

    async def reload(self, touched: set[Path] | None = None) -> dict[str, Any]:
        """Read the project again and switch: {"reloaded": [{"function", "version", "error"} …], "error"}.

        With `touched`, only the functions that these files may concern.
        """
        async with self._one_at_a_time:
            try:
                project = await asyncio.to_thread(self.project.again)
            except ConfigurationError as error:
                self._notices.say("error", f"the last good configuration keeps running: {error}")
                return {"reloaded": [], "error": str(error)}
            wanted = [f for f in project.functions.values() if self._concerns(f, touched)]
            switched = await asyncio.gather(*(self._switch(function, touched) for function in wanted))
            await self._take_over(project, {each["function"] for each in switched if each["error"]})
            return {"reloaded": switched, "error": None}

    def _concerns(self, function: Function, touched: set[Path] | None) -> bool:
        if touched is None or self.project.functions.get(function.name) != function:
            return True
        code = Path(function.code)
        near = [path for path in touched if path.is_relative_to(code)]
        own = _module(function)
        warm = self._environments.live(function.name) > 0
        return own in near or (warm and any(path.suffix in _CODE for path in near))

    async def _switch(self, function: Function, touched: set[Path] | None) -> dict[str, Any]:
        started = time.perf_counter()
        error = await self._environments.reload(function)
        took = (time.perf_counter() - started) * 1_000
        version = self._environments.version(function.name)
        if error:
            self.errors[function.name] = error
            self._notices.say("error", f"{function.name} keeps v{version}: {error}")
        else:
            self.errors.pop(function.name, None)
            self._notices.say("info", f"{function.name} v{version}, {_because(function, touched)}, {took:.0f} ms")
        return {"function": function.name, "version": version, "error": error}

    def _emptied(self, project: Project) -> dict[str, Function]:
        """Without a template: functions whose file is still there and has no handler any more. They keep their code.

        An editor may save by emptying the file first.
        """
        if project.source.is_file() and project.source.suffix != ".py":
            return {}
        gone = {name: f for name, f in self.project.functions.items() if name not in project.functions}
        emptied = {name: function for name, function in gone.items() if _module(function).exists()}
        for name, function in emptied.items():
            error = f"there is no handler in {_module(function).name} any more"
            if self.errors.get(name) != error:
                self._notices.say("error", f"{name} keeps v{self._environments.version(name)}: {error}")
            self.errors[name] = error
        return emptied

    async def _take_over(self, project: Project, broken: set[str]) -> None:
        """Use the new configuration; a function whose new code does not load keeps the old one."""
        before: Mapping[str, Function] = self.project.functions
        emptied = self._emptied(project)
        for gone in set(before) - set(project.functions) - set(emptied):
            self._environments.forget(gone)
        for warning in project.warnings:
            if warning not in self.project.warnings:
                self._notices.say("warning", warning)
        functions = {name: before.get(name, f) if name in broken else f for name, f in project.functions.items()}
        functions |= emptied
        self.project = replace(project, functions=functions)
        await self._adopt(self.project)


def _module(function: Function) -> Path:
    return Path(function.code) / (function.handler.rpartition(".")[0].replace(".", "/") + ".py")


def _because(function: Function, touched: set[Path] | None) -> str:
    code = {path for path in touched or () if path.suffix in _CODE and path.is_relative_to(function.code)}
    changed = sorted(path.name for path in code)
    return f"{', '.join(changed)} changed" if changed else "reloaded"
