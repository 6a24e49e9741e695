"""YAML that remembers its lines, so that a message about a value can say where it stands."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import yaml

from ..errors import ConfigurationError
from ..paths import label, printable
from ..text import read_text
from .problems import Place, Problems

SIZE_LIMIT = 1024 * 1024  # bytes; CloudFormation's own limit for a template
DEPTH_LIMIT = 100
_SHOWN = 80  # characters of a value in a message
_STANDARD = "tag:yaml.org,2002:"
_PLAIN_TAGS = {_STANDARD + kind for kind in ("str", "int", "bool", "null", "float", "timestamp", "seq", "map", "value")}
_NO_PREFIX = {"Ref", "Condition"}

Data: TypeAlias = "str | int | bool | list[Value] | dict[str, Value] | None"


@dataclass(frozen=True, slots=True)
class Value:
    """One YAML value and where it stands; for the value of a key, that is where the key stands.

    Fractions and dates keep their text. A short tag has the long form's shape: `!Ref X` is `{"Ref": X}`.
    """

    data: Data
    place: Place

    @property
    def shown(self) -> str:
        """The value as a message quotes it."""
        match self.data:
            case None:
                return "an empty value"
            case list():
                return "a list"
            case dict():
                return "a mapping"
            case bool():
                return repr(str(self.data).lower())
        text = str(self.data)
        return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")


def read(path: Path, problems: Problems) -> Value:
    """Reads one YAML document.

    Raises ConfigurationError when it is unreadable, too large or no YAML; a key given twice is noted in `problems`.
    """
    loader = yaml.SafeLoader(_text(path))
    try:
        node = loader.get_single_node()
        return _Conversion(loader, problems).value(node) if node else Value(None, Place(1, 1))
    except RecursionError:
        raise ConfigurationError(f"{label(path)}: the YAML is nested too deeply") from None
    except yaml.MarkedYAMLError as error:
        raise ConfigurationError(_syntax_error(path, error)) from None
    finally:
        loader.dispose()


def _text(path: Path) -> str:
    too_large = "is larger than 1 MB, the most that CloudFormation takes"
    text = read_text(path, SIZE_LIMIT, called=f"{label(path)}:", too_large=too_large)
    return _without_control_characters(path, text)


def _without_control_characters(path: Path, text: str) -> str:
    bad = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if bad:
        line, column = text.count("\n", 0, bad.start()) + 1, bad.start() - text.rfind("\n", 0, bad.start())
        raise ConfigurationError(f"{label(path)}:{line}:{column}: {bad.group()!r} is not allowed in YAML; remove it")
    return text


def _syntax_error(path: Path, error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    where = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
    context = f"{error.context}: " if error.context else ""
    return printable(f"{label(path)}{where}: this is no valid YAML: {context}{error.problem}")


class _Conversion:
    """Turns PyYAML's nodes into values. An aliased node is converted once, so that aliases cannot multiply."""

    def __init__(self, loader: yaml.SafeLoader, problems: Problems) -> None:
        self._loader = loader
        self._problems = problems
        self._done: dict[int, Value] = {}
        self._depth = 0

    def value(self, node: yaml.Node) -> Value:
        if id(node) not in self._done:
            self._depth += 1
            if self._depth > DEPTH_LIMIT:  # also an alias inside the value that it names
                raise RecursionError
            self._done[id(node)] = self._tagged(node)
            self._depth -= 1
        return self._done[id(node)]

    def _tagged(self, node: yaml.Node) -> Value:
        data = self._data(node)
        if node.tag in _PLAIN_TAGS:
            return Value(data, _place(node))
        if not node.tag.startswith("!"):
            name = node.tag.removeprefix(_STANDARD)
            self._problems.error(_place(node), "", f"the tag '!!{name}' is not allowed; write a plain value")
            return Value(None, _place(node))
        name = node.tag[1:]
        long_form = name if name in _NO_PREFIX else f"Fn::{name}"
        return Value({long_form: Value(data, _place(node))}, _place(node))

    def _data(self, node: yaml.Node) -> Data:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item) for item in node.value]
        return self._scalar(node) if isinstance(node, yaml.ScalarNode) else None

    def _scalar(self, node: yaml.ScalarNode) -> Data:
        text = str(node.value)
        match node.tag.removeprefix(_STANDARD):
            case "null":
                return None
            case "bool":
                return text.lower() in ("yes", "true", "on")
            case "int":
                return self._integer(node, text)
        return text

    def _integer(self, node: yaml.ScalarNode, text: str) -> Data:
        try:
            return int(self._loader.construct_yaml_int(node))
        except ValueError:  # thousands of digits, or "0b_"
            return text

    def _mapping(self, node: yaml.MappingNode) -> dict[str, Value]:
        own: dict[str, Value] = {}
        merged: dict[str, Value] = {}
        lines: dict[str, int] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key_node.tag == _STANDARD + "merge":
                merged = {**dict(self._merged(value_node)), **merged}
            elif key in own:
                text = f"{key!r} is given twice, first in line {lines[key]}; keep one of them"
                self._problems.error(_place(key_node), "", text)
            else:
                own[key] = Value(self.value(value_node).data, _place(key_node))
                lines[key] = _place(key_node).line
        return {**merged, **own}

    def _key(self, node: yaml.Node) -> str:
        if isinstance(node, yaml.ScalarNode):
            return str(node.value)
        self._problems.error(_place(node), "", "a list or a mapping is not allowed as a key; use a name")
        return ""

    def _merged(self, node: yaml.Node) -> Iterator[tuple[str, Value]]:
        value = self.value(node)
        parts = reversed(value.data) if isinstance(value.data, list) else [value]  # the first one wins
        for part in parts:
            if isinstance(part.data, dict):
                yield from part.data.items()
            else:
                self._problems.error(part.place, "", f"<<: {part.shown} is not allowed; use an alias of a mapping")


def _place(node: yaml.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)
