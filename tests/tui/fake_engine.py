"""An engine for the monitor's tests: rows and lines are put in by hand, views are served as a real one serves them."""

import asyncio
import copy
import json
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

Row = dict[str, Any]
NOW = 1_764_000_000.0
_IDLE = {
    "queued": 0,
    "waiting": 0,
    "throttled": 0,
    "retrying": 0,
    "in_flight": 0,
    "succeeded": 0,
    "discarded": 0,
    "dead_letters": 0,
    "errors": 0,
    "invocations": 0,
    "soonest_retry": None,
    "oldest_queued": None,
}


def request_id(number: int) -> str:
    return str(uuid.UUID(int=(number * 0x1_0001_0001 << 96 | number) % (1 << 128)))


def function(name: str, **more: Any) -> Row:
    row = {"id": name, "handler": f"{name.replace('-', '_')}.handler", "version": 1, "timeout": 3, "memory": 128}
    row |= {"reserved": None, "invocations": 0, "errors": 0, "throttles": 0, "cold_starts": 0, "in_flight": 0}
    row |= {"queued": 0, "dead": 0, "environments": 0, "p50": None, "p99": None, "reload_error": None}
    row |= {"cost": 0.0, "cost_per_million": None, "waited_share": 0.0, "bill": bill(), "metrics": dict(_COUNTERS)}
    row |= {"runtime": "python3.13", "architecture": "x86_64", "layers": [], "log_format": "Text", "log_level": "INFO"}
    row |= {"system_log_level": "INFO", "log_group": f"/aws/lambda/{name}", "versions": [], "aliases": [], "lab": []}
    row |= {"recursive_loop": "Terminate", "scaling": "lazy", "retries": 2, "maximum_age": 21_600.0}
    row |= {"dead_letter_queue": None, "on_failure": None, "on_success": None}
    return row | {"limited_by": None} | more


_COUNTERS = dict.fromkeys(
    (
        "Invocations", "Errors", "Throttles", "AsyncEventsReceived", "AsyncEventsDropped", "DeadLetterErrors",
        "DestinationDeliveryFailures", "RecursiveInvocationsDropped",
    ),
    0,
)  # fmt: skip


def bill(**more: Any) -> Row:
    row = {"requests": 0, "billed_ms": 0, "gb_seconds": 0.0, "waited_gb_seconds": 0.0, "request_cost": 0.0}
    row |= {"duration_cost": 0.0, "waited_cost": 0.0, "cost": 0.0}
    return row | {"prices": "AWS Lambda pricing, US East (N. Virginia), 2026-05-05"} | more


def call(number: int, name: str = "chain-b", **more: Any) -> Row:
    """A call that a request made."""
    row = {"id": request_id(number), "function": name, "kind": "synchronous", "accepted_at": NOW - 62.5}
    return row | {"ended_at": NOW - 61, "state": "succeeded", "error": None} | more


def relative(number: int, deep: int, name: str = "chain-b", **more: Any) -> Row:
    """A row of a request's family."""
    return call(number, name) | {"caller": "", "ran": 1.5, "waited": 0.0, "deep": deep, "more": False} | more


def declared(*variables: tuple[str, str | None], **more: Any) -> Row:
    """How the function of a life is configured now."""
    row = {"handler": "app.handler", "runtime": "python3.13", "architecture": "x86_64", "memory": 128, "timeout": 3.0}
    return row | {"code": "/shop", "interpreter": "/usr/bin/python3", "variables": list(map(list, variables))} | more


def queued(number: int, name: str = "always-fails", **more: Any) -> Row:
    row = {"id": request_id(number), "function": name, "due_at": NOW, "accepted_at": NOW - 4, "attempt": 1, "tries": 3}
    return row | {"size": 612, "source": "key a", "wait": "waiting for a place"} | more


def running(number: int, name: str = "always-fails", **more: Any) -> Row:
    row = {"id": request_id(number), "function": name, "attempt": 1, "tries": 3, "started_at": NOW - 1, "timeout": 3}
    return row | {"cold": True, "environment": "e1", "source": "key a", "kind": "event", "version": 1} | more


