"""The state folder: private, and one engine's at a time."""

import contextlib
import fcntl
import os
import shutil
import time
from pathlib import Path

from .errors import StoreError
from .file import unusable

_NOT_THE_ENGINES = {"engine.log"}
_LOOK_EVERY = 0.02  # seconds between two tries for a folder that another engine holds


def make_private(folder: Path) -> None:
    """Make it if need be: 0700, and ignored by git, for it holds payloads. Raises StoreError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise StoreError(f"{folder} cannot be the state folder: {error.strerror}; name another with --state") from None


def is_new(folder: Path) -> bool:
    """Has no engine ever used it? What a monitor writes down of the engine that it starts is there before that one."""
    return not folder.is_dir() or {path.name for path in folder.iterdir()} <= _NOT_THE_ENGINES


def unmake(folder: Path) -> None:
    """Take back a new folder whose engine could not start: nothing was ever accepted there."""
    for path in folder.iterdir():
        if path.name not in _NOT_THE_ENGINES:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    with contextlib.suppress(OSError):  # the monitor's file is still there
        folder.rmdir()


def lock(folder: Path, patience: float) -> int:
    """Hold the folder for this process, as long as the returned descriptor is open.

    Waits up to `patience` seconds for an engine that ends. Raises StoreError naming the engine that holds it.
    """
    try:
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise unusable(folder / "lock", error) from None
    until = time.monotonic() + patience
    while not _held(descriptor):
        if time.monotonic() >= until:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise StoreError(
                f"{folder} is in use by the engine with pid {holder}: "
                "attach to it with 'lamtop attach', stop it with 'lamtop stop', or use another folder with --state"
            )
        time.sleep(_LOOK_EVERY)
    _sign(folder / "lock", descriptor)
    return descriptor


def _held(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sign(path: Path, descriptor: int) -> None:
    """Leave our pid, for whoever wants the folder too."""
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
    except OSError as error:
        os.close(descriptor)
        raise unusable(path, error) from None
