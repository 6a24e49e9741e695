"""Hot reload: reads the project again and switches functions to their new code, each behind the ready gate.

A function's new code serves only once an environment has imported it and found its handler; otherwise the old code goes
on, and the screen says what is wrong. A template with an error changes nothing. Functions switch one by one: a slow
import holds up nobody else, and a newer save takes over from one that is not ready yet.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from ..core.function import Function
from ..edges.contents import Contents
from ..edges.watcher import folders_of
from ..project import ConfigurationError, Project
from ..view import Notices
from .absences import Absences
from .reach import modules, reached
from .saves import Saves, has_module

_GAP = 0.05  # seconds from one reload that a save has caused to the next: somebody may save 50 times a second
_LEARNING = 0.1  # seconds; some thousand files


class Environments(Protocol):
    """What a reload needs of execution environments."""

    def reload(self, function: Function) -> Awaitable[str | None]: ...
    def version(self, function: str) -> int: ...
    def live(self, function: str) -> int: ...
    def starting(self, function: str) -> int: ...
    def ran_since(self, function: str, moment: float) -> bool: ...
    def forget(self, function: str) -> None: ...


@dataclass
class _Switch:
    """A function on its way to new code."""

    function: Function
    noticed: float  # by `ticks`
    files: set[Path]


class Reloader:
    """Reloads one project. `adopt` gets each new configuration; `errors` says what keeps new code from running."""

    def __init__(
        self,
        project: Project,
        read: Callable[[], Project],
        environments: Environments,
        contents: Contents,
        notices: Notices,
        adopt: Callable[[Project], Awaitable[None]],
        ticks: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`ticks` counts the seconds that a reload takes."""
        self.project = project
        self.errors: dict[str, str] = {}  # by function
        self._read = read
        self._environments = environments
        self._contents = contents
        self._notices = notices
        self._adopt = adopt
        self._loop = asyncio.get_running_loop()
        self._one_at_a_time = asyncio.Lock()
        self._switches: dict[str, _Switch] = {}  # by function, the newest
        self._misread = ""  # what is wrong with the template
        self._absences = Absences(environments, notices, self.errors, self._look_again)
        self._saves = Saves(environments, notices)
        self._touched: set[Path] = set()
        self._noticed = 0.0
        self._not_before = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._ticks = ticks
        self._reading = 0  # reloads that have not asked for an environment yet
        self._looking = 0  # at saves of modules, each until its functions are on their way
        self._tasks: set[asyncio.Task[Any]] = set()
        self._stopped = False

    # -- saves -------------------------------------------------------------------------------------------------------

    async def learn(self) -> None:
        """Remember what the files hold now; what differs later is a save. A very large project is not waited for."""
        task = self._begin(asyncio.to_thread(self._learn, self.project.watched))
        await asyncio.wait({task}, timeout=_LEARNING)

    def _learn(self, watched: tuple[Path, ...]) -> None:
        self._contents.learn(folders_of(watched), [path for path in watched if not path.is_dir()])

    def files_changed(self, paths: set[Path]) -> None:
        """Reload what these files may concern, in the background; nothing, if they hold the same as before."""
        if self._stopped:
            return
        self._touched |= paths
        if self._timer is None:
            self._noticed = self._ticks()
            self._timer = self._loop.call_at(max(self._loop.time(), self._not_before), self._take_in_soon)

    def _take_in_soon(self) -> None:
        self._timer = None
        self._not_before = self._loop.time() + _GAP
        touched, self._touched = self._touched, set()
        self._begin(self._take_in(touched, self._noticed))

    @property
    def is_reading(self) -> bool:
        """Is it not clear yet what a reload means, so that simulated time has to wait for the disk?"""
        return self._timer is not None or self._reading > 0

    @property
    def is_looking(self) -> bool:
        """Has a module been touched, and it is not clear yet which functions are to be reloaded?"""
        return self._looking > 0 or has_module(self._touched)

    async def _take_in(self, touched: set[Path], noticed: float) -> None:
        counts = has_module(touched)
        self._looking += counts
        self._reading += 1
        try:
            async with self._one_at_a_time:
                changes = await asyncio.to_thread(self._contents.changed, touched)
                saved = {path for path, change in changes.items() if self._saves.is_save(path, change, self.project)}
                switches = await self._prepare(saved, noticed) if saved else []
        finally:
            self._looking -= counts
            self._reading -= 1
        await asyncio.gather(*map(self._switch, switches))

    # -- life --------------------------------------------------------------------------------------------------------

    def _begin(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:  # boundary: say it, and go on watching
            self._notices.say("error", f"the reload failed, press r to try again: {error!r}")

    async def stop(self) -> None:
        """Drop what is under way: the engine is about to end."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- reload ------------------------------------------------------------------------------------------------------

    async def reload(self, touched: set[Path] | None = None) -> dict[str, Any]:
        """Read the project again and switch: {"reloaded": [{"function", "version", "error", "kept"} …], "error"}.

        With `touched`, only the functions that these files may concern. `error` is what is wrong with the template;
        the functions are then those of the last good one.
        """
        self._reading += 1
        try:
            async with self._one_at_a_time:
                switches = await self._prepare(touched, self._ticks())
        finally:
            self._reading -= 1
        switched = await asyncio.gather(*map(self._switch, switches))
        return {"reloaded": switched, "error": self._misread or None}

    async def _prepare(self, touched: set[Path] | None, noticed: float) -> list[_Switch]:
        """Read and take over the configuration, and say which functions are to switch."""
        project = await self._read_again()
        functions = project.functions.values()
        template = set() if has_module([project.source]) else {project.source}
        files = await asyncio.to_thread(reached, functions, (touched or set()) - template, self._contents)
        switches = [
            self._expect(function, noticed, files[function.name])
            for function in functions
            if self._concerns(function, touched, files[function.name])
        ]
        await self._take_over(project)
        return switches

    async def _read_again(self) -> Project:
        """The project that the files make now; the one there is, if they make none."""
        try:
            project = await asyncio.to_thread(self._read)
        except ConfigurationError as error:
            self._notices.keep("template", "error", f"the last good configuration keeps running: {error}")
            self._misread = str(error)
            return self.project
        if self._misread:
            self._notices.clear("template")
            self._notices.say("info", f"{project.source.name} is good again")
            self._misread = ""
        return project

    def _concerns(self, function: Function, touched: set[Path] | None, files: set[Path]) -> bool:
        on_its_way = self._switches.get(function.name)
        expected = on_its_way.function if on_its_way else self.project.functions.get(function.name)
        if touched is None or function != expected:
            return True
        if any(path in touched and path != self.project.source for path in self.project.watched):
            return True  # a file that all functions take their variables from
        has_read_them = self._environments.live(function.name) or self._environments.starting(function.name)
        matters = has_read_them or on_its_way or function.name in self.errors
        return bool(files) and (bool(matters) or not modules(function).isdisjoint(files))

    def _expect(self, function: Function, noticed: float, files: set[Path]) -> _Switch:
        before = self._switches.get(function.name)
        if before is not None and files:
            files = files | before.files
        switch = self._switches[function.name] = _Switch(function, noticed, files)
        return switch

    async def _switch(self, switch: _Switch) -> dict[str, Any]:
        function = switch.function
        error = await self._environments.reload(function)
        version = self._environments.version(function.name)
        if self._switches.get(function.name) is switch:  # otherwise a newer one says what has become of it
            del self._switches[function.name]
            self._say(switch, version, error)
            if not error:
                await self._use(function)
        kept = self._environments.live(function.name) > 0
        return {"function": function.name, "version": version, "error": error, "kept": kept}

    def _say(self, switch: _Switch, version: int, error: str | None) -> None:
        name = switch.function.name
        if error is None:
            self.errors.pop(name, None)
            took = (self._ticks() - switch.noticed) * 1_000
            changed = ", ".join(sorted(path.name for path in switch.files))
            why = f"{changed} changed" if changed else "reloaded"
            self._notices.say("info", f"{name} v{version}, {why}, {took:.0f} ms")
            return
        self.errors[name] = error
        kept = f"{name} keeps v{version}" if self._environments.live(name) else f"{name} fails from its next call on"
        self._notices.say("error", f"{kept}: {error}")

    # -- the configuration -------------------------------------------------------------------------------------------

    async def _take_over(self, project: Project) -> None:
        """Use the new configuration; a function on its way to new code keeps the old one until it is there."""
        before = self.project.functions
        stay = self._absences.kept(self.project, project)
        for gone in set(before) - set(project.functions) - set(stay):
            self._environments.forget(gone)
            self._switches.pop(gone, None)
            self.errors.pop(gone, None)
        for warning in project.warnings:
            if warning not in self.project.warnings:
                self._notices.say("warning", warning)
        waits = self._switches
        functions = {name: before.get(name, f) if name in waits else f for name, f in project.functions.items()}
        new_places = project.watched != self.project.watched
        self.project = replace(project, functions=functions | stay)
        if new_places:
            await self.learn()
        await self._adopt(self.project)

    async def _use(self, function: Function) -> None:
        """This function's new configuration counts from now on."""
        if self.project.functions.get(function.name) != function:
            functions = {**self.project.functions, function.name: function}
            self.project = replace(self.project, functions=functions)
            await self._adopt(self.project)

    def _look_again(self) -> None:
        if not self._stopped:
            self._begin(self.reload(set()))
