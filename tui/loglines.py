"""The log lines the monitor holds: a bounded buffer of events, laid out as the lines that are drawn."""

import itertools
import re
from typing import Any, NamedTuple

from .format import clean

CAPACITY = 10_000  # drawn lines that are kept
CAPACITY_READING = 200_000  # … while somebody reads, who may have gone far back
_LONGEST = 4000  # characters of one line that can ever be seen in the pane


class LogLine(NamedTuple):
    """One line as it is drawn. An event of several lines becomes several of these, the first has `first` set."""

    id: int
    at: float
    function: str
    request_id: str
    attempt: int
    kind: str
    text: str
    first: bool
    is_error: bool


_ERROR_WORDS = re.compile("ERROR|Error:|Exception|Traceback|CRITICAL|Task timed out|Status: error|FATAL")


def drawn_lines(raw: dict[str, Any]) -> list[LogLine]:
    """One log event as the lines that show it, cleaned."""
    text = clean(str(raw["text"])).expandtabs(4).rstrip("\n")
    head = (
        int(raw["id"]),
        float(raw["at"]),
        clean(str(raw.get("function") or "")),
        clean(str(raw.get("request_id") or "")),
        int(raw.get("attempt") or 0),
        str(raw.get("kind", "output")),
    )
    parts = text.split("\n")
    error = _is_error(text)
    return [LogLine(*head, part[:_LONGEST], number == 0, error) for number, part in enumerate(parts)]


def _is_error(text: str) -> bool:
    """Whether it is what a reader looks for: an error's words in the first lines of an event."""
    return bool(_ERROR_WORDS.search(text, 0, 300))


class LogBuffer:
    """The newest lines. `dropped` counts those that fell off the front, so that a reader can stay where it is."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []
        self.dropped = 0
        self.total = 0
        self.left_out = 0
        self.at_beginning = False  # nothing is older than the first line
        self.reads = False  # somebody reads: nothing may go from the front
        self._newest: set[int] = set()

    def forget(self) -> None:
        """Start over: another engine, or another filter."""
        self.lines.clear()
        self._newest.clear()
        self.dropped = self.total = self.left_out = 0
        self.at_beginning = False

    def take_older(self, raws: list[dict[str, Any]]) -> int:
        """Put older lines in front; returns how many. Lines keep their place in the count: `dropped` falls below 0."""
        fresh = [raw for raw in raws if int(raw["id"]) not in self._newest]
        self._newest.update(int(raw["id"]) for raw in fresh)
        added = list(itertools.chain.from_iterable(drawn_lines(raw) for raw in fresh))
        self.lines[:0] = added
        self.dropped -= len(added)
        return len(added)

    def error(self, at: int, step: int) -> int | None:
        """The place of the next error event from a place, down (1) or up (-1); None if there is none."""
        places = range(at + 1, len(self.lines)) if step > 0 else range(at - 1, -1, -1)
        return next((n for n in places if self.lines[n].first and self.lines[n].is_error), None)

    def take(self, news: dict[str, Any]) -> list[LogLine]:
        """Append what is new, or begin anew; a line sent twice is taken once. Returns the lines that were new."""
        if news.get("anew"):  # the lines so far are of another time
            self.forget()
        self.total = int(news.get("total", self.total))
        self.left_out += int(news.get("left_out", 0))
        fresh = [raw for raw in news.get("lines", ()) if int(raw["id"]) not in self._newest]
        self._newest.update(int(raw["id"]) for raw in fresh)
        added = list(itertools.chain.from_iterable(drawn_lines(raw) for raw in fresh))
        self.lines += added
        self._trim()
        return added

    def _trim(self) -> None:
        if len(self.lines) <= (CAPACITY_READING if self.reads else CAPACITY) + CAPACITY // 10:
            return
        self.at_beginning = False
        excess = len(self.lines) - CAPACITY
        del self.lines[:excess]
        self.dropped += excess
        self._newest = {line.id for line in self.lines}
