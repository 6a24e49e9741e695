"""What is counted, under CloudWatch's names. Pure where moves are enough, else the dispatcher on simulated time."""

from pathlib import Path
from typing import Any

from lamtop.engine.core import lifecycle
from lamtop.engine.core.event import Ended, Event, Outcome
from lamtop.engine.core.function import EventInvokeConfig, Function
from lamtop.engine.metrics import FunctionMetrics, Metrics
from simulation.world import FAILED, RETURNED, World

NOW = 1_700_000_000.0
DEAD = "arn:aws:sqs:us-east-1:000000000000:dead"


def function(**changes: Any) -> Function:
    return Function("orders", "orders.handler", "/nowhere", **changes)


class Counted:
    """One event that is moved as the dispatcher moves it, and what is counted."""

    def __init__(self, **changes: Any) -> None:
        self.function = function(**changes)
        self.metrics = Metrics()
        self.event = self.moved(None, lifecycle.accept(1, "id", self.function, b"{}", now=NOW, source="test"))

    def moved(self, before: Event | None, after: Event) -> Event:
        self.metrics.moved(before, after)
        self.event = after
        return after

    def attempt(self, outcome: Outcome) -> None:
        begun = self.moved(self.event, lifecycle.begin(self.event, now=NOW))
        self.metrics.invoked(self.function, outcome)
        self.moved(begun, lifecycle.settle(begun, outcome, self.function, now=NOW))

    @property
    def counts(self) -> FunctionMetrics:
        return self.metrics.of("orders")


def test_an_event_is_received_once_however_often_it_is_tried() -> None:
    it = Counted()
    for _ in range(3):
        it.attempt(FAILED)
    counts = it.counts
    assert (counts.async_events_received, counts.invocations, counts.errors, counts.async_events_dropped) == (
        1, 3, 3, 1
    )  # fmt: skip


def test_a_dropped_event_counts_with_a_dead_letter_queue_and_without_one() -> None:
    for queue in (None, DEAD):
        it = Counted(dead_letter_queue=queue, event_invoke_config=EventInvokeConfig(0))
        it.attempt(FAILED)
        assert it.counts.async_events_dropped == 1


def test_an_event_that_succeeds_is_not_dropped() -> None:
    it = Counted()
    it.attempt(RETURNED)
    assert (it.counts.invocations, it.counts.errors, it.counts.async_events_dropped) == (1, 0, 0)


def test_reserved_concurrency_0_drops_an_event_that_was_received_and_throttles_nothing() -> None:
    counts = Counted(reserved_concurrency=0).counts
    assert (counts.async_events_received, counts.async_events_dropped, counts.throttles) == (1, 1, 0)


def test_a_refused_attempt_and_a_lost_one_are_no_invocations() -> None:
    it = Counted()
    it.attempt(Outcome(Ended.THROTTLED))
    it.attempt(Outcome(Ended.LOST))
    counts = it.counts
    assert (counts.async_events_received, counts.invocations, counts.errors, counts.bill.requests) == (1, 0, 0, 0)


def test_a_failed_delivery_is_counted_by_where_it_was_to_go() -> None:
    metrics = Metrics()
    for kind in ("dead letter", "on failure", "on success"):
        metrics.undelivered("orders", kind)
    metrics.recursion_stopped("orders")
    counts = metrics.of("orders")
    assert (counts.dead_letter_errors, counts.delivery_failures, counts.recursive_drops) == (1, 2, 1)


def test_throttles_and_bills_of_events_are_counted_by_the_dispatcher(tmp_path: Path) -> None:
    """As many throttles as the events tell themselves, and every attempt on the bill."""
    ran = RETURNED._replace(duration=1.0, waited=0.25)
    world = World(tmp_path, [function(reserved_concurrency=1, memory=1024)], lambda invocation: (ran, 3.0))
    sent = [world.send("orders") for _ in range(4)]
    world.run()
    counts = world.dispatcher.metrics.of("orders")
    assert counts.throttles == sum(world.event(id_).throttles for id_ in sent) > 3
    assert counts.async_events_received == counts.invocations == counts.bill.requests == 4
    assert (counts.bill.gb_seconds, counts.bill.waited_gb_seconds) == (4.0, 1.0)


def test_a_restart_begins_at_zero_and_remembers_where_events_stand(tmp_path: Path) -> None:
    world = World(tmp_path, [function()], lambda invocation: (FAILED, 0.0))
    world.send("orders")
    world.run()
    world.crash_and_start_again()
    counts = world.dispatcher.metrics.of("orders")
    assert (counts.discarded, counts.async_events_dropped, counts.invocations, counts.bill.cost) == (1, 0, 0, 0.0)
