"""What the engine has to say to whoever watches: reloads, warnings, configuration errors."""

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

_KEPT = 200


class Notice(NamedTuple):
    number: int
    at: float  # engine time
    level: str  # "info", "warning", "error"
    text: str


class Notices:
    """The last 200 notices, numbered from 1."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._kept: deque[Notice] = deque(maxlen=_KEPT)
        self.last = 0

    def say(self, level: str, text: str) -> None:
        self.last += 1
        self._kept.append(Notice(self.last, self._now(), level, text))

    def since(self, number: int) -> list[dict[str, Any]]:
        """The notices after this number, oldest first."""
        return [
            {"seq": n.number, "at": n.at, "level": n.level, "text": n.text} for n in self._kept if n.number > number
        ]
