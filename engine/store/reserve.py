"""Room set aside on the disk while there is some, to be given up when there is none.

On a full disk SQLite cannot even note that an attempt has ended: every commit appends to its log first.
"""

import os
from pathlib import Path

SIZE = 8 * 1024 * 1024  # bytes: the outcomes of some thousand attempts
_PIECE = 256 * 1024


class Reserve:
    """A file that holds nothing but room."""

    def __init__(self, path: Path, size: int = SIZE) -> None:
        self._path = path
        self._size = size

    @property
    def is_held(self) -> bool:
        return not self._size or self._path.exists()

    def take(self) -> bool:
        """Set the room aside; False if there is not so much."""
        if self.is_held:
            return True
        fresh = self._path.with_name(f"{self._path.name}.new")
        try:
            _fill(fresh, self._size)
            fresh.replace(self._path)
        except OSError:
            fresh.unlink(missing_ok=True)
            return False
        return True

    def free(self) -> bool:
        """Give the room up; False if there was none."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True


def _fill(path: Path, size: int) -> None:
    """A file that takes up so much of the disk. Raises OSError if there is not so much."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
            return
        for _ in range(size // _PIECE):  # dice, not zeros: some file systems keep zeros without room
            os.write(descriptor, os.urandom(_PIECE))
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
