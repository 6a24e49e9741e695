"""Tells that files of the project have changed.

Folders are watched one by one, without those that are never code: one node_modules would take 20,000 watches.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

from watchfiles import awatch

_IGNORED = frozenset({"__pycache__", "node_modules", "site-packages", "venv", "env", "build", "dist"})
_FOLDERS_MAX = 2_000
_TRY_AGAIN = 1.0  # seconds
_DEBOUNCE = 50  # ms that a burst of changes may last
_STEP = 10  # ms of quiet that end it; the watcher wakes as often, for ever: shorter costs a busy core's percent


class Watcher:
    """Calls `changed` with the paths that were touched, once per burst. `state` is never looked at: we write there.

    When a watch begins, `changed` gets the watched folders: what was saved while nobody watched is to be looked for.
    """

    def __init__(
        self,
        changed: Callable[[set[Path]], None],
        state: Path | None = None,
        trouble: Callable[[str], None] = print,
    ) -> None:
        self._changed = changed
        self._trouble = trouble
        self._state = state
        self.roots: tuple[Path, ...] = ()
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._one_at_a_time = asyncio.Lock()
        self._told = ""  # the trouble that there is

    async def watch(self, roots: tuple[Path, ...]) -> None:
        """Watch these files and folders, instead of those before. A file counts whatever its name is."""
        self.roots = roots
        async with self._one_at_a_time:
            await self._end()
            self._stop = asyncio.Event()
            self._task = asyncio.create_task(self._run(roots, self._stop))

    async def stop(self) -> None:
        async with self._one_at_a_time:
            await self._end()

    async def _end(self) -> None:
        self._stop.set()
        if self._task is not None:
            await self._task
            self._task = None

    async def _run(self, roots: tuple[Path, ...], stop: asyncio.Event) -> None:
        while not stop.is_set():
            watched = await asyncio.to_thread(folders_of, roots, self._state)
            try:
                await self._until_the_tree_changes(watched, stop)
            except (OSError, RuntimeError) as error:  # a folder has gone meanwhile, or the system has no watches left
                self._tell(f"files are not watched for the moment: {error}")
                self._changed(set(watched))
                await _pause(stop)

    def _tell(self, trouble: str) -> None:
        if trouble != self._told:
            self._trouble(trouble)
        self._told = trouble

    async def _until_the_tree_changes(self, watched: list[Path], stop: asyncio.Event) -> None:
        if not watched:
            await _pause(stop)
            return
        async with aclosing(
            awatch(*watched, recursive=False, debounce=_DEBOUNCE, step=_STEP, stop_event=stop, watch_filter=None)
        ) as bursts:
            burst = asyncio.create_task(_next(bursts))
            await asyncio.sleep(0)  # the first step of `awatch` puts the watch in place
            if not burst.done():
                self._told = ""
                self._changed(set(watched))
            while changes := await burst:
                paths = {Path(path) for _, path in changes if self._is_meant(Path(path))}
                if paths:
                    self._changed(paths)
                if any(path.is_dir() and path not in watched for path in paths):
                    return  # a new folder: look at the tree again
                burst = asyncio.create_task(_next(bursts))

    def _is_meant(self, path: Path) -> bool:
        return path in self.roots or not _is_ignored(path)


async def _next(bursts: AsyncGenerator[set[tuple[Any, str]], None]) -> set[tuple[Any, str]]:
    """The next burst of changes; an empty one when the watch has ended."""
    return await anext(bursts, set())


async def _pause(stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), _TRY_AGAIN)


def folders_of(roots: tuple[Path, ...], state: Path | None = None) -> list[Path]:
    """The folders to watch: each root (a file's parent) and what is below it, without what is never code."""
    found: dict[Path, None] = {}
    for root in roots:
        if root.is_file():
            found[root.parent] = None
            continue
        for folder, inner, _ in os.walk(root):
            inner[:] = sorted(n for n in inner if not _is_ignored(Path(n)) and Path(folder, n) != state)
            found[Path(folder)] = None
            if len(found) >= _FOLDERS_MAX:
                return list(found)
    return list(found)


def _is_ignored(path: Path) -> bool:
    name = path.name
    return name in _IGNORED or name.startswith(".") or name.endswith(("~", ".pyc", ".swp", ".tmp")) or name == "4913"
