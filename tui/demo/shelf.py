"""The tapes that come with lamtop, by name."""

from pathlib import Path

from .tape import Tape, TapeError, read_tape

FOLDER = Path(__file__).with_name("tapes")
NAMES = (
    "tour", "sync-async", "retries", "redrive", "faults", "reload", "burst", "idempotency", "double-billing",
    "event-age", "engine-killed",
)  # fmt: skip
"""In the order in which they are best seen."""
_SUFFIX = ".tape"


def find_tape(name: str) -> Tape:
    """A tape of ours by its name, or anybody's by its path. Raises TapeError."""
    path = Path(name)
    if name in NAMES:
        path = FOLDER / f"{name}{_SUFFIX}"
    elif path.suffix != _SUFFIX and not path.is_file():
        raise TapeError(
            f"there is no tape {name!r}; 'lamtop demo' lists those that come with lamtop, others end in .tape"
        )
    return read_tape(path)
