"""The names of keys in a tape, and what a key does where it is pressed."""

import re
import string
from typing import TYPE_CHECKING

from textual.keys import _character_to_key

from ..keymap import KEYS, Key

if TYPE_CHECKING:
    from ..app import Lamtop

_ALIASES = {
    "esc": "escape", "return": "enter", "pgup": "pageup", "pgdn": "pagedown", "del": "delete", "↑": "up", "↓": "down",
    "←": "left", "→": "right",
}  # fmt: skip
_NAMED = {
    "enter", "escape", "tab", "shift+tab", "space", "backspace", "delete", "insert", "up", "down", "left", "right",
    "home", "end", "pageup", "pagedown", "ctrl+up", "ctrl+down", "ctrl+enter",
    *(f"f{number}" for number in range(1, 13)),
}  # fmt: skip
_CONTROL = re.compile(r"(ctrl\+|\^)([a-z])")
_BY_ID = {key.id: key for keys in KEYS.values() for key in keys}
_SHOWN = {"escape": "esc", "pageup": "pgup", "pagedown": "pgdn", "up": "↑", "down": "↓", "left": "←", "right": "→"}
_SHOWN |= {"delete": "del", "space": "space"}


def key_name(text: str) -> str:
    """A key as Textual calls it. Raises ValueError, naming what is allowed."""
    name = _ALIASES.get(text, text)
    if len(name) == 1 and name.isprintable():
        return _character_to_key(name)
    if found := _CONTROL.fullmatch(name):
        return f"ctrl+{found[2]}"
    if name not in _NAMED:
        raise ValueError(
            f"{text!r} is no key; expected a character, ctrl+LETTER, or one of {', '.join(sorted(_NAMED))}"
        )
    return name


CHARACTERS = {_character_to_key(character): character for character in f"{string.punctuation} "}
"""What keys with a name of their own type."""


def shown(name: str) -> str:
    """A key as a person calls it: "a", "?", "^p", "esc"."""
    return _SHOWN.get(name) or CHARACTERS.get(name) or name.replace("ctrl+", "^")


def meaning(app: "Lamtop", name: str) -> str:
    """What a key does now, in a word or some; "" if it is a letter for a field, or nothing."""
    character = name if len(name) == 1 else CHARACTERS.get(name)
    if app.keyboard.takes(name, character):
        return ""
    bound = app.screen.active_bindings.get(name)
    key: Key | None = _BY_ID.get(bound.binding.id or "") if bound is not None else None
    return _in_short(key) if key is not None else ""


def _in_short(key: Key) -> str:
    """The first sentence of what it does, or its word in the footer where that is short enough to stand for it."""
    words = re.split(r"[;:,(]", key.does)[0].strip()
    return words if len(words) <= 44 else key.hint
