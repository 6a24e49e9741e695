"""Whose Python runs the handlers."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple


class Interpreter(NamedTuple):
    path: str
    version: str  # "3.13.1"; "?" if it does not say
    why: str  # "--python", "$VIRTUAL_ENV", ".venv", "lamtop's own"


class InterpreterError(Exception):
    """The interpreter that was asked for cannot run handlers."""


def choose(wish: str | None, folders: list[Path], environment: Mapping[str, str]) -> Interpreter:
    """`--python`, else $VIRTUAL_ENV, else a .venv in one of these folders, else the one that runs lamtop.

    Raises InterpreterError if `--python` names no program.
    """
    if wish is not None:
        return _wished(wish)
    candidates = [(Path(environment["VIRTUAL_ENV"]), "$VIRTUAL_ENV")] if environment.get("VIRTUAL_ENV") else []
    candidates += [(folder / ".venv", ".venv") for folder in folders]
    for folder, why in candidates:
        python = folder / "bin" / "python"
        if os.access(python, os.X_OK):
            return Interpreter(str(python), _version(python), why)
    return Interpreter(sys.executable, _own_version(), "lamtop's own")


def mismatch(interpreter: Interpreter, runtimes: Mapping[str, str]) -> str | None:
    """A warning if functions (runtime by name) ask for another Python than they get."""
    ours = "python" + ".".join(interpreter.version.split(".")[:2])
    asked = sorted({runtime for runtime in runtimes.values() if runtime.startswith("python") and runtime != ours})
    if not asked or interpreter.version == "?":
        return None
    return (
        f"the template says {', '.join(asked)}; handlers run under Python {interpreter.version} (choose with --python)"
    )


def search_path(python: str) -> list[Path]:
    """The folders in which this interpreter looks for modules; none if it does not say."""
    if Path(python).absolute() == Path(sys.executable).absolute():
        return [Path(folder) for folder in sys.path if folder]
    ask = [python, "-E", "-c", "import sys; print(*sys.path[1:], sep='\\n')"]
    try:
        done = subprocess.run(ask, capture_output=True, text=True, timeout=10, check=True, cwd="/")  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return []
    return [Path(folder) for folder in done.stdout.splitlines() if folder]


def _wished(wish: str) -> Interpreter:
    path = Path(wish).expanduser()
    if not os.access(path, os.X_OK) or path.is_dir():
        raise InterpreterError(f"--python: '{wish}' is not a program; use the path of a Python 3.9 or later")
    version = _version(path)
    if version == "?":
        raise InterpreterError(f"--python: '{wish}' does not answer as a Python; use the path of a Python 3.9 or later")
    return Interpreter(str(path.absolute()), version, "--python")


def _version(python: Path) -> str:
    if python.resolve() == Path(sys.executable).resolve():
        return _own_version()
    try:
        text = (python.parent.parent / "pyvenv.cfg").read_text(encoding="utf-8")
        settings = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        return next(value.strip() for key, value in settings.items() if key.strip() in ("version", "version_info"))
    except (OSError, StopIteration):
        return _ask(python)


def _ask(python: Path) -> str:
    try:
        done = subprocess.run([python, "--version"], capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return "?"
    name, _, version = done.stdout.strip().partition(" ")
    return version if name == "Python" and version else "?"


def _own_version() -> str:
    return ".".join(map(str, sys.version_info[:3]))
