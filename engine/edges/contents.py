"""What the files of a project hold: tells a save from a touch, and code that is being written from code that rests."""

import hashlib
import os
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from threading import Lock
from typing import NamedTuple

#: What a function may have read when it was imported.
CODE = frozenset({".py", ".so", ".json", ".yaml", ".yml", ".toml", ".env", ".txt"})
MODULES = (".py", ".so")
_READ_MAX = 1024 * 1024  # bytes; of a larger file, size and time are compared
_FILES_MAX = 20_000
_REST = 20  # times as long as a look at all modules took, until the next look

Stamp = tuple[int, ...]


class Change(NamedTuple):
    """A file that holds something else than before."""

    is_new: bool
    written_at: float  # wall clock


class _Known(NamedTuple):
    stamp: Stamp | None  # None: there is no such file
    digest: bytes


class Contents:
    """Remembers what each file of code held when it was last looked at. Any thread may ask."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._whatever_its_name: frozenset[str] = frozenset()
        self._lock = Lock()
        self._rested_until: dict[str, float] = {}  # by folder, monotonic

    def learn(self, folders: Iterable[Path], files: Iterable[Path] = ()) -> None:
        """Remember what is there now and not known yet. `files` count whatever their names are."""
        self._whatever_its_name = frozenset(map(str, files))
        with self._lock:
            for path in (*self._whatever_its_name, *(p for folder in folders for p in _files_in(str(folder)))):
                if path not in self._known and self._counts(path) and len(self._known) < _FILES_MAX:
                    self._known[path] = _look(path)

    def changed(self, touched: Iterable[Path]) -> dict[Path, Change]:
        """Which of these files, or files in these folders, hold something else than they did; remembers it."""
        with self._lock:
            found = {}
            for path in sorted(self._among(touched)):
                before = self._known.get(path)
                now = _look(path, before)
                self._known[path] = now
                if before is None or before.digest != now.digest:
                    is_new = before is None or before.stamp is None
                    found[Path(path)] = Change(is_new, now.stamp[0] / 1e9 if now.stamp else time.time())
            return found

    def saved_since(self, folder: str) -> set[Path]:
        """The modules below a folder that hold something else than is remembered, which stays as it is.

        For the event loop: it never waits for another thread's look at the files, and it looks only so often.
        """
        started = time.monotonic()
        if started < self._rested_until.get(folder, 0.0) or not self._lock.acquire(blocking=False):
            return set()
        try:
            inside = folder.rstrip(os.sep) + os.sep
            modules = [(p, k) for p, k in self._known.items() if p.startswith(inside) and p.endswith(MODULES)]
            saved = {Path(p) for p, known in modules if _look(p, known).digest != known.digest}
        finally:
            self._lock.release()
        if not saved:
            now = time.monotonic()
            self._rested_until[folder] = now + _REST * (now - started)
        return saved

    def mentions(self, name: str, folder: str, but: set[Path]) -> bool:
        """Is this word in any Python file below a folder, but for these?"""
        inside = folder.rstrip(os.sep) + os.sep
        with self._lock:
            files = [Path(path) for path in self._known if path.startswith(inside) and path.endswith(".py")]
        return any(self.is_in(name, file) for file in files if file not in but)

    def is_in(self, name: str, file: Path) -> bool:
        """Is this word in a file?"""
        try:
            return re.search(rf"\b{re.escape(name)}\b", file.read_text(errors="replace")) is not None
        except OSError:
            return False

    def _among(self, touched: Iterable[Path]) -> set[str]:
        found: set[str] = set()
        for path in map(str, touched):
            if path not in self._known and _is_folder(path):
                found.update(_files_in(path))
                found.update(known for known in self._known if os.path.dirname(known) == path)  # noqa: PTH120
            else:
                found.add(path)
        return {path for path in found if self._counts(path)}

    def _counts(self, path: str) -> bool:
        return path in self._whatever_its_name or os.path.splitext(path)[1] in CODE  # noqa: PTH122


def _files_in(folder: str) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            yield from [entry.path for entry in entries if not entry.name.startswith(".")]
    except OSError:
        return


def _is_folder(path: str) -> bool:
    try:
        return S_ISDIR(os.stat(path).st_mode)  # noqa: PTH116
    except OSError:
        return False


def _look(path: str, before: _Known | None = None) -> _Known:
    """What a file holds. It is read again only if its stamp differs from the one before."""
    try:
        status = os.stat(path)  # noqa: PTH116 (thousands of them, in a moment that somebody waits for)
        if not S_ISREG(status.st_mode):
            return _Known(None, b"")
        stamp = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
        if before is not None and before.stamp == stamp:
            return before
        if status.st_size > _READ_MAX:
            return _Known(stamp, repr((stamp[0], stamp[2])).encode())
        return _Known(stamp, hashlib.blake2b(Path(path).read_bytes(), digest_size=16).digest())
    except OSError:
        return _Known(None, b"")
