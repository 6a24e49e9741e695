"""JSON as people type it: where it is wrong and in which words, indented, on one line, without hidden characters."""

import json
import re
from dataclasses import dataclass
from typing import NoReturn

from .format import clean

CHECKED_MAX = 256 * 1024
"""Characters that are checked at every key; a longer text is checked when it is sent."""

_WORDS = {
    "Expecting value": "a value should be here",
    "Expecting property name enclosed in double quotes": "a name in double quotes should be here",
    "Expecting ':' delimiter": "a colon is missing",
    "Expecting ',' delimiter": "a comma is missing",
    "Extra data": "the event ends before this",
    "Unterminated string starting at": "this text has no closing quote",
    "Invalid control character at": "a line break or tab in a text: write \\n or \\t",
    "Invalid \\escape": "a lone backslash: write \\\\",
    "Invalid \\uXXXX escape": "\\u needs four hexadecimal digits",
}
_STRING_OR_SPACE = re.compile(r'("(?:\\.|[^"\\])*")|[ \t\r\n]+')


@dataclass(frozen=True)
class Trouble:
    """What is wrong with a text, and where; lines and columns count from 1."""

    line: int
    column: int
    words: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.words}"


def trouble(text: str) -> Trouble | None:
    """The first thing that keeps a text from being a JSON event; None if it is one, or is empty (then it is `{}`)."""
    if not text.strip():
        return None
    try:
        _DECODER.decode(text)
    except json.JSONDecodeError as error:
        return _told(text, error)
    except _Constant as constant:
        at = _outside_strings(text, str(constant))
        return _at(text, at, f"{constant} is no JSON: use null or a number")
    except RecursionError:
        return Trouble(1, 1, "it is nested too deeply")
    return None


class _Constant(Exception):
    """NaN or Infinity: no JSON."""


def _refuse(constant: str) -> NoReturn:
    raise _Constant(constant)


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_int=str)  # no limit on digits


def _told(text: str, error: json.JSONDecodeError) -> Trouble:
    here = text[error.pos : error.pos + 1]
    before = text[: error.pos].rstrip()
    if error.msg.startswith("Illegal trailing comma"):
        return _at(text, error.pos, "no comma before a closing bracket")
    if here in ("}", "]") and before.endswith(","):  # Python before 3.13 points behind the comma
        return _at(text, len(before) - 1, "no comma before a closing bracket")
    if not text[error.pos :].strip() and not error.msg.startswith("Unterminated"):
        return _at(text, error.pos, "the text ends too early: " + _missing(before, error.msg))
    if here == "'":
        return _at(text, error.pos, 'JSON has no single quotes: use "')
    return _at(text, error.pos, _WORDS.get(error.msg, error.msg))


def _missing(before: str, said: str) -> str:
    """What should come at the end: a value, or a bracket that is open."""
    if "delimiter" not in said or "':'" in said:
        return _WORDS.get(said, said)
    openings: list[str] = []
    for char in _STRING_OR_SPACE.sub("", before):
        if char in "{[":
            openings.append(char)
        elif char in "}]" and openings:
            openings.pop()
    return f"{'}' if openings[-1:] == ['{'] else ']'} is missing"


def _at(text: str, position: int, words: str) -> Trouble:
    line = text.count("\n", 0, position) + 1
    return Trouble(line, position - text.rfind("\n", 0, position), words)


def _outside_strings(text: str, word: str) -> int:
    blank = _STRING_OR_SPACE.sub(lambda found: " " * len(found[0]), text)
    return max(0, blank.find(word))


def one_line(text: str) -> str:
    """A JSON text without the spaces between its parts. Numbers and names stay as they were written."""
    return _STRING_OR_SPACE.sub(lambda found: found[1] or "", text)


def indented(text: str) -> str:
    """A JSON text on lines of its own, two spaces a level. Numbers and names stay as they were written."""
    parts: list[str] = []
    depth = 0
    for part in re.findall(r'"(?:\\.|[^"\\])*"|[{}\[\],:]|[^\s{}\[\],:"]+', text):
        if part in ("}", "]"):
            depth -= 1
            parts.append(part if parts[-1] in ("{", "[") else f"\n{'  ' * depth}{part}")
            continue
        if parts and (parts[-1] in ("{", "[", ",")):
            parts.append("\n" + "  " * depth)
        parts.append(": " if part == ":" else part)
        depth += part in ("{", "[")
    return "".join(parts)


def visible(text: str) -> str:
    """The text with every character that would hide or steer a terminal as JSON's own escape: the same event."""
    if clean(text) == text:
        return text
    text = text.replace("\r\n", "\n")
    return "".join(char if clean(char) == char or char == "\r" else _escaped(char) for char in text).replace("\r", "\n")


def _escaped(char: str) -> str:
    raw = char.encode("utf-16-be", errors="surrogatepass").hex()
    return "".join(f"\\u{raw[at : at + 4]}" for at in range(0, len(raw), 4))
