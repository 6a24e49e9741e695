"""Kill -9 and what must survive it: everything that was accepted, and no process."""

import contextlib
import http.client
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from engine.running import Engine, Process, Project, dead_letters_to, linux_only, quick_python, until

pytestmark = linux_only

KILLS = int(os.environ.get("LAMTOP_KILLS", "4"))  # the kill sweep goes through the points one by one
RUNNING = QUEUED = 52  # at least so many just before each kill: two may end before it comes
_PLACES = 60  # reserved concurrency: so many can run
_OUTSTANDING = 150  # running and queued: what the load generator keeps up
_BURST = 40  # calls among which the kill falls
_CLIENTS = 4

# Each execution leaves a line when it begins and one when it ends, outside of our state: what really happened.
WITNESS = """
import os, time, zlib

FILE = os.open(os.environ["WITNESS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

def tell(what, context):
    os.write(FILE, f"{what} {context.aws_request_id} {os.getpid()}\\n".encode())

def work(event, context):
    tell("begin", context)
    print("at work on", event["number"])
    time.sleep(0.5 + zlib.crc32(context.aws_request_id.encode()) % 300 / 1000)
    tell("end", context)
    return event["number"]

def fail(event, context):
    tell("begin", context)
    tell("end", context)
    raise ValueError("as always")
"""