def retry(number: int, name: str = "always-fails", **more: Any) -> Row:
    row = {"id": request_id(number), "function": name, "attempt": 2, "tries": 3, "due_at": NOW + 59}
    return row | {"waits_since": NOW - 1, "error": "ValueError: no luck", "accepted_at": NOW - 5} | more


def dead(number: int, name: str = "always-fails", **more: Any) -> Row:
    row = {"id": f"m{number}", "request_id": request_id(number), "function": name, "queue": "lamtop-dead-letters"}
    row |= {"dead_at": NOW - 20, "attempts": 3, "condition": "RetriesExhausted", "error": "ValueError: no luck"}
    return row | more


def request(number: int, name: str = "always-fails", **more: Any) -> Row:
    """A row of the timeline: an event that failed once and waits for its second try."""
    segments = [[NOW - 63.2, NOW - 63, "queued"], [NOW - 63, NOW - 60, "error"], [NOW - 60, NOW + 2, "retry"]]
    row = {"id": request_id(number), "function": name, "kind": "event", "source": "key a", "accepted_at": NOW - 63.2}
    row |= {"state": "retry", "ended_at": None, "due_at": NOW + 2, "attempt": 2, "tries": 3, "condition": None}
    return row | {"error": "ValueError: no luck", "segments": segments} | more


def answered(number: int, name: str = "request-response", ago: float = 5.0, took: float = 2.0, **more: Any) -> Row:
    """A row of the timeline: a synchronous invocation that ended `ago` seconds ago."""
    start, end = NOW - ago - took, NOW - ago
    row = request(number, name, kind="synchronous", accepted_at=start, state="succeeded", ended_at=end, due_at=None)
    return row | {"attempt": 1, "tries": 1, "error": None, "segments": [[start, end, "ok"]]} | more


def life(number: int, **more: Any) -> Row:
    """A request that failed once and waits for its second try."""
    attempt = {"number": 1, "started_at": NOW - 63, "ended_at": NOW - 60, "ended": "function error", "duration": 3.0}
    attempt |= {"init_duration": 0.1, "memory_used": 40, "environment": "e1", "version": 1, "error_type": "ValueError"}
    attempt |= {"error": "ValueError: no luck", "result": json.dumps({"stackTrace": ['  File "a.py", line 3\n']})}
    row = {"id": request_id(number), "function": "always-fails", "kind": "event", "source": "key a"}
    row |= {"accepted_at": NOW - 63.2, "payload": '{"order": 7}', "state": "queued", "condition": None}
    row |= {"ended_at": None, "due_at": NOW + 2, "reason": "retry", "tries": 3, "errors": 1, "throttles": 0}
    row |= {"losses": 0, "redriven_from": None, "redriven_as": None, "answered": {"status": 202, "after": 0.002}}
    row |= {"attempts": [attempt], "running": None, "deliveries": [], "caller": None, "calls": [], "bill": bill()}
    row |= {"qualifier": "", "executed_version": "$LATEST", "log_group": "/aws/lambda/always-fails"}
    row |= {"family": [], "declared": declared(), "processes": {}}
    row |= {"retry_delays": [60.0, 120.0], "absences": []}
    return row | {"lines": [log_line(1, "printed by the handler", number)]} | more


def log_line(number: int, text: str, request: int = 1, **more: Any) -> Row:
    row = {"id": number, "at": NOW + number / 1000, "function": "always-fails", "request_id": request_id(request)}
    return row | {"attempt": 1, "kind": "output", "text": text} | more


def armed(number: int, sentence: str, **more: Any) -> Row:
    """A fault of a frame."""
    row = {"number": number, "kind": "timeout", "function": "", "sentence": sentence, "hits": 0, "candidates": 0}
    return row | {"count": None, "until": None} | more


