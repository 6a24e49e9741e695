"""Everything there is to see, as rows of plain values: filtered, sorted and cut to a window."""

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from ..clock import Clock, SimulatedClock
from ..core.arn import resource_name
from ..core.concurrency import InFlight, Limits
from ..core.event import Event, Reason
from ..core.function import EventInvokeConfig, Function
from ..core.invocation import Invocation
from ..core.log import LogLine
from ..metrics import Metrics, percentile
from ..store import HistoryReader, Peek, Window
from ..store.peek import dead_order
from .calls import Sources
from .family import Families
from .function_row import configured, counted
from .notices import Notices
from .rows import Row, as_row, cut, is_behind_cursor, line_matches, queued_place, row_matches, sort_key
from .timeline import Timeline
from .wishes import View

_GAUGES = 8  # functions with reserved concurrency that are told of, the fullest


class Pools(Protocol):
    """What the views show of execution environments."""

    executing: dict[str, Invocation]

    @property
    def cold_starts(self) -> Mapping[str, int]: ...
    @property
    def limited_by(self) -> str | None: ...
    def live(self, function: str) -> int: ...
    def waiting(self, function: str) -> int: ...
    def version(self, function: str) -> int: ...
    def processes(self, function: str) -> dict[str, tuple[int, str]]: ...
    @property
    def interpreter(self) -> str: ...


class Dispatcher(Protocol):
    """What the views show of the dispatcher."""

    metrics: Metrics
    in_flight: InFlight
    begun: dict[int, Event]
    paused_since: float | None

    @property
    def ahead(self) -> list[Event]: ...
    @property
    def functions(self) -> Mapping[str, Function]: ...
    @property
    def limits(self) -> Limits: ...
    def waiting(self, function: str) -> int: ...