class Witness:
    """Reads the file that the handlers write."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.begun: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self._file = path.open("rb")

    def read(self) -> None:
        for line in self._file.readlines():
            what, request_id, _ = line.decode().split()
            (self.begun if what == "begin" else self.ended)[request_id] += 1

    def close(self) -> None:
        self._file.close()


@dataclass
class Load:
    """Clients that send events while they are allowed to, and note each 202 themselves."""

    ledger: dict[str, str] = field(default_factory=dict)  # request id: function
    unanswered: int = 0  # sent, and the engine died before it answered: nothing was promised
    refused: list[tuple[int, bytes]] = field(default_factory=list)
    allowed: int = 0  # how many may be in the ledger by now
    port: int | None = None  # of the engine that lives
    over: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list)
    _sent: int = 0

    def start(self) -> None:
        self._threads = [threading.Thread(target=self._send_all, name=f"client {n}") for n in range(_CLIENTS)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self.over = True
        for thread in self._threads:
            thread.join()

    def _send_all(self) -> None:
        dead = 0
        while not self.over:
            port = self.port
            if port is None or port == dead or len(self.ledger) >= self.allowed:
                time.sleep(0.002)
                continue
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                connection.connect()
            except OSError:
                dead = port
                continue
            with contextlib.closing(connection):
                self._send_to(connection)

    def _send_to(self, connection: http.client.HTTPConnection) -> None:
        """Send over one connection, until its engine dies or there is enough."""
        while not self.over and len(self.ledger) < self.allowed:
            with self._lock:
                self._sent += 1
                number = self._sent
            function = "fails" if number % 40 == 0 else "works"
            path = f"/2015-03-31/functions/{function}/invocations"
            try:
                connection.request("POST", path, b'{"number": %d}' % number, {"X-Amz-Invocation-Type": "Event"})
                response = connection.getresponse()
                body = response.read()
            except (OSError, http.client.HTTPException):
                with self._lock:
                    self.unanswered += 1
                return
            with self._lock:
                if response.status == 202:
                    self.ledger[response.headers["x-amzn-RequestId"]] = function
                else:
                    self.refused.append((response.status, body))


@dataclass
class Story:
    """One long life of a project with many engines."""

    project: Project
    load: Load
    witness: Witness
    chance: random.Random
    python: str
    at_kills: list[tuple[int, int]] = field(default_factory=list)  # running, queued
    restarts: list[float] = field(default_factory=list)  # seconds

    def serve(self) -> Engine:
        started = time.perf_counter()
        engine = self.project.serve("--speed", "20", "--python", self.python)
        self.restarts.append(time.perf_counter() - started)
        survivors = [process for process in self.project.processes() if process.started < engine.started]
        assert not survivors, "a process of a killed engine lives beside its successor"
        self.load.port = engine.port
        return engine

    def kill_when_busy(self, engine: Engine) -> None:
        """With enough running and enough queued, while a burst of calls waits for its 202s."""
        self.at_kills.append(until(partial(self._busy, engine), f"{RUNNING} running, {QUEUED} queued", 30, pause=0.01))
        before = len(self.load.ledger)
        self.load.allowed = before + _BURST + _CLIENTS
        moment = before + self.chance.randint(1, _BURST)
        until(lambda: len(self.load.ledger) >= moment, "the random moment in the burst", pause=0.0002)
        engine.kill9()

    def _busy(self, engine: Engine) -> tuple[int, int] | None:
        """How many run and wait, if it is enough; else more are sent."""
        totals = engine.status()["totals"]
        if totals["in_flight"] >= RUNNING and totals["queued"] >= QUEUED:
            return totals["in_flight"], totals["queued"]
        missing = _OUTSTANDING - totals["in_flight"] - totals["queued"]
        self.load.allowed = len(self.load.ledger) + max(0, missing)
        return None


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    seed = int(os.environ.get("LAMTOP_SEED", random.SystemRandom().randrange(1_000_000)))
    print(f"\nseed {seed} (LAMTOP_SEED)")
    outside = tmp_path / "witness.txt"
    outside.touch()
    folder = tmp_path / "project"
    folder.mkdir()
    functions = {
        "works": {"Handler": "app.work", "Timeout": 30, "ReservedConcurrentExecutions": _PLACES},
        "fails": {
            "Handler": "app.fail",
            "ReservedConcurrentExecutions": 3,
            "EventInvokeConfig": {"MaximumRetryAttempts": 1},
            **dead_letters_to("dead"),
        },
    }
    load, witness = Load(), Witness(outside)
    with Project(
        folder, functions, {"app.py": WITNESS}, queues=["dead"], variables={"WITNESS": str(outside)}, fresh=True
    ) as it:
        load.start()
        try:
            yield Story(it, load, witness, random.Random(seed), quick_python(folder))
        finally:
            load.stop()
            witness.close()


def test_kills_lose_nothing_that_was_accepted_and_leave_no_process(story: Story) -> None:
    began = time.perf_counter()
    project, load, witness = story.project, story.load, story.witness
    for _ in range(KILLS):
        story.kill_when_busy(story.serve())
    killed = time.perf_counter()
    load.over = True
    engine = story.serve()
    unfinished = "SELECT count(*) FROM event WHERE state IN ('queued', 'running')"
    until(lambda: project.query(unfinished)[0][0] == 0, "the end of every event", 60)
    drained = time.perf_counter()
    witness.read()

    assert load.refused == []
    rows = {row["id"]: row for row in project.query("SELECT * FROM event")}
    returned = Counter(
        row[0]
        for row in project.query(
            "SELECT e.id FROM attempt a JOIN event e ON e.seq = a.event WHERE a.ended = 'returned'"
        )
    )
    messages = Counter(row["request_id"] for row in project.query("SELECT request_id FROM message"))
    ends: Counter[str] = Counter()
    never_begun = 0
    assert not set(load.ledger) - set(rows), "a 202 was given, and the event is not on disk"
    for request_id, function in load.ledger.items():
        life, row = engine.life(request_id), rows[request_id]
        assert life["id"] == request_id
        assert life["function"] == row["function"] == function
        assert life["state"] == row["state"]
        assert life["condition"] == row["condition"]
        assert life["ended_at"] is not None
        assert life["running"] is None
        ends[f"{function}: {row['condition']}"] += 1
        lost_for_good = row["condition"] == "LostRepeatedly"
        never_begun += not witness.begun[request_id]
        assert witness.ended[request_id] or lost_for_good, f"{request_id} was promised and never done: {life}"
        assert witness.begun[request_id] <= row["attempts"], "every execution is on record before it begins"
        assert returned[request_id] == (row["state"] == "succeeded")
        assert row["attempts"] == row["errors"] + row["losses"] + returned[request_id]
        if function == "works":
            assert (row["state"], row["condition"]) == ("succeeded", "Success") or lost_for_good
            assert row["errors"] == 0, "a kill is no error of the function's"
        else:
            assert row["condition"] == "RetriesExhausted" or lost_for_good
            assert row["errors"] == 2 or lost_for_good
            assert messages[request_id] == 1, "one dead letter for each event that failed for good"
    ghosts = len(rows) - len(load.ledger)
    assert ghosts <= load.unanswered, "an event that nobody sent"

    assert len(story.at_kills) == KILLS
    assert all(running >= RUNNING and queued >= QUEUED for running, queued in story.at_kills)
    twice = sum(count - 1 for count in witness.begun.values())
    done_twice = sum(count - 1 for i, count in witness.ended.items() if rows[i]["function"] == "works")
    running, queued = ([kill[n] for kill in story.at_kills] for n in (0, 1))
    print(
        f"{KILLS} kills with {min(running)}-{max(running)} events running and {min(queued)}-{max(queued)} queued; "
        f"{len(load.ledger)} accepted (202), 0 lost; {dict(ends)}, {never_begun} of them never begun;\n"
        f"{load.unanswered} calls got no answer, {ghosts} of those events were on disk all the same; "
        f"{witness.begun.total()} executions begun, {twice} of them again ({done_twice} that had got to their end); "
        f"lost attempts {sum(row['losses'] for row in rows.values())};\n"
        f"restart {min(story.restarts):.2f}-{max(story.restarts):.2f} s; {killed - began:.1f} s of kills, "
        f"{drained - killed:.1f} s to finish, {time.perf_counter() - drained:.1f} s of checks"
    )
    assert engine.stop() == 0
    assert project.processes() == []


# -- one engine at a time ----------------------------------------------------------------------------------------------

SHORT = """
import os, time

