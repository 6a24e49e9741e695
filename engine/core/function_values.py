"""A function's configuration as plain values, to be written down, and back."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from .cost import PRICES
from .function import EventInvokeConfig, Function, LoggingConfig
from .secret import HIDDEN, is_secret

_NOT_TOLD = frozenset({"debug_port"})  # of this start alone
_LARGEST = 1e12  # of any limit


def values_of(function: Function) -> dict[str, Any]:
    """What JSON can hold of it. Values of variables that look like secrets are not told."""
    values = {key: value for key, value in asdict(function).items() if key not in _NOT_TOLD}
    values["environment"] = {
        name: HIDDEN if is_secret(name, value) else value for name, value in function.environment.items()
    }
    values["versions"] = sorted(function.versions)
    return values


def function_of(values: Any) -> Function:
    """The function that these values tell of; what they do not say is AWS's default. Raises ValueError, naming the
    value that is none."""
    told = _Values(values)
    return Function(
        name=told.text("name", None),
        handler=told.text("handler", ""),
        code=told.text("code", ""),
        runtime=told.text("runtime", ""),
        timeout=told.number("timeout", 3.0),
        memory=int(told.number("memory", 128)),
        environment=told.table("environment"),
        reserved_concurrency=told.whole_or_none("reserved_concurrency"),
        dead_letter_queue=told.text_or_none("dead_letter_queue"),
        event_invoke_config=_config(told.part("event_invoke_config")),
        python=told.text_or_none("python"),
        layers=told.texts("layers"),
        packages=told.texts("packages"),
        logging=_logging(told.part("logging")),
        architecture=told.text("architecture", "x86_64", among=PRICES.gb_second),
        recursive_loop=told.text("recursive_loop", "Terminate"),
        versions=frozenset(told.texts("versions", digits=True)),
        aliases=told.table("aliases"),
        qualified_configs={
            name: _config(_Values(one)) for name, one in told.part("qualified_configs").everything.items()
        },
        scaling=told.text("scaling", "lazy"),
    )


def _config(told: "_Values") -> EventInvokeConfig:
    default = EventInvokeConfig()
    return EventInvokeConfig(
        maximum_retry_attempts=int(told.number("maximum_retry_attempts", default.maximum_retry_attempts)),
        maximum_event_age=told.number("maximum_event_age", default.maximum_event_age),
        on_success=told.text_or_none("on_success"),
        on_failure=told.text_or_none("on_failure"),
        retry_delays=told.numbers("retry_delays") or default.retry_delays,
    )


def _logging(told: "_Values") -> LoggingConfig:
    return LoggingConfig(
        format=told.text("format", "Text"),
        application_level=told.text("application_level", "INFO"),
        system_level=told.text("system_level", "INFO"),
        group=told.text_or_none("group"),
    )


class _Values:
    """Values by name, of which nothing is known yet. To ask for one as what it is not raises ValueError."""

    def __init__(self, values: Any) -> None:
        if not isinstance(values, Mapping):
            raise ValueError(f"{values!r} is not an object")
        self.everything: Mapping[str, Any] = values

    def text(self, key: str, default: str | None, among: Mapping[str, Any] | None = None) -> str:
        value = self.everything.get(key, default)
        if not isinstance(value, str) or (among is not None and value not in among):
            raise self._wrong(key)
        return value

    def text_or_none(self, key: str) -> str | None:
        return None if self.everything.get(key) is None else self.text(key, None)

    def number(self, key: str, default: float) -> float:
        return _number(self.everything.get(key, default), self._wrong(key))

    def numbers(self, key: str) -> tuple[float, ...]:
        return tuple(_number(one, self._wrong(key)) for one in self._list(key))

    def whole_or_none(self, key: str) -> int | None:
        value = self.everything.get(key)
        return None if value is None else int(_number(value, self._wrong(key)))

    def texts(self, key: str, *, digits: bool = False) -> tuple[str, ...]:
        found = self._list(key)
        if not all(isinstance(one, str) and (one.isdecimal() or not digits) for one in found):
            raise self._wrong(key)
        return tuple(found)

    def table(self, key: str) -> dict[str, str]:
        found = dict(self.part(key).everything)
        if not all(isinstance(one, str) for pair in found.items() for one in pair):
            raise self._wrong(key)
        return found

    def part(self, key: str) -> "_Values":
        value = self.everything.get(key, {})
        if not isinstance(value, Mapping):
            raise self._wrong(key)
        return _Values(value)

    def _list(self, key: str) -> list[Any]:
        value = self.everything.get(key, ())
        if not isinstance(value, list | tuple):
            raise self._wrong(key)
        return list(value)

    def _wrong(self, key: str) -> ValueError:
        return ValueError(f"'{key}': {self.everything.get(key)!r} is no value of a function")


def _number(value: Any, wrong: ValueError) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LARGEST:
        raise wrong
    return value
