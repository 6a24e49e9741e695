"""The Conditions of a template: which resources and values it is about."""

from collections.abc import Callable

from .problems import Problems, Unknown, Wrong
from .yaml_source import Value


class Conditions:
    """The conditions of one template by name, each worked out once. `text` gives the plain text of a value.

    A condition over something that only AWS knows is taken as false, with a warning.
    """

    def __init__(self, section: dict[str, Value], text: Callable[[Value], str], problems: Problems) -> None:
        self._section = section
        self._text = text
        self._problems = problems
        self._known: dict[str, bool] = {}
        self._asking: list[str] = []

    def check(self) -> None:
        """Works out every condition, so that a mistake in one that nobody uses is told as well."""
        for name in self._section:
            self.holds(name)

    def holds(self, name: str) -> bool:
        """Whether a condition is true. Raises Wrong when there is none of that name, or it refers to itself."""
        if name not in self._section:
            raise Wrong(f"there is no condition {name!r} in this template")
        if name in self._asking:
            raise Wrong(f"condition {name!r} refers to itself")
        if name not in self._known:
            self._asking.append(name)
            self._known[name] = self._worked_out(name, self._section[name])
            self._asking.pop()
        return self._known[name]

    def _worked_out(self, name: str, value: Value) -> bool:
        try:
            return self._is_true(value)
        except Wrong as error:
            self._problems.error(value.place, f"Conditions.{name}", str(error))
        except Unknown as error:
            self._problems.warn(value.place, f"Conditions.{name}", f"{error}; the condition is taken as false")
        return False

    def _is_true(self, value: Value) -> bool:
        match value.data:
            case {"Condition": Value(data=str(name))}:
                return self.holds(name)
            case {"Fn::Equals": Value(data=[Value() as one, Value() as other])}:
                return self._text(one) == self._text(other)
            case {"Fn::Not": Value(data=[Value() as one])}:
                return not self._is_true(one)
            case {"Fn::And": Value(data=list(several))} if 2 <= len(several) <= 10:
                return all(self._is_true(one) for one in several)
            case {"Fn::Or": Value(data=list(several))} if 2 <= len(several) <= 10:
                return any(self._is_true(one) for one in several)
        raise Wrong(
            f"{value.shown} is no condition; use Fn::Equals with two values, Fn::Not with one condition, Fn::And or "
            "Fn::Or with 2 to 10, or Condition with a name"
        )
