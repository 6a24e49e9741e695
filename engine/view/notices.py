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
    """The last 200 notices, numbered from 1, and those that stand until they are taken back."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._kept: deque[Notice] = deque(maxlen=_KEPT)
        self._standing: dict[str, tuple[str, str]] = {}
        self.last = 0

    def say(self, level: str, text: str) -> None:
        self.last += 1
        self._kept.append(Notice(self.last, self._now(), level, text))

    def keep(self, topic: str, level: str, text: str) -> None:
        """Say something that is true until `clear`, or until something else is said on the same topic."""
        if self._standing.get(topic) != (level, text):
            self._standing[topic] = (level, text)
            self.say(level, text)

    def clear(self, topic: str) -> None:
        """What was kept on this topic is over."""
        if self._standing.pop(topic, None):
            self.last += 1  # nothing to read, but a change to show

    def kept(self) -> list[dict[str, Any]]:
        """What stands, oldest first."""
        return [{"level": level, "text": text} for level, text in list(self._standing.values())]

    def since(self, number: int) -> list[dict[str, Any]]:
        """The notices after this number, oldest first."""
        return [
            {"seq": n.number, "at": n.at, "level": n.level, "text": n.text} for n in self._kept if n.number > number
        ]
