"""A wide fan-out: 100 events for a handler that takes one second, and with --many 1,000, each in a process of its own.

Time from the first request to the last execution's end, the number of execution environments, and their memory: PSS of
the engine and all it started, summed, so that what they share counts once. --many gives up, and says so, when the
machine has less than 1.5 GB left.

Floor: one second of work, and the same number of processes of `python -c pass`, eight at a time.
"""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import proof
from harness import COUNTED, Engine, Project, available_memory, memory, until
from table import Figure, Measured, arguments, at_most, run
from traffic import EVENT, drive, invocation

FEW, MANY = 100, 1_000
_SECOND = EVENT.replace(b'"seconds": 0', b'"seconds": 1')
_MEMORY_LEFT = 1_500  # MB
_PATIENCE = 120.0


def measure(many: bool = False) -> Measured:
    figures, notes = [], []
    for count in (FEW, MANY) if many else (FEW,):
        more, told = _fan_out(count)
        figures += more
        notes += told
    return figures, notes


def _fan_out(count: int) -> Measured:
    properties = {"Handler": "counted.handler", "Timeout": 60}
    with Project({"counted": properties}, {"counted.py": COUNTED}) as project:
        engine = project.serve()
        started = time.perf_counter()
        load = drive(engine.port, invocation(engine.port, "counted", "Event", _SECOND), count, 8, status=202)
        accepted = time.perf_counter() - started
        until(lambda: _is_done(project, count), f"{count} executed", _PATIENCE, 0.005)
        seconds = time.perf_counter() - started
        environments, pids = engine.environments("counted"), project.processes()
        used, alone = memory(pids), memory([engine.pid])
        notes = _notes(engine, load.request_ids())
    floor = 1 + _spawned(count)
    goal = at_most(1.8, seconds, "s"), at_most(1_000, used, "MB", 0)
    return [
        Figure(f"{count:,} events x 1 s accepted", f"{accepted:.3f} s"),
        Figure(f"{count:,} events x 1 s executed", f"{seconds:.2f} s", f"1 s + bare Pythons {floor:.2f} s",
               seconds / floor, goal[0] if count == MANY else ""),
        Figure(f"{count:,} events x 1 s environments", f"{environments:,}"),
        Figure(f"{count:,} events x 1 s memory (PSS)", f"{used:,.0f} MB", f"engine alone {alone:,.0f} MB", None,
               goal[1] if count == MANY else ""),
    ], notes  # fmt: skip


def _is_done(project: Project, count: int) -> bool:
    if available_memory() < _MEMORY_LEFT:
        raise MemoryError(f"less than {_MEMORY_LEFT} MB left after {project.executed()} of {count} executions")
    return project.executed() >= count


def _notes(engine: Engine, ids: list[str]) -> list[str]:
    return [proof.ended_well(engine, ids), proof.executed_and_logged(engine, ids)]


def _spawned(count: int) -> float:
    """Seconds to start and end so many interpreters that do nothing."""
    started = time.perf_counter()
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(subprocess.run, [sys.executable, "-c", "pass"], check=True) for _ in range(count)]:
            done.result()
    return time.perf_counter() - started


if __name__ == "__main__":
    chosen = arguments(__doc__, flags={"many": "1,000 events too"})
    run(lambda: measure(chosen.many))
