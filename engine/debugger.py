"""The debugger of a function: whether there is one, where it waits, and how to attach to it."""

import json
import socket
from pathlib import Path

from .core.function import Function
from .interpreter import InterpreterError, search_path

HOST = "127.0.0.1"
_USUAL_PORT = 5678  # what editors offer by themselves


def choose_port() -> int:
    """The usual port for a debugger if nobody has it, else a free one."""
    for port in (_USUAL_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise InterpreterError("--debug: there is no free port on this machine")


def check_debugger(function: Function, python: str) -> None:
    """Raises InterpreterError unless debugpy can be imported where this function runs."""
    python = function.python or python
    layers = [f"{layer}/python" for layer in function.layers]
    folders = [Path(function.code), *map(Path, function.packages), *map(Path, layers), *search_path(python)]
    if not any((folder / "debugpy" / "__init__.py").is_file() for folder in folders):
        raise InterpreterError(
            f"--debug: debugpy is not installed for {python}, which runs {function.name}; "
            f"run: {python} -m pip install debugpy"
        )


def attach_lines(function: Function) -> list[str]:
    """How to attach to a function that is debugged."""
    port = function.debug_port
    launch = {
        "name": f"lamtop {function.name}",
        "type": "debugpy",
        "request": "attach",
        "connect": {"host": HOST, "port": port},
    }
    return [
        f"debugger: {function.name} waits at {HOST}:{port}, without a timeout, one invocation at a time",
        f"VS Code: put this into launch.json: {json.dumps(launch)}",
        f"PyCharm: Run, Edit Configurations, +, Attach to DAP, remote address {HOST}:{port}",
    ]
