"""What the dispatcher does with real rows, on simulated time."""

import json
from pathlib import Path

import pytest

from lamtop.engine.core.event import Condition, Ended, Outcome, Reason, State
from lamtop.engine.core.function import EventInvokeConfig, Function, Queue
from lamtop.engine.core.invocation import Invocation
from lamtop.engine.reports import Finished
from simulation.world import FAILED, RETURNED, Script, World

DEAD = "arn:aws:sqs:us-east-1:000000000000:dead"


def function(name: str = "orders", **changes: object) -> Function:
    return Function(name, "app.handler", "/nowhere", **{"dead_letter_queue": DEAD, **changes})  # type: ignore[arg-type]


def always(outcome: Outcome, seconds: float = 0.0) -> Script:
    return lambda invocation: (outcome, seconds)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_a_failing_event_runs_at_0_60_and_180_seconds_and_lands_in_the_dead_letter_queue(folder: Path) -> None:
    world = World(folder, [function()], always(FAILED))
    start = world.clock.now()
    request_id = world.send("orders", b'{"card":1}')
    world.run()

    assert [at - start for at, _, _ in world.environments.starts] == [0, 60, 180]
    event = world.event(request_id)
    assert (event.state, event.condition, event.attempts) == (State.DISCARDED, Condition.RETRIES_EXHAUSTED, 3)
    [letter] = [row for row in world.history() if row[0] == "message"]
    assert letter[2:4] == ("dead", b'{"card":1}')
    assert json.loads(str(letter[4])) == {"RequestID": request_id, "ErrorCode": "200", "ErrorMessage": "boom"}


def test_an_event_is_answered_and_begun_only_after_the_commit(folder: Path) -> None:
    world = World(folder, [function()], always(RETURNED))
    world.send("orders")
    step = world.dispatcher.step()
    assert step.wrote
    assert world.answers == []
    assert world.environments.starts == []

    world.store.commit()
    world.dispatcher.release()
    assert [event.state for event in world.answers] == [State.RUNNING]
    assert len(world.environments.starts) == 1


def test_throttled_events_wait_on_a_backoff_that_doubles_and_use_up_no_attempt(folder: Path) -> None:
    world = World(folder, [function(reserved_concurrency=1)], always(RETURNED, seconds=15))
    first = world.send("orders")
    world.run(world.clock.now() + 0.5)
    second = world.send("orders")
    start = world.clock.now()
    world.run()

    assert world.event(first).attempts == world.event(second).attempts == 1
    assert world.event(second).throttles == 4  # refused at 0, 1, 3, 7 s: the fifth try comes at 15 s or a little later
    late = world.environments.starts[1][0] - start
    assert 15 <= late <= 15 * 1.1


def test_events_wait_for_a_place_without_backoff_when_no_limit_is_reached(folder: Path) -> None:
    world = World(folder, [function()], always(RETURNED, seconds=1), most=2)
    start = world.clock.now()
    for _ in range(6):
        world.send("orders")
    world.run()
    assert [at - start for at, _, _ in world.environments.starts] == [0, 0, 1, 1, 2, 2]


def test_only_a_few_events_begin_ahead_of_each_environment(folder: Path) -> None:
    world = World(folder, [function()], always(RETURNED, seconds=1), most=1)
    for _ in range(100):
        world.send("orders")
    world.step()
    assert len(world.dispatcher.begun) == 32
    world.run()
    assert all(event.attempts == 1 for event in map(world.event, (e.id for e in world.answers)))


def test_zero_reserved_concurrency_sends_the_event_to_its_dead_letter_queue_untried(folder: Path) -> None:
    world = World(folder, [function(reserved_concurrency=0)], always(RETURNED))
    request_id = world.send("orders")
    world.run()
    assert world.event(request_id).condition is Condition.ZERO_RESERVED_CONCURRENCY
    assert world.environments.starts == []
    assert [row[0] for row in world.history()].count("message") == 1


