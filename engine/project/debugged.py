"""The function that somebody debugs (`--debug`)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from ..core.function import Function
from .errors import ConfigurationError

_NO_TIMEOUT = 86_400.0  # seconds: a day


class Debugged(NamedTuple):
    """A function by name, and the port on which its debugger waits."""

    function: str
    port: int

    def applied(self, functions: Mapping[str, Function]) -> dict[str, Function]:
        """The functions, with this one's timeout off. Raises ConfigurationError when it is not among them."""
        if self.function not in functions:
            there = ", ".join(map(repr, sorted(functions)))
            raise ConfigurationError(f"--debug: there is no function {self.function!r}; use one of {there}")
        debugged = replace(functions[self.function], timeout=_NO_TIMEOUT, debug_port=self.port)
        return {**functions, self.function: debugged}
