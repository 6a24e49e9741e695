"""What the monitor knows of the engine. Frames are applied here; no widget is touched."""

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .bounds import Bounds
from .format import clean, clean_deep, clock
from .inflow import Inflow
from .loglines import LogBuffer

Row = dict[str, Any]
PANES = ("queue", "inflight", "retries", "dlq", "logs", "functions", "timeline")
_NOTICES_KEPT = 200
_KEEP_ROWS = 4000  # rows outside the window that are kept: the engine may name them again without sending them


@dataclass
class EngineTime:
    """Engine time now, computed where it is drawn from the last frame and the local clock."""

    engine: float = 0.0
    rate: float = 0.0
    mode: str = "real"
    received: float = 0.0
    halted: float = 0.0  # the rate from before the engine fell silent
    driven: bool = False  # simulated time that a test or a tape lets pass: no clock of ours knows how much
    since_wall: float = 0.0  # by how much it was ahead of the clock on the wall
    last: float = float("inf")  # it ends here: a recording's

    def take(self, stamp: Row) -> None:
        self.engine = float(stamp["engine"])
        self.mode = str(stamp.get("mode", "real"))
        self.rate = float(stamp.get("rate", 1.0))
        self.driven = bool(stamp.get("driven"))
        self.since_wall = self.engine - float(stamp.get("wall", self.engine))
        self.received, self.halted = time.monotonic(), 0.0

    def go_at(self, rate: float) -> None:
        """The engine has taken another speed; its next frame says the same."""
        ahead = self.ahead
        self.engine, self.received, self.rate, self.since_wall = self.now(), time.monotonic(), rate, ahead
        self.mode = "scaled" if self.mode == "real" else self.mode

    def go_to(self, at: float) -> None:
        """A recording was wound to this moment; its next frame says the same."""
        self.engine, self.received = at, time.monotonic()

    def halt(self) -> None:
        """Nobody tells the time any more."""
        if self.rate:
            self.engine, self.received, self.halted, self.rate = self.now(), time.monotonic(), self.rate, 0.0

    def go_on(self) -> None:
        """The engine is back, and has counted on meanwhile."""
        if self.halted:
            self.rate, self.halted = self.halted, 0.0

    def now(self) -> float:
        """Seconds since the epoch, as the engine counts them."""
        return min(self.last, self.engine + (time.monotonic() - self.received) * (self.rate if self.passes else 0.0))

    @property
    def passes(self) -> bool:
        """Whether it goes on by itself between two frames."""
        return bool(self.rate) and not self.driven

    @property
    def stands(self) -> bool:
        """Whether it was stopped by somebody."""
        return not self.rate and self.mode not in ("real", "replay") and not self.driven

    def ticks(self) -> float:
        """Seconds from no particular moment on, for durations of ours: real ones, unless time is simulated."""
        return self.engine if self.mode == "simulated" else time.monotonic()

    @property
    def ahead(self) -> float:
        """Seconds that engine time is ahead of the clock on the wall (negative: behind); 0 where it is simulated."""
        if self.mode in ("simulated", "replay"):
            return 0.0
        passed = time.monotonic() - self.received if self.mode == "scaled" else 0.0
        return self.since_wall + passed * (self.rate - 1.0)


@dataclass
class PaneRows:
    """A window of one pane's rows, in the engine's order."""

    total: int = 0
    offset: int = 0
    ids: list[str] = field(default_factory=list)
    known: dict[str, Row] = field(default_factory=dict)

    def take(self, view: Row) -> set[str] | None:
        """Apply one view of a frame. Returns the ids that changed in place, or None if the order changed."""
        before = (self.total, self.offset)
        self.total, self.offset = int(view["total"]), int(view.get("offset", 0))
        changed = set()
        for raw in view.get("rows", ()):
            row = clean_deep(raw)
            self.known[row["id"]] = row
            changed.add(row["id"])
        if "ids" in view:
            self.ids = [clean(str(one)) for one in view["ids"]]
            self._forget()
            return None
        return changed if before == (self.total, self.offset) else None

    def at(self, index: int) -> Row | None:
        """The row at a position of the whole list, or None if it is not in the window."""
        place = index - self.offset
        return self.known.get(self.ids[place]) if 0 <= place < len(self.ids) else None

    def index_of(self, row_id: str) -> int | None:
        try:
            return self.offset + self.ids.index(row_id)
        except ValueError:
            return None

    def window(self) -> Iterable[Row]:
        return [self.known[one] for one in self.ids if one in self.known]

    def _forget(self) -> None:
        if len(self.known) <= _KEEP_ROWS:
            return
        shown = set(self.ids)
        for one in list(self.known)[: len(self.known) - _KEEP_ROWS]:
            if one not in shown:
                del self.known[one]


@dataclass(frozen=True)
class Notice:
    """One sentence for the status line, from the engine or from the monitor itself."""

    level: str
    text: str
    at: float = 0.0  # engine time


@dataclass
class Change:
    """What a frame changed: pane -> ids changed in place (None: the order changed too)."""

    panes: dict[str, set[str] | None] = field(default_factory=dict)
    requests: set[str] = field(default_factory=set)


_NO_TOTALS = dict.fromkeys(
    ("queued", "waiting", "throttled", "retrying", "in_flight", "succeeded", "discarded", "dead_letters", "errors"), 0
)


