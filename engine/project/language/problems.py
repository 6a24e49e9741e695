"""What is wrong with a configuration: gathered with its place, and raised together."""

from typing import NamedTuple

from ..errors import ConfigurationError
from ..paths import printable


class Wrong(Exception):
    """AWS would refuse this too."""


class Unknown(Exception):
    """The value exists on AWS only."""


class Place(NamedTuple):
    """A position in a file, counted from 1."""

    line: int
    column: int


class Problems:
    """The errors and warnings of one file, in the order of its lines."""

    def __init__(self, source: str) -> None:
        self._source = source
        # Keyed by place and text: a mistake in Globals is met again in every function, and is told once.
        self._errors: dict[tuple[Place, str], str] = {}
        self._warnings: dict[tuple[Place, str], str] = {}
        self._unused: dict[str, list[tuple[Place, str, str]]] = {}

    def error(self, place: Place, subject: str, text: str) -> None:
        """Notes a mistake. `subject` is what it is about ("Orders.Timeout"), or empty."""
        self._errors.setdefault((place, text), _sentence(subject, text))

    def warn(self, place: Place, subject: str, text: str) -> None:
        """Notes something that lamtop does not do, or does otherwise."""
        self._warnings.setdefault((place, text), _sentence(subject, text))

    def unused(self, place: Place, subject: str, key: str, hint: str = "") -> None:
        """Notes a key that lamtop does not read. The same key is told once for the whole file, and counted."""
        self._unused.setdefault(key + hint, []).append((place, f"{subject}.{key}", hint))

    def check(self) -> None:
        """Raises ConfigurationError with every mistake noted so far, if there is one."""
        if self._errors:
            raise ConfigurationError("\n".join(self._lines(self._errors)))

    def warnings(self) -> tuple[str, ...]:
        """Every warning noted so far."""
        found = dict(self._warnings)
        for uses in self._unused.values():
            place, subject, hint = min(uses)
            text = f"not used by lamtop{hint}; it is ignored{_others(len(uses) - 1)}"
            found[place, text] = f"{subject} is {text}"
        return tuple(self._lines(found))

    def _lines(self, noted: dict[tuple[Place, str], str]) -> list[str]:
        ordered = sorted((place, text) for (place, _), text in noted.items())
        return [printable(f"{self._source}:{place.line}: {text}") for place, text in ordered]


def _sentence(subject: str, text: str) -> str:
    return f"{subject}: {text}" if subject else text


def _others(count: int) -> str:
    return f", here and in {count} more place{'s' if count > 1 else ''}" if count else ""
