"""Folders that a template names, and those that tools put beside it."""

from pathlib import Path

from ..language.properties import Properties
from ..paths import standing

RULE = "a folder, as seen from the template"


def folder_at(properties: Properties, key: str, base: Path) -> str | None:
    """The absolute path of the folder under `key`; None when it is absent or, after noting it, wrong."""
    text = properties.text(key, RULE)
    if text is None:
        return None
    found = standing(base / text)
    if found == "folder":
        return str((base / text).resolve())
    what = "is a file" if found == "file" else "does not exist"
    properties.error(key, f"{text!r} {what}; use {RULE}")
    return None


def built(base: Path, logical_id: str) -> tuple[str, ...]:
    """The folder in which `sam build` has put a resource of the template in `base`; none if it has not."""
    folder = base / ".aws-sam" / "build" / logical_id
    return (str(folder),) if standing(folder) == "folder" else ()
