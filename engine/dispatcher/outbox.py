"""What ended events owe to somebody, and its delivery: dead letters, invocation records.

An ended event and what it owes are written in one transaction. Delivering is another: a queue of ours is in the same
file, so that its message comes and the debt goes at the same moment. What cannot be delivered is kept and tried again
(AWS would count the failure and drop it).
"""

from collections.abc import Callable, Iterator

from ..core import record
from ..core.event import Delivery, Event, Message, Outcome
from ..core.function import Function
from ..metrics import Metrics
from ..reports import Accept
from ..store import Store

_AT_ONCE = 256  # deliveries in one step
_DELAY_LONGEST = 300.0  # seconds between two tries


class Outbox:
    """The debts of ended events. Used by the dispatcher alone, inside its transactions."""

    def __init__(self, store: Store, metrics: Metrics, deliver: Callable[[Delivery], "Message | Accept | str"]) -> None:
        """`deliver` turns a delivery into a message of ours, an event for a function, or a word why it can't now."""
        self._store = store
        self._metrics = metrics
        self._deliver = deliver
        self._last_id = store.last_delivery()

    def owed(self, event: Event, outcome: Outcome | None, function: Function, now: float) -> list[Delivery]:
        """What this event, which has just ended, owes. The caller writes it."""
        owed = record.deliveries(event, outcome, function, next_id=self._last_id + 1, now=now)
        self._last_id += len(owed)
        return owed

    def drain(self, now: float, open_transaction: Callable[[], None]) -> Iterator[Accept]:
        """Deliver what is due. Yields the records that are events of other functions, for the caller to accept."""
        for delivery in self._store.deliveries_due(now, _AT_ONCE):
            open_transaction()
            match self._deliver(delivery):
                case str(why_not):
                    self._postpone(delivery, why_not, now)
                    continue
                case Message() as message:
                    self._store.send([message])
                    self._metrics.changed("dlq")
                case Accept() as report:
                    yield self._passed_on(delivery, report)
            self._store.delivered([delivery.id])

    def _postpone(self, delivery: Delivery, why_not: str, now: float) -> None:
        if delivery.tries == 0 and (told_of := self._store.event(delivery.request_id)):
            self._metrics.undelivered(told_of.function, delivery.kind)
        tries = delivery.tries + 1
        wait = min(2.0 ** min(tries - 1, 16), _DELAY_LONGEST)
        self._store.postpone(delivery._replace(tries=tries, due_at=now + wait, error=why_not))

    def _passed_on(self, delivery: Delivery, report: Accept) -> Accept:
        """The record belongs to the trace of the event that it tells of."""
        told_of = self._store.event(delivery.request_id)
        if told_of is None:
            return report
        source = f"{delivery.kind} of {told_of.function}"
        return report._replace(source=source, trace_id=told_of.trace_id, caller=told_of.id)
