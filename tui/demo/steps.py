"""What a tape can say, once it is read."""

from dataclasses import dataclass

from .conditions import Condition


@dataclass(frozen=True)
class Scene:
    """A chapter begins: a marker in the film."""

    title: str


@dataclass(frozen=True)
class Caption:
    """A sentence under the picture, until the next one; "" takes it away."""

    text: str


@dataclass(frozen=True)
class Press:
    """Keys, one after another, all of it so many times."""

    keys: tuple[str, ...]
    times: int = 1


@dataclass(frozen=True)
class Type:
    """Text for the field that has the keys."""

    text: str


@dataclass(frozen=True)
class Choose:
    """Go to a function, with the keys that a person would press."""

    function: str


@dataclass(frozen=True)
class Wait:
    """Let the film go on until something holds: for at most so many seconds of engine time, so many in one of film."""

    condition: Condition
    at_most: float
    speed: float


@dataclass(frozen=True)
class Assert:
    """It has to hold now."""

    condition: Condition


@dataclass(frozen=True)
class Pause:
    """Let so many seconds of the film pass."""

    seconds: float


@dataclass(frozen=True)
class Speed:
    """So many engine seconds pass in one of film from here on."""

    factor: float


@dataclass(frozen=True)
class Hide:
    """What follows is not filmed."""


@dataclass(frozen=True)
class Show:
    """What follows is filmed again."""


@dataclass(frozen=True)
class Still:
    """Keep the picture as it is now."""

    file: str


@dataclass(frozen=True)
class Send:
    """Events that somebody else sends, as boto3 would."""

    function: str
    payload: str = "{}"
    times: int = 1


@dataclass(frozen=True)
class Edit:
    """A file of the project is changed and saved."""

    file: str
    old: str
    new: str


Action = (
    Scene | Caption | Press | Type | Choose | Wait | Assert | Pause | Speed | Hide | Show | Still | Send | Edit
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One line of a tape."""

    line: int
    text: str
    action: Action
