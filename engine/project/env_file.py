"""A file of variables for all functions (`--env-file`): lines KEY=VALUE, as `.env` files have them."""

import re
from pathlib import Path

from .errors import ConfigurationError
from .paths import label, printable
from .text import read_text

_SIZE_LIMIT = 1024 * 1024  # bytes
_LINE = re.compile(r"(?:export\s+)?(?P<key>[^\s=]+)\s*=\s*(?P<value>.*)")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTED = re.compile(r"""(?:'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*)")\s*(?:#.*)?""")
_COMMENT = re.compile(r"(^|\s)#.*")
_ESCAPED = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_RULE = "use KEY=VALUE, with the value in quotes if it holds spaces at its ends or a '#'"


def read_env_file(path: Path) -> dict[str, str]:
    """The variables in the file. A value may be in single quotes (as it is) or double quotes (with \\n, \\t, \\").

    Nothing is expanded. Raises ConfigurationError with one line for each mistake.
    """
    found: dict[str, str] = {}
    wrong: list[str] = []
    text = read_text(path, _SIZE_LIMIT, called=f"--env-file: {label(path)}", too_large="is larger than 1 MB")
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        try:
            key, value = _variable(line)
            found[key] = value
        except ValueError as error:
            wrong.append(printable(f"{label(path)}:{number}: {error}"))
    if wrong:
        raise ConfigurationError("\n".join(wrong))
    return found


def _variable(line: str) -> tuple[str, str]:
    """Raises ValueError; the value is never in its text, for it may be a secret."""
    match = _LINE.fullmatch(line)
    if match is None:
        raise ValueError(f"there is no '='; {_RULE}")
    key = match["key"]
    if not _KEY.fullmatch(key):
        raise ValueError(f"{key!r} is not allowed as a name; use letters, digits and '_', no digit first")
    value = _value(key, match["value"])
    if "\0" in value:
        raise ValueError(f"{key}: the value holds a zero byte, which no variable can; remove it")
    return key, value


def _value(key: str, written: str) -> str:
    if not written.startswith(("'", '"')):
        return _COMMENT.sub("", written).strip()
    quoted = _QUOTED.fullmatch(written)
    if quoted is None:
        raise ValueError(f"{key}: the quotes do not match; {_RULE}")
    if quoted["single"] is not None:
        return quoted["single"]
    return _ESCAPED.sub(lambda found: _ESCAPES.get(found[1], found[1]), quoted["double"])