def test_an_event_that_waits_for_a_place_too_long_is_never_started(folder: Path) -> None:
    config = EventInvokeConfig(maximum_event_age=60)
    world = World(folder, [function(event_invoke_config=config)], always(RETURNED, seconds=100), most=1)
    ids = [world.send("orders") for _ in range(40)]
    world.run()
    conditions = [world.event(id_).condition for id_ in ids]
    assert conditions == [Condition.SUCCESS] + [Condition.EVENT_AGE_EXCEEDED] * 39
    assert len(world.environments.starts) == 1


def test_a_retry_that_would_come_too_late_is_not_waited_for(folder: Path) -> None:
    config = EventInvokeConfig(maximum_event_age=90)
    world = World(folder, [function(event_invoke_config=config)], always(FAILED))
    start = world.clock.now()
    request_id = world.send("orders")
    world.run()
    event = world.event(request_id)
    assert (event.condition, event.attempts, event.ended_at) == (Condition.EVENT_AGE_EXCEEDED, 2, start + 60)


def test_a_crash_during_an_attempt_costs_no_retry(folder: Path) -> None:
    world = World(folder, [function()], always(FAILED, seconds=5))
    request_id = world.send("orders")
    world.step()
    world.crash_and_start_again()
    world.run()
    event = world.event(request_id)
    assert (event.errors, event.losses, event.attempts) == (3, 1, 4)
    assert event.condition is Condition.RETRIES_EXHAUSTED


def test_an_event_lost_with_the_engine_four_times_is_given_up(folder: Path) -> None:
    world = World(folder, [function()], always(RETURNED, seconds=5))
    request_id = world.send("orders")
    for _ in range(4):
        world.step()
        world.crash_and_start_again()
    world.run()
    assert world.event(request_id).condition is Condition.LOST_REPEATEDLY


def test_a_crash_before_the_commit_leaves_nothing_behind(folder: Path) -> None:
    world = World(folder, [function()], always(RETURNED))
    world.send("orders")
    world.dispatcher.step()
    world.crash_and_start_again()
    world.run()
    assert world.answers == []
    assert world.history() == []


def test_a_stale_report_changes_nothing(folder: Path) -> None:
    world = World(folder, [function()], always(RETURNED, seconds=5))
    request_id = world.send("orders")
    world.run()
    before = world.history()
    world.report(Finished(world.event(request_id).seq, FAILED))
    world.step()
    assert world.history() == before


def test_redrive_moves_a_dead_letter_into_a_new_life_in_one_step(folder: Path) -> None:
    outcomes = iter([FAILED, FAILED, FAILED, RETURNED])
    world = World(folder, [function()], lambda invocation: (next(outcomes), 0.0))
    old = world.send("orders", b'{"n":1}')
    world.run()
    [message_id] = [str(row[1]) for row in world.history() if row[0] == "message"]

    [[was, new]], refused = world.redrive(message_id)
    assert (was, refused) == (old, [])
    world.run()
    assert world.event(new).state is State.SUCCEEDED
    assert world.event(new).redriven_from == old
    assert world.event(old).redriven_as == new
    assert [row for row in world.history() if row[0] == "message"] == []


def test_a_dropped_event_can_be_redriven_once(folder: Path) -> None:
    world = World(folder, [function(dead_letter_queue=None)], always(FAILED))
    old = world.send("orders")
    world.run()
    assert world.event(old).dropped
    redriven, refused = world.redrive(f"dropped:{old}", f"dropped:{old}", "nonsense")
    assert len(redriven) == 1
    assert refused == [("nonsense", "there is no such dead letter")]
    _, refused = world.redrive(f"dropped:{old}")
    assert "sent round already" in refused[0][1]


def test_a_delivery_that_cannot_be_made_is_kept_and_made_later(folder: Path) -> None:
    unknown = function(dead_letter_queue="arn:aws:sqs:us-east-1:000000000000:elsewhere")
    world = World(folder, [unknown], always(FAILED))
    world.send("orders")
    world.run(world.clock.now() + 400)
    assert [row[0] for row in world.history()].count("delivery") == 1
    world.functions = {"orders": function()}
    world.destinations.configure(world.functions, {"q": Queue("elsewhere", unknown.dead_letter_queue or "")})
    world.run()
    assert [row[0] for row in world.history()].count("delivery") == 0
    assert [row[2] for row in world.history() if row[0] == "message"] == ["elsewhere"]


