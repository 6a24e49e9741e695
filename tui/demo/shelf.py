"""The tapes that come with lamtop, by name."""

from pathlib import Path

from .tape import Tape, TapeError, read_tape

_FOLDER = Path(__file__).with_name("tapes")
_SUFFIX = ".tape"


_ORDER = (
    "tour", "sync-async", "retries", "redrive", "faults", "reload", "burst", "idempotency", "double-billing",
    "event-age", "engine-killed",
)  # fmt: skip


def names() -> list[str]:
    """Of the tapes that ship, in the order in which they are best seen."""
    return sorted((path.stem for path in _FOLDER.glob(f"*{_SUFFIX}")), key=_ORDER.index)


def find_tape(name: str) -> Tape:
    """A tape of ours by its name, or anybody's by its path. Raises TapeError."""
    path = Path(name)
    if name in names():
        path = _FOLDER / f"{name}{_SUFFIX}"
    elif path.suffix != _SUFFIX and not path.is_file():
        raise TapeError(
            f"there is no tape {name!r}; 'lamtop demo' lists those that come with lamtop, others end in .tape"
        )
    return read_tape(path)
