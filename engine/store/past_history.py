"""Log lines and synchronous invocations as they were known at a moment."""

import json
import math
import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Iterable
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

from ..core.log import LogLine
from .history_reader import ANSWERED_KEPT, Answered, HistoryReader, as_answered, lines_in
from .moments import Moment, Moments

Row = dict[str, Any]
_TABLE = """
  CREATE TABLE call (number INTEGER PRIMARY KEY, id TEXT, function TEXT, source TEXT, accepted_at REAL,
                     started_at REAL, ended_at REAL, error TEXT, ended TEXT, injected TEXT, caller TEXT,
                     failed INTEGER, body TEXT)
"""
_SHORT = ", ".join(Answered._fields)
_INDEXES = """
  CREATE INDEX call_id ON call (id);
  CREATE INDEX call_caller ON call (caller);
  CREATE INDEX call_accepted ON call (accepted_at);
  CREATE INDEX call_started ON call (started_at);
  CREATE INDEX call_ended ON call (ended_at);
  CREATE INDEX call_failed ON call (ended_at) WHERE failed = 1;
"""
_MOMENTS = ("accepted_at", "started_at", "ended_at")
_OF = "(:of = '' OR id = :of OR function = :of)"


class PastHistory(HistoryReader, Moments):
    """A recording's history at a moment. `move` goes to another one."""

    CHANGES = tuple(Moment(at, "FROM call", _OF) for at in _MOMENTS)
    FAILURES = (Moment("ended_at", "FROM call", f"failed = 1 AND {_OF}"),)

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """`connection` is the recording's own."""
        super().__init__(path, connection, 0)
        connection.execute(_TABLE)
        chunks = connection.execute("SELECT first, last, at FROM line_chunk ORDER BY first").fetchall()
        self._firsts: list[int] = [first for first, _, _ in chunks]  # number of the first line of each chunk …
        self._printed: list[float] = list(
            accumulate((at for _, _, at in chunks), max)
        )  # … and when its last one was there
        self._last = chunks[-1][1] if chunks else 0
        self._at = -math.inf
        self._longest = 0.0  # seconds from a call to its answer, at most

    @property
    def first_at(self) -> float:
        """When the first line was printed; infinity if none was."""
        return self._lines_of_chunk(0)[0].at if self._firsts else math.inf

    @property
    def last_at(self) -> float:
        """When the last thing happened that it tells of; minus infinity if nothing did."""
        answered = self._select("SELECT coalesce(max(ended_at), -9e999) FROM call")[0][0]
        return max(float(answered), *self._printed[-1:], -math.inf)

    def next_line_at(self, at: float) -> float | None:
        """When the next line is printed."""
        cut = self._cut(at)
        chunk = bisect_right(self._firsts, cut) - 1
        if cut > self._last or chunk < 0:
            return None
        return next((line.at for line in self._lines_of_chunk(chunk) if line.number >= cut), None)

    def fill(self, calls: Iterable[Row]) -> None:
        """Tell it of every synchronous invocation that ever ended, once."""
        run = self._connection
        run.execute("BEGIN")
        run.executemany(f"INSERT INTO call VALUES (?{', ?' * 12})", map(self._row, enumerate(calls)))
        run.execute("COMMIT")
        run.executescript(_INDEXES)

    def _row(self, numbered: tuple[int, Row]) -> tuple[Any, ...]:
        number, call = numbered
        self._longest = max(self._longest, call["ended_at"] - call["accepted_at"])
        short = as_answered({**call, "started_at": call["started_at"] or call["ended_at"]})
        failed = call["error"] is not None and call["ended"] != "throttled"
        return number, *short, call.get("caller", ""), failed, json.dumps(call)

    def move(self, at: float) -> tuple[int, int]:
        """Be what it was at this moment; between which numbers lines came or went."""
        before, self._at = self.next_number, at
        self.next_number = self._cut(at)
        newest = self.newest_invocations(ANSWERED_KEPT)
        self.answered.clear()
        self.answered.extend(reversed(newest))
        return before, self.next_number

    def _cut(self, at: float) -> int:
        """The number of the first line that was not printed yet."""
        chunk = bisect_right(self._printed, at)
        if chunk == len(self._firsts):
            return self._last + 1
        lines = self._lines_of_chunk(chunk)
        printed = accumulate((line.at for line in lines), max, initial=self._printed[chunk - 1] if chunk else -math.inf)
        return lines[bisect_right(list(printed)[1:], at)].number

    def _lines_of_chunk(self, chunk: int) -> list[LogLine]:
        rows = self._select("SELECT lines FROM line_chunk WHERE first = ?", self._firsts[chunk])
        return lines_in(rows[0][0])

    # -- what was there ----------------------------------------------------------------------------------------------

    def lines_between(self, first: int, behind: int, most: int) -> list[LogLine]:
        """The lines from a number to in front of another, oldest first, and no more than `most`."""
        rows = self._select("SELECT lines FROM line_chunk WHERE first < ? AND last >= ? ORDER BY first", behind, first)
        lines = (line for (chunk,) in rows for line in lines_in(chunk) if first <= line.number < behind)
        return list(islice(lines, most))

    def lines_of(self, request_id: str, first: int, last: int) -> list[LogLine]:
        return super().lines_of(request_id, first, min(last, self.next_number - 1))

    def newest_lines(
        self,
        limit: int,
        matching: Callable[[LogLine], bool] | None = None,
        *,
        word: str = "",
        before: int = 2**62,
        within: int = 2**62,
    ) -> list[LogLine]:
        before = min(before, self.next_number)
        return super().newest_lines(limit, matching, word=word, before=before, within=within)

    def invocation(self, request_id: str) -> Row | None:
        sql = "SELECT body FROM call WHERE id >= ? AND id < ? AND ended_at <= ? ORDER BY number DESC LIMIT 1"
        return next(iter(self._calls(sql, request_id, request_id + "\U0010ffff", self._at)), None)

    def newest_invocations(self, limit: int) -> list[Answered]:
        sql = f"SELECT {_SHORT} FROM call WHERE ended_at <= ? ORDER BY ended_at DESC, number DESC LIMIT ?"
        return [Answered(*row) for row in self._select(sql, self._at, limit)]

    def called_by(self, request_id: str) -> list[Row]:
        return self._calls("SELECT body FROM call WHERE caller = ? AND ended_at <= ? LIMIT 200", request_id, self._at)

    def under_way(self) -> list[Row]:
        """The synchronous invocations that had come and were not answered."""
        sql = "SELECT body FROM call WHERE accepted_at <= ? AND accepted_at >= ? AND ended_at > ? ORDER BY number"
        return self._calls(sql, self._at, self._at - self._longest, self._at)

    def _calls(self, sql: str, *values: Any) -> list[Row]:
        return [json.loads(body) for (body,) in self._select(sql, *values)]

    # -- other moments -----------------------------------------------------------------------------------------------

    def changed_between(self, after: float, until: float, of: str = "", limit: int = 20) -> list[Row]:
        """The synchronous invocations to which something happened in this stretch of time."""
        when = " OR ".join(f"{at} > :after AND {at} <= :until" for at in _MOMENTS)
        sql = f"SELECT body FROM call WHERE ({when}) AND {_OF} ORDER BY number LIMIT :limit"
        found = self._all(sql, {"after": after, "until": until, "of": of, "limit": limit})
        return [json.loads(body) for (body,) in found]

    def _all(self, sql: str, values: dict[str, Any]) -> list[Any]:
        with self._one_at_a_time:
            return self._connection.execute(sql, values).fetchall()
