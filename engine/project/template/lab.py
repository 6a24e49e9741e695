"""`Metadata: lamtop:` under a function: what AWS does not read. Settings beyond AWS are told in a warning each."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ...core.function import EventInvokeConfig, Function
from ..language.properties import Properties
from ..language.yaml_source import Value
from ..paths import standing

_RETRIES_MOST = 10
_DELAYS_RULE = f"a list of 1 to {_RETRIES_MOST} numbers of seconds, from 0 to 21600"
_DELAY_LONGEST = 21_600.0


@dataclass(frozen=True, slots=True)
class Lab:
    """What lamtop does for a function that AWS would not."""

    python: str | None
    scaling: str
    retries: int | None
    retry_delays: tuple[float, ...]

    def applied(self, function: Function) -> Function:
        """The function with these settings, under every qualifier that it has."""
        names = (*function.versions, *function.aliases) if self.retries is not None or self.retry_delays else ()
        return replace(
            function,
            python=self.python,
            scaling=self.scaling,
            event_invoke_config=self._config(function.event_invoke_config),
            qualified_configs=self._configs(function.qualified_configs, function, names),
        )

    def _configs(
        self, known: Mapping[str, EventInvokeConfig], function: Function, names: tuple[str, ...]
    ) -> dict[str, EventInvokeConfig]:
        return {**known, **{name: self._config(function.config(name)) for name in names}}

    def _config(self, config: EventInvokeConfig) -> EventInvokeConfig:
        retries = config.maximum_retry_attempts if self.retries is None else self.retries
        return replace(config, maximum_retry_attempts=retries, retry_delays=self.retry_delays or config.retry_delays)


def lab(properties: Properties, folder: Path) -> Lab:
    """Reads `Metadata: lamtop:`; paths are seen from the template's folder."""
    retries = properties.whole("Retries", 0, _RETRIES_MOST)
    if retries is not None:
        text = f"{retries} is for the laptop only: AWS does not read it, and makes 2 retries at most"
        properties.warn("Retries", text)
    delays = _delays(properties)
    if delays:
        shown = ", ".join(f"{delay:g}" for delay in delays)
        text = f"{shown} s are for the laptop only: AWS does not read them, and waits about 1 and 2 minutes"
        properties.warn("RetryDelays", text)
    scaling = properties.choice("Scaling", ("lazy", "aws")) or "lazy"
    read = Lab(_python(properties, folder), scaling, retries, delays)
    properties.finish()
    return read


def _delays(properties: Properties) -> tuple[float, ...]:
    listed = properties.listed("RetryDelays", _DELAYS_RULE)
    if "RetryDelays" in properties and not 1 <= len(listed) <= _RETRIES_MOST:
        properties.error("RetryDelays", f"{len(listed)} delays are not allowed; use {_DELAYS_RULE}")
    read = [(item, _seconds(item)) for item in listed]
    for item, seconds in read:
        if seconds is None:
            properties.refuse("RetryDelays", item, _DELAYS_RULE)
    return tuple(seconds for _, seconds in read if seconds is not None)


def _seconds(value: Value) -> float | None:
    if isinstance(value.data, bool) or not isinstance(value.data, str | int):
        return None
    try:
        seconds = float(value.data)
    except (ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds <= _DELAY_LONGEST else None


def _python(properties: Properties, folder: Path) -> str | None:
    text = properties.text("Python", "the path of a Python interpreter")
    if text is None:
        return None
    path = (folder / text).absolute()  # not resolved: a virtual environment's python is a link
    if standing(path) == "file":
        return str(path)
    properties.error("Python", f"{text!r} does not exist; use the path of a Python interpreter")
    return None
