"""Every benchmark, one after the other, and one table of all their figures. --quick takes fewer rounds."""

import sys
import time
from collections.abc import Callable

import asynchronous
import fan_out
import idle
import large
import monitor
import reload
import simulated_days
import start
import synchronous
from table import Figure, Measured, arguments, machine, run


def measure(quick: bool = False, many: bool = False) -> Measured:
    rounds = 1 if quick else 3
    benchmarks: dict[str, Callable[[], Measured]] = {
        "start": lambda: start.measure(rounds),
        "synchronous": lambda: synchronous.measure(rounds),
        "asynchronous": lambda: asynchronous.measure(rounds),
        "fan_out": lambda: fan_out.measure(many),
        "reload": lambda: reload.measure(5 if quick else reload.SAVES),
        "simulated days": lambda: simulated_days.measure(rounds),
        "idle": idle.measure,
        "monitor": lambda: monitor.measure(20 if quick else monitor.KEYS),
        "large": lambda: large.measure(rounds),
    }
    figures: list[Figure] = []
    notes: list[str] = []
    for name, benchmark in benchmarks.items():
        began = time.perf_counter()
        more, told = benchmark()
        print(f"{name}: {time.perf_counter() - began:.0f} s; {machine()}", file=sys.stderr, flush=True)
        figures += more
        notes += [f"{name}: {note}" for note in told]
    return figures, notes


if __name__ == "__main__":
    flags = {"quick": "one round each", "many": "1,000 environments too"}
    chosen = arguments(__doc__, flags=flags)
    run(lambda: measure(chosen.quick, chosen.many))
