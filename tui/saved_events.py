"""Events that a project keeps in files: events/*.json and <function>.json beside its template."""

from collections.abc import Iterator
from pathlib import Path

from .json_text import visible

FILES_MAX = 200
BYTES_MAX = 6 * 1024 * 1024  # the largest payload that Lambda takes


def saved_events(project: str, functions: list[str]) -> list[Path]:
    """The files that a form offers for the project whose template, folder or handler this is."""
    source = Path(project)
    if not project or not source.is_absolute():
        return []
    folder = source if source.is_dir() else source.parent
    named = [folder / f"{name}.json" for name in functions if _is_plain(name)]
    return [path for path in [*_listed(folder / "events"), *named] if path.is_file()][:FILES_MAX]


def _listed(folder: Path) -> Iterator[Path]:
    try:
        yield from sorted(folder.glob("*.json"))
    except OSError:  # a folder that cannot be read offers nothing
        return


def _is_plain(name: str) -> bool:
    return bool(name) and name == Path(name).name


def read_event(path: Path) -> str:
    """A file's text, its hidden characters as JSON escapes. Raises ValueError saying what is wrong with the file."""
    try:
        if path.stat().st_size > BYTES_MAX:
            raise ValueError(f"{path.name} is larger than {BYTES_MAX // 1024**2} MB, the most that Lambda takes")
        return visible(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError(f"{path.name} is not UTF-8 text") from None
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read: {error.strerror}") from None