def echo(event, context):
    return event

def sleep(event, context):
    time.sleep(event)

def fail(event, context):
    raise ValueError("as always")

def spin(event, context):
    while True:
        pass

def spin_in_c(event, context):
    return sum(range(10 ** 15))  # one long call that never gives the interpreter lock away

def spin_deaf(event, context):
    import signal
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    while True:
        pass

def spin_unplugged(event, context):
    for number in map(int, os.listdir("/proc/self/fd")):
        try:
            if number > 2 and os.readlink(f"/proc/self/fd/{number}").startswith("pipe:"):
                os.close(number)  # among them the one that tells of the engine's end
        except OSError:
            pass
    while True:
        pass

def spin_with_child(event, context):
    os.fork()
    while True:
        pass
"""
HANDLERS = ("echo", "sleep", "fail", "spin", "spin_in_c", "spin_deaf", "spin_unplugged", "spin_with_child")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    functions: dict[str, dict[str, Any]] = {name: {"Handler": f"app.{name}", "Timeout": 60} for name in HANDLERS}
    functions["fail"] |= dead_letters_to("dead")
    with Project(tmp_path, functions, {"app.py": SHORT}, queues=["dead"]) as made:
        yield made


def test_a_second_engine_on_the_same_state_folder_is_refused_with_the_pid_of_the_first(project: Project) -> None:
    first = project.serve()
    second = project.command("serve", "--port", "0", "--state", str(project.state))
    assert (second.code, second.out) == (1, "")
    assert f"in use by the engine with pid {first.pid}" in second.err
    assert len(second.err.splitlines()) == 1
    assert first.invoke("echo", 1).json == 1
    assert first.token  # and its registry file is still its own
    first.kill9()
    assert project.serve().invoke("echo", 2).json == 2  # the lock of a dead engine holds nobody up


@pytest.mark.parametrize("how", ["SIGTERM", "lamtop stop"])
def test_an_engine_that_is_told_to_stop_leaves_no_process_and_no_running_event(project: Project, how: str) -> None:
    engine = project.serve("--python", quick_python(project.folder))
    ids = [engine.send("sleep", 50) for _ in range(6)]
    quick = engine.send("sleep", 0.3)
    until(lambda: engine.status()["totals"]["in_flight"] == 7, "all running")
    if how == "lamtop stop":
        done = project.command("stop", "--state", str(project.state))
        assert (done.code, done.out, done.err) == (0, "stopped\n", "")
        assert engine.wait() == 0
    else:
        assert engine.stop(signal.SIGTERM) == 0
    assert project.processes() == []
    assert list(project.registry.glob("*.json")) == []
    assert (project.state / "processes").read_text() == ""
    states = {row["id"]: (row["state"], row["errors"]) for row in project.query("SELECT * FROM event")}
    assert states.pop(quick) == ("succeeded", 0)  # what could finish was allowed to
    assert states == dict.fromkeys(ids, ("queued", 0))
    assert project.errors.read_text() == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_control_c_and_a_closed_terminal_end_an_idle_engine(project: Project, number: signal.Signals) -> None:
    engine = project.serve()
    assert engine.invoke("echo", 1).json == 1
    assert engine.stop(number) == 0
    assert (project.processes(), project.errors.read_text()) == ([], "")


@pytest.mark.parametrize("way", [[], ["--spawn"]])
def test_busy_handlers_outlive_neither_their_engine_nor_the_start_of_the_next(project: Project, way: list[str]) -> None:
    engine = project.serve(*way)
    busy = [name for name in HANDLERS if name.startswith("spin")]
    ids = {name: engine.send(name) for name in busy}
    until(lambda: engine.status()["totals"]["in_flight"] == len(busy), "every handler running")
    before = until(lambda: _all_at_work(project, engine, len(busy) + 1), "every handler at work", 60)
    engine.kill9()
    # One of them has closed the pipe that would tell it; their zygote ends it, else the list on disk knows of it.
    left = 1 if way else 0
    until(lambda: len(project.processes()) <= left, "the end of what the killed engine had started", 5)
    successor = project.serve()
    assert not before & {process.pid for process in project.processes()}
    until(lambda: all(successor.life(i)["losses"] == 1 for i in ids.values()), "each attempt taken back as lost")
    assert successor.stop() == 0
    assert project.processes() == []


def _all_at_work(project: Project, engine: Engine, number: int) -> set[int]:
    """The handlers' processes, once so many have used the processor for a while in their own code.

    Where starting takes long there are more than that: a function that waited got a second environment.
    """
    pids = {process.pid for process in project.processes() if not _is_zygote_of(engine, process)} - {engine.pid}
    return pids if sum(_ticks(pid) > 10 for pid in pids) == number else set()


def _is_zygote_of(engine: Engine, process: Process) -> bool:
    """What it has forked has its command line too, and another parent."""
    return "zygote.py" in process.command and process.parent == engine.pid


def _ticks(pid: int) -> int:
    """Clock ticks of processor time that a process has used in its own code."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[11])
    except OSError:
        return 0


