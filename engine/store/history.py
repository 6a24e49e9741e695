"""What has happened: log lines and synchronous invocations, in a file of their own.

Written in batches by a thread of its own, with `synchronous=NORMAL`: a flood of log lines never delays a commit of the
queue, and a synchronous answer never waits for a disk. Bounded by count: the oldest lines and invocations go first.
"""

import os
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ..core.event import Outcome
from ..core.invocation import Invocation
from ..core.log import LogLine

LINES_KEPT = 1_000_000
INVOCATIONS_KEPT = 200_000
_BODY_KEPT = 256 * 1024
_SCHEMA = Path(__file__).with_name("history.sql")
_RECORD = f"INSERT OR REPLACE INTO invocation VALUES ({', '.join('?' * 18)})"
_BATCH_SECONDS = 0.02
_BATCH_ROWS = 2_000
_PRUNE_EVERY = 50_000  # lines

#: Called with each new line, on the event loop.
Listener = Callable[[LogLine], None]


class History:
    """Log lines and synchronous invocations. `line` and `record` are called on the loop and never wait."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / "history.sqlite3"
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        if not self._connection.execute("PRAGMA user_version").fetchone()[0]:
            self._connection.executescript(_SCHEMA.read_text(encoding="utf-8") + "PRAGMA user_version = 1;")
        last = self._connection.execute("SELECT coalesce(max(number), 0) FROM line").fetchone()[0]
        self.next_number: int = last + 1
        self.listeners: list[Listener] = []
        self.call_later: Callable[[float, Callable[[], None]], Any] | None = None  # the loop's, once there is one
        self._pruned_at = self.next_number
        self._lines: list[LogLine] = []
        self._invocations: list[tuple[Any, ...]] = []
        self._timed = False
        self._thread = ThreadPoolExecutor(1, "history")
        self._reading = threading.Lock()

    # -- writing, on the loop ----------------------------------------------------------------------------------------

    def line(self, function: str, request_id: str, attempt: int, at: float, kind: str, text: str) -> int:
        """Keep a log line; returns its number."""
        number = self.next_number
        self.next_number = number + 1
        entry = LogLine(number, at, function, request_id, attempt, kind, text)
        self._lines.append(entry)
        for listener in self.listeners:
            listener(entry)
        self._plan()
        return number

    def record(self, invocation: Invocation, outcome: Outcome) -> None:
        """Keep a synchronous invocation that has been answered."""
        o = outcome
        self._invocations.append(
            (invocation.request_id, invocation.function.name, invocation.source, invocation.accepted_at,
             invocation.payload[:_BODY_KEPT], o.ended.value, o.payload[:_BODY_KEPT], o.error_type, o.error_message,
             o.started_at, o.ended_at, o.duration, o.init_duration, o.memory_used, o.environment, o.version,
             o.first_line, o.last_line)
        )  # fmt: skip
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

    # -- reading, in any thread --------------------------------------------------------------------------------------

    def wait(self) -> None:
        """Until what was handed over is written."""
        self._thread.submit(_nothing).result()

    def lines_of(self, request_id: str, first: int, last: int) -> list[LogLine]:
        """The lines of one request between these numbers."""
        sql = "SELECT * FROM line WHERE number BETWEEN ? AND ? AND request_id = ? ORDER BY number LIMIT 10000"
        return self._select_lines(sql, first, last, request_id)

    def newest_lines(
        self, limit: int, *, matching: str = "1", values: tuple[Any, ...] = (), before: int = 2**62, within: int = 2**62
    ) -> list[LogLine]:
        """The newest lines that match, oldest first; those in front of number `before`, of the last `within` lines."""
        sql = f"""SELECT * FROM line WHERE number < ? AND number > ? AND ({matching})
                  ORDER BY number DESC LIMIT ?"""
        return self._select_lines(sql, before, self.next_number - within, *values, limit)[::-1]

    def invocation(self, request_id: str) -> dict[str, Any] | None:
        """A synchronous invocation, by column; None if there is none (any more)."""
        with self._reading:
            cursor = self._connection.execute("SELECT * FROM invocation WHERE id = ?", (request_id,))
            row = cursor.fetchone()
            return dict(zip((column[0] for column in cursor.description), row, strict=True)) if row else None

    def _select_lines(self, sql: str, *values: Any) -> list[LogLine]:
        with self._reading:
            return [LogLine(*row) for row in self._connection.execute(sql, values)]

    # -- the thread --------------------------------------------------------------------------------------------------

    def _plan(self) -> None:
        if len(self._lines) + len(self._invocations) >= _BATCH_ROWS:
            self.hand_over()
        elif not self._timed and self.call_later is not None:
            self._timed = True
            self.call_later(_BATCH_SECONDS, self.hand_over)

    def _write(self, lines: list[LogLine], invocations: list[tuple[Any, ...]]) -> None:
        with self._reading:
            run = self._connection
            run.execute("BEGIN")
            run.executemany("INSERT INTO line VALUES (?, ?, ?, ?, ?, ?, ?)", lines)
            run.executemany(_RECORD, invocations)
            if lines and lines[-1].number - self._pruned_at > _PRUNE_EVERY:
                self._pruned_at = lines[-1].number
                run.execute("DELETE FROM line WHERE number <= ?", (lines[-1].number - LINES_KEPT,))
                run.execute(
                    "DELETE FROM invocation WHERE rowid <= (SELECT max(rowid) FROM invocation) - ?", (INVOCATIONS_KEPT,)
                )
            run.execute("COMMIT")


def _nothing() -> None:
    """Comes after everything before it."""
