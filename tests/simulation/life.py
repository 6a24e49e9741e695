"""Plays a story with the real dispatcher and store, a witness beside them, and says what must hold when it is over."""

import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from lamtop.engine.core.event import Ended, Event, Outcome, State
from lamtop.engine.core.function import Function
from lamtop.engine.core.invocation import Invocation
from lamtop.engine.metrics import Metrics
from lamtop.engine.reports import Accept, Finished, Purge, Redrive, Undo
from lamtop.engine.store import Unwritable
from simulation import story
from simulation.ledger import Ledger, configured
from simulation.story import DEAD, FUNCTIONS, Step
from simulation.world import FAILED, QUEUES, RETURNED, ScriptedEnvironments, World

IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
_ENDS = (RETURNED, FAILED, Outcome(Ended.LOST), Outcome(Ended.CANCELLED))
#: How long handlers run, and seconds between two moments at which the engine wakes: much happens at the same moment.
_SHORT = (0.0, 0.5, 1.0, 2.0, 30.0)
_PACES = ((_SHORT, 0.0), (_SHORT, 2.0), ((0.0, 1.0), 0.5), ((50.0, 100.0), 10.0))
_UNDO = 10.0


class Died(Exception):
    """The engine was killed."""


@dataclass
class Burial:
    """A purge: which letters, of which events."""

    letters: dict[str, str]
    until: float
    undone: bool = False


class CountingMetrics(Metrics):
    """Counts how often an event changed its state."""

    transitions = 0
    faults = 0  # of these, how many were not as things should go

    def moved(self, before: Event | None, after: Event) -> None:
        self.transitions += 1
        if before is not None and after.state is not State.SUCCEEDED and after.state is not State.RUNNING:
            self.faults += 1  # back to the queue, or discarded
        super().moved(before, after)


class WatchedEnvironments(ScriptedEnvironments):
    """Tells the witness what begins and ends."""

    def __init__(self, life: "Life") -> None:
        super().__init__(life.clock, life.script, life.most)
        self._life = life

    def run(self, invocation: Invocation) -> None:
        self._life.noted_begin(invocation)
        super().run(invocation)

    def _start(self, invocation: Invocation) -> None:
        self._life.ledger.started(invocation, self._life.functions, self.clock.now())
        super()._start(invocation)

    def _end(self, invocation: Invocation, outcome: Outcome) -> None:
        self._life.ledger.ended(invocation, outcome)
        self._life.ended(invocation, outcome)


