"""A warm synchronous invocation through HTTP: p50, p99 and throughput, over 1 and over 8 connections.

About 1 KB of JSON in and out, an SDK's headers, a handler that prints a line and returns its event. Rounds alternate
between lamtop and its floors; the figures are medians of the rounds.

Floors: a bare aiohttp server that reads the body and answers with it (what HTTP alone costs in Python), and a raw pipe
round trip to a child that parses the JSON and writes it again (what another process alone costs). `--peer URL` measures
another emulator's Invoke URL in the same rounds. CPU time per call moves less with the load than the rest.
"""

import argparse
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple
from urllib.parse import urlsplit

import floors
import proof
from harness import ECHO, Engine, Project, cpu_seconds
from table import Figure, Measured, at_least, at_most, median, run
from traffic import EVENT, Load, drive, invocation

ROUNDS, CALLS, MANY = 3, 1_000, 8
_WARM_UP = 300


class Target(NamedTuple):
    """A server that is measured."""

    port: int
    request: bytes
    cpu: Callable[[], float] = float


class Round(NamedTuple):
    """One round's figures of one target and one number of connections."""

    load: Load
    cpu: float  # microseconds per call


def measure(rounds: int = ROUNDS, calls: int = CALLS, peer: str | None = None) -> Measured:
    with ExitStack() as stack:
        project = stack.enter_context(Project({"echo": {"Handler": "echo.handler"}}, {"echo.py": ECHO}))
        engine = project.serve()
        floor, floor_pid = stack.enter_context(floors.http_server())
        pipe = stack.enter_context(floors.pipe_child())
        targets = {
            "lamtop": Target(engine.port, invocation(engine.port, "echo"), engine.cpu),
            "floor": Target(floor, invocation(floor, "echo"), partial(cpu_seconds, floor_pid)),
            **({"peer": _peer(peer)} if peer else {}),
        }
        warm = {name: drive(t.port, t.request, _WARM_UP, MANY) for name, t in targets.items()}
        taken: dict[tuple[str, int], list[Round]] = defaultdict(list)
        trips: list[float] = []
        for _ in range(rounds):
            trips.append(median(pipe.round_trips(EVENT, calls)) * 1_000)
            for connections in (1, MANY):
                for name, target in targets.items():
                    taken[name, connections].append(_round(target, calls * (1 if connections == 1 else 4), connections))
        ids = [r for n in (1, MANY) for each in taken["lamtop", n] for r in each.load.request_ids()]
        return _figures(taken, median(trips), bool(peer)), _notes(engine, warm["lamtop"].request_ids() + ids)


def _peer(url: str) -> Target:
    parts = urlsplit(url)
    port = parts.port or 80
    return Target(port, invocation(port, "", path=parts.path))


def _round(target: Target, calls: int, connections: int) -> Round:
    before = target.cpu()
    load = drive(target.port, target.request, calls, connections)
    return Round(load, (target.cpu() - before) / calls * 1e6)


def _figures(taken: dict[tuple[str, int], list[Round]], pipe: float, with_peer: bool) -> list[Figure]:
    def of(name: str, connections: int, value: Callable[[Load], float]) -> float:
        return median(value(r.load) for r in taken[name, connections])

    def line(what: str, connections: int, value: Callable[[Load], float], unit: str, goal: str) -> Figure:
        ours, floor = of("lamtop", connections, value), of("floor", connections, value)
        digits = 0 if unit == "/s" else 3
        beside = f"aiohttp {floor:,.{digits}f} {unit}"
        if with_peer:
            other = of("peer", connections, value)
            beside += f", peer {other:,.{digits}f} {unit} (ratio {ours / other:.2f})"
        return Figure(f"sync c{connections} {what}", f"{ours:,.{digits}f} {unit}", beside, ours / floor, goal)

    c1 = of("lamtop", 1, lambda load: load.p50)
    figures = [
        line("p50", 1, lambda load: load.p50, "ms", at_most(0.2, c1, "ms")),
        Figure("sync c1 p50", f"{c1:,.3f} ms", f"raw pipe {pipe:,.3f} ms", c1 / pipe),
        line("p99", 1, lambda load: load.p99, "ms", ""),
        line("throughput", 1, lambda load: load.rate, "/s", ""),
        line("p50", MANY, lambda load: load.p50, "ms", ""),
        line("p99", MANY, lambda load: load.p99, "ms", at_most(2, of("lamtop", MANY, lambda load: load.p99), "ms")),
        line("throughput", MANY, lambda load: load.rate, "/s",
             at_least(13_000, of("lamtop", MANY, lambda load: load.rate), "/s")),
    ]  # fmt: skip
    return figures + [_cpu(taken, connections) for connections in (1, MANY)]


def _cpu(taken: dict[tuple[str, int], list[Round]], connections: int) -> Figure:
    ours, floor = (median(r.cpu for r in taken[name, connections]) for name in ("lamtop", "floor"))
    what = f"sync c{connections} engine CPU per call"
    return Figure(what, f"{ours:,.0f} µs", f"aiohttp {floor:,.0f} µs", ours / floor)


def _notes(engine: Engine, ids: list[str]) -> list[str]:
    return [
        proof.executed_and_logged(engine, ids),
        proof.answered_synchronously(engine, ids),
        engine.durability(),
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--calls", type=int, default=CALLS, help="calls per round over 1 connection; over 8, 4 times")
    parser.add_argument("--peer", metavar="URL", help="another emulator's Invoke URL, on 127.0.0.1")
    return parser.parse_args()


if __name__ == "__main__":
    chosen = _arguments()
    run(lambda: measure(chosen.rounds, chosen.calls, chosen.peer))