class FakeEngine:
    """What the clients are connected to. Change it, then `publish`."""

    def __init__(self, *names: str) -> None:
        self.rows: dict[str, list[Row]] = {pane: [] for pane in ("queue", "inflight", "retries", "dlq", "timeline")}
        self.rows["functions"] = [function(name) for name in names or ("always-fails", "request-response")]
        self.lines: list[Row] = []
        self.totals = dict(_IDLE)
        self.time = {"engine": NOW, "wall": NOW, "rate": 0.0, "mode": "simulated"}
        self.lives: dict[str, Row] = {}
        self.more_hello: Row = {}
        self.calls: list[tuple[Any, ...]] = []
        self.answer: Callable[[str, bytes], Row] | None = None
        self.hold: asyncio.Event | None = None
        self.client: FakeClient | None = None
        self.refuse: Exception | None = None
        self.connections = 0
        self.purged: list[Row] = []
        self.payload = '{"order": 7}'

    async def connect(self) -> "FakeClient":
        self.connections += 1
        if self.refuse is not None:
            raise self.refuse
        self.client = FakeClient(self)
        return self.client

    def publish(self, **more: Any) -> None:
        """Send a frame with what changed."""
        if self.client is not None:
            self.client.publish(**more)

    def log(self, *texts: str, **more: Any) -> None:
        for text in texts:
            self.lines.append(log_line(len(self.lines) + 1, text, **more))
        self.publish()

    def die(self) -> None:
        """End the connection as a killed engine does."""
        if self.client is not None:
            self.client.queue.put_nowait(None)
            self.client = None


def _matches(row: Row, text: str) -> bool:
    text = text.removeprefix("family:")
    return any(text in str(value) for value in row.values())


