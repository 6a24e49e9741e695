"""Looking back: log lines and synchronous invocations, read in any thread."""

import json
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from ..core.log import LogLine

_LINES_OF_ONE_MAX = 10_000
_CALLS_OF_ONE_MAX = 200
_CHUNKS_AT_ONCE = 64  # that are read in one go
ANSWERED_KEPT = 250  # synchronous invocations that are known without reading the disk


class Answered(NamedTuple):
    """A synchronous invocation in short: who, when, and how it went."""

    id: str
    function: str
    source: str
    accepted_at: float
    started_at: float
    ended_at: float
    error: str | None
    ended: str  # how; "throttled" if it never began
    injected: str = ""  # the armed fault that hit it


#: Called with each new line, on the event loop.
Listener = Callable[[LogLine], None]


class HistoryReader:
    """What is in a history's file, and whoever wants to hear what comes to it."""

    def __init__(self, path: Path, connection: sqlite3.Connection, last: int) -> None:
        """`last` is the number of its last line."""
        self.path = path
        self.next_number: int = last + 1
        self.listeners: list[Listener] = []
        self.answered: deque[Answered] = deque(maxlen=ANSWERED_KEPT)  # the newest since the start
        self.failed: Callable[[str], object] | None = None  # told in a thread what is not kept, or read
        self._connection = connection
        self._is_failing = False
        self._one_at_a_time = threading.Lock()

    def hand_over(self) -> None:
        """Have everything written that is not yet. Here nothing ever comes."""

    def wait(self) -> None:
        """Until what was handed over is written."""

    def close(self) -> None:
        """Waits for whoever reads, as `Peek.close` does."""
        with self._one_at_a_time:
            self._connection.close()

    def lines_of(self, request_id: str, first: int, last: int) -> list[LogLine]:
        """The lines of one request between these numbers."""
        sql = "SELECT lines FROM line_chunk WHERE first <= ? AND last >= ? ORDER BY first"
        lines = (line for (chunk,) in self._select(sql, last, first) for line in lines_in(chunk))
        found = (line for line in lines if line.request_id == request_id and first <= line.number <= last)
        return list(islice(found, _LINES_OF_ONE_MAX))

    def newest_lines(
        self,
        limit: int,
        matching: Callable[[LogLine], bool] | None = None,
        *,
        word: str = "",
        before: int = 2**62,
        within: int = 2**62,
    ) -> list[LogLine]:
        """The newest lines that match, oldest first; those in front of number `before`, of the last `within` lines.

        A chunk without `word` is not looked into.
        """
        oldest = self.next_number - within
        found: list[LogLine] = []
        for chunk in self._chunks(before, word):
            lines = lines_in(chunk)
            wanted = (
                line
                for line in reversed(lines)
                if oldest <= line.number < before and (matching is None or matching(line))
            )
            found += islice(wanted, limit - len(found))
            if len(found) == limit or lines[0].number < oldest:
                break
        return found[::-1]

    def invocation(self, request_id: str) -> dict[str, Any] | None:
        """A synchronous invocation, by name of what is known of it; None if there is none (any more).

        The beginning of a request id is enough.
        """
        sql = """SELECT invocations FROM invocation_chunk WHERE instr(' ' || ids, ' ' || ?) > 0
                 ORDER BY number DESC LIMIT 1"""
        for (chunk,) in self._select(sql, request_id):
            found: list[dict[str, Any]] = json.loads(chunk)
            return next((row for row in found if row["id"].startswith(request_id)), None)
        return None

    def answered_as(self, request_id: str) -> Answered | None:
        """A synchronous invocation in short, however old; None if there is none (any more)."""
        row = self.invocation(request_id)
        return as_answered(row) if row else None

    def newest_invocations(self, limit: int) -> list[Answered]:
        """The newest synchronous invocations that are on disk, in no particular order."""
        found: list[Answered] = []
        sql = "SELECT number, invocations FROM invocation_chunk WHERE number < ? ORDER BY number DESC LIMIT 1"
        before = 2**62
        while len(found) < limit and (chunk := self._select(sql, before)):
            before = chunk[0][0]
            rows = json.loads(chunk[0][1])[len(found) - limit :]
            found += map(as_answered, rows)
        return found

    def called_by(self, request_id: str) -> list[dict[str, Any]]:
        """The synchronous invocations that this invocation sent and waited for, oldest first."""
        sql = "SELECT invocations FROM invocation_chunk WHERE instr(ids, '<' || ?) > 0 ORDER BY number LIMIT ?"
        rows = (row for (chunk,) in self._select(sql, request_id, _CHUNKS_AT_ONCE) for row in json.loads(chunk))
        return list(islice((row for row in rows if row.get("caller") == request_id), _CALLS_OF_ONE_MAX))

    def _chunks(self, before: int, word: str) -> Iterator[str]:
        """The chunks of lines in front of this number that hold the word, newest first; a few at a time."""
        sql = """SELECT first, lines FROM line_chunk WHERE first < ? AND instr(lower(lines), lower(?)) > 0
                 ORDER BY first DESC LIMIT ?"""
        plain = word if word.isascii() and word.isalnum() else ""  # anything else may be written otherwise in JSON
        while rows := self._select(sql, before, plain, _CHUNKS_AT_ONCE):
            yield from (lines for _, lines in rows)
            before = rows[-1][0]

    def _select(self, sql: str, *values: Any) -> list[Any]:
        """What can be read: a damaged history must not take the monitor's other panes with it."""
        try:
            with self._one_at_a_time:
                return self._connection.execute(sql, values).fetchall()
        except sqlite3.DatabaseError as error:
            self._fail(f"the history cannot be read: {self.path}: {error}")
            return []

    def _fail(self, why: str) -> None:
        if self.failed is not None and not self._is_failing:
            self.failed(why)
        self._is_failing = True


def as_answered(row: dict[str, Any]) -> Answered:
    """From what is on disk; an older version did not write everything."""
    return Answered(**{key: row[key] for key in Answered._fields if key in row})


def lines_in(chunk: str) -> list[LogLine]:
    return [LogLine(*row) for row in json.loads(chunk)]
