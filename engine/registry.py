"""Which engines run: a private file per engine, so that a monitor in the same project finds it.

The token keeps web pages and other users out. It is no wall against handlers, which run as the same user.
"""

import contextlib
import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import NamedTuple


class Entry(NamedTuple):
    """A running engine."""

    url: str
    pid: int
    token: str
    state: str  # its state folder
    source: str  # the template, folder or file whose functions it runs


def folder() -> Path:
    """Where the files are: in the user's state folder, 0700."""
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(base).expanduser() / "lamtop" / "engines"


def new_token() -> str:
    return secrets.token_urlsafe(32)


def enter(entry: Entry) -> Path:
    """Write an engine's file, 0600; returns its path."""
    folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    folder().chmod(0o700)
    path = _path(Path(entry.state))
    fresh = path.with_suffix(f".{entry.pid}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(entry._asdict(), file)
    fresh.replace(path)
    return path


def leave(entry: Entry) -> None:
    """Remove an engine's file, unless another engine has taken its place."""
    if find(Path(entry.state)) == entry:
        _path(Path(entry.state)).unlink(missing_ok=True)


def find(state: Path) -> Entry | None:
    """The engine that has this state folder, if one runs."""
    return _read(_path(state))


def running() -> list[Entry]:
    """Every engine of this user that runs."""
    files = sorted(folder().glob("*.json")) if folder().is_dir() else []
    return [entry for entry in map(_read, files) if entry]


def _path(state: Path) -> Path:
    digest = hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:16]
    return folder() / f"{digest}.json"


def _read(path: Path) -> Entry | None:
    try:
        entry = Entry(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    if _is_alive(entry.pid):
        return entry
    with contextlib.suppress(OSError):
        path.unlink()
    return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
