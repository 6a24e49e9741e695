"""Layers: folders here, what is unpacked to /opt on AWS.

Source: Lambda guide, "Managing Lambda dependencies with layers".
"""

from pathlib import Path

from ..language.kinds import KINDS, LAYERS
from ..language.properties import Properties
from .folders import built, folder_at

_MOST = 5
_RULE = "a list of layers, such as [!Ref MyLayer]"
_ARN = KINDS[LAYERS[0]]


class Layers:
    """The layers of one template by ARN."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._by_arn: dict[str, tuple[str, ...]] = {}  # none for a layer whose content is elsewhere

    def add(self, logical_id: str, name: str, properties: Properties, *, sam: bool) -> None:
        """A layer of the template: its folder, in front of what `sam build` has made of it."""
        key = "ContentUri" if sam else "Content"
        value = properties.value(key)
        properties.require(key, "a folder, as seen from the template")
        folder = None
        if value is not None and isinstance(value.data, str) and not value.data.startswith("s3://"):
            folder = folder_at(properties, key, self._folder)
        elif value is not None:
            properties.warn(key, "lamtop takes layers from a folder only; the layer is left out")
        properties.silence("LayerName", "Description", "LicenseInfo", "RetentionPolicy", "PublishLambdaVersion")
        properties.silence("CompatibleRuntimes", "CompatibleArchitectures")
        properties.finish()
        self._by_arn[_ARN.written("arn", name)] = (*built(self._folder, logical_id), *([folder] if folder else []))

    def of(self, properties: Properties) -> tuple[str, ...]:
        """The folders of a function's Layers; where two hold the same file, the later one counts."""
        listed = properties.listed("Layers", _RULE)
        if len(listed) > _MOST:
            text = f"{len(listed)} layers are not allowed; AWS takes {_MOST} at most: join some of them"
            properties.error("Layers", text)
        folders: list[str] = []
        for item in listed:
            if not isinstance(item.data, str):
                properties.refuse("Layers", item, _RULE)
            elif item.data in self._by_arn:
                folders += self._by_arn[item.data]
            else:
                text = f"layer {item.data!r} is not in this template; it is left out: make it a folder of your own"
                properties.warn("Layers", text)
        return tuple(folders)
