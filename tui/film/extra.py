"""What only those need who make or read recordings: it is not installed with lamtop itself."""

from collections.abc import Iterator
from contextlib import contextmanager

from .reel import FilmError


@contextmanager
def record_extra() -> Iterator[None]:
    """Around imports of what the extra brings: a missing one is told as what to install."""
    try:
        yield
    except ImportError as missing:
        raise FilmError(
            "this needs lamtop[record]: pip install 'lamtop[record]', or '.[record]' in a clone"
        ) from missing
