"""Text that people write for lamtop: UTF-8, and no larger than it can sensibly be."""

from pathlib import Path

from .errors import ConfigurationError
from .paths import label


def read_text(path: Path, most: int, *, called: str, too_large: str) -> str:
    """What is in the file, without a byte order mark. Raises ConfigurationError.

    `called` is the file in a sentence about it, `too_large` what is wrong with more than `most` bytes.
    """
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise ConfigurationError(f"{called} cannot be read: {error.strerror}") from None
    if len(content) > most:
        raise ConfigurationError(f"{called} {too_large}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(f"{label(path)}:{line}: is not UTF-8 text; save it as UTF-8") from None
