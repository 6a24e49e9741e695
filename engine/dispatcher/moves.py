"""What a step has decided: gathered, and written in one transaction with what every move brings with it."""

from ..core.event import Attempt, Delivery, Event, Outcome, State
from ..core.function import Function
from ..metrics import Metrics
from ..store import Store
from .outbox import Outbox


class Moves:
    """The moves that are not written yet. `ready` names the functions that may have due events in the table."""

    def __init__(self, store: Store, metrics: Metrics, outbox: Outbox) -> None:
        self.ready = store.queued_functions()
        self.wrote = False  # is a transaction open in this step?
        self._store = store
        self._metrics = metrics
        self._outbox = outbox
        self._inserts: list[Event] = []
        self._updates: list[Event] = []
        self._attempts: list[Attempt] = []
        self._deliveries: list[Delivery] = []

    def enter(self, event: Event, function: Function, now: float) -> None:
        """A new event."""
        self._inserts.append(event)
        self._moved(None, event, None, function, now)

    def move(
        self, before: Event, after: Event, function: Function, now: float, *, outcome: Outcome | None = None
    ) -> None:
        """An event goes on; `outcome` is that of the attempt that moves it, if it was one."""
        self._updates.append(after)
        self._moved(before, after, outcome, function, now)

    def record(self, attempt: Attempt) -> None:
        self._attempts.append(attempt)

    def _moved(
        self, before: Event | None, after: Event, outcome: Outcome | None, function: Function, now: float
    ) -> None:
        """Count the move; note what is due again, and what an ended event owes."""
        self._metrics.moved(before, after)
        if after.state is State.QUEUED and after.due_at <= now:
            self.ready.add(after.function)
        elif after.condition is not None:
            self._deliveries.extend(self._outbox.owed(after, outcome, function, now))

    def look_at_all(self) -> None:
        """Every function with queued events may have due ones: limits have changed, or nothing began for a while."""
        self.ready |= self._store.queued_functions()

    # -- the transaction ---------------------------------------------------------------------------------------------

    def open(self) -> None:
        if not self.wrote:
            self._store.begin()
            self.wrote = True

    def write(self) -> None:
        """Hand over to the store what has been gathered, in a transaction that stays open."""
        if not (self._inserts or self._updates or self._attempts or self._deliveries):
            return
        self.open()
        self._store.insert(self._inserts)
        self._store.update(self._updates)
        self._store.record(self._attempts)
        self._store.owe(self._deliveries)
        self._inserts, self._updates, self._attempts, self._deliveries = [], [], [], []