def test_a_success_destination_that_is_a_function_gets_the_record_as_its_event(folder: Path) -> None:
    audit = function("audit")
    orders = function(event_invoke_config=EventInvokeConfig(on_success=audit.arn))
    seen = []

    def script(invocation: Invocation) -> tuple[Outcome, float]:
        seen.append((invocation.function.name, json.loads(invocation.payload)))
        return RETURNED, 0.0

    world = World(folder, [orders, audit], script)
    request_id = world.send("orders", b'{"n":1}')
    world.run()
    name, record = seen[1]
    assert name == "audit"
    assert list(record) == [
        "version", "timestamp", "requestContext", "requestPayload", "responseContext", "responsePayload",
    ]  # fmt: skip
    assert record["requestContext"]["requestId"] == request_id
    assert record["requestContext"]["condition"] == "Success"
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}


def test_counts_in_memory_agree_with_the_table(folder: Path) -> None:
    world = World(folder, [function(reserved_concurrency=3)], lambda i: (FAILED if i.attempt < 2 else RETURNED, 2.0))
    for _ in range(50):
        world.send("orders")
    for _ in range(60):
        world.run(world.clock.now() + 7)
        counts = world.dispatcher.metrics.of("orders")
        found = world.store.counts().get("orders", {})
        assert counts.queued == {reason: found.get(reason, 0) for reason in Reason}
        assert counts.begun == found.get("running", 0)
        assert counts.succeeded == found.get("succeeded", 0)


def test_a_function_that_left_the_configuration_keeps_its_events(folder: Path) -> None:
    world = World(folder, [function()], always(FAILED))
    request_id = world.send("orders")
    world.step()
    world.environments.end_due()
    world.dispatcher.configure({})
    world.run(world.clock.now() + 300)
    assert world.event(request_id).state is State.QUEUED
    world.dispatcher.configure(world.functions)
    world.run()
    assert world.event(request_id).state is State.DISCARDED


def test_engine_time_is_written_with_every_step(folder: Path) -> None:
    world = World(folder, [function()], always(FAILED))
    world.send("orders")
    world.run()
    assert world.store.engine_time() == world.clock.now()


def test_an_outcome_of_a_lost_attempt_is_recorded_as_such(folder: Path) -> None:
    world = World(folder, [function()], always(RETURNED, seconds=5))
    world.send("orders")
    world.step()
    world.crash_and_start_again()
    world.run()
    ends = [row[3] for row in world.history() if row[0] == "attempt"]
    assert ends == [Ended.LOST, Ended.RETURNED]


def test_what_a_step_changed_counts_as_changed_again_once_it_is_on_disk(folder: Path) -> None:
    world = World(folder, [function()], always(RETURNED))
    world.send("orders")
    changes = world.dispatcher.metrics.changes
    world.dispatcher.step()
    before_the_commit = changes["queue"]
    world.store.commit()
    world.dispatcher.release()
    assert changes["queue"] > before_the_commit


def test_an_engine_that_stops_begins_nothing_more_and_gives_back_what_waited(folder: Path) -> None:
    world = World(folder, [function()], always(RETURNED, seconds=5), most=1)
    first, second = world.send("orders"), world.send("orders")
    world.step()
    world.dispatcher.start_no_more()
    [waiting] = world.environments.drop_waiting("orders")
    waiting.done(Outcome(Ended.LOST))
    third = world.send("orders")
    world.run()
    assert world.event(first).state is State.SUCCEEDED
    assert [world.event(id_).state for id_ in (second, third)] == [State.QUEUED] * 2
    assert (world.event(second).attempts, world.event(second).losses) == (0, 0)
    assert len(world.environments.starts) == 1


def test_a_paused_engine_begins_nothing_and_takes_back_what_waited_until_every_reason_to_hold_is_gone(
    folder: Path,
) -> None:
    world = World(folder, [function()], always(RETURNED, seconds=5), most=1)
    ids = [world.send("orders") for _ in range(2)]
    world.step()
    world.dispatcher.pause()
    ids.append(world.send("orders"))
    world.run()
    assert [world.event(id_).state for id_ in ids] == [State.SUCCEEDED, State.QUEUED, State.QUEUED]
    assert [world.event(id_).attempts for id_ in ids] == [1, 0, 0]

    world.dispatcher.hold(True)
    world.dispatcher.resume()
    world.run()
    assert len(world.environments.starts) == 1
    world.dispatcher.hold(False)
    world.run()
    assert [world.event(id_).state for id_ in ids] == [State.SUCCEEDED] * 3
    assert [world.event(id_).attempts for id_ in ids] == [1, 1, 1]


