"""The temporary folders of execution environments: what /tmp is on AWS, by way of TMPDIR.

Each environment has its own. It survives a reset, as /tmp does (Lambda guide, "Execution environment lifecycle"), and
goes with the environment. How large it may become (EphemeralStorage) is not enforced, and a handler that writes to
/tmp by that name gets the machine's.
"""

import contextlib
import hashlib
import itertools
import os
import shutil
import stat
import tempfile
from pathlib import Path


class Scratch:
    """The folders of one engine, in one of its own below the system's. What an earlier engine left there is removed."""

    def __init__(self, state: Path) -> None:
        # Not below `state`: sockets in it have to have short names, and editors watch what is in a project.
        digest = hashlib.sha256(os.fsencode(state.resolve())).hexdigest()[:12]
        self.root = Path(tempfile.gettempdir()) / f"lamtop-{os.getuid()}-{digest}"
        self._numbers = itertools.count(1)
        self._made = False
        if _is_ours(self.root):
            shutil.rmtree(self.root, ignore_errors=True)

    def new(self) -> Path | None:
        """An empty folder; None if none can be made."""
        path = self.root / str(next(self._numbers))
        try:
            if not self._made or not self.root.exists():
                self._make_root()
                path = self.root / path.name
            path.mkdir(mode=0o700)
        except OSError:
            return None
        return path

    def remove(self, path: Path) -> None:
        """Remove a folder with all that is in it."""
        try:
            path.rmdir()  # nearly always enough
        except OSError:
            shutil.rmtree(path, ignore_errors=True)

    def close(self) -> None:
        """Nothing runs any more: leave nothing."""
        if _is_ours(self.root):
            shutil.rmtree(self.root, ignore_errors=True)

    def _make_root(self) -> None:
        """Somebody else may have a folder of that name, to read what is put there: then ours gets another."""
        with contextlib.suppress(FileExistsError):
            self.root.mkdir(mode=0o700)
        if not _is_ours(self.root):
            self.root = Path(tempfile.mkdtemp(prefix="lamtop-"))
        self._made = True


class KeptFolders:
    """Folders of processes that failed, for those that follow: a reset leaves /tmp as it is."""

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._kept: list[tuple[float, Path]] = []  # since when, in ticks

    def take(self) -> Path | None:
        """The one kept last, else an empty one; None if none can be made."""
        return self._kept.pop()[1] if self._kept else self._scratch.new()

    def keep(self, path: Path, now: float) -> None:
        self._kept.append((now, path))

    def remove_kept(self, before: float) -> None:
        """Remove those that nobody has taken since before a moment (in ticks)."""
        while self._kept and self._kept[0][0] <= before:
            self._scratch.remove(self._kept.pop(0)[1])


def _is_ours(path: Path) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