class FakeClient:
    def __init__(self, engine: FakeEngine) -> None:
        self.engine = engine
        self.queue: asyncio.Queue[Row | None] = asyncio.Queue()
        self.views: dict[str, Row] = {}
        self._ids: dict[str, list[str]] = {}
        self._rows: dict[str, dict[str, Row]] = {}
        self._last_line: dict[str, tuple[str, int]] = {}

    async def hello(self) -> Row:
        hello = {"project": "/home/ann/shop/template.yaml", "url": "http://127.0.0.1:4566", "pid": 1, "warnings": []}
        hello |= {"interpreter": "/usr/bin/python3", "python": "3.11.7", "version": "0.1.0", "notice": None}
        return hello | self.engine.more_hello

    async def subscribe(self, views: dict[str, Row]) -> None:
        self.views = copy.deepcopy(views)
        self.publish()

    async def frames(self) -> AsyncIterator[Row]:
        while True:
            frame = await self.queue.get()
            if frame is None:
                raise ConnectionError("the engine has gone")
            yield frame

    def publish(self, **more: Any) -> None:
        frame: Row = {"time": dict(self.engine.time), "totals": dict(self.engine.totals), "views": {}, "logs": {}}
        for pane, view in self.views.items():
            if view["view"] == "logs":
                frame["logs"][pane] = self._log_news(pane, view)
            else:
                frame["views"][pane] = self._window(pane, view)
        self.queue.put_nowait(copy.deepcopy(frame | {"notices": []} | more))

    def _window(self, pane: str, view: Row) -> Row:
        rows = [row for row in self.engine.rows[view["view"]] if _matches(row, view["filter"])]
        if view["sort"]:
            rows.sort(key=lambda row: str(row.get(view["sort"])))
        if view["descending"]:
            rows.reverse()
        shown = rows[view["offset"] : view["offset"] + view["limit"]]
        known = self._rows.setdefault(pane, {})
        news = {
            "total": len(rows),
            "offset": view["offset"],
            "rows": [row for row in shown if known.get(row["id"]) != row],
        }
        known.update({row["id"]: copy.deepcopy(row) for row in shown})
        ids = [row["id"] for row in shown]
        if ids != self._ids.get(pane):
            self._ids[pane] = news["ids"] = ids
        return news

    def _log_news(self, pane: str, view: Row) -> Row:
        scope, last = self._last_line.get(pane, ("\0", 0))
        last = last if scope == view["filter"] else 0
        lines = [line for line in self.engine.lines if _matches(line, view["filter"])]
        fresh = [line for line in lines if line["id"] > last][-view["limit"] :]
        self._last_line[pane] = (view["filter"], fresh[-1]["id"] if fresh else last)
        return {"lines": fresh, "left_out": 0, "total": len(lines)}

    async def invoke(self, function: str, payload: bytes, *, asynchronous: bool, dry_run: bool = False) -> Row:
        self.engine.calls.append(("dry" if dry_run else "async" if asynchronous else "sync", function, payload))
        if self.engine.hold is not None:
            await self.engine.hold.wait()
        if self.engine.answer is not None:
            return self.engine.answer(function, payload)
        status, body = (
            (204, "") if dry_run else (202, "") if asynchronous else (200, '{"statusCode": 200, "body": "hello"}')
        )
        return {"request_id": request_id(0x3F2A), "status": status, "payload": body, "error": None, "took": 0.002}

    async def redrive(self, ids: list[str], payloads: dict[str, str] | None = None) -> Row:
        self.engine.calls.append(("redrive", *ids) if not payloads else ("redrive", *ids, payloads))
        return {"redriven": [[one, request_id(900 + at)] for at, one in enumerate(ids)], "refused": []}

    async def purge(self, ids: list[str]) -> Row:
        self.engine.calls.append(("purge", *ids))
        rows = self.engine.rows["dlq"]
        self.engine.purged = [row for row in rows if row["id"] in ids]
        self.engine.rows["dlq"] = [row for row in rows if row["id"] not in ids]
        self.publish()
        return {"purged": [row["id"] for row in self.engine.purged], "refused": [], "undo": "p1", "seconds": 10.0}

    async def undo(self, purge: str = "") -> Row:
        self.engine.calls.append(("undo", purge))
        back, self.engine.purged = self.engine.purged, []
        self.engine.rows["dlq"] += back
        self.publish()
        return {"restored": len(back)}

    async def letters(self, ids: list[str]) -> list[Row]:
        self.engine.calls.append(("letters", *ids))
        rows = [row for row in self.engine.rows["dlq"] if row["id"] in ids]
        return [{**row, "attempts": [], "payload": self.engine.payload} for row in rows]

    async def page(self, view: Row, cursor: str | None = None) -> Row:
        if view["view"] == "logs":
            older = [line for line in self.engine.lines if line["id"] < view["before"]]
            return {"rows": copy.deepcopy(older[-view["limit"] :]), "total": None, "cursor": None}
        rows = [row for row in self.engine.rows.get(view["view"], ()) if _matches(row, view["filter"])]
        return {"rows": copy.deepcopy(rows), "total": len(rows), "cursor": None}

    async def reload(self) -> Row:
        self.engine.calls.append(("reload",))
        return {"reloaded": [{"function": "always-fails", "version": 2, "error": None}], "error": None}

    async def arm(self, sentence: str) -> Row:
        self.engine.calls.append(("arm", sentence))
        if self.engine.refuse is not None:
            raise self.engine.refuse
        faults = self.engine.totals.setdefault("faults", [])
        number = 1 + max((one["number"] for one in faults), default=0)
        self.engine.totals["faults"] = [*faults, armed(number, sentence)]
        self.publish()
        return {"number": number, "sentence": sentence}

    async def disarm(self, number: int | None = None) -> Row:
        self.engine.calls.append(("disarm", number))
        faults = self.engine.totals.get("faults", [])
        kept = [one for one in faults if number not in (None, one["number"])]
        self.engine.totals["faults"] = kept
        self.publish()
        return {"cleared": len(faults) - len(kept)}

    async def set_speed(self, speed: float) -> Row:
        self.engine.calls.append(("speed", speed))
        self.engine.time |= {"rate": speed, "mode": "real" if speed == 1 else "scaled"}
        self.publish()
        return {"speed": speed}

    async def jump(self) -> Row:
        self.engine.calls.append(("jump",))
        self.engine.time["engine"] += 59.5
        self.publish()
        return {"seconds": 59.5}

    async def pause(self) -> Row:
        return self._paused(self.engine.time["engine"])

    async def resume(self) -> Row:
        return self._paused(None)

    def _paused(self, since: float | None) -> Row:
        self.engine.calls.append(("resume",) if since is None else ("pause",))
        self.engine.totals["paused_since"] = since
        self.publish()
        return {"paused_since": since}

    async def life(self, request_id: str) -> Row | None:
        self.engine.calls.append(("life", request_id))
        return copy.deepcopy(self.engine.lives.get(request_id))

    async def close(self) -> None:
        self.engine.calls.append(("close",))
