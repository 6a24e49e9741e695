"""What keys are called: "/" and "slash", "ctrl+p", "pagedown"."""

import unicodedata

_NAMED = {
    "enter", "escape", "tab", "space", "backspace", "delete", "insert", "home", "end", "pageup", "pagedown",
    "up", "down", "left", "right", *(f"f{number}" for number in range(1, 25)),
}  # fmt: skip
_SHORT = {"esc": "escape", "pgup": "pageup", "pgdn": "pagedown", "del": "delete", "return": "enter"}
_OTHERWISE = {
    "solidus": "slash", "reverse_solidus": "backslash", "commercial_at": "at", "hyphen_minus": "minus",
    "plus_sign": "plus", "low_line": "underscore",
}  # fmt: skip
_AS_SENT = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+h": "backspace", "ctrl+left_square_bracket": "escape"}
ALLOWED = 'one character ("x", "X", "/"), a name (enter, space, pagedown, f5, …), or ctrl+, alt+ or shift+ before it'


def key_name(written: str) -> str:
    """The name that the terminal library gives a key. Raises ValueError saying what is wrong with it."""
    text = written if len(written) == 1 else written.strip()
    head, last = ("", text) if len(text) == 1 else (text[:-2], "+") if text.endswith("++") else _split(text)
    modifiers = [one.lower() for one in head.split("+") if one]
    if not last or any(one not in ("ctrl", "alt", "shift") for one in modifiers):
        raise ValueError(f"'{written}' is no key; write {ALLOWED}")
    if "ctrl" in modifiers:
        last = last.lower()  # a terminal does not tell them apart
    key = "+".join([*modifiers, _plain(last, written)])
    if key in _AS_SENT:
        raise ValueError(f"a terminal sends '{written}' as {_AS_SENT[key]}; choose another key")
    return key


def _split(text: str) -> tuple[str, str]:
    head, _, last = text.rpartition("+")
    return head, last


def _plain(key: str, written: str) -> str:
    if len(key) == 1:
        return key if key.isalnum() else _of_character(key)
    name = _SHORT.get(key.lower(), key.lower())
    if name in _NAMED or name in _characters():
        return name
    raise ValueError(f"'{written}' is no key; write {ALLOWED}")


def _of_character(character: str) -> str:
    name = unicodedata.name(character, "").lower().replace("-", "_").replace(" ", "_")
    if not name:
        raise ValueError(f"{character!r} is no key; write {ALLOWED}")
    return _OTHERWISE.get(name, name)


def _characters() -> set[str]:
    return {_of_character(chr(code)) for code in range(32, 127) if not chr(code).isalnum()}
