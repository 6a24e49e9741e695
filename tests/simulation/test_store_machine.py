"""Whatever happens in whatever order, and wherever the engine dies: what a queue promises.

The machine sends, begins and settles events by hand, with the real dispatcher on a real file. It drops what is not
committed, opens the file again, fills the disk and makes room, lets time pass, redrives and prunes. What it has seen
itself, the witness, is compared with the file, as another connection sees it, after every rule.

LAMTOP_EXAMPLES=1000 tries so many histories.
"""

import os
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lamtop.engine.clock import SimulatedClock
from lamtop.engine.core.event import Condition, Ended, Event, Outcome, State
from lamtop.engine.core.function import EventInvokeConfig, Function, Queue
from lamtop.engine.core.invocation import Invocation
from lamtop.engine.dispatcher import Dispatcher
from lamtop.engine.edges.destinations import Destinations
from lamtop.engine.metrics import Metrics
from lamtop.engine.reports import Accept, Finished, Purge, Redrive, Undo
from lamtop.engine.store import KEEP, Peek, Store, Unwritable

EXAMPLES = int(os.environ.get("LAMTOP_EXAMPLES", "20"))
IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
DEAD = "arn:aws:sqs:us-east-1:000000000000:dead"
FUNCTIONS = {
    f.name: f
    for f in (
        Function("plain", "app.handler", "/nowhere", dead_letter_queue=DEAD),
        Function("few", "app.handler", "/nowhere", dead_letter_queue=DEAD, reserved_concurrency=1),
        Function("dropped", "app.handler", "/nowhere", event_invoke_config=EventInvokeConfig(1, 600.0)),
        Function("never", "app.handler", "/nowhere", dead_letter_queue=DEAD, reserved_concurrency=0),
    )
}
ENDINGS = {
    "returned": Outcome(Ended.RETURNED),
    "failed": Outcome(Ended.FUNCTION_ERROR, error_type="KeyError", error_message="'card'"),
    "lost": Outcome(Ended.LOST),
    "cancelled": Outcome(Ended.CANCELLED),
}
PAYLOAD = b'"%s"' % (b"x" * 10_000)  # pages of its own, so that a full disk is soon noticed
OVER = ("succeeded", "discarded")


class ByHand:
    """Execution environments whose invocations begin and end when the machine says so."""

    def __init__(self) -> None:
        self.waiting: list[Invocation] = []

    def run(self, invocation: Invocation) -> None:
        self.waiting.append(invocation)

    def capacity(self, function: str) -> int:
        return 2


