"""What is meant by a path that a recording is asked for at."""

from pathlib import Path

from ..store import Configurations
from ..store.recording import Recording
from .parsing import RecordingError, parse

_QUEUE = "queue.sqlite3"
_STATE = ".lamtop"
_SOURCES = (".yaml", ".yml", ".json", ".template", ".py")


def open_recording(path: Path | None, cwd: Path) -> Recording:
    """The recording at a path: a state folder, a project's folder, template or file, or an exported .jsonl; by default
    that of ./.lamtop.

    Raises RecordingError or StoreError, saying what is wrong and what to do.
    """
    wanted = cwd / (path or _STATE)
    try:
        if wanted.is_dir():
            return Recording.of_folder(_state_of(wanted, cwd, wanted))
        if not wanted.exists():
            raise RecordingError(_nothing(wanted, is_default=path is None))
        if wanted.name == _QUEUE:
            return Recording.of_folder(wanted.parent)
        if wanted.suffix in _SOURCES:
            return Recording.of_folder(_state_of(wanted.parent, cwd, wanted))
        return parse(wanted)
    except OSError as error:
        raise RecordingError(f"{wanted} cannot be read: {error.strerror}") from None


def _state_of(folder: Path, cwd: Path, source: Path) -> Path:
    """The state folder of a project: it is in the project's folder, or where its engine was started."""
    for candidate in (folder, folder / _STATE):
        if (candidate / _QUEUE).exists():
            return candidate
    here = cwd / _STATE
    known = Configurations(here).read() if (here / _QUEUE).exists() else []
    if known and Path(str(known[-1].project.get("source"))) in (source.resolve(), folder.resolve()):
        return here
    raise RecordingError(
        f"no engine has ever run in {folder}: there is no {_STATE} with a {_QUEUE}; name the state folder, or a file "
        "that 'lamtop export' wrote"
    )


def _nothing(path: Path, *, is_default: bool) -> str:
    if is_default:
        return f"there is no {_STATE} here: name a state folder, a project, or a file that 'lamtop export' wrote"
    return f"{path} does not exist; name a state folder, a project, or a file that 'lamtop export' wrote"
