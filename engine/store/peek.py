"""Looking at the queue without touching it: a second, read-only connection for views and inspectors."""

import json
import sqlite3
import threading
from pathlib import Path
from typing import Any, NamedTuple

from ..core.event import Attempt, Delivery, Ended, Event, Outcome
from .file import open_to_read
from .letters import ERROR, GROUP_SORTS, grouped, whole
from .orders import Orders
from .rows import as_delivery, as_event

_EVENT_COLUMNS = ", ".join(Event._fields)

_DEAD = """
  SELECT m.id AS id, m.request_id AS request_id, coalesce(e.function, '') AS function, m.queue AS queue,
         m.sent_at AS dead_at, coalesce(e.attempts, 0) AS attempts, coalesce(e.condition, '') AS condition,
         coalesce(e.error, '') AS error
  FROM message m LEFT JOIN event e ON e.id = m.request_id
  WHERE m.queue IN (SELECT value FROM json_each(:queues)) AND coalesce(e.state, 'discarded') = 'discarded'
  UNION ALL
  SELECT 'dropped:' || id, id, function, '', ended_at, attempts, coalesce(condition, ''), coalesce(error, '')
  FROM event WHERE dropped = 1 AND redriven_as IS NULL
"""
_RECENT = """
  SELECT seq FROM (SELECT seq FROM event ORDER BY seq DESC LIMIT :count)
  UNION SELECT seq FROM (
    SELECT seq FROM event WHERE state = 'queued' AND reason = 'retry' ORDER BY due_at LIMIT 100)
  UNION SELECT seq FROM (SELECT seq FROM event WHERE state = 'running' ORDER BY seq DESC LIMIT 100)
  UNION SELECT seq FROM event WHERE id IN (SELECT value FROM json_each(:ids))
"""
_DEAD_COLUMNS = ("id", "request_id", "function", "queue", "dead_at", "attempts", "condition", "error")


#: What sorts events in the queue, by the name of the row's column; "due_at" unless a window wishes another.
QUEUED_SORTS = {
    "due_at": "due_at",
    "function": "function",
    "accepted_at": "accepted_at",
    "attempt": "attempts + 1",
    "size": "length(payload)",
    "source": "source",
    "error": "coalesce(error, '')",
}


class Window(NamedTuple):
    """Which rows: of one sort, at most `limit`, from `offset` on or behind the row that a cursor names.

    `words` must all occur, `not_words` must not; with `functions` only theirs.
    """

    sort: str = ""
    descending: bool = False
    offset: int = 0
    limit: int = 50
    words: tuple[str, ...] = ()
    not_words: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    error: str | None = None  # of dead letters: those that ended with this one, as `by_error` words it
    by_error: bool = False  # of dead letters: a row for each error
    level: str = ""  # of log lines: "WARN" or "ERROR" and worse
    family: str = ""  # only this request, its callers and what it led to …
    requests: frozenset[str] | None = None  # … which are these, once somebody has looked
    after: tuple[Any, Any] | None = None  # the sort value and the tie-breaker of a page's last row

    @property
    def is_filtered(self) -> bool:
        return bool(self.words or self.not_words or self.functions or self.family)

    def is_about(self, request_id: str) -> bool:
        """Is a request among those that the window is narrowed to?"""
        return self.requests is None or request_id in self.requests


