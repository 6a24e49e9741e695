"""A whole engine inside the test's own process: real handlers, real files, its own state folder and registry."""

import asyncio
import contextlib
import os
import textwrap
import threading
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from lamtop.engine import Engine, Settings

T = TypeVar("T")


class On(Protocol):
    """Runs something on the loop of an engine that lives in another thread, and waits for the answer."""

    def __call__(self, work: Coroutine[Any, Any, T]) -> T: ...


_over: "weakref.WeakSet[Engine]" = weakref.WeakSet()


async def until(found: Callable[[], T], what: str, seconds: float = 20.0) -> T:
    """Ask until the answer is a true one; return it. Fails after `seconds`, saying what did not come."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not (answer := found()):
        assert asyncio.get_running_loop().time() < deadline, f"after {seconds:.0f} s still not: {what}"
        await asyncio.sleep(0.002)
    return answer


async def until_awaited(found: Callable[[], Awaitable[T]], what: str, seconds: float = 20.0) -> T:
    """As `until`, for a question that is itself awaited."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not (answer := await found()):
        assert asyncio.get_running_loop().time() < deadline, f"after {seconds:.0f} s still not: {what}"
        await asyncio.sleep(0.002)
    return answer


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write these files, each in one go, as an editor does: a new file that takes the old one's place."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(path.name + ".tmp")
        fresh.write_text(textwrap.dedent(text), encoding="utf-8")
        fresh.replace(path)


@contextlib.asynccontextmanager
async def live(folder: Path, files: Mapping[str, str], **settings: Any) -> AsyncIterator[Engine]:
    """Start an engine on these files in `folder`, and stop it. Its registry is in `folder` too if a test says so."""
    folder.mkdir(parents=True, exist_ok=True)
    write(folder, files)
    template = folder / "template.yaml"
    wishes = {"source": template if template.exists() else folder, "state": folder / ".lamtop", "port": 0}
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    engine = Engine(Settings(**{**wishes, "environ": kept, **settings}))
    await engine.start()
    try:
        yield engine
    finally:
        await stopped(engine)


@contextlib.contextmanager
def aside(folder: Path, files: Mapping[str, str], **settings: Any) -> "Iterator[tuple[Engine, On]]":
    """A live engine in a thread of its own, for clients that block, and how to run something on its loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="engine")
    thread.start()

    def on(work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    async def enter() -> Engine:
        return await running.__aenter__()

    async def leave() -> None:
        await running.__aexit__(None, None, None)

    running = live(folder, files, **settings)
    try:
        yield on(enter()), on
        on(leave())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def stopped(engine: Engine, seconds: float = 6.0) -> None:
    """Stop an engine, once. It has 2 s for handlers that run, and must not take for ever over anything else."""
    if engine in _over:
        return
    _over.add(engine)
    try:
        await asyncio.wait_for(engine.stop(), seconds)
    except TimeoutError:
        raise AssertionError(f"the engine did not stop within {seconds:.0f} s") from None


def notices(engine: Engine, level: str = "") -> list[str]:
    """What the engine has said so far, in this tone if one is named."""
    return [notice["text"] for notice in engine.notices.since(0) if level in ("", notice["level"])]
