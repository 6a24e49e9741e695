"""SIGKILL of a real engine at every system call by which it changes a file of its own.

    python tests/engine/kill_sweep.py [--every N] [--at CALL:FILE] [--workers N]

Two tellings of one story (see `kill_scenario`): on a folder without state, killed before the engine was ready, and on
one that an engine has left behind, killed at any time until its end. First the calls are counted, by file and thread;
then the story is told once for each of them, with a tracer that kills before the n-th call of a file: that of the
thread that comes to its n-th one first. A second engine, which nobody kills, takes up what was left.
"""

import argparse
import atexit
import functools
import hashlib
import re
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent.parent))

from engine.kill_scenario import Scenario
from engine.running import Engine, Project

CALLS = ("write", "pwrite64", "fdatasync", "fsync", "ftruncate", "unlink", "rename")
_CALL = re.compile(r'(\d+) +(\w+)\((?:\d+<([^>]*)>|"([^"]*)")')
_TRACER = ("strace", "-D", "-f", "-qq", "-y")
_REGISTRY = "registry"  # its entry there; a name that nobody knows before has the file that it is written to


class Point(NamedTuple):
    """The n-th call of a kind on a file of the project, in a telling with or without state at its beginning."""

    fresh: bool
    call: str
    file: str
    n: int

    def __str__(self) -> str:
        return f"{'first start' if self.fresh else 'later life'}, {self.call} {self.n} of {self.file}"


def folder_in_memory() -> tempfile.TemporaryDirectory[str]:
    memory = Path("/dev/shm")
    return tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None, prefix="lamtop-kill-")


def points() -> list[Point]:
    """All there are, counted in two tellings that nobody interrupts."""
    return [point for fresh in (True, False) for point in _counted(fresh)]


def killed_at(point: Point) -> str:
    """Tell the story with a kill: "killed", or "unreached". Raises AssertionError if anything is not as promised."""
    with folder_in_memory() as folder:
        scenario = _scenario(Path(folder) / "story", point.fresh)
        path = _path(scenario.project, point.file)
        tracer = [*_TRACER, "-o", "/dev/null", "-P", str(path), "-e", f"trace={point.call}",
                  "-e", f"inject={point.call}:signal=SIGKILL:when={point.n}"]  # fmt: skip

        def serve(*arguments: str) -> Engine:
            return scenario.project.serve(*arguments, before=tracer if scenario.lives == 1 else ())

        with scenario.project:
            scenario.play(serve)
            scenario.check()
        return "killed" if scenario.lives > 1 or not scenario.ended_well else "unreached"


def _path(project: Project, file: str) -> Path:
    if file != _REGISTRY:
        return project.folder / file
    digest = hashlib.sha256(str(project.state.resolve()).encode()).hexdigest()[:16]
    return project.registry / f"{digest}.json"


def _scenario(folder: Path, fresh: bool) -> Scenario:
    scenario = Scenario(folder)
    if not fresh:
        shutil.copytree(_state_left_behind(), scenario.project.state)
    return scenario


@functools.cache
def _state_left_behind() -> Path:
    """The state folder of an engine that was started and stopped."""
    folder = folder_in_memory()
    atexit.register(folder.cleanup)
    scenario = Scenario(Path(folder.name) / "story")
    assert scenario.project.serve().stop() == 0
    return scenario.project.state


def _counted(fresh: bool) -> list[Point]:
    with folder_in_memory() as folder:
        scenario = _scenario(Path(folder) / "story", fresh)
        trace = Path(folder) / "trace"
        tracer = [*_TRACER, "-o", str(trace), "-e", f"trace={','.join(CALLS)}"]
        with scenario.project:
            if fresh:
                scenario.project.serve(before=tracer)
                text = trace.read_text()
            else:
                scenario.play(functools.partial(scenario.project.serve, before=tracer))
                text = trace.read_text()
        found = _by_file(text.splitlines(), scenario.project.folder)
    return [Point(fresh, call, file, n) for (call, file), most in found.items() for n in range(1, most + 1)]


def _by_file(lines: Iterable[str], folder: Path) -> dict[tuple[str, str], int]:
    """How often the thread that does it most does it."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for line in lines:
        if found := _CALL.match(line):
            thread, call, *paths = found.groups()
            path = Path(next(filter(None, paths)))
            if path.parent == folder / "state":
                counts[call, f"state/{path.name}", thread] += 1
            elif path.parent.name == "engines" and call != "write":
                counts[call, _REGISTRY, thread] += 1
    most: dict[tuple[str, str], int] = {}
    for (call, file, _), count in counts.items():
        most[call, file] = max(count, most.get((call, file), 0))
    return most


def _told(point: Point) -> str:
    try:
        return killed_at(point)
    except Exception as error:  # whatever it is, it is a finding: go on with the others
        return f"VIOLATION {point}: {type(error).__name__}: {error}\n{traceback.format_exc()}"


def main() -> int:
    asked = argparse.ArgumentParser()
    asked.add_argument("--every", type=int, default=1, help="of so many points take one")
    asked.add_argument("--at", default="", help="only CALL:FILE, such as unlink:state/reserve")
    asked.add_argument("--workers", type=int, default=2)
    options = asked.parse_args()
    if not shutil.which("strace"):
        sys.exit("strace is not installed")
    began = time.monotonic()
    every = points()
    for (fresh, call, file), count in Counter(point[:3] for point in every).items():
        print(f"  {'first start' if fresh else 'later life'}: {count:4} {call:9} {file}")
    chosen = [point for point in every if f"{point.call}:{point.file}".startswith(options.at)][:: options.every]
    print(f"{len(every)} points, {len(chosen)} of them now", flush=True)
    ends: Counter[str] = Counter()
    with ThreadPoolExecutor(options.workers) as pool:
        for end in pool.map(_told, chosen):
            ends[end.partition(" ")[0]] += 1
            if ends.total() % 50 == 0:
                print(f"{dict(ends)} after {time.monotonic() - began:.0f} s", flush=True)
            if end.startswith("VIOLATION"):
                print(end, flush=True)
    print(f"{dict(ends)} of {len(chosen)} in {time.monotonic() - began:.0f} s")
    return 1 if ends["VIOLATION"] else 0


if __name__ == "__main__":
    sys.exit(main())
