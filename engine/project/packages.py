"""Installed packages beside the code: where they are searched, and which of requirements.txt are missing."""

import re
import shlex
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from ..core.function import Function
from .paths import label, standing

_REQUIREMENTS = "requirements.txt"
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_SIZE_LIMIT = 1024 * 1024  # characters
_SHOWN = 3  # names in a message


def with_packages(function: Function, root: Path) -> Function:
    """The function with the folder that `missing_packages` advises to install to, if it may matter."""
    folder = _folder(function, root)
    if standing(folder) != "folder" and standing(Path(function.code, _REQUIREMENTS)) != "file":
        return function
    return replace(function, packages=(str(folder), *function.packages))


def missing_packages(functions: Iterable[Function], python: str, path_of: Callable[[str], list[Path]]) -> list[str]:
    """A warning for each requirements.txt that names something that is not installed.

    `python` runs the functions that name no interpreter of their own; `path_of` gives the folders that an interpreter
    searches. Nothing is run and no version compared: only the names of what is installed are read.
    """
    found: dict[tuple[str, str], str] = {}
    for function in functions:
        where = (function.code, function.python or python)
        requirements = Path(function.code, _REQUIREMENTS)
        if where in found or not function.packages or standing(requirements) != "file":
            continue
        folders = [Path(function.code), *map(Path, function.packages), *_of_layers(function), *path_of(where[1])]
        there = {name for folder in folders for name in _installed(folder)}
        missing = [name for name in _required(requirements) if _plain(name) not in there]
        found[where] = _advice(requirements, missing, where[1], Path(function.packages[0])) if missing else ""
    return [text for text in found.values() if text]


def _folder(function: Function, root: Path) -> Path:
    code = Path(function.code)
    inside = code.is_relative_to(root) and code != root
    return root / ".lamtop" / "packages" / ("-".join(code.relative_to(root).parts) if inside else code.name or "code")


def _of_layers(function: Function) -> list[Path]:
    inside = ("python", f"python/lib/{function.runtime}/site-packages")
    return [Path(layer, folder) for layer in function.layers for folder in inside]


def _required(path: Path) -> list[str]:
    """The names in a requirements.txt; what has a condition, or is no name, is left out."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")[:_SIZE_LIMIT]
    except OSError:
        return []
    lines = (line.split("#")[0].strip() for line in text.splitlines())
    names = (_NAME.match(line) for line in lines if ";" not in line and "://" not in line.split("@")[0])
    return [found[0] for found in names if found and "/" not in found.string.split("@")[0]]


def _installed(folder: Path) -> set[str]:
    try:
        entries = list(folder.iterdir())
    except OSError:
        return set()
    return {_plain(entry.name.split("-")[0]) for entry in entries if entry.suffix in (".dist-info", ".egg-info")}


def _plain(name: str) -> str:
    """A project's name as the packaging guide compares it ("Name normalization")."""
    return re.sub(r"[-_.]+", "-", name.removesuffix(".egg-info")).lower()


def _advice(requirements: Path, missing: list[str], python: str, folder: Path) -> str:
    shown = ", ".join(missing[:_SHOWN]) + (f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else "")
    verb = "is" if len(missing) == 1 else "are"
    command = shlex.join([python, "-m", "pip", "install", "-r", label(requirements), "-t", label(folder)])
    return f"{label(requirements)}: {shown} {verb} not installed for {label(Path(python))}; run: {command}"
