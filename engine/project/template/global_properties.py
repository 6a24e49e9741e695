"""SAM's Globals: what all functions share (SAM guide, "Globals section of the AWS SAM template")."""

from ..language.kinds import is_intrinsic
from ..language.yaml_source import Value

_REPLACED = ("Architectures",)  # a list of one: SAM lets the function's own take its place


def with_globals(shared: Value, own: Value) -> Value:
    """The properties of a function, joined with those of Globals.

    Mappings are joined key by key and lists one behind the other, the shared one first; of anything else, and of an
    intrinsic function, the function's own counts.
    """
    if isinstance(shared.data, list) and isinstance(own.data, list):
        return Value([*shared.data, *own.data], own.place)
    if not (isinstance(shared.data, dict) and isinstance(own.data, dict)) or is_intrinsic(shared) or is_intrinsic(own):
        return own
    joined = dict(shared.data)
    for key, value in own.data.items():
        both = key in shared.data and key not in _REPLACED
        joined[key] = with_globals(shared.data[key], value) if both else value
    return Value(joined, own.place)