class Life(World):
    """One state folder and its engines, one after the other."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.dice = random.Random(f"life {seed}")
        account, most = self.dice.choice((1_000, 1_000, 8)), self.dice.choice((1_000, 20, 2))
        self._weights = self.dice.choice(((90, 8, 1, 1), (60, 38, 1, 1), (30, 60, 8, 2)))
        self._durations, grain = self.dice.choice(_PACES)
        late = seed % 4 == 0
        self.ledger = Ledger(account, late)
        self.transitions = self.faults_seen = 0
        self.stuck = False  # a step waits for room
        self._dies_at: int | None = None
        self._dies_after = False
        self.commits = 0
        self._twice = 0
        self._asked: set[str] = set()  # purges and undos without an answer
        self._sent: set[str] = set()
        self._burials: dict[str, Burial] = {}
        self._stepped_with: dict[str, Function] = dict(FUNCTIONS)
        self._stepped_at = 0.0
        self.lived: list[tuple[object, ...]] = []  # all that is on disk in the end
        super().__init__(folder, FUNCTIONS.values(), self._script, seed=seed, most=most, jitter=seed if late else None)
        self.grain = grain
        self._changes = {name: [(self.clock.now(), function)] for name, function in self.functions.items()}

    # -- parts that are watched --------------------------------------------------------------------------------------

    def _environments(self) -> ScriptedEnvironments:
        return WatchedEnvironments(self)

    def _metrics(self) -> Metrics:
        return CountingMetrics()

    def _open(self) -> None:
        super()._open()
        self.dispatcher.configure(self.functions, self.ledger.account)
        self._rows_at_open = self._count_rows()

    def _script(self, invocation: Invocation) -> tuple[Outcome, float]:
        return self.dice.choices(_ENDS, self._weights)[0], self.dice.choice(self._durations)

    def noted_begin(self, invocation: Invocation) -> None:
        function = self._stepped_with[invocation.function.name]
        qualifier = invocation.invoked_arn.partition(":function:")[2].partition(":")[2]
        self.ledger.begun[invocation.request_id] = function.config(qualifier).maximum_event_age

    def ended(self, invocation: Invocation, outcome: Outcome) -> None:
        invocation.done(outcome)
        if self._twice:
            self._twice -= 1
            [seq] = [seq for seq, event in self.dispatcher.begun.items() if event.id == invocation.request_id]
            self.dispatcher.report(Finished(seq, FAILED if outcome.ended is Ended.RETURNED else RETURNED))

    # -- steps and commits -------------------------------------------------------------------------------------------

    def step(self) -> float | None:
        if self.stuck:
            if not self._commit():
                return None
            self._make_way()
        self._stepped_with, self._stepped_at = self.functions, self.clock.now()
        step = self.dispatcher.step()
        unread = {self.dispatcher.begun[report.seq].id for report in self.dispatcher._inbox
                  if isinstance(report, Finished) and report.seq in self.dispatcher.begun}  # fmt: skip
        self.ledger.taken_in(unread, self.functions, self._stepped_at)
        if step.wrote and not self._commit():
            self.stuck = True
            self.dispatcher.hold(True)
            return None
        self.dispatcher.release()
        return step.wake_at if not self.dispatcher.unread else self.clock.now()

    def _commit(self) -> bool:
        """Whether there was room for it."""
        dies = self._dies_at == self.commits
        if dies and not self._dies_after:
            raise Died
        try:
            self.store.commit()
        except Unwritable:
            return False
        self.commits += 1
        self.ledger.committed()
        if dies:
            raise Died
        return True

    def _make_way(self) -> None:
        """The step that waited for room is on the disk: go on, as the engine's loop does."""
        self.stuck = False
        self.dispatcher.release()
        assert self.store.look_for_room()
        self.dispatcher.hold(False)

    def reopen(self, downtime: float) -> None:
        """Another engine opens the file that the dead one has left."""
        self._tally()
        self._dies_at, self.stuck, self._twice = None, False, 0
        self.store.rollback()
        self.clock.advance_to(self.clock.now() + downtime)
        self.store.close(failed=True)
        self._open()
        self._adopt()
        there = {str(id_) for (id_,) in self._rows("SELECT id FROM event")}
        assert self.ledger.promised <= there, f"accepted and forgotten: {self.ledger.promised - there}"
        self.ledger.died(self.store.running())
        self.dispatcher.recover()

    def _tally(self) -> None:
        assert isinstance(self.metrics, CountingMetrics)
        self.transitions += self.metrics.transitions
        self.faults_seen += self.metrics.faults

    def _adopt(self) -> None:
        """What was asked for and never answered may have been done, or not."""
        left: dict[str, Burial] = {}
        for purge, id_, request_id, until in self._rows("SELECT purge, id, request_id, until FROM tombstone"):
            left.setdefault(purge, Burial({}, until)).letters[id_] = request_id
        if "purge" in self._asked:
            self._burials |= {name: burial for name, burial in left.items() if name not in self._burials}
        if "undo" in self._asked:
            for name, burial in self._burials.items():
                burial.undone = burial.undone or (name not in left and burial.until > self._stepped_at)
        self._asked.clear()

    # -- the story ---------------------------------------------------------------------------------------------------

    def play(self, steps: Sequence[Step]) -> None:
        for step in steps:
            downtime = step.downtime if isinstance(step, story.Crash) else 0.0
            try:
                self._play(step)
                self.run(self.clock.now())
            except Died:
                self.reopen(downtime)
            self.check_counts()
        self._let_it_end()

    def _play(self, step: Step) -> None:
        match step:
            case story.Send():
                self._send_all(step)
            case story.Live(seconds):
                self.run(self.clock.now() + seconds)
            case story.Sleep(seconds):
                self.clock.advance_to(self.clock.now() + seconds)
            case story.Arm(sentence):
                self.faults.arm(sentence)
            case story.Clear():
                self.faults.clear()
            case story.Reload():
                self._reload(step)
            case story.Redrive(count) | story.Purge(count) if not self.stuck:
                (self._ask_redrive if isinstance(step, story.Redrive) else self._ask_purge)(count)
            case story.Undo() if not self.stuck:
                self._asked.add("undo")
                self.report(Undo("", self._undone))
            case story.Stale(nth) if not self.stuck:
                self._report_stale(nth)
            case story.Twice(count):
                self._twice = count
            case story.GiveUp(function):
                for invocation in self.environments.drop_waiting(function):
                    invocation.done(Outcome(Ended.LOST))
            case story.Fill():
                self.store.setting(f"max_page_count = {self.store.setting('page_count')}")
            case story.MakeRoom():
                self.store.setting(f"max_page_count = {2**30}")
            case story.Crash(at, after):
                if not at:
                    raise Died
                self._dies_at, self._dies_after = self.commits + at - 1, after

    def _send_all(self, step: story.Send) -> None:
        if self.stuck:
            return  # the door refuses what comes on a full disk
        function = self.functions[step.function]
        for _ in range(step.count):
            request_id = self.dispatcher.request_id()
            self._sent.add(request_id)
            self.report(Accept(request_id, function, b'{"n":1}', "test", self.ledger.answered, step.qualifier))

    def _reload(self, step: story.Reload) -> None:
        """A moment of its own, so that what ends can be told by its time to have ended before or after."""
        self.run(self.clock.now() + 0.001)
        old = self.functions[step.function]
        config = replace(old.event_invoke_config, maximum_retry_attempts=step.retries, maximum_event_age=step.age)
        new = replace(
            old,
            event_invoke_config=config,
            reserved_concurrency=step.reserved,
            dead_letter_queue=DEAD if step.dead_letters else None,
        )
        self.clock.advance_to(self.clock.now() + 0.001)
        self.functions = {**self.functions, new.name: new}
        self._changes[new.name].append((self.clock.now(), new))
        self.destinations.configure(self.functions, QUEUES)
        self.dispatcher.configure(self.functions, self.ledger.account)

    def _dead(self, count: int) -> dict[str, str]:
        """The oldest dead letters, and the request ids that they tell of."""
        letters = self._rows("SELECT id, request_id FROM message ORDER BY rowid LIMIT ?", count)
        dropped = "SELECT 'dropped:' || id, id FROM event WHERE dropped AND redriven_as IS NULL ORDER BY seq LIMIT ?"
        return dict([*letters, *self._rows(dropped, count)])

    def _ask_redrive(self, count: int) -> None:
        named = self._dead(count)
        may_go = {id_: event for id_, event in named.items() if event not in self._sent_round()}
        self.report(Redrive((*named, "nothing"), partial(self._redriven, may_go)))

    def _redriven(self, named: dict[str, str], redriven: list[tuple[str, str]], refused: list[tuple[str, str]]) -> None:
        assert {old for old, _ in redriven} == set(named.values()), (named, redriven)
        assert "nothing" in dict(refused)
        self.ledger.promised.update(new for _, new in redriven)
        there = {id_ for (id_,) in self._rows("SELECT id FROM message")}
        assert not there & set(named), "sent round, and still a dead letter"

    def _sent_round(self) -> set[str]:
        """Events that have been: a letter of such a one may come late, and cannot go round once more."""
        return {id_ for (id_,) in self._rows("SELECT id FROM event WHERE redriven_as IS NOT NULL")}

    def _ask_purge(self, count: int) -> None:
        named = self._dead(count)
        self._asked.add("purge")
        self.report(Purge((*named, "nothing"), partial(self._purged, named)))

    def _purged(self, named: dict[str, str], purge: str, purged: list[str]) -> None:
        self._asked.discard("purge")
        assert purged == list(named), "other letters went than were named"
        if purged:
            self._burials[purge] = Burial(named, self._stepped_at + _UNDO)

    def _undone(self, count: int | None) -> None:
        self._asked.discard("undo")
        open_ = [burial for burial in self._burials.values() if burial.until > self._stepped_at and not burial.undone]
        round_again = self._sent_round()
        back = [id_ for id_ in open_[-1].letters.values() if id_ not in round_again] if open_ else []
        assert (count or 0) == len(back), f"{count} dead letters came back instead of {len(back)}"
        if back:
            open_[-1].undone = True

    def _report_stale(self, nth: int) -> None:
        before: list[tuple[object, ...]] = []
        while before != (before := self.history()):  # until all that is due now has been done
            self.run(self.clock.now())
        if self.stuck or nth in self.dispatcher.begun:
            return
        self.report(Finished(nth, FAILED))
        self.step()
        assert self.history() == before, f"a stale report of event {nth} changed something"

    def _let_it_end(self) -> None:
        """All troubles are over; everything comes to its end."""
        while True:
            try:
                self.store.setting(f"max_page_count = {2**30}")
                self.faults.clear()
                self.run()
                break
            except Died:
                self.reopen(0.0)
        self._tally()
        self.check_counts()
        self.check_ends()
        self.check_letters()

    # -- what must hold ----------------------------------------------------------------------------------------------

    def check_counts(self) -> None:
        """What the engine has counted is what the table and the witness say."""
        for (name, failed), number in self.ledger.ran.items():
            counts = self.metrics.of(name)
            counted = counts.errors if failed else counts.invocations - counts.errors
            assert counted == number, f"{name}: {counted} counted, {number} ran; failed: {failed}"
        if self.stuck or self.dispatcher.unread:
            return
        there = self.store.counts()
        for name in self.functions:
            counts = self.metrics.of(name)
            now = {
                **counts.queued,
                "running": counts.begun,
                "succeeded": counts.succeeded,
                "discarded": counts.discarded,
            }
            found = there.get(name, {})
            assert {str(k): n for k, n in now.items() if n} == found, f"{name}: {now} counted, {found} there"
            rows, discarded = self._rows_at_open.get(name, (0, 0))
            assert counts.async_events_received == sum(found.values()) - rows, name
            assert counts.async_events_dropped == found.get("discarded", 0) - discarded, name

    def _count_rows(self) -> dict[str, tuple[int, int]]:
        return {name: (sum(n.values()), n.get("discarded", 0)) for name, n in self.store.counts().items()}

    def check_ends(self) -> None:
        """Every event that was accepted is there, and has ended as it had to, once."""
        events = {event.id: event for event in self.store._events("1")}
        lost = self.ledger.promised - events.keys()
        assert not lost, f"accepted and forgotten: {lost}"
        tries = Counter(seq for (seq,) in self._rows("SELECT event FROM attempt"))
        for event in events.values():
            assert event.id in self._sent or event.redriven_from or event.caller, f"nobody sent it: {event}"
            assert tries[event.seq] == event.attempts, f"{tries[event.seq]} attempts on record: {event}"
            self.ledger.check_end(event, self._changes[event.function])
        lives = Counter(event.redriven_from for event in events.values() if event.redriven_from)
        again = {event.id: 1 for event in events.values() if event.redriven_as}
        assert lives == again, "each that was sent round has one life more"

    def check_letters(self) -> None:
        """Whoever had to be told of an end was told once: queues, destinations, and those who purged what they got."""
        assert not self._rows("SELECT * FROM delivery"), "still owed"
        told = Counter((request_id, queue) for request_id, queue in self._rows("SELECT request_id, queue FROM message"))
        passed_on = Counter(caller for (caller,) in self._rows("SELECT caller FROM event WHERE caller != ''"))
        gone = Counter(id_ for burial in self._burials.values() if not burial.undone for id_ in burial.letters.values())
        letters = Counter[str]()
        for (request_id, _), number in told.items():
            letters[request_id] += number
        for event in self.store._events("1"):
            owed = self._owed(event)
            to_functions = sum(":lambda:" in target for target in owed)
            assert passed_on[event.id] == to_functions, f"{passed_on[event.id]} records passed on: {event}"
            queued = len(owed) - to_functions
            if event.redriven_as is None:
                homeless = event.state is State.DISCARDED and not owed
                assert letters[event.id] + gone[event.id] == queued + (homeless and gone[event.id] > 0), event
                assert event.dropped == (homeless and not gone[event.id]), event
            else:
                assert letters[event.id] <= queued, event

    def _owed(self, event: Event) -> list[str]:
        """The targets that must have been told of its end."""
        assert event.ended_at is not None
        function = configured(self._changes[event.function], event.ended_at)
        config = function.config(event.qualifier)
        if event.state is State.SUCCEEDED:
            return [config.on_success] if config.on_success else []
        return [target for target in (function.dead_letter_queue, config.on_failure) if target]

    def _rows(self, sql: str, *values: Any) -> list[Any]:
        return self.store._connection.execute(sql, values).fetchall()


def live(steps: Sequence[Step], seed: int, grain: float | None = None) -> Life:
    """Live through a story, waking at the pace of its seed or every `grain` seconds.

    Raises AssertionError, or whatever the engine raised, if something did not hold.
    """
    with tempfile.TemporaryDirectory(prefix="lamtop-life-", dir=IN_MEMORY) as folder:
        life = Life(Path(folder) / "state", seed)
        try:
            life.grain = life.grain if grain is None else grain
            life.play(steps)
            life.lived = life.history()
            return life
        finally:
            life.store.rollback()
            life.store.close()
