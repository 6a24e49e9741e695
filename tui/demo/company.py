"""The engine of a stage: started on simulated time, killed if a fault says so, brought back as by its supervisor.

It lives in the process of the monitor. Its death is therefore none by SIGKILL: it is dropped where it stands, with
nothing settled, committed or told, and the processes of its handlers are killed.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from .props import Props, settings
from .unless import Over, unless

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lamtop.engine import Engine
    from lamtop.engine.lifeline import Lifeline

_BACK_AFTER = 1.0  # seconds until a killed engine is there again, as with a real one


class Understudy:
    """What an engine knows as its lifeline: it remembers for the next one, and takes the news of its death."""

    def __init__(self, left: "Mapping[str, Any]", died: Callable[[], None]) -> None:
        self.left = dict(left)
        self.kept = {name: value for name, value in left.items() if name != "killed_by"}
        self._died = died

    def watch(self, gone: Callable[[], object]) -> None:
        """Nobody passes on what asks for the engine's end."""

    def keep(self, **known: Any) -> None:
        self.kept |= known

    def die(self, why: str) -> None:
        self.keep(killed_by=why)
        self._died()


class Company:
    """One engine after the other, on the same project and folder."""

    def __init__(self, props: Props, seed: int, environ: "Mapping[str, str] | None" = None) -> None:
        self._settings = settings(props, seed, environ)
        self._engine: Engine | None = None
        self._understudy = Understudy({}, self._died)
        self._dying: asyncio.Task[None] | None = None
        self._death: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._absent = 0.0  # seconds since the engine died
        self._then = 0.0  # when that was
        self.came = asyncio.Event()  # an engine is there
        self.went: Callable[[], None] = lambda: None
        self.pids: set[int] = set()  # of all handler processes

    async def open(self) -> None:
        """Start the first engine. Raises what an Engine does."""
        await self._start()

    async def close(self) -> None:
        if self._dying is not None:
            await self._dying
        if self._engine is not None:
            self._note_pids()
            await self._engine.stop()
            self._engine = None

    @property
    def engine(self) -> "Engine":
        """The engine on stage. Raises RuntimeError if there is none."""
        if self._engine is None:
            raise RuntimeError("there is no engine on stage")
        return self._engine

    @property
    def is_there(self) -> bool:
        return self._engine is not None

    # -- time --------------------------------------------------------------------------------------------------------

    @property
    def rate(self) -> float:
        """Engine seconds that are to pass in one second of whoever watches."""
        return self._engine.clock.rate if self._engine is not None else 1.0

    @rate.setter
    def rate(self, rate: float) -> None:
        if self._engine is not None and self._engine.simulation is not None:
            self._engine.simulation.clock.rate = rate

    async def advance(self, seconds: float) -> None:
        """Let time pass, and everything happen that is due by then."""
        if self._engine is not None and self._engine.simulation is not None:
            with contextlib.suppress(Over):  # time that nobody lets pass any more is not waited for
                await unless(self._death, self._engine.simulation.advance(seconds))
            self._note_pids()
        if self._dying is not None:
            await self._dying
            self._absent += seconds
            if self._absent >= _BACK_AFTER:
                await self._return()

    # -- death and return --------------------------------------------------------------------------------------------

    def _died(self) -> None:
        """Called by the engine, in the middle of whatever it does."""
        if self._engine is not None:
            engine, self._engine = self._engine, None
            self._then, self._absent = engine.clock.now(), 0.0
            self.came.clear()
            self._death.set_result(None)
            self._dying = asyncio.create_task(engine.perish())
            self.went()

    async def _return(self) -> None:
        self._dying = None
        left = {**self._understudy.kept, "time": self._then + self._absent}
        self._understudy = Understudy(left, self._died)
        await self._start()

    async def _start(self) -> None:
        from dataclasses import replace

        from lamtop.engine import Engine

        engine = Engine(replace(self._settings, lifeline=cast("Lifeline", self._understudy)))
        await engine.reloader.learn()
        await engine.start()
        self._engine = engine
        self._death = asyncio.get_running_loop().create_future()
        self.rate = self._understudy.left.get("speed", 1.0)
        self.came.set()

    def _note_pids(self) -> None:
        if self._engine is not None:
            self.pids.update(self._engine.environments.pids)