class Life(RuleBasedStateMachine):
    """Many lives of an engine on one state folder."""

    @initialize()
    def install(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lamtop-machine-", dir=IN_MEMORY))
        self.clock = SimulatedClock()
        self.promised: set[str] = set()  # the witness: who was accepted, aloud
        self.ends: dict[str, tuple[Any, ...]] = {}  # … and how an event was seen to have ended
        self.pruned: set[str] = set()
        self.lives = 0
        self._open()

    def _open(self) -> None:
        self.lives += 1
        self.is_full = False
        self.running: list[Invocation] = []
        self.store = Store(self.folder / "state")
        self.peek = Peek(self.store.path)
        self.environments = ByHand()
        self.metrics = Metrics()
        destinations = Destinations(self._new_id, self.clock.now)
        destinations.configure(FUNCTIONS, {"dead": Queue("dead", DEAD)})
        self.dispatcher = Dispatcher(
            self.store, self.clock, self.environments, self.metrics, deliver=destinations.deliver, seed=self.lives
        )
        self.dispatcher.configure(FUNCTIONS)
        self.dispatcher.recover()
        self._step()

    def _new_id(self) -> str:
        return self.dispatcher.request_id()

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self._close()
            shutil.rmtree(self.folder)

    def _close(self) -> None:
        self.peek.close()
        self.store.close()

    def _step(self) -> None:
        """Whole steps, until nothing has arrived; none on a full disk, where the loop waits for the one before."""
        while not self.is_full:
            step = self.dispatcher.step()
            if step.wrote:
                self._commit()
            if not self.is_full:
                self.dispatcher.release()
            if not self.dispatcher.unread:
                return

    def _commit(self) -> None:
        try:
            self.store.commit()
            self.is_full = False
        except Unwritable:
            self.is_full = True

    def _rows(self, sql: str) -> list[Any]:
        return self.peek._connection.execute(sql).fetchall()

    # -- rules -------------------------------------------------------------------------------------------------------

    @precondition(lambda self: not self.is_full)
    @rule(name=st.sampled_from(sorted(FUNCTIONS)), count=st.integers(1, 4))
    def accept(self, name: str, count: int) -> None:
        for _ in range(count):
            self.dispatcher.report(Accept(self._new_id(), FUNCTIONS[name], PAYLOAD, "test", self._promise))
        self._step()

    def _promise(self, event: Event) -> None:
        assert self.peek.event(event.id) is not None, "I1: promised before it was on the disk"
        self.promised.add(event.id)

    @rule(count=st.integers(1, 3))
    def begin(self, count: int) -> None:
        """Environments become free: what waits for them starts, unless a limit or its age is in the way."""
        for _ in range(min(count, len(self.environments.waiting))):
            invocation = self.environments.waiting.pop(0)
            if invocation.may_start():
                self._started(invocation)
        self._step()

    def _started(self, invocation: Invocation) -> None:
        event = self.peek.event(invocation.request_id)
        assert event is not None
        assert (event.state, event.attempts) == (State.RUNNING, invocation.attempt), "it began before it was on record"
        age = self.clock.now() - event.accepted_at
        assert age <= FUNCTIONS[event.function].event_invoke_config.maximum_event_age, "I4: it began too late"
        assert self.clock.now() >= event.due_at, "I7: it began too early"
        assert event.id not in {other.request_id for other in self.running}, "I5: it runs twice at once"
        self.running.append(invocation)

    @precondition(lambda self: self.running)
    @rule(ending=st.sampled_from(sorted(ENDINGS)), which=st.integers(0, 100))
    def settle(self, ending: str, which: int) -> None:
        invocation = self.running.pop(which % len(self.running))
        invocation.done(ENDINGS[ending]._replace(started_at=self.clock.now(), ended_at=self.clock.now()))
        self._step()

    @precondition(lambda self: not self.is_full)
    @rule(seq=st.integers(1, 40), ending=st.sampled_from(sorted(ENDINGS)))
    def settle_what_does_not_run(self, seq: int, ending: str) -> None:
        self._step()  # all that is due now has been done
        if seq not in self.dispatcher.begun and not self.is_full:
            before = self._rows("SELECT * FROM event"), self._rows("SELECT * FROM attempt")
            self.dispatcher.report(Finished(seq, ENDINGS[ending]))
            self._step()
            after = self._rows("SELECT * FROM event"), self._rows("SELECT * FROM attempt")
            assert before == after, "I6: a stale report changed something"

    @rule(seconds=st.sampled_from([0.5, 1.0, 5.0, 61.0, 121.0, 700.0]))
    def pass_time(self, seconds: float) -> None:
        self.clock.advance_to(self.clock.now() + seconds)
        self._step()

    @rule(before_the_commit=st.booleans())
    def crash(self, before_the_commit: bool) -> None:
        """The process dies, perhaps with a step that is not committed; another one opens the file."""
        if before_the_commit and not self.is_full:
            for name in sorted(FUNCTIONS):
                self.dispatcher.report(Accept(self._new_id(), FUNCTIONS[name], b"{}", "test", self._promise))
            self.dispatcher.step()
        self.store.rollback()
        self._close()
        self._open()

    @precondition(lambda self: not self.is_full)
    @rule(count=st.integers(1, 3))
    def redrive(self, count: int) -> None:
        dead = [f"dropped:{id_}" for (id_,) in self._rows("SELECT id FROM event WHERE dropped AND redriven_as IS NULL")]
        dead += [id_ for (id_,) in self._rows("SELECT id FROM message ORDER BY rowid")]
        answers: list[tuple[Any, Any]] = []
        self.dispatcher.report(Redrive((*dead[:count], "nothing"), lambda *answer: answers.append(answer)))
        self._step()
        for redriven, refused in answers:
            assert [id_ for id_, _ in refused] == ["nothing"]
            self.promised.update(new for _, new in redriven)

    @precondition(lambda self: not self.is_full)
    @rule(count=st.integers(1, 3))
    def purge_and_bring_back(self, count: int) -> None:
        """A purge that somebody takes back has changed nothing."""
        dead = [f"dropped:{id_}" for (id_,) in self._rows("SELECT id FROM event WHERE dropped AND redriven_as IS NULL")]
        dead += [id_ for (id_,) in self._rows("SELECT id FROM message ORDER BY rowid")]
        purges: list[tuple[str, list[str]]] = []
        restored: list[int | None] = []
        self.dispatcher.report(Purge((*dead[:count], "nothing"), lambda *answer: purges.append(answer)))
        self.dispatcher.report(Undo("", restored.append))
        self._step()
        for (_, purged), back in zip(purges, restored, strict=True):
            assert purged == dead[:count]
            assert (back or 0) == len(purged)

    @precondition(lambda self: not self.is_full)
    @rule(events=st.integers(0, 5))
    def prune(self, events: int) -> None:
        before: dict[str, str] = dict(self._rows("SELECT id, state FROM event"))
        ended = sum(counts.succeeded + counts.discarded for counts in self.metrics.functions.values())
        self.store._prune_again = 0.0
        try:
            self.store.prune(KEEP._replace(events=events), 0.0, ended)
        except Unwritable:
            self.store.rollback()
        gone = before.keys() - {id_ for (id_,) in self._rows("SELECT id FROM event")}
        assert {before[id_] for id_ in gone} <= set(OVER), "an event was pruned that is not over"
        self.pruned |= gone

    @rule()
    def fill_the_disk(self) -> None:
        self.store.setting(f"max_page_count = {self.store.setting('page_count')}")

    @rule()
    def make_room(self) -> None:
        self.store.setting(f"max_page_count = {2**30}")
        if self.is_full:
            self._commit()
            assert not self.is_full
            self.dispatcher.release()
        self._step()

    # -- what holds after each ---------------------------------------------------------------------------------------

    @invariant()
    def every_promised_event_is_there_or_was_over(self) -> None:  # I1
        if hasattr(self, "folder"):
            assert self.promised - {id_ for (id_,) in self._rows("SELECT id FROM event")} <= self.pruned

    @invariant()
    def an_end_is_final(self) -> None:  # I2
        if hasattr(self, "folder"):
            sql = "SELECT id, state, condition, ended_at, attempts FROM event WHERE state IN ('succeeded', 'discarded')"
            for id_, *end in self._rows(sql):
                assert self.ends.setdefault(id_, tuple(end)) == tuple(end)

    @invariant()
    def errors_are_counted_and_bounded(self) -> None:  # I3
        if hasattr(self, "folder"):
            sql = """SELECT e.function, e.errors, e.condition, (SELECT count(*) FROM attempt a WHERE a.event = e.seq
                     AND a.ended = 'function error') FROM event e"""
            for function, errors, condition, attempts in self._rows(sql):
                most = FUNCTIONS[function].event_invoke_config.tries
                assert errors == attempts <= most
                assert condition != Condition.RETRIES_EXHAUSTED or errors == most

    @invariant()
    def one_dead_letter_for_each_event_that_has_somewhere_to_go(self) -> None:
        if hasattr(self, "folder"):
            letters = Counter(id_ for (id_,) in self._rows("SELECT request_id FROM message"))
            letters.update(id_ for (id_,) in self._rows("SELECT request_id FROM delivery"))
            sql = "SELECT id FROM event WHERE state = 'discarded' AND NOT dropped AND redriven_as IS NULL"
            assert letters == Counter(id_ for (id_,) in self._rows(sql))

    @invariant()
    def the_counts_are_those_of_the_file(self) -> None:  # I8
        if hasattr(self, "folder") and not self.is_full:
            counted = Counter(
                {
                    (name, place): number
                    for name, counts in self.metrics.functions.items()
                    for place, number in (
                        *counts.queued.items(),
                        ("running", counts.begun),
                        ("succeeded", counts.succeeded),
                        ("discarded", counts.discarded),
                    )
                }
            )
            found = Counter({(name, p): n for name, places in self.store.counts().items() for p, n in places.items()})
            assert +counted == +found


TestLife = Life.TestCase
TestLife.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
    derandomize=EXAMPLES <= 20,
)
