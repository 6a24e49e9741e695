"""What has happened: log lines and synchronous invocations, in a file of their own.

Written in chunks by a thread of its own, with `synchronous=NORMAL`: a flood of log lines never delays a commit of the
queue, and a synchronous answer never waits for a disk. Bounded by count, age and
bytes: the oldest lines and invocations go first.
"""

import json
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from ..core.event import Outcome
from ..core.invocation import Invocation
from ..core.log import LogLine
from .history_file import open_history
from .retention import KEEP, Retention, prune_chunks

_BODY_KEPT = 64 * 1024  # bytes of a payload and of a result
_BATCH_SECONDS = 0.05
_BATCH_ROWS = 2_000
_PRUNE_EVERY = 1.0  # seconds
_LINES_OF_ONE_MAX = 10_000
_CALLS_OF_ONE_MAX = 200
_CHUNKS_AT_ONCE = 64  # that are read in one go

_ANSWERED_KEPT = 250  # synchronous invocations that are known without reading the disk


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


class History:
    """Log lines and synchronous invocations. `line` and `record` are called on the loop and never wait."""

    def __init__(self, folder: Path, retention: Retention = KEEP) -> None:
        self.path = folder / "history.sqlite3"
        self._connection, last, self.mended = open_history(self.path)
        self.next_number: int = last + 1
        self.listeners: list[Listener] = []
        self.answered: deque[Answered] = deque(maxlen=_ANSWERED_KEPT)  # the newest since the start
        self.call_later: Callable[[float, Callable[[], None]], Any] | None = None  # the loop's, once there is one
        self.paused = False  # the disk is full: what comes is not kept
        self.failed: Callable[[str], object] | None = None  # called in the thread, with what is not kept
        self._is_failing = False
        self.oldest: Callable[[], float] = float  # the engine time before which nothing is kept; asked in the thread
        self._retention = retention
        self._prune_at = 0.0
        self._lines: list[LogLine] = []
        self._invocations: list[tuple[Invocation, Outcome]] = []
        self._timed = False
        self._thread = ThreadPoolExecutor(1, "history")
        self._one_at_a_time = threading.Lock()

    # -- writing, on the loop ----------------------------------------------------------------------------------------

    def line(
        self, function: str, request_id: str, attempt: int, at: float, kind: str, text: str, stream: str = ""
    ) -> int:
        """Keep a log line; returns its number."""
        number = self.next_number
        self.next_number = number + 1
        entry = LogLine(number, at, function, request_id, attempt, kind, text, stream)
        self._lines.append(entry)
        for listener in self.listeners:
            listener(entry)
        if not self._timed:
            self._plan()
        return number

    def record(self, invocation: Invocation, outcome: Outcome) -> None:
        """Keep a synchronous invocation that has been answered."""
        self._invocations.append((invocation, outcome))
        self.answered.append(_in_short(invocation, outcome))
        if not self._timed or len(self._lines) + len(self._invocations) >= _BATCH_ROWS:
            self._plan()

    def hand_over(self) -> None:
        """Have everything written that is not yet."""
        self._timed = False
        lines, self._lines = self._lines, []
        invocations, self._invocations = self._invocations, []
        if lines or invocations:
            self._thread.submit(self._write, lines, invocations)

    def close(self) -> None:
        self.hand_over()
        self._thread.shutdown()
        self._connection.close()

    def _plan(self) -> None:
        if len(self._lines) + len(self._invocations) >= _BATCH_ROWS:
            self.hand_over()
        elif self.call_later is not None:
            self._timed = True
            self.call_later(_BATCH_SECONDS, self.hand_over)

    # -- reading, in any thread --------------------------------------------------------------------------------------

    def wait(self) -> None:
        """Until what was handed over is written."""
        self._thread.submit(_nothing).result()

    def lines_of(self, request_id: str, first: int, last: int) -> list[LogLine]:
        """The lines of one request between these numbers."""
        sql = "SELECT lines FROM line_chunk WHERE first <= ? AND last >= ? ORDER BY first"
        lines = (line for (chunk,) in self._select(sql, last, first) for line in _lines(chunk))
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
            lines = _lines(chunk)
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
        return _answered(row) if row else None

    def newest_invocations(self, limit: int) -> list[Answered]:
        """The newest synchronous invocations that are on disk, in no particular order."""
        found: list[Answered] = []
        sql = "SELECT number, invocations FROM invocation_chunk WHERE number < ? ORDER BY number DESC LIMIT 1"
        before = 2**62
        while len(found) < limit and (chunk := self._select(sql, before)):
            before = chunk[0][0]
            rows = json.loads(chunk[0][1])[len(found) - limit :]
            found += map(_answered, rows)
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

    # -- the thread --------------------------------------------------------------------------------------------------

    def _write(self, lines: list[LogLine], invocations: list[tuple[Invocation, Outcome]]) -> None:
        """Keep these, or say once that they, and what follows, are not kept: a log is no reason to end."""
        if self.paused:
            return
        told = json.dumps(lines) if lines else ""
        known = json.dumps([_values(*each) for each in invocations]) if invocations else ""
        try:
            with self._one_at_a_time:
                self._insert(lines, told, invocations, known)
        except sqlite3.Error as error:
            self._fail(f"log lines and synchronous invocations are not kept: {self.path}: {error}")
        else:
            self._is_failing = False

    def _fail(self, why: str) -> None:
        if self.failed is not None and not self._is_failing:
            self.failed(why)
        self._is_failing = True

    def _insert(
        self, lines: list[LogLine], told: str, invocations: list[tuple[Invocation, Outcome]], known: str
    ) -> None:
        run = self._connection
        try:
            run.execute("BEGIN")
            if lines:
                chunk = (lines[0].number, lines[-1].number, told, lines[-1].at)
                run.execute("INSERT INTO line_chunk VALUES (?, ?, ?, ?)", chunk)
            if invocations:
                ids = " ".join(_ids([invocation for invocation, _ in invocations]))
                at = invocations[-1][1].ended_at
                run.execute("INSERT INTO invocation_chunk (ids, invocations, at) VALUES (?, ?, ?)", (ids, known, at))
            if time.monotonic() >= self._prune_at:
                more = prune_chunks(run, self._retention, self.oldest())
                self._prune_at = time.monotonic() + (0 if more else _PRUNE_EVERY)
            run.execute("COMMIT")
        finally:
            if run.in_transaction:
                run.execute("ROLLBACK")


