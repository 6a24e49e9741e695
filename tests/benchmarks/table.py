"""What the benchmarks print: the machine, and a line per figure beside its floor and its goal."""

import argparse
import os
import platform
import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple


class Figure(NamedTuple):
    """One measured figure."""

    what: str
    measured: str
    floor: str = ""
    ratio: float | None = None  # measured beside the floor: times slower, or the share of its throughput
    goal: str = ""


def at_most(goal: float, value: float, unit: str, digits: int = 2) -> str:
    """Is a figure that should be small, small enough?"""
    return _judged(f"≤ {goal:,g} {unit}", value <= goal, f"{value:,.{digits}f} {unit}")


def at_least(goal: float, value: float, unit: str) -> str:
    """Is a figure that should be large, large enough?"""
    return _judged(f"≥ {goal:,g} {unit}", value >= goal, f"{value:,.0f} {unit}")


def _judged(goal: str, reached: bool, value: str) -> str:
    return f"goal {goal}: {'reached' if reached else 'not reached'}, {value}"


def median(values: Iterable[float]) -> float:
    return statistics.median(values)


def machine() -> str:
    """Where and under what load the figures were taken."""
    load = " ".join(f"{value:.2f}" for value in os.getloadavg())
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}, "
        f"load average before: {load}"
    )


def show(figures: Sequence[Figure], notes: Sequence[str] = ()) -> None:
    """Print a table, and below it what was verified."""
    rows = [("", "measured", "floor", "ratio", "goal")]
    rows += [(f.what, f.measured, f.floor, "" if f.ratio is None else f"{f.ratio:.2f}", f.goal) for f in figures]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True)]
        print("  ".join(cells).rstrip())
    for note in notes:
        print(f"  {note}")
    sys.stdout.flush()


Measured = tuple[list[Figure], list[str]]


def arguments(
    about: str | None, *, flags: Mapping[str, str] | None = None, **integers: tuple[int, str]
) -> argparse.Namespace:
    """The command line of a benchmark: its docstring, options with a whole number, and options without a value."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, (default, text) in integers.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=f"{text} (default: {default})")
    for name, text in (flags or {}).items():
        parser.add_argument(f"--{name}", action="store_true", help=text)
    return parser.parse_args()


def run(measure: Callable[[], Measured]) -> None:
    """Measure and print."""
    if not Path("/proc/self/smaps_rollup").exists():
        sys.exit("these benchmarks read /proc and run on Linux only")
    print(machine(), flush=True)
    show(*measure())
