"""The parameters of a template: their defaults, and what a person gives instead."""

from collections.abc import Mapping

from .kinds import member, resource_type, written
from .problems import Place, Problems, Unknown
from .yaml_source import Data, Value

_LISTS = ("CommaDelimitedList", "List<")


class Parameters:
    """`given` holds values by name (`--parameter-overrides`), which go before the defaults."""

    def __init__(self, section: dict[str, Value], given: Mapping[str, str], problems: Problems) -> None:
        self._section = section
        self._given = given
        self._problems = problems
        for name in given:
            if name not in section:
                there = ", ".join(map(repr, section)) or "none"
                text = f"there is no parameter {name!r} in this template; there are: {there}"
                problems.error(Place(1, 1), "--parameter-overrides", text)
        for name, parameter in section.items():
            self._check(name, parameter)

    def __contains__(self, name: str) -> bool:
        return name in self._section

    def value(self, name: str) -> Data:
        """The value of a parameter. Raises Unknown when it has none here."""
        parameter = self._section[name]
        kind = resource_type(parameter)
        data = self._data(name)
        if kind.startswith("AWS::SSM::") and name not in self._given:
            raise Unknown(f"parameter {name!r} is stored on AWS")
        if data is None:
            raise Unknown(f"parameter {name!r} has no Default; give it with --parameter-overrides {name}=…")
        if kind.startswith(_LISTS):
            return [Value(part.strip(), parameter.place) for part in written(data).split(",")]
        return data

    def _data(self, name: str) -> str | int | None:
        if name in self._given:
            return self._given[name]
        default = member(self._section[name], "Default")
        return default.data if default and isinstance(default.data, str | int) else None

    def _check(self, name: str, parameter: Value) -> None:
        data, allowed = self._data(name), member(parameter, "AllowedValues")
        if data is None or allowed is None or not isinstance(allowed.data, list):
            return
        values = [written(value.data) for value in allowed.data]
        if written(data) not in values:
            text = f"{written(data)!r} is not allowed; use one of {', '.join(map(repr, values))}"
            self._problems.error(parameter.place, f"Parameters.{name}", text)
