"""The example functions that ship with lamtop, copied to where a person can change them."""

from pathlib import Path

from .errors import ConfigurationError
from .paths import label, standing

_SHIPPED = Path(__file__).resolve().parents[2] / "handlers"
_TEMPLATE = "template.yaml"


def copy_examples(folder: Path) -> tuple[Path, bool]:
    """Copies the examples to `folder` and gives their template; True when something was copied.

    What is there already stays as it is. Raises ConfigurationError when the folder cannot be written.
    """
    if standing(folder / _TEMPLATE) == "file":
        return folder / _TEMPLATE, False
    try:
        folder.mkdir(exist_ok=True)
        for example in sorted((*_SHIPPED.glob("*.py"), *_SHIPPED.glob("*.json"))):
            if not example.name.startswith("_"):
                _copy(example, folder / example.name)
        _copy(_SHIPPED / _TEMPLATE, folder / _TEMPLATE)  # last: it says that the copy is complete
    except OSError as error:
        text = f"the examples cannot be copied to {label(folder)} ({error.strerror}); name a template.yaml, a folder"
        raise ConfigurationError(f"{text} or a .py file") from None
    return folder / _TEMPLATE, True


def _copy(source: Path, target: Path) -> None:
    if not target.exists():
        target.write_bytes(source.read_bytes())
