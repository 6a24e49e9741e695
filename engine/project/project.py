"""Which functions are meant: a template, a folder, one file, or the examples."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from ..core.function import Function, Queue
from .debugged import Debugged
from .discovery import Discovery
from .env_file import read_env_file
from .errors import ConfigurationError
from .examples import copy_examples
from .packages import with_packages
from .paths import label, standing
from .template import read_template

_TEMPLATES = ("template.yaml", "template.yml")
_SUFFIXES = (".yaml", ".yml", ".json", ".template")


@dataclass(frozen=True)
class Project:
    """The functions and queues to run, and where they were read."""

    source: Path  # the template, folder or file
    root: Path  # the project's folder: state goes to root/.lamtop
    functions: dict[str, Function]  # by name
    queues: dict[str, Queue]  # by name
    warnings: tuple[str, ...]  # what lamtop leaves out or does otherwise, one line each
    watched: tuple[Path, ...]  # the template, the folders of code and the env file: a change in them matters
    env_file: Path | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)  # given from outside, before the template's defaults
    debugged: Debugged | None = None

    def again(self) -> "Project":
        """The project as it is on disk now. Raises as `load` does."""
        return load(self.source, self.env_file, self.parameters, self.debugged)


class Found(NamedTuple):
    """Where a project is; `copied` when it was just made from the examples."""

    path: Path
    copied: bool


def find(path: Path | None, cwd: Path) -> Found:
    """The project that `path` names; without one, the first of the usual places seen from `cwd`.

    In a folder without functions the examples are copied to ./lamtop-examples. Raises ConfigurationError when
    `path` does not exist, or the examples cannot be copied.
    """
    if path is not None:
        _check_exists(cwd / path)
        return Found(cwd / path, copied=False)
    for folder in (cwd, cwd / "handlers"):
        template = _template_in(folder)
        if template:
            return Found(template, copied=False)
    for folder in (cwd / "handlers", cwd):
        if Discovery.of_folder(folder).functions:
            return Found(folder, copied=False)
    return Found(*copy_examples(cwd / "lamtop-examples"))


def load(
    source: Path,
    env_file: Path | None = None,
    parameters: Mapping[str, str] | None = None,
    debugged: Debugged | None = None,
) -> Project:
    """Reads a template, a folder or a .py file. The variables in `env_file` go to every function, on top of its own.

    Raises ConfigurationError with one line for each mistake, or when there is no function in it.
    """
    _check_exists(source)
    project = _read(source.resolve(), parameters or {})
    functions = {name: with_packages(function, project.root) for name, function in project.functions.items()}
    if debugged:
        functions = debugged.applied(functions)
    return _with_env_file(
        replace(
            project,
            functions=functions,
            env_file=env_file and env_file.absolute(),
            parameters=parameters or {},
            debugged=debugged,
        )
    )


def _with_env_file(project: Project) -> Project:
    if project.env_file is None:
        return project
    given = read_env_file(project.env_file)
    functions = {
        name: replace(function, environment={**function.environment, **given})
        for name, function in project.functions.items()
    }
    return replace(project, functions=functions, watched=(*project.watched, project.env_file))


def _read(source: Path, parameters: Mapping[str, str]) -> Project:
    if source.is_dir():
        template = _template_in(source)
        return _from_template(template, parameters) if template else _from_folder(source)
    if source.suffix == ".py":
        return _from_file(source)
    if source.suffix in _SUFFIXES:
        return _from_template(source, parameters)
    raise ConfigurationError(
        f"{label(source)} is nothing that lamtop can run; name a template.yaml, a folder or a .py file"
    )


def _check_exists(path: Path) -> None:
    if standing(path) == "nothing":
        raise ConfigurationError(f"{label(path)} does not exist; name a template.yaml, a folder or a .py file")


def _template_in(folder: Path) -> Path | None:
    return next((folder / name for name in _TEMPLATES if standing(folder / name) == "file"), None)


def _from_template(path: Path, parameters: Mapping[str, str]) -> Project:
    contents = read_template(path, parameters)
    functions = contents.functions.values()
    folders = sorted({Path(folder) for function in functions for folder in (function.code, *function.layers)})
    watched = (path, *folders)
    return Project(path, path.parent, contents.functions, contents.queues, contents.warnings, watched)


def _from_folder(folder: Path) -> Project:
    found = Discovery.of_folder(folder)
    if not found.functions:
        advice = "add a template.yaml, or a .py file with a function named lambda_handler or handler"
        raise ConfigurationError("\n".join([f"{label(folder)}: there is no function in it; {advice}", *found.warnings]))
    return Project(folder, folder, found.functions, {}, tuple(found.warnings), (folder,))


def _from_file(path: Path) -> Project:
    found = Discovery.of_file(path)
    if not found.functions:
        text = f"{label(path)}: there is no function in it; name one lambda_handler or handler"
        raise ConfigurationError("\n".join([text, *found.warnings]))
    return Project(path, path.parent, found.functions, {}, tuple(found.warnings), (path.parent,))