class Model:
    """Everything the screens draw: the engine's identity and time, totals, windows of rows, log lines, notices."""

    def __init__(self, opening: str = "") -> None:
        self.link = opening  # why there is nothing to see; "" while the engine is heard
        self.connected = False
        self.lost_at: float | None = None  # since when, in seconds since the epoch, the engine is not heard
        self.trouble: Notice | None = None  # what is wrong with the connection, for as long as it is
        self.hello: Row = {}
        self.replay: Bounds | None = None  # of the recording that is played, if one is
        self.time = EngineTime()
        self.totals: Row = dict(_NO_TOTALS)
        self.inflow = Inflow()
        self.inflows: dict[str, Inflow] = {}  # of each function that is shown
        self.rows = {pane: PaneRows() for pane in PANES if pane != "logs"}
        self.logs = LogBuffer()
        self.notice = Notice("info", "")
        self.notices: deque[Notice] = deque(maxlen=_NOTICES_KEPT)  # what the engine said, oldest first
        self.recorded = ""  # how long the film of the screen is that is being made; "" while none is
        self._notice_seq = -1

    def take_hello(self, hello: Row) -> None:
        """A connection stands: remember whose it is and forget the rows of the one before."""
        self.hello = clean_deep(hello)
        self.replay = Bounds.of(self.hello.get("replay"))
        self.time.last = self.replay.last if self.replay else float("inf")
        self.found()
        self._notice_seq = -1
        self.notices.clear()
        self.totals["standing"], self.totals["faults"] = [], []
        self.inflow, self.inflows = Inflow(), {}
        for rows in self.rows.values():
            rows.take({"total": 0, "ids": []})
            rows.known.clear()
        self.logs.forget()
        for warning in self.hello.get("warnings", ()):
            self.notice = Notice("warning", warning)
        if self.hello.get("notice"):
            self.notice = Notice("info", self.hello["notice"])

    def lost(self, what: str, more: str) -> None:
        """The engine is not heard; what was seen last stays on the screen."""
        self.lost_at = self.lost_at or (self.time.now() if self.time.engine else time.time())
        self.connected, self.link = False, clean(f"{what} since {clock(self.lost_at)}")
        self.trouble = Notice("error", clean(f"{self.link}: {more}"))
        self.time.halt()

    def found(self) -> None:
        """The engine is heard (again)."""
        self.connected, self.link, self.lost_at, self.trouble = True, "", None, None
        self.time.go_on()

    def say(self, level: str, text: str) -> None:
        """Show a sentence of the monitor's own."""
        self.notice = Notice(level, clean(text), self.time.now() if self.time.engine else 0.0)

    def apply(self, frame: Row) -> Change:
        """Take one frame in. Returns what has to be drawn again."""
        change = Change()
        if any(news.get("anew") for news in frame.get("logs", {}).values()):  # a recording was wound
            self.inflow, self.inflows = Inflow(), {}
        if "time" in frame:
            self.time.take(frame["time"])
        self.totals.update(clean_deep(frame.get("totals", {})))
        self.inflow.take(int(self.totals.get("received") or 0), self.time.now(), self.time.rate)
        for pane, view in frame.get("views", {}).items():
            if pane in self.rows:
                self._take_view(pane, view, change)
        for news in frame.get("logs", {}).values():
            self._take_logs(news, change)
        for notice in frame.get("notices", ()):
            self._take_notice(notice)
        return change

    def _take_view(self, pane: str, view: Row, change: Change) -> None:
        change.panes[pane] = self.rows[pane].take(view)
        for raw in view.get("rows", ()):
            change.requests.add(clean(str(raw.get("request_id") or raw["id"])))
        if pane == "functions":
            for name in change.panes[pane] or self.rows[pane].ids:
                self._take_calls(self.rows[pane].known.get(name))

    def _take_calls(self, row: Row | None) -> None:
        """Count a function's calls by the second, beside its row."""
        if row is not None:
            row["inflow"] = self.inflows.setdefault(row["id"], Inflow())
            row["inflow"].take(int(row.get("invocations") or 0), self.time.now(), self.time.rate)

    def calls_flow(self) -> bool:
        """Whether any function that is shown was called in the last seconds."""
        now = self.time.now()
        return any(any(inflow.counts(now)) for inflow in self.inflows.values())

    def _take_logs(self, news: Row, change: Change) -> None:
        for line in self.logs.take(news):
            change.requests.add(line.request_id)
        change.panes["logs"] = None

    def _take_notice(self, notice: Row) -> None:
        if int(notice.get("seq", 0)) > self._notice_seq:
            self._notice_seq = int(notice.get("seq", 0))
            self.notice = Notice(
                str(notice.get("level", "info")), clean(str(notice["text"])), float(notice.get("at") or 0)
            )
            self.notices.append(self.notice)

    @property
    def standing(self) -> list[Notice]:
        """What is wrong for as long as it is: with the connection, then in the engine the worst first."""
        found = [Notice(str(one["level"]), str(one["text"])) for one in self.totals.get("standing", ())]
        found.sort(key=lambda notice: notice.level != "error")
        return [self.trouble, *found] if self.trouble else found

    @property
    def faults(self) -> list[Row]:
        """The faults that are armed, in the order of arming."""
        return list(self.totals.get("faults") or ())

    def function_names(self) -> list[str]:
        return list(self.rows["functions"].ids)
