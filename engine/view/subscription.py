"""The view subscription: what a monitor sees, filtered, sorted and cut to a window on this side of the wire.

A client names a view per pane. The engine filters and sorts first and coalesces after: at most ten frames a second,
fewer where reading takes long, each with the newest value of every visible row that changed, the totals, and the log
lines that match, with a count of those left out. A pane that the client newly wishes is sent at once. A filter never
misses a line, a hundred thousand rows never cross the wire, and a slow client gets a fresh window instead of a backlog.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ..core.log import LogLine
from .rows import Row, as_row, line_matches
from .views import Views
from .wishes import View, parse_view

FRAME_GAP = 0.1  # seconds between two frames
_LOOK_EVERY = 0.025  # seconds: how soon the first change after a pause is seen
_LINES_PER_FRAME = 200
_REST = 3  # times as long as it has read: a view that is dear to sort is not sorted without end


class Subscription:
    """One client's panes. `next_frame` waits for something to have changed, and at least 0.1 s."""

    def __init__(self, views: Views) -> None:
        self._source = views
        self._views: dict[str, View] = {}
        self._fresh: set[str] = set()  # panes whose view is new to the client
        self._seen: dict[str, int] = {}  # change numbers, by pane
        self._sent: dict[str, dict[str, Row]] = {}
        self._order: dict[str, list[str]] = {}
        self._lines: dict[str, list[LogLine]] = {}
        self._left_out: dict[str, list[int]] = {}  # numbers of lines that a flood pushed out
        self._anew: set[str] = set()  # panes of lines whose lines so far are to be forgotten
        self._notice = 0
        self._next = 0.0  # loop time before which only what is newly wished is read
        self._wished = asyncio.Event()
        self._shown_at = 0.0  # engine time of the last frame
        views.history.listeners.append(self._on_line)

    def close(self) -> None:
        self._source.history.listeners.remove(self._on_line)

    def watch(self, wishes: Mapping[str, Mapping[str, Any]]) -> None:
        """Look at these panes from now on. Raises ValueError if a view makes no sense."""
        views = {name: parse_view(name, wish) for name, wish in wishes.items()}
        changed = {name for name, view in views.items() if self._views.get(name) != view}
        for name in set(self._views) - set(views) | changed:
            self._sent.pop(name, None)
            self._order.pop(name, None)
            self._lines.pop(name, None)
            self._left_out.pop(name, None)
        self._views = views
        self._fresh |= changed
        if changed:
            self._wished.set()

    def look_again(self) -> None:
        """What was told is of another time, log lines too: a recording was set to another moment."""
        logs = {name for name, view in self._views.items() if view.kind == "logs"}
        for name in logs:
            self._lines.pop(name, None)
            self._left_out.pop(name, None)
        self._anew |= logs
        self._fresh |= set(self._views)
        self._wished.set()

    async def next_frame(self) -> Row:
        """The next frame: what has changed since the last one, or sooner the panes that are new to the client."""
        loop = asyncio.get_running_loop()
        await asyncio.sleep(0)
        while not self._is_due(loop.time()):
            await self._until_wished(max(_LOOK_EVERY, self._next - loop.time()))
        began, is_early = loop.time(), loop.time() < self._next
        frame = await self._frame(lambda read: loop.run_in_executor(None, read), is_early=is_early)
        if not is_early:
            self._next = began + max(FRAME_GAP, _REST * (loop.time() - began))
        return frame

    @property
    def has_news(self) -> bool:
        """Whether a frame would tell anything, as of now."""
        return bool(self._views) and (bool(self._fresh & set(self._views)) or self._news())

    async def frame(self) -> Row:
        """What has changed since the last frame, at once: for whoever lets time pass and looks when it stands."""
        return await self._frame(_read_at_once)

    async def _until_wished(self, seconds: float) -> None:
        """Until the client wishes something new, or so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wished.wait()
                self._wished.clear()

    def _is_due(self, now: float) -> bool:
        if not self._views:
            return False  # nobody looks yet
        return bool(self._fresh & set(self._views)) or (now >= self._next and self._news())

    def _news(self) -> bool:
        return bool(
            any(self._lines.values())
            or self._notice < self._source.notices.last
            or self._time_jumped()
            or any(self._has_changed(name, view) for name, view in self._views.items())
        )

    def _has_changed(self, name: str, view: View) -> bool:
        changes = self._source.dispatcher.metrics.changes
        return view.kind != "logs" and self._seen.get(name) != _number_of(view.kind, changes)

    def _time_jumped(self) -> bool:
        """Simulated time has passed: no client can work out by itself how much."""
        clock = self._source.clock
        return clock.mode == "simulated" and clock.now() != self._shown_at

    async def _frame(self, in_thread: Callable[[Callable[[], Row]], Awaitable[Row]], is_early: bool = False) -> Row:
        changes = dict(self._source.dispatcher.metrics.changes)
        due = {
            name: view
            for name, view in self._views.items()
            if view.kind != "logs" and (name in self._fresh or (not is_early and self._has_changed(name, view)))
        }
        fresh_logs = {n: v for n, v in self._views.items() if v.kind == "logs" and n in self._fresh}
        self._fresh.clear()
        self._seen |= {name: _number_of(view.kind, changes) for name, view in due.items()}
        self._source.history.hand_over()
        time = self._source.time()  # before the rows are read: what happens meanwhile comes with a frame of its own
        self._shown_at = time["engine"]
        read = await in_thread(lambda: self._read(due, fresh_logs))
        return {
            "time": time,
            "totals": read["totals"],
            "views": {name: self._changes(name, *read["rows"][name]) for name in due if self._shows(name, due[name])},
            "logs": self._log_frames({n: read["lines"][n] for n in fresh_logs if self._shows(n, fresh_logs[n])}),
            "notices": self._new_notices(),
        }

    def _shows(self, name: str, view: View) -> bool:
        """Is this still the pane's view? While the disk was read the client may have wished another."""
        return self._views.get(name) == view

    def _read(self, due: dict[str, View], logs: dict[str, View]) -> Row:
        return {
            "totals": self._source.totals(),
            "rows": {name: self._source.rows(view) for name, view in due.items()},
            "lines": {name: self._source.lines(view) for name, view in logs.items()},
        }

    def _changes(self, name: str, total: int, rows: list[Row]) -> Row:
        """What the client does not have yet of this window."""
        before = self._sent.get(name, {})
        order = [row["id"] for row in rows]
        answer: Row = {"total": total, "rows": [row for row in rows if before.get(row["id"]) != row]}
        answer["offset"] = self._views[name].window.offset
        if order != self._order.get(name):
            answer["ids"] = order
        self._sent[name] = {row["id"]: row for row in rows}
        self._order[name] = order
        return answer

    def _log_frames(self, first: dict[str, list[Row]]) -> Row:
        frames = {}
        for name, lines in first.items():
            # What arrived while the disk was read may be there twice.
            last = lines[-1]["id"] if lines else 0
            newer = [as_row(line) for line in self._lines.pop(name, []) if line.number > last]
            frames[name] = self._log_frame(name, [*lines, *newer], last)
        for name in [name for name, lines in self._lines.items() if lines and name not in frames]:
            frames[name] = self._log_frame(name, [as_row(line) for line in self._lines.pop(name)])
        return frames

    def _log_frame(self, name: str, lines: list[Row], known: int = 0) -> Row:
        total = self._source.history.next_number - 1
        left_out = sum(number > known for number in self._left_out.pop(name, ()))
        frame = {"lines": lines, "left_out": left_out, "total": total}
        if name in self._anew:
            self._anew.discard(name)
            frame["anew"] = True
        return frame

    def _on_line(self, line: LogLine) -> None:
        for name, view in self._views.items():
            if view.kind == "logs" and line_matches(view.window, line) and self._source.families.has(view.window, line):
                kept = self._lines.setdefault(name, [])
                kept.append(line)
                if len(kept) > _LINES_PER_FRAME:  # a flood: the client gets the newest and is told how many it missed
                    self._left_out.setdefault(name, []).append(kept.pop(0).number)

    def _new_notices(self) -> list[Row]:
        news = self._source.notices.since(self._notice)
        self._notice = self._source.notices.last
        return news


async def _read_at_once(read: Callable[[], Row]) -> Row:
    """Without a thread: nobody else wants the event loop meanwhile."""
    return read()


def _number_of(kind: str, changes: Mapping[str, int]) -> int:
    """What goes up when a view of this kind may show something else. In the timeline everything that happens shows;
    a function's row counts its dead letters."""
    if kind == "timeline":
        return sum(changes.values())
    return changes.get(kind, 0) + (changes["dlq"] if kind == "functions" else 0)
