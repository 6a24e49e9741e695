"""A whole engine on simulated time: the real dispatcher and store, execution environments that follow a script."""

import heapq
import math
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from lamtop.engine.clock import SimulatedClock
from lamtop.engine.core.event import Delivery, Ended, Event, Message, Outcome
from lamtop.engine.core.fault import ON_INIT, Fault, Kind
from lamtop.engine.core.function import Function, Queue
from lamtop.engine.core.invocation import Invocation
from lamtop.engine.dispatcher import Dispatcher
from lamtop.engine.edges.destinations import Destinations
from lamtop.engine.faults import Faults
from lamtop.engine.metrics import Metrics
from lamtop.engine.reports import Accept, Purge, Redrive, Report, Undo
from lamtop.engine.store import Store

RETURNED = Outcome(Ended.RETURNED, payload=b'"done"')
FAILED = Outcome(Ended.FUNCTION_ERROR, payload=b'{"errorMessage":"boom"}', error_type="Exception", error_message="boom")

#: Given the invocation, what comes of it and after how many seconds.
Script = Callable[[Invocation], tuple[Outcome, float]]

QUEUES = {name: Queue(name, f"arn:aws:sqs:us-east-1:000000000000:{name}") for name in ("dead", "records")}
_AT_ONCE = frozenset({Kind.ERROR, Kind.EXIT, Kind.KILL, Kind.MEMORY, Kind.CORRUPT, Kind.INIT_ERROR})
_AFTERWARDS = frozenset({Kind.ERROR_AFTER, Kind.OVERSIZE})


def hit(fault: Fault, outcome: Outcome, seconds: float, timeout: float) -> tuple[Outcome, float]:
    """What an armed fault makes of an outcome, as a process would."""
    if fault.kind in _AT_ONCE:
        outcome, seconds = FAILED, 0.0
    elif fault.kind in _AFTERWARDS:
        outcome = FAILED
    elif fault.kind is Kind.TIMEOUT:
        outcome, seconds = FAILED, timeout
    return outcome._replace(injected=str(fault)), seconds + fault.seconds


class ScriptedEnvironments:
    """Runs invocations on simulated time, up to `most` of each function at once."""

    def __init__(self, clock: SimulatedClock, script: Script, most: int = 1_000) -> None:
        self.clock = clock
        self.script = script
        self.most = most
        self.place_free: Callable[[str], None] = lambda function: None
        self.init_fault: Callable[[str], Fault | None] = lambda function: None
        self.executing: dict[str, Invocation] = {}
        self.starts: list[tuple[float, str, int]] = []  # when, request id, attempt
        self.all_starts: list[tuple[float, str, int]] = []
        self._running: dict[str, int] = {}
        self._warm: dict[str, int] = {}  # environments that there are
        self._waiting: dict[str, list[Invocation]] = {}
        self._ends: list[tuple[float, int, Invocation, Outcome]] = []
        self._order = 0

    def run(self, invocation: Invocation) -> None:
        self._waiting.setdefault(invocation.function.name, []).append(invocation)
        self._start_next(invocation.function.name)

    def waiting(self, function: str) -> int:
        return len(self._waiting.get(function, []))

    def drop_waiting(self, function: str) -> list[Invocation]:
        """What real environments do when they stop: nothing that waits will run."""
        dropped, self._waiting[function] = self._waiting.get(function, []), []
        return dropped

    def capacity(self, function: str) -> int:
        return max(1, self._running.get(function, 0))

    def next_end(self) -> float | None:
        return self._ends[0][0] if self._ends else None

    def end_due(self) -> None:
        """Report every execution that has ended by now."""
        while self._ends and self._ends[0][0] <= self.clock.now():
            _, _, invocation, outcome = heapq.heappop(self._ends)
            function = invocation.function.name
            self._running[function] -= 1
            del self.executing[invocation.request_id]
            self._end(invocation, outcome._replace(started_at=invocation.started_at or 0, ended_at=self.clock.now()))
            self._start_next(function)
            self.place_free(function)

    def _end(self, invocation: Invocation, outcome: Outcome) -> None:
        invocation.done(outcome)

    def _start_next(self, function: str) -> None:
        waiting = self._waiting[function]
        while waiting and self._running.get(function, 0) < self.most:
            invocation = waiting.pop(0)
            if invocation.may_start():
                self._start(invocation)

    def _start(self, invocation: Invocation) -> None:
        name = invocation.function.name
        self._running[name] = self._running.get(name, 0) + 1
        self.executing[invocation.request_id] = invocation
        invocation.started_at = self.clock.now()
        self.starts.append((self.clock.now(), invocation.request_id, invocation.attempt))
        self.all_starts.append(self.starts[-1])
        outcome, seconds = self.script(invocation)
        for fault in (invocation.fault, self._init(name)):
            if fault is not None:
                outcome, seconds = hit(fault, outcome, seconds, invocation.function.timeout)
        self._order += 1
        heapq.heappush(self._ends, (self.clock.now() + seconds, self._order, invocation, outcome))

    def _init(self, name: str) -> Fault | None:
        """What goes wrong with a new environment, if this is one."""
        if self._running[name] <= self._warm.get(name, 0):
            return None
        self._warm[name] = self._running[name]
        return self.init_fault(name)