def _ids(invocations: list[Invocation]) -> list[str]:
    """What a chunk is found by: the invocations' ids and, marked, those of their callers."""
    callers = {f"<{each.caller}" for each in invocations if each.caller}
    return [each.request_id for each in invocations] + sorted(callers)


def _values(invocation: Invocation, outcome: Outcome) -> dict[str, Any]:
    return {
        "id": invocation.request_id,
        "function": invocation.function.name,
        "source": invocation.source,
        "accepted_at": invocation.accepted_at,
        "payload": invocation.payload[:_BODY_KEPT].decode(errors="replace"),
        "ended": outcome.ended.value,
        "result": outcome.payload[:_BODY_KEPT].decode(errors="replace"),
        "error": outcome.error,
        "error_type": outcome.error_type,
        "started_at": outcome.started_at,
        "ended_at": outcome.ended_at,
        "duration": outcome.duration,
        "init_duration": outcome.init_duration,
        "memory_used": outcome.memory_used,
        "environment": outcome.environment,
        "version": outcome.version,
        "first_line": outcome.first_line,
        "last_line": outcome.last_line,
        "qualifier": ":".join(invocation.invoked_arn.split(":")[7:]),
        "executed_version": invocation.executed_version,
        "caller": invocation.caller,
        "waited": outcome.waited,
        "injected": outcome.injected,
    }


def _in_short(invocation: Invocation, outcome: Outcome) -> Answered:
    started_at = outcome.started_at or outcome.ended_at
    return Answered(
        invocation.request_id, invocation.function.name, invocation.source, invocation.accepted_at, started_at,
        outcome.ended_at, outcome.error, outcome.ended.value, outcome.injected,
    )  # fmt: skip


def _answered(row: dict[str, Any]) -> Answered:
    """From what is on disk; an older version did not write everything."""
    return Answered(**{key: row[key] for key in Answered._fields if key in row})


def _lines(chunk: str) -> list[LogLine]:
    return [LogLine(*row) for row in json.loads(chunk)]


def _nothing() -> None:
    """Comes after everything before it."""