def test_an_event_that_was_lost_before_does_not_begin_ahead_of_its_turn(folder: Path) -> None:
    world = World(folder, [function()], always(RETURNED, seconds=5), most=1)
    ids = [world.send("orders") for _ in range(32)]
    for _ in range(6):
        world.step()
        world.crash_and_start_again()
    world.run()
    gave_up = [id_ for id_ in ids if world.event(id_).condition is Condition.LOST_REPEATEDLY]
    assert gave_up
    assert all(id_ in {started for _, started, _ in world.all_starts} for id_ in gave_up)


# -- versions and aliases ----------------------------------------------------------------------------------------------

PROD = EventInvokeConfig(0, 3_600.0, on_failure=DEAD)


def aliased(**changes: object) -> Function:
    qualified = {"versions": frozenset({"1", "2"}), "aliases": {"prod": "2"}, "qualified_configs": {"prod": PROD}}
    return function(**{"dead_letter_queue": None, **qualified, **changes})


def test_each_qualifier_has_its_own_retries_and_destinations(folder: Path) -> None:
    world = World(folder, [aliased()], always(FAILED))
    ends = {}
    for qualifier in ("", "$LATEST", "2", "prod"):
        event = world.send("orders", qualifier=qualifier)
        world.run()
        ends[qualifier] = (world.event(event).attempts, world.event(event).dropped)
    assert ends == {"": (3, True), "$LATEST": (3, True), "2": (3, True), "prod": (1, False)}
    [letter] = [row for row in world.history() if row[0] == "message"]
    record = json.loads(bytes(letter[3]))  # type: ignore[call-overload]
    assert record["requestContext"]["functionArn"] == "arn:aws:lambda:us-east-1:000000000000:function:orders:prod"
    assert record["responseContext"]["executedVersion"] == "2"


def test_an_invocation_knows_its_qualifier_its_version_and_its_tries(folder: Path) -> None:
    seen = []

    def script(invocation: Invocation) -> tuple[Outcome, float]:
        seen.append((invocation.invoked_arn.rpartition("orders")[2], invocation.executed_version, invocation.tries))
        return RETURNED, 0.0

    world = World(folder, [aliased()], script)
    for qualifier in ("", "$LATEST", "1", "prod"):
        world.send("orders", qualifier=qualifier)
    world.run()
    assert seen == [("", "$LATEST", 3), (":$LATEST", "$LATEST", 3), (":1", "1", 3), (":prod", "2", 1)]


def test_an_event_that_waits_for_a_place_is_ended_at_the_age_of_its_own_qualifier(folder: Path) -> None:
    configs = {"prod": EventInvokeConfig(maximum_event_age=60)}
    world = World(folder, [aliased(qualified_configs=configs)], always(RETURNED, seconds=100), most=1)
    plain = [world.send("orders") for _ in range(40)]
    hasty = [world.send("orders", qualifier="prod") for _ in range(3)]
    start = world.clock.now()
    world.run(start + 70)
    assert [world.event(id_).condition for id_ in hasty] == [Condition.EVENT_AGE_EXCEEDED] * 3
    assert all((world.event(id_).ended_at or 0) <= start + 62 for id_ in hasty)
    assert all(world.event(id_).condition is None for id_ in plain)


def test_a_destination_can_be_an_alias_of_a_function(folder: Path) -> None:
    audit = aliased(name="audit")
    orders = function(event_invoke_config=EventInvokeConfig(on_success=f"{audit.arn}:prod"))
    seen = []

    def script(invocation: Invocation) -> tuple[Outcome, float]:
        seen.append((invocation.invoked_arn, invocation.source))
        return RETURNED, 0.0

    world = World(folder, [orders, audit], script)
    world.send("orders")
    world.run()
    assert seen[1] == (f"{audit.arn}:prod", "on success of orders")
