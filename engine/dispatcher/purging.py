"""Dead letters go, and come back for a while.

A purge moves them aside in the dispatcher's one transaction: whatever kills the engine, all of them are there or none.
For ten seconds of real time they can be brought back, by whoever asks.
"""

from collections.abc import Callable
from functools import partial

from ..clock import Clock
from ..metrics import Metrics
from ..reports import Purge, Undo
from ..store import Store

UNDO_SECONDS = 10.0  # of real time


class Purging:
    """Used by the dispatcher alone, inside its transactions."""

    def __init__(
        self,
        store: Store,
        metrics: Metrics,
        clock: Clock,
        name: Callable[[], str],
        open_transaction: Callable[[], None],
    ) -> None:
        """`name` gives a new purge its name."""
        self._store, self._metrics, self._clock = store, metrics, clock
        self._name, self._open = name, open_transaction
        self._first = store.first_tombstone()

    def take(self, report: Purge | Undo, now: float) -> Callable[[], None]:
        """Do what is wished. Returns what tells the one who asked, after the commit."""
        match report:
            case Purge():
                return self._purge(report, now)
            case Undo():
                return self._undo(report, now)

    def forget(self, now: float) -> None:
        """Let go of what can no longer be brought back."""
        if self._first is not None and self._first <= now:
            self._open()
            self._store.forget_buried(now)
            self._first = self._store.first_tombstone()

    def _purge(self, report: Purge, now: float) -> Callable[[], None]:
        there, name = self._store.dead_letters_among(report.ids), self._name()
        if there:
            until = now + UNDO_SECONDS * (self._clock.rate or 1.0)
            self._open()
            self._store.bury(there, name, until)
            self._first = until if self._first is None else min(self._first, until)
            self._metrics.changed("dlq")
        return partial(report.answer, name if there else "", there)

    def _undo(self, report: Undo, now: float) -> Callable[[], None]:
        purge = report.purge or self._store.newest_purge(now)
        count = self._store.buried(purge, now) if purge else 0
        if purge and count:
            self._open()
            self._store.bring_back(purge)
            self._metrics.changed("dlq")
        return partial(report.answer, count or None)
