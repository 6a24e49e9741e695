"""New code for one function: an environment, the candidate, tries it before it serves."""

import asyncio
import math
import time
from collections.abc import Callable
from typing import Protocol

from ....core.function import Function
from .. import failures
from ..environment import Environment
from ..failures import Failure

_TRY_AGAIN_AFTER = 0.05  # seconds, while files are being saved
_UNSETTLED_MAX = 2.0  # seconds that a save may take to be noticed
_ENDED = "the function was ended before it was ready"


class Reloadable(Protocol):
    """A pool, as far as its code is concerned."""

    @property
    def has_ended(self) -> bool:
        """Is the function gone, or the engine about to stop?"""
        ...

    def start_candidate(self, function: Function) -> Environment:
        """Start an environment on the next version. Raises OSError if that is impossible."""
        ...

    def switch_to(self, environment: Environment) -> None:
        """Its code and configuration are the current ones from here on."""
        ...

    def retire(self, environment: Environment) -> None:
        """End an environment that runs nothing."""
        ...

    def retire_idle(self, before: float) -> None:
        """End those that have been idle since before a moment (in ticks)."""
        ...


class Reload:
    """Whether the code on disk is the code that serves, and how it comes to be."""

    def __init__(self, pool: Reloadable, function: Function, is_being_saved: Callable[[Function], bool]) -> None:
        self.candidate: Environment | None = None
        self.code_is_bad = False  # what is on disk does not load: the code before it serves
        self._pool = pool
        self._next = function  # what to switch to
        self._ask_disk = is_being_saved
        self._unsettled_since = math.inf  # monotonic seconds: since when files hold what nobody has noticed
        self._decision: asyncio.Future[str | None] | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def is_under_way(self) -> bool:
        """Is it undecided whether the code on disk is to serve?"""
        return self._decision is not None

    def is_being_saved(self) -> bool:
        """Is the disk ahead of what has been noticed? Then what was just imported may be anything."""
        now = time.monotonic()
        if not self._ask_disk(self._next):
            self._unsettled_since = math.inf
            return False
        self._unsettled_since = min(self._unsettled_since, now)
        return now - self._unsettled_since < _UNSETTLED_MAX

    async def to(self, function: Function) -> str | None:
        """Start an environment on what is on disk now; let it take over if it gets ready, else say why not.

        A newer call takes over from an older one that is not ready, and decides for both.
        """
        self._next = function
        if self._decision is None:
            self._decision = self._loop.create_future()
        decision = self._decision
        old, self.candidate = self.candidate, None
        if old is not None:
            self._pool.retire(old)
        self._try()
        return await asyncio.shield(decision)

    def accept(self, candidate: Environment) -> bool:
        """It is ready: switch to it, unless files were saved while it imported them. Then another one tries."""
        self.candidate = None
        if self.is_being_saved():
            self._pool.retire(candidate)
            self._try_again()
            return False
        self.code_is_bad = False
        self._pool.switch_to(candidate)
        self._decide(None)
        return True

    def refuse(self, failure: Failure) -> None:
        """The candidate could not load the code: what serves goes on serving, unless files are being saved."""
        self.candidate = None
        if self.is_being_saved():
            self._try_again()
            return
        self.code_is_bad = True
        self._decide(f"{failure.type}: {failure.located}")

    def candidate_is_gone(self) -> None:
        """Its process has ended without a word."""
        self.candidate = None
        self._decide("the environment was ended before it was ready")

    def give_up(self) -> None:
        """The function is gone, or the engine stops."""
        self.candidate = None
        self._decide(_ENDED)

    def _try_again(self) -> None:
        self._loop.call_later(_TRY_AGAIN_AFTER, self._try)

    def _try(self) -> None:
        if self._decision is None or self.candidate is not None:
            return  # it was decided, or begun anew, meanwhile
        if self._pool.has_ended:
            self._decide(_ENDED)
            return
        if self._next.debug_port is not None:
            self._pool.retire_idle(math.inf)  # there is one debugger, and it goes to the new code
        try:
            self.candidate = self._pool.start_candidate(self._next)
        except OSError as error:
            self.refuse(failures.no_start(error))

    def _decide(self, error: str | None) -> None:
        decision, self._decision = self._decision, None
        if decision is not None:
            decision.set_result(error)