class World:
    """Dispatcher, store, clock and scripted environments; `run` lives through everything that is due."""

    def __init__(
        self,
        folder: Path,
        functions: Iterable[Function],
        script: Script,
        *,
        seed: int = 7,
        most: int = 1_000,
        jitter: int | None = None,
    ):
        self.clock = SimulatedClock()
        self.folder = folder
        self.functions = {f.name: f for f in functions}
        self.script = script
        self.seed = seed
        self.jitter = jitter
        self.most = most
        self.lives = 0
        self.grain = 0.0  # seconds between two moments at which the engine wakes, as if the machine were slow
        self.answers: list[Event] = []
        self.all_starts: list[tuple[float, str, int]] = []  # over every life of the engine
        self._open()

    def _open(self) -> None:
        self.lives += 1
        self.store = Store(self.folder)
        self.environments = self._environments()
        self.environments.all_starts = self.all_starts
        self.faults = Faults(self.clock, lifted=self._fault_lifted)
        self.environments.init_fault = partial(self.faults.choose, ON_INIT)
        self.destinations = Destinations(self._new_id, self.clock.now)
        self.destinations.configure(self.functions, QUEUES)
        self.metrics = self._metrics()
        self.dispatcher = Dispatcher(
            self.store,
            self.clock,
            self.environments,
            self.metrics,
            deliver=self._deliver,
            seed=self.seed if self.lives == 1 else hash((self.seed, self.lives)),
            jitter=self.jitter,
            faults=self.faults,
        )
        self.environments.place_free = self.dispatcher.place_free
        self.dispatcher.configure(self.functions)

    def _environments(self) -> ScriptedEnvironments:
        return ScriptedEnvironments(self.clock, self.script, self.most)

    def _metrics(self) -> Metrics:
        return Metrics()

    def _fault_lifted(self) -> None:
        self.dispatcher.look_again()

    def _deliver(self, delivery: Delivery) -> Message | Accept | str:
        return self.faults.why_not_delivered(delivery) or self.destinations.deliver(delivery)

    def _new_id(self) -> str:
        return self.dispatcher.request_id()

    def send(self, function: str, payload: bytes = b"{}", qualifier: str = "") -> str:
        request_id = self.dispatcher.request_id()
        self.report(Accept(request_id, self.functions[function], payload, "test", self.answers.append, qualifier))
        return request_id

    def redrive(self, *ids: str, **payloads: bytes) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        answer: list[tuple[list[tuple[str, str]], list[tuple[str, str]]]] = []
        self.report(Redrive(ids, lambda redriven, refused: answer.append((redriven, refused)), payloads))
        self.step()
        return answer[0]

    def purge(self, *ids: str) -> tuple[str, list[str]]:
        answer: list[tuple[str, list[str]]] = []
        self.report(Purge(ids, lambda name, purged: answer.append((name, purged))))
        self.step()
        return answer[0]

    def undo(self, purge: str = "") -> int | None:
        answer: list[int | None] = []
        self.report(Undo(purge, answer.append))
        self.step()
        return answer[0]

    def report(self, report: Report) -> None:
        self.dispatcher.report(report)

    def step(self) -> float | None:
        step = self.dispatcher.step()
        if step.wrote:
            self.store.commit()
        self.dispatcher.release()
        return step.wake_at

    def run(self, until: float = float("inf")) -> None:
        """Step, jump to the next thing that happens, and again, until nothing does or `until` (engine time)."""
        while True:
            self.environments.end_due()
            moments = [self.step(), self.environments.next_end(), self.clock.next_ring()]
            next_moment = self._woken_at(min((m for m in moments if m is not None), default=None))
            if next_moment is None or next_moment > until:
                self.clock.advance_to(until if until < float("inf") else 0)
                return
            self.clock.advance_to(next_moment)

    def _woken_at(self, moment: float | None) -> float | None:
        if not self.grain or moment is None or moment <= self.clock.now():
            return moment
        return math.ceil(moment / self.grain) * self.grain

    def crash_and_start_again(self) -> None:
        """The process dies between two commits, and another one opens the same file."""
        self.store.rollback()
        self.store.close()
        self._open()
        self.dispatcher.recover()

    def event(self, request_id: str) -> Event:
        event = self.store.event(request_id)
        assert event is not None
        return event

    def events(self, function: str = "") -> list[Event]:
        """Every event, or every one of a function, in order of acceptance."""
        found = [self.event(str(row[2])) for row in self.history() if row[0] == "event"]
        return [event for event in found if function in ("", event.function)]

    def history(self) -> list[tuple[object, ...]]:
        """Everything that is in the store, for comparison."""
        tables = ("event", "attempt", "delivery", "message", "tombstone")
        connection = self.store._connection
        return [(table, *row) for table in tables for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2")]
