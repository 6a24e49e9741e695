"""Keys of one's own: `keys.toml` of the person, then that of the project, checked before a picture is drawn."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

from .key_names import key_name
from .keymap import KEYS, REMAPPED, TYPING, at_once

FILE = "keys.toml"


class KeysError(ValueError):
    """A file of keys that cannot be used; the text names file, line and what to do."""


def key_files(state: Path) -> list[Path]:
    """Where keys are looked for; a later file wins."""
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return [Path(home) / "lamtop" / FILE, state / FILE]


def use_keys(files: Iterable[Path]) -> None:
    """Let the keys of these files work instead of the built-in ones. Raises KeysError."""
    wanted: dict[str, str] = {}
    source: dict[str, str] = {}
    for path in files:
        for key_id, keys, place in _read(path):
            wanted[key_id], source[key_id] = keys, place
    before = dict(REMAPPED)
    REMAPPED.clear()
    REMAPPED.update(wanted)
    try:
        _check(source)
    except KeysError:
        REMAPPED.clear()
        REMAPPED.update(before)
        raise


def _read(path: Path) -> Iterator[tuple[str, str, str]]:
    if not path.exists():
        return
    import tomllib

    try:
        text = path.read_text(encoding="utf-8")
        entries = dict(_flat(tomllib.loads(text)))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise KeysError(f'{path}: {error}; a line is: "invoke.sync" = "x"') from None
    for key_id, value in entries.items():
        where = f"{path}:{_line_of(key_id, text)}: {key_id}"
        yield key_id, _keys(key_id, value, where), where


def _flat(table: dict[str, Any], head: str = "") -> Iterator[tuple[str, Any]]:
    """`invoke.sync = "x"` without quotes is a table in a table; both are meant the same."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{head}{name}.")
        else:
            yield f"{head}{name}", value


def _line_of(key_id: str, text: str) -> int:
    """The line that names an action, or its last part under a heading."""
    for wanted in (key_id, key_id.rpartition(".")[2]):
        for number, line in enumerate(text.splitlines(), 1):
            if line.partition("=")[0].replace('"', "").replace("'", "").strip() == wanted:
                return number
    return 1


def _keys(key_id: str, value: Any, where: str) -> str:
    if key_id not in _places():
        raise KeysError(f"{where}: there is no such action; {_nearest(key_id)}")
    written = value if isinstance(value, list) else [value]
    if not written or not all(isinstance(one, str) and one for one in written):
        raise KeysError(f'{where}: {value!r} is no key; write "x" or ["x", "ctrl+x"]')
    try:
        names = [key_name(one) for one in written]
    except ValueError as error:
        raise KeysError(f"{where}: {error}") from None
    if _places()[key_id] in TYPING and any(len(name) == 1 or name == "space" for name in names):
        raise KeysError(f"{where}: text is typed there, '{written[0]}' would be lost to it; use ctrl+ or a named key")
    return ",".join(names)


def _places() -> dict[str, str]:
    return {key.id: place for place, keys in KEYS.items() for key in keys}


def _nearest(key_id: str) -> str:
    import difflib

    near = difflib.get_close_matches(key_id, _places(), 3, 0.4)
    known = "the palette (ctrl+p) lists their names"
    return f"did you mean {' or '.join(near)}? {known}" if near else known


def _check(source: dict[str, str]) -> None:
    """No key may mean two things at the same time."""
    for place, replay in product(KEYS, (False, True)):
        keys = at_once(place, replay=replay)
        used = Counter(name for key in keys for name in key.now.split(","))
        for name, times in used.items():
            if times > 1:
                rivals = [key.id for key in keys if name in key.now.split(",")]
                told = next(source[one] for one in rivals if one in source)
                others = " and ".join(one for one in rivals if one != told.rpartition(" ")[2]) or "itself"
                raise KeysError(f"{told}: '{name}' is also the key of {others}; give one of them another key")
