"""Kills an engine's heart at one system call after the other, and looks at what the next one makes of it.

`python kill_points.py CALL FOLDER STEP`, under `strace -f -e inject=CALL:signal=SIGKILL:when=LATE`: each child makes so
many calls of no effect that its n-th one of SQLite's is the one that kills it; n goes up until a child lives. So one
tracer and one start of Python serve for all of them.
"""

import contextlib
import os
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from lamtop.engine.core.event import Event, Outcome
from lamtop.engine.core.function import Function
from lamtop.engine.core.invocation import Invocation
from simulation.world import FAILED, RETURNED, World

LATE = 400  # the call that kills; a life makes fewer
DEAD = "arn:aws:sqs:us-east-1:000000000000:dead"
FUNCTIONS = [Function(name, "app.handler", "/nowhere", dead_letter_queue=DEAD) for name in ("works", "fails")]


class Witness:
    """A file that knows what has really happened, whoever dies."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def tell(self, what: str, request_id: str) -> None:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(descriptor, f"{what} {request_id}\n".encode())
        os.close(descriptor)

    def told(self, what: str) -> Counter[str]:
        lines = self.path.read_text().split("\n") if self.path.exists() else []
        return Counter(line.partition(" ")[2] for line in lines if line.startswith(f"{what} "))


class Told(list[Event]):
    def __init__(self, witness: Witness) -> None:
        super().__init__()
        self.witness = witness

    def append(self, event: Event) -> None:
        self.witness.tell("accepted", event.id)


def live(folder: Path, send: int) -> World:
    """One life: take up what was left, send so many events, go on to the end of all."""
    witness = Witness(folder.with_suffix(".witness"))

    def handler(invocation: Invocation) -> tuple[Outcome, float]:
        witness.tell("executed", invocation.request_id)
        return (FAILED if invocation.function.name == "fails" else RETURNED), 1.0

    world = World(folder, FUNCTIONS, handler, seed=send)
    world.clock.advance_to(world.store.engine_time())
    world.answers = Told(witness)
    world.dispatcher.recover()
    for n in range(send):
        world.send("fails" if n % 3 == 0 else "works")
        if n % 2:
            world.run(world.clock.now() + 0.5)
    world.run()
    return world


def check(folder: Path) -> None:
    """The next life, and what must be true after it."""
    world = live(folder, 0)
    connection = world.store._connection
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    witness = Witness(folder.with_suffix(".witness"))
    rows = {row[0]: row[1:] for row in connection.execute("SELECT id, state, condition, errors, attempts FROM event")}
    letters = Counter(id_ for (id_,) in connection.execute("SELECT request_id FROM message"))
    executed = witness.told("executed")
    assert set(witness.told("accepted")) <= set(rows), "an accepted event is lost"
    for id_, (state, condition, errors, attempts) in rows.items():
        assert (state, condition, errors) in (("succeeded", "Success", 0), ("discarded", "RetriesExhausted", 3))
        assert letters[id_] == (state == "discarded")
        assert max(1, errors) <= executed[id_] <= attempts
    assert connection.execute("SELECT count(*) FROM delivery").fetchone() == (0,)
    again = sum(executed.values()) - sum(max(1, errors) for _, _, errors, _ in rows.values())
    print(f"again {again}", flush=True)
    world.store.close()


def waste(call: str, count: int) -> None:
    """So many calls of no effect."""
    nowhere = os.open("/dev/null", os.O_RDWR)
    calls: dict[str, Callable[[], object]] = {
        "pwrite64": lambda: os.pwrite(nowhere, b"", 0),
        "fdatasync": lambda: os.fdatasync(nowhere),
        "ftruncate": lambda: os.ftruncate(nowhere, 0),
        "unlink": Path("/nowhere/at/all").unlink,
    }
    for _ in range(count):
        with contextlib.suppress(OSError):
            calls[call]()


def in_child(act: Callable[[], object]) -> int:
    """The status with which a child ends that does this."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            act()
            code = 0
        finally:
            sys.stdout.flush()
            os._exit(code)
    return os.waitpid(pid, 0)[1]


def life(call: str, n: int, folder: Path) -> None:
    waste(call, LATE - n)
    live(folder, 6).store.close()


def sweep(call: str, folder: Path, step: int) -> None:
    n = 1
    while in_child(partial(life, call, n, folder / f"{call}-{n}")) != 0:
        if in_child(partial(check, folder / f"{call}-{n}")) != 0:
            print(f"violation {call} {n}", flush=True)
        print(f"point {call} {n}", flush=True)
        n += step
        assert n < LATE
    print(f"over {call}", flush=True)


if __name__ == "__main__":
    sweep(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
