"""What would differ from machine to machine, from Python to Python and from run to run gets one name."""

import re
import sys
from pathlib import Path
from typing import Any

HOME = "/home/ann"  # where the project seems to lie
PYTHON = "python3.13"
_OURS = f"python3.{sys.version_info.minor}"
_INIT_START = re.compile(r"python:3\.\S+(\tRuntime Version ARN: \S+:)\w+")

HELLO = {
    "url": "http://127.0.0.1:4566",
    "pid": 4711,
    "python": "3.13.9",
    "interpreter": f"/usr/bin/{PYTHON}",
    "state": "",  # nothing is kept of what was sent
}
"""What an engine says of itself, instead."""


class Costume:
    """Puts it on all values that a monitor gets of an engine in this folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self.home = f"{HOME}/{folder.name}"

    def on_hello(self, hello: dict[str, Any]) -> dict[str, Any]:
        """What an engine says of itself."""
        found: dict[str, Any] = self.on({**hello, **HELLO})
        return found

    def on(self, value: Any) -> Any:
        """The same plain value, renamed."""
        if isinstance(value, str):
            value = value.replace(self._folder, self.home).replace(_OURS, PYTHON)
            return _INIT_START.sub(r"python:3.13.v9\1c0ffee", value)
        if isinstance(value, dict):
            return {key: self.on(one) for key, one in value.items()}
        return [self.on(one) for one in value] if isinstance(value, list) else value


class NoCostume(Costume):
    """For whoever watches a tape on the spot: everything as it is."""

    def on_hello(self, hello: dict[str, Any]) -> dict[str, Any]:
        return hello

    def on(self, value: Any) -> Any:
        return value
