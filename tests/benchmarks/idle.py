"""An engine that does nothing: memory, CPU time over 5 s alone and with a subscriber, and what its end leaves behind.

It has run one synchronous and one asynchronous invocation before. The subscriber watches what the monitor's screen
watches. Left behind: processes that carry this run's marker, entries of the temporary folder that the engine was given,
files in the registry.

Floor: a Python process that has imported asyncio, sqlite3 and aiohttp's server, and waits.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable

import aiohttp
from harness import COUNTED, Engine, Project, memory, until
from table import Figure, Measured, arguments, at_most, run
from traffic import drive, invocation

SECONDS = 5
_VIEWS = {name: {"view": name, "limit": 50} for name in ("queue", "inflight", "retries", "dlq", "logs", "functions")}
_WAITS = "import asyncio, sqlite3, aiohttp.web, sys; print(flush=True); sys.stdin.read()"


def measure(seconds: int = SECONDS) -> Measured:
    with Project({"counted": {"Handler": "counted.handler"}}, {"counted.py": COUNTED}) as project:
        engine = project.serve()
        drive(engine.port, invocation(engine.port, "counted"), 1, 1)
        drive(engine.port, invocation(engine.port, "counted", "Event"), 1, 1, status=202)
        until(lambda: project.executed() == 2, "both executed")
        time.sleep(1)
        pss, rss = memory([engine.pid]), memory([engine.pid], "Rss")
        alone = _share(engine, lambda: time.sleep(seconds))
        watched, frames = asyncio.run(_watched(engine, seconds))
        engine.stop()
        processes, folders, entries = _left(project)
    floor = _floor()
    figures = [
        Figure("idle engine memory (RSS)", f"{rss:.1f} MB", f"bare asyncio + aiohttp {floor:.1f} MB", rss / floor,
               at_most(60, rss, "MB", 1)),
        Figure("idle engine memory (PSS)", f"{pss:.1f} MB"),
        Figure(f"idle engine CPU over {seconds} s", f"{alone:.1%}"),
        Figure("… with a subscriber", f"{watched:.1%}"),
        Figure("processes left after its end", f"{processes}", "", None, at_most(0, processes, "processes", 0)),
        Figure("temporary files left", f"{folders}", "", None, at_most(0, folders, "files", 0)),
    ]  # fmt: skip
    return figures, [f"{frames} frames in {seconds} s", f"{entries} files left in the registry"]


def _share(engine: Engine, wait: Callable[[], None]) -> float:
    """The share of one core that it takes meanwhile."""
    before, started = engine.cpu(), time.perf_counter()
    wait()
    return (engine.cpu() - before) / (time.perf_counter() - started)


async def _watched(engine: Engine, seconds: int) -> tuple[float, int]:
    """The share of one core with a subscriber, once it has its first frames; and how many frames came."""
    authority = {"Authorization": f"Bearer {engine.token}"}
    frames = 0
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{engine.url}/_lamtop/watch", headers=authority) as socket,
    ):
        await socket.send_json({"views": _VIEWS})
        await socket.receive(timeout=10)
        await asyncio.sleep(0.5)
        before, started = engine.cpu(), time.perf_counter()
        while (left := started + seconds - time.perf_counter()) > 0:
            try:
                await socket.receive(timeout=left)
                frames += 1
            except TimeoutError:
                break
        return (engine.cpu() - before) / (time.perf_counter() - started), frames


def _left(project: Project) -> tuple[int, int, int]:
    return len(project.processes()), len(list(project.temporary.iterdir())), len(list(project.registry.iterdir()))


def _floor() -> float:
    with subprocess.Popen([sys.executable, "-c", _WAITS], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        return memory([child.pid], "Rss")


if __name__ == "__main__":
    chosen = arguments(__doc__, seconds=(SECONDS, "seconds to watch it"))
    run(lambda: measure(chosen.seconds))
