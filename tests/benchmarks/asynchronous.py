"""Asynchronous events, each on disk before its 202: 1,000 over 8 connections; 10,000 over 64, end to end with logs.

"Accepted" is the last 202, "executed" the last handler's own mark in a file, "end to end" the last event's end on disk,
all counted from the first request. About 1 KB of JSON each; the handler prints a line.

Floor: the same rows, inserted as running, then updated and their attempts recorded, with the store alone in this
process: transactions of 64 with synchronous=FULL. What HTTP, processes and logs add is the ratio. One commit of one
event says how fast this disk is.
"""

import shutil
import tempfile
import time
import uuid
from pathlib import Path
from typing import NamedTuple

import proof
from harness import COUNTED, Engine, Project, until
from table import Figure, Measured, arguments, at_least, at_most, median, run
from traffic import EVENT, drive, invocation

from lamtop.engine.core.event import Attempt, Condition, Ended, Event, Outcome, State
from lamtop.engine.store import Store

ROUNDS, FEW, MANY = 3, 1_000, 10_000
_BATCH, _COMMITS = 64, 200


class Burst(NamedTuple):
    """One burst, in seconds since its first request."""

    accepted: float
    executed: float
    settled: float


def measure(rounds: int = ROUNDS, many: int = MANY) -> Measured:
    with Project({"counted": {"Handler": "counted.handler"}}, {"counted.py": COUNTED}) as project:
        engine = project.serve()
        ids: list[str] = []
        _burst(engine, 100, 8, ids)
        few, more, rows, commits = [], [], [], []
        for _ in range(rounds):
            commits.append(_commit(project.folder) * 1_000)
            few.append(_burst(engine, FEW, 8, ids))
            rows.append(_rows_alone(project.folder, many))
            more.append(_burst(engine, many, 64, ids))
        notes = [proof.ended_well(engine, ids), proof.executed_and_logged(engine, ids), engine.durability()]
        return _figures(few, more, median(rows), median(commits), many), notes


def _burst(engine: Engine, count: int, connections: int, ids: list[str]) -> Burst:
    before, started = engine.project.executed(), time.perf_counter()
    load = drive(engine.port, invocation(engine.port, "counted", "Event"), count, connections, status=202)
    accepted = time.perf_counter() - started
    until(lambda: engine.project.executed() >= before + count, f"{count} executed")
    executed = time.perf_counter() - started
    until(lambda: not proof.unsettled(engine), f"{count} settled")
    settled = time.perf_counter() - started
    ids += load.request_ids()
    return Burst(accepted, executed, settled)


def _figures(few: list[Burst], more: list[Burst], rows: float, commit: float, many: int) -> list[Figure]:
    accepted, executed = median(b.accepted for b in few), median(b.executed for b in few)
    settled = median(b.settled for b in more)
    rate = many / settled
    one = f"one FULL commit p50 {commit:,.2f} ms"
    first = FEW / 8 * commit / 1_000
    return [
        Figure(f"{FEW:,} events c8 accepted", f"{accepted:.3f} s", f"{one}, x 125 = {first:.3f} s", accepted / first,
               at_most(0.25, accepted, "s", 3)),
        Figure(f"{FEW:,} events c8 executed", f"{executed:.3f} s", "", None, at_most(0.3, executed, "s", 3)),
        Figure(f"{many:,} events c64 end to end", f"{rate:,.0f} /s", f"rows alone {many / rows:,.0f} /s",
               rate / (many / rows), at_least(12_000, rate, "/s")),
        Figure(f"{many:,} events c64 accepted", f"{many / median(b.accepted for b in more):,.0f} /s"),
    ]  # fmt: skip


# -- the floor: the store alone ----------------------------------------------------------------------------------------


def _rows_alone(folder: Path, count: int) -> float:
    """Seconds to insert so many events as running, and to settle them, in transactions of 64."""
    events = [_event(seq) for seq in range(1, count + 1)]
    ended = [e._replace(state=State.SUCCEEDED, condition=Condition.SUCCESS, ended_at=time.time()) for e in events]
    attempts = [Attempt(event.seq, 1, _outcome()) for event in events]
    with _Alone(folder) as store:
        started = time.perf_counter()
        for at in range(0, count + _BATCH, _BATCH):
            batch, before = slice(at, at + _BATCH), slice(max(0, at - _BATCH), at)
            store.begin()
            store.insert(events[batch])
            store.update(ended[before])
            store.record(attempts[before])
            store.commit()
        return time.perf_counter() - started


def _commit(folder: Path) -> float:
    """The median seconds of a transaction with one event."""
    seconds = []
    with _Alone(folder) as store:
        for seq in range(1, _COMMITS + 1):
            started = time.perf_counter()
            store.begin()
            store.insert([_event(seq)])
            store.commit()
            seconds.append(time.perf_counter() - started)
    return median(seconds)


class _Alone:
    """A store in a folder of its own, which is removed."""

    def __init__(self, folder: Path) -> None:
        self._folder = Path(tempfile.mkdtemp(dir=folder))

    def __enter__(self) -> Store:
        self._store = Store(self._folder)
        return self._store

    def __exit__(self, *_: object) -> None:
        self._store.close()
        shutil.rmtree(self._folder)


def _event(seq: int) -> Event:
    now = time.time()
    return Event(seq, str(uuid.uuid4()), "counted", "$LATEST", EVENT, "boto3", now, State.RUNNING, due_at=now,
                 attempts=1, begun_at=now)  # fmt: skip


def _outcome() -> Outcome:
    now = time.time()
    return Outcome(
        Ended.RETURNED, EVENT, None, None, now, now, 0.0001, None, 12, "2026/11/20/[$LATEST]0123456789abcdef"
    )


if __name__ == "__main__":
    chosen = arguments(__doc__, rounds=(ROUNDS, "rounds"), many=(MANY, "events of the large burst"))
    run(lambda: measure(chosen.rounds, chosen.many))
