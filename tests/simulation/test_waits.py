"""How long events wait, in hours of simulated time: throttles, retries, limits that change meanwhile."""

import itertools
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from lamtop.engine.core.event import Condition, Outcome, Reason, State
from lamtop.engine.core.function import EventInvokeConfig, Function
from lamtop.engine.core.invocation import Invocation
from simulation.world import FAILED, RETURNED, Script, World

DEAD = "arn:aws:sqs:us-east-1:000000000000:dead"
HOUR = 3_600.0


def function(**changes: object) -> Function:
    return Function("orders", "app.handler", "/nowhere", **{"dead_letter_queue": DEAD, **changes})  # type: ignore[arg-type]


def always(outcome: Outcome, seconds: float = 0.0) -> Script:
    return lambda invocation: (outcome, seconds)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def limited(world: World, **changes: object) -> None:
    """Configure the function anew, while the engine runs."""
    world.functions = {"orders": replace(world.functions["orders"], **changes)}  # type: ignore[arg-type]
    world.dispatcher.configure(world.functions)


def test_a_throttled_event_is_tried_for_six_hours_and_no_longer(folder: Path) -> None:
    world = World(folder, [function(reserved_concurrency=1)], always(RETURNED, seconds=7 * HOUR))
    world.send("orders")
    world.run(world.clock.now() + 1)
    start = world.clock.now()
    waits = world.send("orders")
    dues = []
    while world.clock.now() < start + 7 * HOUR:
        world.run(world.clock.now() + 100)
        if (event := world.store.event(waits)) and event.state is State.QUEUED:
            assert event.reason is Reason.THROTTLED
            dues.append(event.due_at - start)

    event = world.event(waits)
    assert (event.condition, event.attempts, event.errors) == (Condition.EVENT_AGE_EXCEEDED, 0, 0)
    tries = sorted(set(dues))
    assert all(after - before <= 300.0 for before, after in itertools.pairwise(tries))
    assert 6 * HOUR - 300 <= (event.ended_at or 0) - start <= 6 * HOUR, "it ends when its next try would come too late"
    # 1, 2, 4 … 256 s come to 511 s, then every 300 s: 9 and (21,600 - 511) / 300 = 70 tries, and the first
    assert 75 <= event.throttles <= 81
    [letter] = [row for row in world.history() if row[0] == "message"]
    assert '"ErrorCode": "429"' in str(letter[4]) or '"ErrorCode":"429"' in str(letter[4])


def test_throttles_use_up_no_retry_and_retries_no_throttle(folder: Path) -> None:
    """One place, taken again and again by others: an event that fails gets its three attempts all the same."""
    world = World(
        folder,
        [function(reserved_concurrency=1)],
        lambda invocation: (FAILED, 1.0) if invocation.payload == b'"bad"' else (RETURNED, 50.0),
    )
    bad = world.send("orders", b'"bad"')
    for _ in range(12):
        world.send("orders")
        world.run(world.clock.now() + 45)
    world.run()
    event = world.event(bad)
    assert (event.condition, event.attempts, event.errors) == (Condition.RETRIES_EXHAUSTED, 3, 3)
    ids = [id_ for _, id_, _ in world.environments.starts]
    assert Counter(ids)[bad] == 3, "the same request id on every attempt"
    assert set(Counter(ids).values()) == {1, 3}


def test_60_raising_reserved_concurrency_lets_the_waiting_event_run_at_its_next_try(folder: Path) -> None:
    world = World(folder, [function(reserved_concurrency=1)], always(RETURNED, seconds=HOUR))
    world.send("orders")
    world.run(world.clock.now() + 1)
    waits = world.send("orders")
    world.run(world.clock.now() + 100)
    due_at = world.event(waits).due_at
    limited(world, reserved_concurrency=2)
    world.run()
    assert [at for at, id_, _ in world.environments.starts if id_ == waits] == [due_at]
    assert world.event(waits).state is State.SUCCEEDED