def _holds(lock: Path, pid: int) -> bool:
    return lock.read_text() == f"{pid}\n"


def test_an_engine_killed_while_it_starts_loses_nothing(project: Project) -> None:
    engine = project.serve()
    ids = [engine.send("sleep", 0.2) for _ in range(5)]
    engine.kill9()
    for _ in range(5):
        child = project.start("--port", "0")
        until(partial(_holds, project.state / "lock", child.pid), "it holds the state folder")
        child.kill()
        child.wait()
    engine = project.serve()
    assert {engine.ended(request_id)["state"] for request_id in ids} == {"succeeded"}


# -- what a restart keeps ----------------------------------------------------------------------------------------------


def _is_ahead(engine: Engine) -> bool:
    now: float = engine.status()["time"]["engine"]
    return now > time.time() + 600


def test_engine_time_never_goes_back_over_a_restart(project: Project) -> None:
    stamps = []
    for speed in ("3600", "1"):
        engine = project.serve("--speed", speed)
        for _ in range(2):
            request_id = engine.send("echo")
            life = engine.ended(request_id)
            stamps += [life["accepted_at"], life["attempts"][0]["started_at"], life["ended_at"]]
        stamps.append(engine.status()["time"]["engine"])
        until(partial(_is_ahead, engine), "engine time far ahead of the wall clock")
        stamps.append(engine.ended(engine.send("echo"))["ended_at"])
        engine.kill9()
    assert stamps == sorted(stamps)
    assert stamps[-1] < stamps[-2] + 60, "at speed 1 it goes on at the pace of the wall clock"


def test_a_retry_keeps_its_due_time_its_errors_and_its_request_id_over_a_kill(project: Project) -> None:
    engine = project.serve()
    request_id = engine.send("fail", {"a": 1})
    until(lambda: engine.life(request_id)["reason"] == "retry", "the first failure")
    before = engine.life(request_id)
    assert 59 < before["due_at"] - before["attempts"][0]["ended_at"] < 61
    engine.kill9()
    engine = project.serve()
    after = engine.life(request_id)
    assert after["due_at"] == before["due_at"]
    assert (after["errors"], after["losses"], after["state"]) == (1, 0, "queued")
    assert engine.page("retries")[0]["id"] == request_id
    engine.kill9()
    engine = project.serve("--speed", "600")
    ended = engine.ended(request_id)
    assert (ended["condition"], ended["errors"], len(ended["attempts"])) == ("RetriesExhausted", 3, 3)
    assert ended["attempts"][1]["started_at"] >= before["due_at"]
    (letter,) = until(lambda: engine.page("dlq"), "the dead letter")
    purge = engine.control("POST", "purge", {"ids": [letter["id"]]})["undo"]
    engine.kill9()
    engine = project.serve()
    assert engine.page("dlq") == []  # a purge that was answered stays one …
    assert engine.control("POST", "undo", {"purge": purge}) == {"restored": 1}
    assert engine.page("dlq") == [letter]  # … and can be undone at the engine that follows


def _runs(engine: Engine, request_id: str) -> bool:
    return bool(engine.life(request_id)["running"])


def test_an_event_that_was_lost_too_often_ends_and_says_so(project: Project) -> None:
    request_id = ""
    for kill in range(4):
        engine = project.serve()
        request_id = request_id or engine.send("sleep", 50)
        until(partial(_runs, engine, request_id), "it runs")
        assert engine.life(request_id)["losses"] == kill
        engine.kill9()
    life = project.serve().ended(request_id)
    assert (life["condition"], life["errors"], life["losses"]) == ("LostRepeatedly", 0, 4)
    assert [attempt["ended"] for attempt in life["attempts"]] == ["lost"] * 4


def test_the_journal_is_written_through_to_the_disk(project: Project) -> None:
    status = project.serve().status()
    assert (status["synchronous"], status["journal_mode"]) == (2, "wal")  # 2: FULL, read from the running connection
