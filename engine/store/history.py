"""What has happened: log lines and synchronous invocations, in a file of their own.

Written in chunks by a thread of its own, with `synchronous=NORMAL`: a flood of log lines never delays a commit of the
queue, and a synchronous answer never waits for a disk. Bounded by count, age and
bytes: the oldest lines and invocations go first.
"""

import json
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ..core.event import Outcome
from ..core.invocation import Invocation
from ..core.log import LogLine
from .history_file import open_history
from .history_reader import Answered, HistoryReader
from .retention import KEEP, Retention, prune_chunks

_BODY_KEPT = 64 * 1024  # bytes of a payload and of a result
_BATCH_SECONDS = 0.05
_BATCH_ROWS = 2_000
_PRUNE_EVERY = 1.0  # seconds


class History(HistoryReader):
    """Log lines and synchronous invocations. `line` and `record` are called on the loop and never wait."""

    def __init__(self, folder: Path, retention: Retention = KEEP) -> None:
        connection, last, self.mended = open_history(folder / "history.sqlite3")
        super().__init__(folder / "history.sqlite3", connection, last)
        self.call_later: Callable[[float, Callable[[], None]], Any] | None = None  # the loop's, once there is one
        self.paused = False  # the disk is full: what comes is not kept
        self.oldest: Callable[[], float] = float  # the engine time before which nothing is kept; asked in the thread
        self._retention = retention
        self._prune_at = 0.0
        self._lines: list[LogLine] = []
        self._invocations: list[tuple[Invocation, Outcome]] = []
        self._timed = False
        self._thread = ThreadPoolExecutor(1, "history")

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
        self._timed = False
        lines, self._lines = self._lines, []
        invocations, self._invocations = self._invocations, []
        if lines or invocations:
            self._thread.submit(self._write, lines, invocations)

    def wait(self) -> None:
        self._thread.submit(_nothing).result()

    def close(self) -> None:
        self.hand_over()
        self._thread.shutdown()
        super().close()

    def _plan(self) -> None:
        if len(self._lines) + len(self._invocations) >= _BATCH_ROWS:
            self.hand_over()
        elif self.call_later is not None:
            self._timed = True
            self.call_later(_BATCH_SECONDS, self.hand_over)

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


def _nothing() -> None:
    """Comes after everything before it."""
