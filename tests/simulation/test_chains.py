"""Events that come from other invocations: lineage through the queue, and chains that never end by themselves."""

import json
from collections import Counter
from pathlib import Path

import pytest

from lamtop.engine.core.event import Condition, Outcome, State
from lamtop.engine.core.function import EventInvokeConfig, Function, Queue
from lamtop.engine.core.invocation import Invocation
from lamtop.engine.core.trace import header_of, sender_of
from lamtop.engine.reports import Accept
from simulation.world import FAILED, RETURNED, World

DEAD = "arn:aws:sqs:us-east-1:000000000000:dead"
TOPIC = "arn:aws:sns:us-east-1:000000000000:alarms"


def function(name: str = "orders", **changes: object) -> Function:
    return Function(name, "app.handler", "/nowhere", **changes)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


class Loop(World):
    """A handler that puts one more event for its own function in the queue, each time it runs."""

    def __init__(self, folder: Path, functions: list[Function]) -> None:
        super().__init__(folder, functions, self._once_more)

    def _once_more(self, invocation: Invocation) -> tuple[Outcome, float]:
        answer = self.answers.append
        report = Accept(self._new_id(), invocation.function, b"{}", "test", answer, trace_id=invocation.trace_id)
        self.report(report)
        return RETURNED, 1.0


def test_86_a_function_that_sends_itself_events_is_stopped_after_sixteen_invocations(folder: Path) -> None:
    orders = function(dead_letter_queue=DEAD, event_invoke_config=EventInvokeConfig(on_failure=DEAD))
    world = Loop(folder, [orders])
    world.send("orders")
    world.run(world.clock.now() + 100)
    events = [world.event(event.id) for event in world.answers]
    assert [event.condition for event in events] == [Condition.SUCCESS] * 16 + [Condition.RECURSIVE_INVOCATION]
    assert (events[-1].attempts, events[-1].state, events[-1].dropped) == (0, State.DISCARDED, False)
    assert world.dispatcher.metrics.of("orders").recursive_drops == 1

    letter, record = sorted((row for row in world.history() if row[0] == "message"), key=lambda row: len(str(row[3])))
    assert json.loads(str(letter[4])) == {
        "RequestID": events[-1].id, "ErrorCode": "400", "ErrorMessage": "RecursiveInvocation",
    }  # fmt: skip
    told = json.loads(bytes(record[3]))  # type: ignore[call-overload]
    assert list(told) == ["version", "timestamp", "requestContext", "requestPayload"]
    assert told["requestContext"]["condition"] == "RecursiveInvocation"
    assert told["requestContext"]["approximateInvokeCount"] == 0


def test_a_function_that_allows_its_recursion_is_not_stopped(folder: Path) -> None:
    world = Loop(folder, [function(recursive_loop="Allow")])
    world.send("orders")
    world.run(world.clock.now() + 50)
    assert len(world.environments.starts) > 40


def test_a_stopped_chain_can_be_redriven_and_begins_anew(folder: Path) -> None:
    world = Loop(folder, [function()])
    world.send("orders")
    world.run()
    stopped = world.answers[-1]
    assert stopped.dropped
    [[_, again]], _ = world.redrive(f"dropped:{stopped.id}")
    world.run()
    assert world.event(again).state is State.SUCCEEDED
    assert world.event(again).trace_id.partition(";")[0] != stopped.trace_id.partition(";")[0]


def test_two_functions_that_are_each_others_destination_are_stopped_too(folder: Path) -> None:
    there, back = function("there"), function("back")
    functions = [
        function("there", event_invoke_config=EventInvokeConfig(on_success=back.arn)),
        function("back", event_invoke_config=EventInvokeConfig(on_success=there.arn)),
    ]
    world = World(folder, functions, lambda invocation: (RETURNED, 1.0))
    world.send("there")
    world.run(world.clock.now() + 100)
    ends = Counter((event.function, event.condition) for event in world.events())
    assert ends == {
        ("there", Condition.SUCCESS): 16,
        ("back", Condition.SUCCESS): 16,
        ("there", Condition.RECURSIVE_INVOCATION): 1,
    }


def test_every_attempt_and_every_destination_belongs_to_the_same_trace(folder: Path) -> None:
    seen: list[tuple[str, str]] = []

    def script(invocation: Invocation) -> tuple[Outcome, float]:
        seen.append((invocation.function.name, invocation.trace_id))
        return (FAILED if invocation.function.name == "orders" else RETURNED), 0.0

    audit = function("audit")
    world = World(folder, [function(event_invoke_config=EventInvokeConfig(on_failure=audit.arn)), audit], script)
    came = header_of("", function("shop"), "12345678-1234-4123-8123-123456789abc", 0.0)
    sent = Accept(
        world._new_id(), world.functions["orders"], b"{}", "function shop", world.answers.append, "", came, "shop's id"
    )
    world.report(sent)
    world.run(world.clock.now() + 100)
    world.crash_and_start_again()  # the trace is on disk
    world.run()

    assert [name for name, _ in seen] == ["orders"] * 3 + ["audit"]
    root = came.partition(";")[0]
    assert {header.partition(";")[0] for _, header in seen} == {root}
    assert len({sender_of(header) for _, header in seen}) == 2, "one name for all attempts, another for the destination"
    assert seen[-1][1].count("|") == 2, "shop, orders and audit"
    [audited] = world.events("audit")
    assert (audited.caller, audited.source) == (sent.request_id, "on failure of orders")
    assert world.event(sent.request_id).caller == "shop's id"


def test_a_delivery_that_fails_is_counted_once_says_why_and_is_kept(folder: Path) -> None:
    orders = function(dead_letter_queue=TOPIC, event_invoke_config=EventInvokeConfig(0, on_failure=TOPIC))
    world = World(folder, [orders], lambda invocation: (FAILED, 0.0))
    world.send("orders")
    world.run(world.clock.now() + 1_000)
    counts = world.dispatcher.metrics.of("orders")
    assert (counts.dead_letter_errors, counts.delivery_failures) == (1, 1)
    owed = [row for row in world.history() if row[0] == "delivery"]
    assert [row[4] for row in owed] == ["dead letter", "on failure"]
    assert {row[10] for row in owed} == {"lamtop does not deliver to SNS topics yet"}
    assert all(int(str(row[9])) > 3 for row in owed), "it was tried again and again"


def test_64_a_destination_that_comes_back_gets_what_it_is_owed(folder: Path) -> None:
    world = World(folder, [function(event_invoke_config=EventInvokeConfig(0, on_failure=DEAD))], lambda _: (FAILED, 0))
    world.destinations.configure(world.functions, {})
    world.send("orders")
    world.run(world.clock.now() + 100)
    counts = world.dispatcher.metrics.of("orders")
    assert (counts.dead_letter_errors, counts.delivery_failures) == (0, 1)
    world.destinations.configure(world.functions, {"dead": Queue("dead", DEAD)})
    world.run()
    assert [row[2] for row in world.history() if row[0] == "message"] == ["dead"]
