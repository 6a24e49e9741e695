"""The properties of one resource, read key by key; what nobody asks for is reported."""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Literal

from .intrinsics import Scope
from .kinds import member
from .problems import Place, Problems
from .yaml_source import Value


class Properties:
    """A mapping of a template. Each reader gives None for a key that is absent or, after noting it, wrong."""

    def __init__(self, subject: str, value: Value, scope: Scope, problems: Problems) -> None:
        self.subject = subject  # as messages name it: "Orders", "Orders.Environment"
        self.place = value.place
        self._scope = scope
        self._problems = problems
        self._asked: set[str] = set()
        self._values: dict[str, Value] = value.data if isinstance(value.data, dict) else {}
        if value.data is not None and not isinstance(value.data, dict):
            problems.error(value.place, subject, f"{value.shown} is not allowed; use a mapping of keys and values")

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def at(self, key: str) -> Place:
        """Where the value of `key` stands; where the mapping stands when there is none."""
        return self._values[key].place if key in self._values else self.place

    def silence(self, *keys: str) -> None:
        """Takes keys as read: they change nothing in how a function runs."""
        self._asked.update(keys)

    def value(self, key: str, *, needed: bool = False) -> Value | None:
        """The value of `key` without intrinsics."""
        self._asked.add(key)
        if key not in self._values:
            return None
        return self._scope.resolve(self._values[key], f"{self.subject}.{key}", needed=needed)

    def text(self, key: str, allowed: str, *, needed: bool = False) -> str | None:
        """A text that is not empty and has no control characters."""
        value = self.value(key, needed=needed)
        if value is None:
            return None
        if isinstance(value.data, str) and value.data and value.data.isprintable():
            return value.data
        self.refuse(key, value, allowed)
        return None

    def choice(self, key: str, choices: tuple[str, ...]) -> str | None:
        """One of a few words."""
        allowed = " or ".join([", ".join(choices[:-1]), choices[-1]])
        text = self.text(key, allowed)
        if text is None or text in choices:
            return text
        self.refuse(key, Value(text, self.at(key)), allowed)
        return None

    def whole(
        self, key: str, low: int, high: int | None, unit: Literal["", " of seconds", " of MB"] = ""
    ) -> int | None:
        """A whole number from `low` to `high`. CloudFormation takes its digits as a text, too."""
        value = self.value(key)
        if value is None:
            return None
        number = _whole(value)
        if number is not None and low <= number and (high is None or number <= high):
            return number
        limits = f", {low} or more" if high is None else f" from {low} to {high}"
        self.refuse(key, value, f"a whole number{unit}{limits}")
        return None

    def flag(self, key: str) -> bool:
        """true or false; false when absent."""
        value = self.value(key)
        if value is None:
            return False
        if str(value.data).lower() in ("true", "false"):
            return str(value.data).lower() == "true"
        self.refuse(key, value, "true or false")
        return False

    def listed(self, key: str, allowed: str) -> list[Value]:
        """The items of a list without intrinsics; an empty list when it is absent."""
        value = self.value(key)
        if value is None:
            return []
        if not isinstance(value.data, list):
            self.refuse(key, value, allowed)
            return []
        items = (self._scope.resolve(item, f"{self.subject}.{key}") for item in value.data)
        return [item for item in items if item is not None]

    def inside(self, key: str) -> "Properties":
        """The mapping under `key`; an empty one when it is absent."""
        found = self.value(key) or Value({}, self.place)
        return Properties(f"{self.subject}.{key}", found, self._scope, self._problems)

    def require(self, key: str, allowed: str) -> None:
        """Notes an error when `key` is absent."""
        if key not in self._values:
            self.error(key, f"is missing; use {allowed}")

    def refuse(self, key: str, value: Value, allowed: str) -> None:
        """Notes that `value` is wrong and what would be right."""
        self._problems.error(self.at(key), f"{self.subject}.{key}", f"{value.shown} is not allowed; use {allowed}")

    def error(self, key: str, text: str) -> None:
        """Notes a mistake in `key`."""
        self._problems.error(self.at(key), f"{self.subject}.{key}", text)

    def metadata(self, resource: Value) -> "Properties":
        """What stands under `Metadata: lamtop:` of this resource."""
        found = member(member(resource, "Metadata"), "lamtop") or Value({}, self.place)
        return Properties(f"{self.subject}.Metadata.lamtop", found, self._scope, self._problems)

    def warn(self, key: str, text: str) -> None:
        """Notes what lamtop does not do with `key`."""
        self._problems.warn(self.at(key), f"{self.subject}.{key}", text)

    def leave_out(self, key: str, why: str) -> None:
        """Reports a key that is checked and has no effect here."""
        if key in self._values:
            self._problems.unused(self._values[key].place, self.subject, key, f" ({why})")

    def finish(self) -> None:
        """Reports every key that nobody asked for; call it when all others are read."""
        for key in self._values:
            if key not in self._asked:
                meant = get_close_matches(key, self._asked - set(self._values), n=1, cutoff=0.8)
                hint = f" (did you mean {meant[0]!r}?)" if meant else ""
                self._problems.unused(self._values[key].place, self.subject, key, hint)


def _whole(value: Value) -> int | None:
    if isinstance(value.data, bool):
        return None
    if isinstance(value.data, int):
        return value.data
    digits = isinstance(value.data, str) and value.data.isascii() and value.data.isdigit() and len(value.data) < 10
    return int(str(value.data)) if digits else None
