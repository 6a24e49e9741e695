"""Which functions a saved file may concern."""

from collections.abc import Iterable
from pathlib import Path

from ..core.function import Function
from ..edges.contents import CODE, Contents


def modules(function: Function) -> set[Path]:
    """The files that may hold the handler."""
    module = Path(function.code) / function.handler.rpartition(".")[0].replace(".", "/")
    return {module.with_name(module.name + ".py"), module / "__init__.py"}


def is_near(path: Path, function: Function) -> bool:
    """Is it in one of the folders that the function imports from?"""
    return any(path.is_relative_to(folder) for folder in (function.code, *function.layers, *function.packages))


def reached(functions: Iterable[Function], saved: set[Path], contents: Contents) -> dict[str, set[Path]]:
    """The saved files that each function may have imported or read, by function.

    That is every file below its code folder and its layers, but not the module of another function's handler, unless
    the function's own module, or one that is nobody's handler, has its name in it. An import by a name that is put
    together while the code runs is not seen.
    """
    functions = list(functions)
    handlers = {path: function for function in functions for path in modules(function)}
    found: dict[str, set[Path]] = {function.name: set() for function in functions}
    for path in saved:
        if path.suffix not in CODE:
            continue
        near = [function for function in functions if is_near(path, function)]
        if path in handlers and any(path not in modules(function) for function in near):
            near = _users(near, path, handlers.keys(), contents)
        for function in near:
            found[function.name].add(path)
    return found


def _users(near: list[Function], path: Path, handlers: Iterable[Path], contents: Contents) -> list[Function]:
    """Those of whom this is the handler's module, and those who may import it."""
    name = path.parent.name if path.name == "__init__.py" else path.stem
    shared = {folder: contents.mentions(name, folder, set(handlers)) for folder in {f.code for f in near}}
    return [
        function
        for function in near
        if path in modules(function)
        or shared[function.code]
        or any(contents.is_in(name, module) for module in modules(function))
    ]