class Peek:
    """Reads the queue's file as of its last commit. May be called from any thread, one call at a time."""

    def __init__(self, path: Path) -> None:
        connection = open_to_read(path)
        connection.execute("PRAGMA query_only = 1")
        self._look_through(connection)

    def _look_through(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._one_at_a_time = threading.Lock()
        self._orders = Orders(self._all)

    def close(self) -> None:
        """Waits for whoever reads: a connection that is closed under a reader takes the process with it."""
        with self._one_at_a_time:
            self._connection.close()

    def queued(self, window: Window, *, retries: bool) -> tuple[int | None, list[Event]]:
        """Events that wait for their next attempt after a function error (`retries`), or for another reason.

        The count is None when no filter is set: then it is known without looking.
        """
        where = f"state = 'queued' AND reason {'=' if retries else '!='} 'retry'"
        text = "function || ' ' || id || ' ' || reason || ' ' || source || ' ' || coalesce(error, '')"
        filters, values = _filters(window, text)
        column = QUEUED_SORTS.get(window.sort, "due_at")
        if window.after is None and (window.is_filtered or column != "due_at"):
            order = _order(column, "seq", window._replace(limit=-1, offset=0), values)
            seqs = self._orders.of(f"SELECT seq FROM event WHERE {where}{filters}{order}", values)
            shown = list(seqs[window.offset : window.offset + window.limit])
            return len(seqs) if window.is_filtered else None, self._events_in_order(shown, where)
        total = None
        if window.is_filtered:
            total = self._all(f"SELECT count(*) FROM event WHERE {where}{filters}", values)[0][0]
        order = _order(column, "seq", window, values)
        # First which rows, then what is in them: payloads are not to be sorted along.
        chosen = f"SELECT seq FROM event WHERE {where}{filters}{order}"
        again = _order(column, "seq", window._replace(after=None, offset=0), {})
        sql = f"SELECT {_EVENT_COLUMNS} FROM event WHERE seq IN ({chosen}){again}"
        return total, [as_event(row) for row in self._all(sql, values)]

    def _events_in_order(self, seqs: list[int], where: str) -> list[Event]:
        """Those of these events that are still what they are looked at for."""
        sql = f"SELECT {_EVENT_COLUMNS} FROM event WHERE seq IN (SELECT value FROM json_each(:seqs)) AND {where}"
        found = {row[0]: as_event(row) for row in self._all(sql, {"seqs": json.dumps(seqs)})}
        return [found[seq] for seq in seqs if seq in found]

    def dead_letters(self, window: Window, queues: list[str]) -> tuple[int, list[dict[str, Any]]]:
        """Messages in these dead-letter queues joined to their events, and the events that had nowhere to go."""
        text = "function || ' ' || request_id || ' ' || error || ' ' || iif(queue = '', 'dropped', queue)"
        filters, values = _filters(window, text, "request_id")
        values["queues"] = json.dumps(queues)
        if window.error is not None:
            filters += f" AND {ERROR} = :error"
            values["error"] = window.error
        if window.by_error:
            order = _order(dead_order(window), "id", window, values)
            return grouped(self._all, f"SELECT * FROM ({_DEAD}) WHERE 1{filters}", order, values)
        total = self._all(f"SELECT count(*) FROM ({_DEAD}) WHERE 1{filters}", values)[0][0]
        order = _order(dead_order(window), "id", window, values)
        rows = self._all(f"SELECT * FROM ({_DEAD}) WHERE 1{filters}{order}", values)
        found = [{**dict(zip(_DEAD_COLUMNS, row, strict=True)), "queue": row[3] or None} for row in rows]
        hits = self._injected([row["request_id"] for row in found])
        return total, [{**row, "injected": hits.get(row["request_id"], "")} for row in found]

    def _injected(self, request_ids: list[str]) -> dict[str, str]:
        """The last armed fault that hit an attempt at these events, of those that one has hit."""
        sql = """SELECT e.id, a.injected FROM event e JOIN attempt a ON a.event = e.seq
                 WHERE e.id IN (SELECT value FROM json_each(:ids)) AND a.injected != '' ORDER BY a.number"""
        return dict(self._all(sql, {"ids": json.dumps(request_ids)}))

    def dead_by_function(self, queues: list[str]) -> dict[str, int]:
        """How many dead letters there are now, by the function whose event they tell of ("" if that is gone)."""
        return dict(
            self._all(f"SELECT function, count(*) FROM ({_DEAD}) GROUP BY function", {"queues": json.dumps(queues)})
        )

    def letters(self, ids: list[str]) -> list[dict[str, Any]]:
        """These dead letters whole, those that are there. An id is a message's, or "dropped:" and a request id."""
        return whole(self._all, ids)

    def event(self, request_id: str) -> Event | None:
        """The event with this request id, or whose request id begins so."""
        sql = f"SELECT {_EVENT_COLUMNS} FROM event WHERE id >= :low AND id < :high ORDER BY id LIMIT 1"
        rows = self._all(sql, {"low": request_id, "high": request_id + "\U0010ffff"})
        return as_event(rows[0]) if rows else None

    def recent(self, window: Window, count: int) -> list[Event]:
        """The newest `count` events, those that run or wait for a retry, and those whose id is a word of the filter;
        of the filter's functions only. Without their payloads."""
        columns = _EVENT_COLUMNS.replace("payload", "x''", 1)
        filters, values = _filters(Window(functions=window.functions, requests=window.requests), "")
        sql = f"SELECT {columns} FROM event WHERE seq IN ({_RECENT}){filters}"
        return [
            as_event(row)
            for row in self._all(
                sql, {**values, "count": count, "ids": json.dumps([*window.words, *(window.requests or ())])}
            )
        ]

    def recent_keys(self, count: int) -> list[tuple[float, str, int]]:
        """When each of the events that `recent` finds was accepted, its id and its number."""
        return self._all(
            f"SELECT accepted_at, id, seq FROM event WHERE seq IN ({_RECENT})", {"count": count, "ids": "[]"}
        )

    def events_of(self, seqs: list[int]) -> list[Event]:
        """The events with these numbers, without their payloads."""
        columns = _EVENT_COLUMNS.replace("payload", "x''", 1)
        sql = f"SELECT {columns} FROM event WHERE seq IN (SELECT value FROM json_each(:seqs))"
        return [as_event(row) for row in self._all(sql, {"seqs": json.dumps(seqs)})]

    def attempts_of(self, seqs: list[int]) -> list[Attempt]:
        """The attempts at these events in their order: when each began, how and when it ended, which fault hit it."""
        sql = """SELECT event, number, ended, error_type, started_at, ended_at, injected FROM attempt
                 WHERE event IN (SELECT value FROM json_each(:seqs)) ORDER BY event, number"""
        return [
            Attempt(event, number, Outcome(Ended(how), error_type=error, started_at=start, ended_at=end, injected=hit))
            for event, number, how, error, start, end, hit in self._all(sql, {"seqs": json.dumps(seqs)})
        ]

    def called_by(self, request_id: str, limit: int = 200) -> list[Event]:
        """The events that this invocation sent, oldest first."""
        sql = f"SELECT {_EVENT_COLUMNS} FROM event WHERE caller = :id AND caller != '' ORDER BY seq LIMIT :limit"
        return [as_event(row) for row in self._all(sql, {"id": request_id, "limit": limit})]

    def attempts(self, seq: int) -> list[Attempt]:
        rows = self._all("SELECT * FROM attempt WHERE event = :seq ORDER BY number", {"seq": seq})
        return [Attempt(row[0], row[1], Outcome(Ended(row[2]), *row[3:])) for row in rows]

    def deliveries(self, seq: int) -> list[Delivery]:
        """What is still owed to somebody for this event."""
        rows = self._all("SELECT * FROM delivery WHERE event = :seq ORDER BY id", {"seq": seq})
        return [as_delivery(row) for row in rows]

    def queues_with(self, request_id: str) -> list[str]:
        """The queues that hold a message about this event."""
        rows = self._all("SELECT queue FROM message WHERE request_id = :id ORDER BY sent_at", {"id": request_id})
        return [queue for (queue,) in rows]

    def message_counts(self) -> dict[str, int]:
        """Messages per queue."""
        return dict(self._all("SELECT queue, count(*) FROM message GROUP BY queue", {}))

    def _events_where(self, where: str) -> list[Event]:
        return [as_event(row) for row in self._all(f"SELECT {_EVENT_COLUMNS} FROM event WHERE {where}", {})]

    def _forget_orders(self) -> None:
        """What was written through this very connection shows in no number of SQLite's."""
        self._orders = Orders(self._all)

    def _all(self, sql: str, values: dict[str, Any]) -> list[Any]:
        with self._one_at_a_time:
            return self._connection.execute(sql, values).fetchall()


def dead_order(window: Window) -> str:
    """The column that sorts dead letters."""
    if window.by_error:
        return window.sort if window.sort in GROUP_SORTS else "dead_at"
    return window.sort if window.sort in ("function", "attempts", "error", "queue", "condition") else "dead_at"


def _filters(window: Window, text: str, request_id: str = "id") -> tuple[str, dict[str, Any]]:
    sql, values = "", {}
    for n, word in enumerate((*window.words, *window.not_words)):
        sql += f" AND instr(lower({text}), :word{n}) {'>' if n < len(window.words) else '='} 0"
        values[f"word{n}"] = word.lower()
    if window.functions:
        sql += " AND function IN (SELECT value FROM json_each(:functions))"
        values["functions"] = json.dumps(window.functions)
    if window.requests is not None:
        sql += f" AND {request_id} IN (SELECT value FROM json_each(:requests))"
        values["requests"] = json.dumps(sorted(window.requests))
    return sql, values


def _order(column: str, tie: str, window: Window, values: dict[str, Any]) -> str:
    direction, beyond = ("DESC", "<") if window.descending else ("ASC", ">")
    behind = ""
    if window.after is not None:
        behind = f" AND ({column}, {tie}) {beyond} (:after, :after_tie)"
        values["after"], values["after_tie"] = window.after
    order = f"ORDER BY {column} {direction}, {tie} {direction}"
    return f"{behind} {order} LIMIT {int(window.limit)} OFFSET {int(window.offset)}"
