"""Functions in a folder without a template: files with a handler, found in their text and never imported."""

import ast
import re
import warnings
from collections.abc import Iterator
from pathlib import Path

from ..core.function import Function
from .paths import label, standing

_HANDLERS = ("lambda_handler", "handler")  # in order of preference
_ENTRY_FILES = ("app.py", "handler.py", "lambda_function.py", "index.py")
_NOT_FUNCTIONS = re.compile(r"(__.*__|conftest|setup|test_.*|.*_test)\.py")
_SKIPPED_FOLDERS = re.compile(r"(\..*|__pycache__|node_modules|site-packages|tests?|venv|env)")
_DEFINITION = re.compile(r"^def (lambda_handler|handler)\b", re.MULTILINE)
_CALLABLES = (ast.Name, ast.Attribute, ast.Call, ast.Lambda)  # what may be a function once it is evaluated
_SIZE_LIMIT = 1024 * 1024  # bytes; a handler's own file is far smaller


class Discovery:
    """What a search found: functions by name, and a warning for each file that looks like one and is not."""

    def __init__(self) -> None:
        self.functions: dict[str, Function] = {}
        self.warnings: list[str] = []

    @classmethod
    def of_file(cls, path: Path) -> "Discovery":
        """The function in one file."""
        found = cls()
        found._add(path, path.stem)
        return found

    @classmethod
    def of_folder(cls, folder: Path) -> "Discovery":
        """The functions in a folder: in its files, and in the entry file of each folder in it."""
        found = cls()
        for path in _sorted(folder):
            if path.suffix == ".py" and not path.name.startswith(".") and not _NOT_FUNCTIONS.fullmatch(path.name):
                found._add(path, path.stem)
        for path in _sorted(folder):
            if _may_hold_a_function(path):
                for entry in _ENTRY_FILES:
                    found._add(path / entry, path.name)
        return found

    def _add(self, path: Path, title: str) -> None:
        if standing(path) != "file":  # a pipe with such a name would block its reader
            return
        handler = self._handler(path)
        if handler is None:
            return
        name = re.sub(r"[^a-zA-Z0-9_-]", "-", title)[:64]
        if "." in path.stem or not path.stem.isprintable():
            self._warn(path, "a module of this name cannot be imported; use letters, digits, '-' and '_'")
        elif name in self.functions:
            self._warn(path, f"a function named {name!r} is in {self._file_of(name)} already; it is ignored")
        else:
            self.functions[name] = Function(name, f"{path.stem}.{handler}", str(path.parent))

    def _handler(self, path: Path) -> str | None:
        try:
            source = path.read_bytes() if path.stat().st_size <= _SIZE_LIMIT else None
        except OSError as error:
            self._warn(path, f"cannot be read ({error.strerror}); it is ignored")
            return None
        if source is None:
            self._warn(path, "is larger than 1 MB; it is ignored")
            return None
        try:
            return self._in_tree(path, _parsed(source))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return self._in_text(path, source)

    def _in_tree(self, path: Path, tree: ast.Module) -> str | None:
        defined = set(_defined(tree))
        for name in _HANDLERS:
            if name in defined:
                return name
        for statement in tree.body:
            if isinstance(statement, ast.AsyncFunctionDef) and statement.name in _HANDLERS:
                self._warn(path, f"'async def {statement.name}' is no handler for Lambda, which calls it without await")
        return None

    def _in_text(self, path: Path, source: bytes) -> str | None:
        """The handler of a file that does not parse: it may be repaired while it is watched."""
        try:
            names = set(_DEFINITION.findall(source.decode("utf-8-sig")))
        except UnicodeDecodeError:
            self._warn(path, "is not UTF-8 text; it is ignored")
            return None
        for name in _HANDLERS:
            if name in names:
                return name
        self._warn(path, "does not parse as Python; it is ignored")
        return None

    def _file_of(self, name: str) -> str:
        function = self.functions[name]
        return label(Path(function.code, function.handler.partition(".")[0] + ".py"))

    def _warn(self, path: Path, text: str) -> None:
        self.warnings.append(f"{label(path)}: {text}")


def _may_hold_a_function(folder: Path) -> bool:
    skipped = _SKIPPED_FOLDERS.fullmatch(folder.name) or standing(folder / "pyvenv.cfg") == "file"
    return not skipped and standing(folder) == "folder"


def _parsed(source: bytes) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the user's own "\d": not for here
        return ast.parse(source)


def _defined(tree: ast.Module) -> Iterator[str]:
    for statement in tree.body:
        match statement:
            case ast.FunctionDef(name=name):
                yield name
            case ast.Assign(targets=targets, value=value) if isinstance(value, _CALLABLES):
                yield from (target.id for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name), value=value) if isinstance(value, _CALLABLES):
                yield name


def _sorted(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
