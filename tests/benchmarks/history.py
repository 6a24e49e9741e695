"""Does what is over slow down what comes? 1,000 events into an empty queue, and into one with a million ended ones.

Both engines run in the same sitting and are asked in turn. The million is written by the store itself before its engine
starts; that engine forgets all but the newest 100,000 meanwhile, a thousand at a time, as it would at any user's.
"""

import time
import uuid
from contextlib import ExitStack
from pathlib import Path

import proof
from harness import COUNTED, Engine, Project, until
from table import Figure, Measured, arguments, median, run
from traffic import drive, invocation

from lamtop.engine.core.event import Condition, Event, State
from lamtop.engine.store import Store

ROUNDS, EVENTS, ENDED = 3, 1_000, 1_000_000
_BATCH = 10_000


def measure(rounds: int = ROUNDS, ended: int = ENDED) -> Measured:
    with ExitStack() as stack:
        empty, full = (stack.enter_context(_project()) for _ in range(2))
        _fill(full.state, ended)
        engines = {"empty": empty.serve(), "full": None}
        began = time.perf_counter()
        engines["full"] = full.serve()
        start = time.perf_counter() - began
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in engines}
        for _ in range(rounds):
            for name, engine in engines.items():
                assert engine is not None
                taken[name].append(_burst(engine))
        return _figures(taken, ended, start), [f"{ended:,} ended events before the start, {_left(full):,} after"]


def _project() -> Project:
    return Project({"counted": {"Handler": "counted.handler"}}, {"counted.py": COUNTED})


def _fill(state: Path, count: int) -> None:
    store = Store(state)
    now = time.time()
    for first in range(1, count + 1, _BATCH):
        store.begin()
        store.insert(_ended(seq, now) for seq in range(first, min(first + _BATCH, count + 1)))
        store.commit()
    store.close()


def _ended(seq: int, now: float) -> Event:
    return Event(seq, str(uuid.UUID(int=seq)), "counted", "", b"{}", "boto3", now, State.SUCCEEDED, due_at=now,
                 attempts=1, condition=Condition.SUCCESS, ended_at=now)  # fmt: skip


def _burst(engine: Engine) -> tuple[float, float]:
    """Seconds until the last of 1,000 events was accepted, and was settled."""
    started = time.perf_counter()
    drive(engine.port, invocation(engine.port, "counted", "Event"), EVENTS, 8, status=202)
    accepted = time.perf_counter() - started
    until(lambda: not proof.unsettled(engine), "all settled")
    return accepted, time.perf_counter() - started


def _left(project: Project) -> int:
    return int(project.query("queue.sqlite3", "SELECT count(*) FROM event")[0][0])


def _figures(taken: dict[str, list[tuple[float, float]]], ended: int, start: float) -> list[Figure]:
    figures = []
    for n, what in enumerate(("accepted", "settled")):
        empty, full = (median(each[n] for each in taken[name]) for name in ("empty", "full"))
        title = f"{EVENTS:,} events c8 {what}, {ended:,} ended"
        figures.append(Figure(title, f"{full:.3f} s", f"empty queue {empty:.3f} s", full / empty))
    return [*figures, Figure(f"lamtop serve, ready, {ended:,} ended", f"{start:.2f} s")]


if __name__ == "__main__":
    chosen = arguments(__doc__, rounds=(ROUNDS, "rounds"), ended=(ENDED, "events that are over"))
    run(lambda: measure(chosen.rounds, chosen.ended))