class Views:
    """What there is to see. Makes rows; a `Subscription` sends them."""

    def __init__(
        self,
        clock: Clock,
        dispatcher: Dispatcher,
        pools: Pools,
        history: HistoryReader,
        peek: Peek,
        notices: Notices,
        reload_errors: Mapping[str, str],
        armed: Callable[[], list[Row]] = list,
    ) -> None:
        """`armed` tells of the faults that are armed."""
        self.clock = clock
        self.dispatcher = dispatcher
        self.pools = pools
        self.history = history
        self.peek = peek
        self.notices = notices
        self.reload_errors = reload_errors
        self.armed = armed
        self.timeline = Timeline(pools.executing, history, peek, self._tries)
        self.families = Families(self._sources, dispatcher.metrics.changes)
        self._dead: tuple[int, dict[str, int]] = (-1, {})  # change number, how many by function

    def rows(self, view: View) -> tuple[int, list[Row]]:
        """How many rows there are and those of the window. Reads the disk: not for the event loop."""
        view = View(view.kind, self.families.resolved(view.window))
        match view.kind:
            case "queue":
                return self._queue(view.window)
            case "retries":
                return self._retries(view.window)
            case "dlq":
                return self.peek.dead_letters(view.window, self._dead_letter_queues())
            case "inflight":
                return cut(view.window, [self._executing(i) for i in list(self.pools.executing.values())], "ends_at")
            case "timeline":
                return self.timeline.rows(view.window)
            case _:
                return cut(view.window, [self._function(f) for f in list(self.dispatcher.functions.values())], "id")

    def position(self, view: View, row: Row) -> tuple[Any, Any]:
        """The sort value and the tie-breaker of a row: what a cursor holds."""
        match view.kind:
            case "queue" | "retries":
                return queued_place(view.window, row)
            case "dlq":
                value = row[dead_order(view.window)]
                return value or ("" if view.window.sort not in ("attempts", "count") else 0), row["id"]
            case "inflight":
                return row[sort_key(view.window, row, "ends_at")], row["id"]
            case "timeline":
                return row[sort_key(view.window, row, "accepted_at")], row["id"]
            case _:
                return row[sort_key(view.window, row, "id")], row["id"]

    def time(self) -> Row:
        clock = self.clock
        told = {"engine": clock.now(), "wall": time.time(), "rate": clock.rate, "mode": clock.mode}
        return told | {"driven": isinstance(clock, SimulatedClock) and not clock.is_paced}

    def totals(self) -> Row:
        """Counts over all functions. Reads the disk for the dead letters, and only when they changed."""
        functions = list(self.dispatcher.metrics.functions.values())
        recent = self.dispatcher.metrics.durations.copy()
        queued = {reason: self._counted([reason]) for reason in Reason}
        waiting = len(self.dispatcher.ahead) + queued[Reason.NEW] + queued[Reason.LOST] + queued[Reason.REDRIVE]
        return {
            "queued": waiting + queued[Reason.THROTTLED],
            "waiting": waiting,
            "throttled": queued[Reason.THROTTLED],
            "retrying": queued[Reason.RETRY],
            "in_flight": len(self.pools.executing),
            "succeeded": sum(f.succeeded for f in functions),
            "discarded": sum(f.discarded for f in functions),
            "dead_letters": sum(self._dead_letters().values()),
            "errors": sum(f.errors for f in functions),
            "throttles": sum(f.throttles for f in functions),
            "invocations": sum(f.invocations for f in functions),
            "received": self.dispatcher.metrics.received,
            "p50": percentile(recent, 0.50),
            "p99": percentile(recent, 0.99),
            "cost": sum(f.bill.cost for f in functions),
            "waited_cost": sum(f.bill.waited_cost for f in functions),
            "concurrency": self._concurrency(),
            "soonest_retry": self._first(retries=True),
            "oldest_queued": self._first(retries=False),
            "paused_since": self.dispatcher.paused_since,
            "standing": self._standing(),
            "faults": self.armed(),
        }

    def lines(self, view: View, before: int | None = None) -> list[Row]:
        """The newest log lines that match, oldest first; with `before`, in front of that number. Reads the disk."""
        self.history.wait()
        window = self.families.resolved(view.window)

        def wanted(line: LogLine) -> bool:
            return line_matches(window, line)

        about = window.requests if window.requests and len(window.requests) == 1 else ()
        word = max((*window.words, *about), key=len, default="")
        found = self.history.newest_lines(
            window.limit, wanted if window.is_filtered or window.level else None, word=word, before=before or 2**62
        )
        return [as_row(line) for line in found]

    # ----------------------------------------------------------------------------------------------------------------

    def _queue(self, window: Window) -> tuple[int, list[Row]]:
        """What waits in the table, and what has begun and waits for an environment, in one order."""
        ahead = [self._queued(event) for event in self.dispatcher.ahead]
        ahead = [row for row in ahead if row_matches(window, row)]
        first = max(0, window.offset - len(ahead))
        wider = window._replace(offset=first, limit=window.limit + len(ahead))
        total, events = self.peek.queued(wider, retries=False)
        if total is None:
            total = self._counted(reason for reason in Reason if reason is not Reason.RETRY)
        # While a commit is under way an event may have begun here and still be queued on the disk.
        rows = [self._queued(e) for e in events if e.seq not in self.dispatcher.begun]
        rows += [row for row in ahead if is_behind_cursor(window, row)]
        rows.sort(key=lambda row: queued_place(window, row), reverse=window.descending)
        skipped = window.offset - first
        return total + len(ahead), rows[skipped : skipped + window.limit]

    def _retries(self, window: Window) -> tuple[int, list[Row]]:
        total, events = self.peek.queued(window, retries=True)
        if total is None:
            total = self._counted([Reason.RETRY])
        return total, [self._queued(event) for event in events]

    def _counted(self, reasons: Iterable[Reason]) -> int:
        """How many events are queued for these reasons, counted in memory."""
        functions = list(self.dispatcher.metrics.functions.values())
        return sum(function.queued[reason] for reason in reasons for function in functions)

    def _queued(self, event: Event) -> Row:
        begun = event.seq in self.dispatcher.begun
        throttled = event.reason is Reason.THROTTLED and not begun
        why = "waiting for a place" if self.dispatcher.paused_since is None else "PAUSED"
        return {
            "id": event.id,
            "seq": event.seq,
            "function": event.function,
            "due_at": event.due_at,
            "accepted_at": event.accepted_at,
            "attempt": event.attempts + (not begun),
            "tries": self._tries(event),
            "size": len(event.payload),
            "source": event.source,
            "reason": str(event.reason),
            "wait": "throttled" if throttled else why,
            "waits_since": event.begun_at if event.begun_at and not begun else event.accepted_at,
            "error": event.error,
        }

    def _executing(self, invocation: Invocation) -> Row:
        started_at = invocation.started_at or self.clock.now()
        return {
            "id": invocation.request_id,
            "function": invocation.function.name,
            "attempt": invocation.attempt,
            "tries": invocation.tries,
            "started_at": started_at,
            "rate": self.clock.rate or 1.0 if self.clock.mode == "scaled" else 1.0,  # a handler keeps real time
            "timeout": invocation.function.timeout,
            "ends_at": started_at + invocation.function.timeout,
            "cold": invocation.cold,
            "environment": invocation.environment,
            "source": invocation.source,
            "kind": invocation.kind,
            "version": invocation.version,
            "injected": str(invocation.fault or ""),
        }

    def _function(self, function: Function) -> Row:
        counts = self.dispatcher.metrics.of(function.name)
        return {
            "id": function.name,
            **configured(function),
            **counted(counts),
            "version": self.pools.version(function.name),
            "cold_starts": self.pools.cold_starts.get(function.name, 0),
            "in_flight": self.dispatcher.in_flight.by_function.get(function.name, 0),
            "queued": sum(counts.queued.values()) + self.dispatcher.waiting(function.name),
            "dead": self._dead_letters().get(function.name, 0),
            "environments": self.pools.live(function.name),
            "reload_error": self.reload_errors.get(function.name),
            "limited_by": self.pools.limited_by if self.pools.waiting(function.name) else None,
        }

    def _concurrency(self) -> list[list[Any]]:
        """How much of each limit is used: [function or "" for the account, running, limit], the account first."""
        in_flight, limits = self.dispatcher.in_flight, self.dispatcher.limits
        reserved: list[list[Any]] = [
            [name, in_flight.by_function.get(name, 0), most] for name, most in limits.reserved.items()
        ]
        reserved.sort(key=lambda one: (-one[1] / max(1, one[2]), one[0]))
        return [["", in_flight.total, limits.account], *reserved[:_GAUGES]]

    def _sources(self) -> Sources:
        return Sources(self.peek, self.history, self.dispatcher.functions, self.pools.executing)

    def _standing(self) -> list[Row]:
        """What is wrong, or in the way, for as long as it is."""
        errors = sorted(dict(self.reload_errors).items())
        said = [{"level": "error", "text": f"{name}: the newest code does not load: {error}"} for name, error in errors]
        limit = self.pools.limited_by
        if limit and any(self.pools.waiting(name) for name in list(self.dispatcher.functions)):
            said.append({"level": "warning", "text": f"invocations wait: no more environments, limited by {limit}"})
        return self.notices.kept() + said

    def _tries(self, event: Event) -> int:
        found = self.dispatcher.functions.get(event.function)
        return (found.config(event.qualifier) if found else EventInvokeConfig()).tries

    def _dead_letter_queues(self) -> list[str]:
        """Queues whose messages are dead letters: DLQs, and on-failure queues of functions without one."""
        arns = {
            f.dead_letter_queue or config.on_failure
            for f in self.dispatcher.functions.values()
            for config in (f.event_invoke_config, *f.qualified_configs.values())
        }
        return sorted(resource_name(arn) for arn in arns if arn)

    def _dead_letters(self) -> dict[str, int]:
        """The dead letters that there are now, by function. Reads the disk only when they changed."""
        change = self.dispatcher.metrics.changes["dlq"]
        if self._dead[0] != change:
            self._dead = (change, self.peek.dead_by_function(self._dead_letter_queues()))
        return self._dead[1]

    def _first(self, *, retries: bool) -> float | None:
        _, events = self.peek.queued(Window(limit=1), retries=retries)
        if retries:
            return events[0].due_at if events else None
        return min((event.accepted_at for event in (*self.dispatcher.ahead, *events)), default=None)
