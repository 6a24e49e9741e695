"""Where a request's function runs, as it is configured now: its limits, its interpreter, its variables."""

from typing import Any

from ..core.function import Function
from ..core.secret import is_secret

_SHOWN = 1_000  # characters of a value


def declared(function: Function, interpreter: str) -> dict[str, Any]:
    """The function's settings that its environments are made from.

    The value of a variable that looks like a secret is None: it does not leave the engine.
    """
    return {
        "handler": function.handler,
        "runtime": function.runtime,
        "architecture": function.architecture,
        "memory": function.memory,
        "timeout": function.timeout,
        "code": function.code,
        "interpreter": function.python or interpreter,
        "variables": [
            [name, None if is_secret(name, value) else value[:_SHOWN]]
            for name, value in sorted(function.environment.items())
        ],
    }
