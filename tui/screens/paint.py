"""When to paint: at most ten times a second, once a second while a clock runs, never when nothing can have changed."""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from textual.widget import Widget

from ..alarm import ring

if TYPE_CHECKING:
    from ..app import Lamtop


class Paint:
    """Calls `draw`. `pace` says how soon the picture is out of date by itself (seconds, None: never)."""

    def __init__(self, owner: Widget, draw: Callable[[], None], pace: Callable[[], float | None]) -> None:
        self._owner, self._draw, self._pace = owner, draw, pace
        self._timer: asyncio.TimerHandle | None = None
        self._due = float("inf")
        self._last = 0.0

    @property
    def is_due(self) -> bool:
        """Will there be another picture?"""
        return self._timer is not None

    def soon(self) -> None:
        """Paint as soon as the rate allows."""
        self._arm(max(0.0, self._last + self._shortest - time.monotonic()))

    @property
    def _shortest(self) -> float:
        return cast("Lamtop", self._owner.app).pace.paint

    def _arm(self, delay: float) -> None:
        due = time.monotonic() + delay
        if self._timer is not None:
            if self._due <= due:
                return
            self._timer.cancel()
        self._due = due
        self._timer = ring(self._owner, delay, self._now)

    def _now(self) -> None:
        self._timer, self._due = None, float("inf")
        if not self._owner.is_mounted:
            return
        if not self._owner.children:  # not laid out yet
            self._arm(self._shortest)
            return
        try:
            self._draw()
        except Exception as error:  # the next picture may succeed; what was drawn before stays
            cast("Lamtop", self._owner.app).failed(error)
        self._last = time.monotonic()
        pace = self._pace()
        if pace is not None:
            self._arm(pace)
