"""The door of the engine: what others may use. Everything else in here is its own business.

Names are loaded when they are first asked for: the monitor must paint before it needs any of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import registry
    from .core.concurrency import Throttled
    from .engine import Engine
    from .interpreter import InterpreterError
    from .invocations import Answered
    from .project import ConfigurationError, Found, Project, find, load
    from .replay import RecordingError, Replay, export, open_recording, write_lines
    from .settings import Settings
    from .store import Retention, StoreError

_HOMES = {
    "Answered": "invocations",
    "ConfigurationError": "project",
    "Engine": "engine",
    "Found": "project",
    "InterpreterError": "interpreter",
    "Project": "project",
    "RecordingError": "replay",
    "Replay": "replay",
    "Retention": "store",
    "Settings": "settings",
    "StoreError": "store",
    "Throttled": "core.concurrency",
    "export": "replay",
    "find": "project",
    "load": "project",
    "open_recording": "replay",
    "write_lines": "replay",
}

__all__ = [
    "Answered",
    "ConfigurationError",
    "Engine",
    "Found",
    "InterpreterError",
    "Project",
    "RecordingError",
    "Replay",
    "Retention",
    "Settings",
    "StoreError",
    "Throttled",
    "export",
    "find",
    "load",
    "open_recording",
    "registry",
    "write_lines",
]


def __getattr__(name: str) -> Any:
    if name == "registry":
        return import_module(".registry", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
