"""A function's configuration as plain values, to be written down, and back."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from .function import EventInvokeConfig, Function, LoggingConfig
from .secret import HIDDEN, is_secret

_NOT_TOLD = frozenset({"debug_port"})  # of this start alone


def values_of(function: Function) -> dict[str, Any]:
    """What JSON can hold of it. Values of variables that look like secrets are not told."""
    values = {key: value for key, value in asdict(function).items() if key not in _NOT_TOLD}
    values["environment"] = {
        name: HIDDEN if is_secret(name, value) else value for name, value in function.environment.items()
    }
    values["versions"] = sorted(function.versions)
    return values


def function_of(values: Mapping[str, Any]) -> Function:
    """The function that these values tell of; what they do not say is AWS's default.

    Raises ValueError for values of the wrong kind.
    """
    known = {field.name for field in fields(Function)} - _NOT_TOLD
    told = {key: value for key, value in values.items() if key in known}
    try:
        for key in ("event_invoke_config", "logging"):
            if key in told:
                told[key] = _parts[key](told[key])
        told["qualified_configs"] = {name: _config(one) for name, one in told.get("qualified_configs", {}).items()}
        for key in ("layers", "packages"):
            told[key] = tuple(map(str, told.get(key, ())))
        told["versions"] = frozenset(map(str, told.get("versions", ())))
        return _checked(Function(**{"handler": "", "code": "", **told}))
    except (TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"this is no function's configuration: {error}") from None


def _config(values: Mapping[str, Any]) -> EventInvokeConfig:
    delays = tuple(float(delay) for delay in values.get("retry_delays", EventInvokeConfig().retry_delays))
    return EventInvokeConfig(**{**values, "retry_delays": delays or EventInvokeConfig().retry_delays})


def _logging(values: Mapping[str, Any]) -> LoggingConfig:
    return LoggingConfig(**values)


_parts: Mapping[str, Any] = {"event_invoke_config": _config, "logging": _logging}


def _checked(function: Function) -> Function:
    """What is reckoned with has to be a number, and what is looked up a text."""
    for number in (function.timeout, function.memory, function.reserved_concurrency or 0):
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise TypeError(f"{number!r} is not a number")
    for text in (function.name, function.handler, function.architecture):
        if not isinstance(text, str):
            raise TypeError(f"{text!r} is not a text")
    for table in (function.environment, function.aliases):
        if not all(isinstance(part, str) for pair in dict(table).items() for part in pair):
            raise TypeError("a table of texts is expected")
    return function
