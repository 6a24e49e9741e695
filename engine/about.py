"""What an engine says about itself: who it is, and its figures."""

import os
from importlib.metadata import version
from typing import Any

from .core.function_values import values_of
from .interpreter import Interpreter
from .project import Project
from .settings import Settings
from .store import Store
from .view import Views, parse_view


def hello(settings: Settings, project: Project, interpreter: Interpreter, url: str) -> dict[str, Any]:
    """Who this engine is."""
    return {
        "project": str(project.source),
        "url": url,
        "interpreter": interpreter.path,
        "python": interpreter.version,
        "version": version("lamtop"),
        "pid": os.getpid(),
        "state": str(settings.state),
        "owned": settings.owned,
        "warnings": list(project.warnings),
        "notice": None,
    }


def on_record(settings: Settings, project: Project, interpreter: Interpreter) -> dict[str, Any]:
    """What is written down of the project, for whoever looks back at what happened here."""
    return {
        "source": str(project.source),
        "interpreter": interpreter.path,
        "python": interpreter.version,
        "jitter": settings.jitter is not None,
        "functions": [values_of(function) for function in project.functions.values()],
    }


def figures(views: Views, project: Project, store: Store) -> dict[str, Any]:
    """What `lamtop status` prints besides. Reads the disk."""
    _, functions = views.rows(parse_view("status", {"view": "functions", "limit": 500}))
    return {
        "time": views.time(),
        "totals": views.totals(),
        "functions": functions,
        "queues": {name: views.peek.message_counts().get(name, 0) for name in project.queues},
        "synchronous": store.setting("synchronous"),
        "journal_mode": store.setting("journal_mode"),
    }
