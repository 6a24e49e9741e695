"""Which way an environment is started: forked from a zygote on Linux, else as a program."""

import asyncio
import os
import sys
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial

from .forking import Zygote, fits
from .orphans import Marks, adopt_orphans
from .spawning import Spawner
from .starting import Child, Order
from .survivors import ProcessList

_ZYGOTES_MAX = 8
_PIDS_KEPT = 1_000
_DEATHS_MAX = 3  # of zygotes of one kind, until it is left at spawning

# What an interpreter looks at once, when it starts: variables with other values need another zygote.
_AT_START = ("PYTHON", "LD_", "LC_", "MALLOC_", "GLIBC_")
_AT_START_TOO = frozenset({"PATH", "HOME", "LANG", "TZ"})

Kind = tuple[str, tuple[tuple[str, str], ...]]


class Starters:
    """Starts the processes of all environments, and knows which of them live.

    `say` is told, once for each interpreter, why its environments cannot be forked.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        life: int,
        processes: ProcessList,
        say: Callable[[str], None],
        *,
        spawn: bool,
    ) -> None:
        self.marks = Marks()
        self._loop = loop
        self._life = life
        self._processes = processes
        self._say = say
        self._forks = sys.platform == "linux" and not spawn
        self._living: dict[int, Child] = {}  # by mark
        self._zygotes: dict[Kind, Zygote] = {}
        self._deaths: dict[Kind, int] = {}
        self._told: set[str] = set()
        self.pids: deque[int] = deque(maxlen=_PIDS_KEPT)  # of the environments that were started last
        self._old: list[Zygote] = []  # they take no more orders, and may have children
        self._ending: set[asyncio.Task[None]] = set()
        self._spawner = Spawner(loop, life, self.marks.family, self._living)
        adopt_orphans(True)
        processes.family = self.marks.family

    def start(self, order: Order, on_end: Callable[[int | None], None]) -> Child:
        """Start a process, now or soon. Raises OSError if that is impossible; the order is closed in any case."""
        child = Child(order, self._is_there, partial(self._ended, order.mark, on_end))
        self._living[order.mark] = child
        try:
            zygote = self._zygote(order.interpreter, order.variables) if self._forks and fits(order) else None
            if zygote is not None:
                zygote.start(child)
        except OSError:
            order.close()
            del self._living[order.mark]
            raise
        if zygote is None:
            self._spawn(child)
        return child

    def _is_there(self, pid: int) -> None:
        self.pids.append(pid)
        self._processes.add(pid)

    def warm(self, interpreter: str, variables: Mapping[str, str]) -> None:
        """Have a zygote ready for environments like this one."""
        if self._forks:
            self._zygote(interpreter, variables)

    def sweep(self) -> None:
        """Look for what has been left behind."""
        self._spawner.sweep()

    async def stop(self) -> None:
        """End the zygotes, and the orphans of everything that was started."""
        zygotes = [*self._zygotes.values(), *self._old]
        self._forks = False
        self._zygotes.clear()
        await asyncio.gather(*self._ending, *map(self._end, zygotes))
        await self._spawner.stop()
        adopt_orphans(False)

    def _spawn(self, child: Child) -> None:
        try:
            self._spawner.start(child)
        except OSError:
            del self._living[child.order.mark]
            raise

    def _ended(self, mark: int, on_end: Callable[[int | None], None], code: int | None) -> None:
        child = self._living.pop(mark)
        self._processes.remove(child.pid)
        on_end(code)
        if self._old:
            self._end_the_old()

    # --- zygotes ------------------------------------------------------------------------------------------------------

    def _zygote(self, interpreter: str, variables: Mapping[str, str]) -> Zygote | None:
        """The zygote for such environments; None if they have to be spawned. Raises OSError if it does not start."""
        at_start = {name: value for name, value in variables.items() if _counts_at_start(name)}
        kind = interpreter, tuple(sorted(at_start.items()))
        zygote = self._zygotes.get(kind)
        if zygote is not None and zygote.is_stale():
            zygote.usable = False
            self._retire(kind)
            zygote = None
        if zygote is None:
            if self._deaths.get(kind, 0) >= _DEATHS_MAX or len(self._zygotes) >= _ZYGOTES_MAX:
                return None
            # Those of our own name tell whose it is, and its children, in lists of processes. Handlers do not get them.
            ours = {name: value for name, value in os.environ.items() if name.startswith("LAMTOP_")}
            zygote = Zygote(
                self._loop,
                interpreter,
                {**at_start, **ours},
                self._life,
                partial(self._lost, kind),
                self._spawner.adopt,
            )
            self._zygotes[kind] = zygote
            self._processes.add(zygote.pid)
        return zygote

    def _lost(self, kind: Kind, zygote: Zygote, why: str) -> None:
        """It takes no more orders. What waited for it is spawned; what it has started goes on."""
        if self._zygotes.get(kind) is zygote:
            self._retire(kind)
        self._deaths[kind] = self._deaths.get(kind, 0) + 1 if zygote.was_ready else _DEATHS_MAX
        if kind[0] not in self._told:
            self._told.add(kind[0])
            self._say(f"environments of {kind[0]} are not forked but started one by one, which is slower: {why}")
        while zygote.waiting:
            child = zygote.waiting.popleft()
            try:
                self._spawner.start(child)
            except OSError:
                self._loop.call_soon(child.ended, None)

    async def _end(self, zygote: Zygote) -> None:
        await zygote.stop()
        self._processes.remove(zygote.pid)

    def _retire(self, kind: Kind) -> None:
        self._old.append(self._zygotes.pop(kind))
        self._loop.call_soon(self._end_the_old)

    def _end_the_old(self) -> None:
        for zygote in [zygote for zygote in self._old if zygote.idle]:
            self._old.remove(zygote)
            task = self._loop.create_task(self._end(zygote))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)


def _counts_at_start(name: str) -> bool:
    return name != "PYTHONPATH" and (name in _AT_START_TOO or name.startswith(_AT_START))