def test_106_an_event_that_reserved_concurrency_zero_sends_away_is_no_throttle(folder: Path) -> None:
    world = World(folder, [function(reserved_concurrency=0)], always(RETURNED))
    world.send("orders")
    world.run()
    counts = world.dispatcher.metrics.of("orders")
    assert (counts.throttles, counts.discarded, counts.invocations) == (0, 1, 0)


def test_switching_a_function_off_ends_what_waits_at_its_next_try_untried_and_uncounted(folder: Path) -> None:
    world = World(folder, [function(event_invoke_config=EventInvokeConfig(on_failure=DEAD))], always(FAILED))
    request_id = world.send("orders")
    world.run(world.clock.now() + 10)
    limited(world, reserved_concurrency=0)
    world.run()
    event = world.event(request_id)
    assert (event.condition, event.attempts) == (Condition.ZERO_RESERVED_CONCURRENCY, 1)
    assert world.dispatcher.metrics.of("orders").throttles == 0


def test_an_event_that_grows_too_old_ahead_of_its_environment_is_no_throttle(folder: Path) -> None:
    config = EventInvokeConfig(maximum_event_age=60)
    world = World(folder, [function(event_invoke_config=config)], always(RETURNED, seconds=100), most=1)
    ids = [world.send("orders") for _ in range(3)]
    world.run()
    assert [world.event(id_).condition for id_ in ids[1:]] == [Condition.EVENT_AGE_EXCEEDED] * 2
    assert [world.event(id_).throttles for id_ in ids] == [0, 0, 0]
    assert world.dispatcher.metrics.of("orders").throttles == 0


def starts(folder: Path, jitter: int | None, config: EventInvokeConfig) -> list[float]:
    world = World(folder, [function(event_invoke_config=config)], always(FAILED), jitter=jitter)
    start = world.clock.now()
    world.send("orders")
    world.run()
    return [at - start for at, _, _ in world.environments.starts]


def test_with_jitter_retries_are_as_late_as_on_aws_and_the_same_for_the_same_seed(folder: Path) -> None:
    lives = [starts(folder / str(n), jitter, EventInvokeConfig()) for n, jitter in enumerate((4, 4, 5, None))]
    assert lives[0] == lives[1] != lives[2]
    assert lives[3] == [0, 60, 180]
    for life in lives[:3]:
        assert 65 <= life[1] <= 70
        assert 125 <= life[2] - life[1] <= 130


def test_the_lab_allows_more_retries_after_other_waits(folder: Path) -> None:
    config = EventInvokeConfig(maximum_retry_attempts=5, retry_delays=(1.0, 2.0, 30.0))
    assert starts(folder, None, config) == [0, 1, 3, 33, 63, 93]


def test_the_retry_limit_comes_before_the_age(folder: Path) -> None:
    """Both would end it: AWS says that the retries are exhausted."""
    world = World(folder, [function(event_invoke_config=EventInvokeConfig(0, 60.0))], always(FAILED))
    request_id = world.send("orders")
    world.run()
    assert world.event(request_id).condition is Condition.RETRIES_EXHAUSTED


def test_what_a_function_returns_late_is_still_a_success(folder: Path) -> None:
    """The age counts until an attempt starts, not until it ends."""
    config = EventInvokeConfig(maximum_event_age=60.0)
    world = World(folder, [function(event_invoke_config=config)], always(RETURNED, seconds=900.0))
    request_id = world.send("orders")
    world.run()
    assert world.event(request_id).condition is Condition.SUCCESS


def test_new_settings_hold_for_events_that_wait_already(folder: Path) -> None:
    tries: list[int] = []

    def script(invocation: Invocation) -> tuple[Outcome, float]:
        tries.append(invocation.tries)
        return FAILED, 0.0

    world = World(folder, [function()], script)
    request_id = world.send("orders")
    world.run(world.clock.now() + 10)
    limited(world, event_invoke_config=EventInvokeConfig(maximum_retry_attempts=1))
    world.run()
    assert (world.event(request_id).attempts, tries) == (2, [3, 2])
