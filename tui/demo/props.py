"""The project on stage: a copy, which a tape may edit, and an engine of its own on simulated time."""

import os
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .costume import Costume, NoCostume

if TYPE_CHECKING:
    from lamtop.engine import Settings

_EXAMPLES = Path(__file__).resolve().parents[2] / "handlers"
_SHOP = "shop"
_LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "node_modules", "venv")
_RUNTIME = re.compile(r"(Runtime: *)python3\.\d+")


class Props(NamedTuple):
    """A copied project: where it lies, and the template, folder or file that is its source there."""

    folder: Path
    source: Path
    python: str | None
    is_examples: bool

    @property
    def root(self) -> Path:
        """The folder from which a tape names files."""
        return self.source if self.source.is_dir() else self.source.parent

    def costume(self, *, for_a_film: bool = True) -> Costume:
        """What a film shows instead of what is different from machine to machine."""
        return Costume(self.folder) if for_a_film else NoCostume(self.folder)


def copy_project(project: Path | None, place: Path) -> Props:
    """Copy a template's or file's folder, or a folder, into an empty one; None: the examples.

    Raises ConfigurationError if there is no such project.
    """
    if project is None:
        return _copy_examples(place.resolve() / _SHOP)
    from lamtop.engine import ConfigurationError, find

    source = find(project.absolute(), Path.cwd()).path.resolve()
    root = source if source.is_dir() else source.parent
    folder = place.resolve() / root.name
    try:
        shutil.copytree(root, folder, ignore=_LEFT_OUT, ignore_dangling_symlinks=True)
    except OSError as error:
        why = error.args[0][0][2] if isinstance(error, shutil.Error) else error  # of the first file of several
        raise ConfigurationError(f"{root} cannot be copied: {why}") from None
    return Props(folder, folder / source.relative_to(root), _python(root), is_examples=False)


def _copy_examples(folder: Path) -> Props:
    shutil.copytree(_EXAMPLES, folder / "handlers", ignore=shutil.ignore_patterns("__*"))
    template = folder / "handlers" / "template.yaml"
    ours = f"python3.{sys.version_info.minor}"  # no word of another Python than the one at hand
    template.write_text(_RUNTIME.sub(rf"\g<1>{ours}", template.read_text()))
    # With boto3 the examples call each other in other steps than without: the same history on every machine.
    (folder / "handlers" / "boto3.py").write_text('raise ImportError("there is no boto3 on this stage")\n')
    marks = folder / "tmp"  # the examples leave marks there, by request id: and those are the same each time
    marks.mkdir()
    (folder / ".env").write_text(f"LEDGERS={marks}\n")
    return Props(folder, template, sys.executable, is_examples=True)


def _python(root: Path) -> str | None:
    """The interpreter beside the original project, which the copy has not."""
    python = root / ".venv" / "bin" / "python"
    return str(python) if os.access(python, os.X_OK) and not os.environ.get("VIRTUAL_ENV") else None


def settings(props: Props, seed: int, environ: Mapping[str, str] | None = None) -> "Settings":
    """How an engine runs this project so that the same seed is the same history."""
    from lamtop.engine import Settings

    environ = dict(os.environ if environ is None else environ)
    return Settings(
        props.source,
        props.folder / ".lamtop",
        port=0,
        simulate=seed,
        watch=False,
        environ={**environ, "TMPDIR": str(props.folder / "tmp")} if props.is_examples else environ,
        env_file=props.folder / ".env" if props.is_examples else None,
        python=props.python,
    )
