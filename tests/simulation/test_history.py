"""A thousand events through the whole engine on simulated time: failures, throttles, expiry."""

import random
from collections import Counter
from pathlib import Path

import pytest

from lamtop.engine.core.event import Condition, Ended, Outcome, State
from lamtop.engine.core.function import EventInvokeConfig, Function
from lamtop.engine.core.invocation import Invocation
from simulation.world import FAILED, RETURNED, World

DEAD = "arn:aws:sqs:us-east-1:000000000000:dead"
EVENTS = 1_000
FUNCTIONS = (
    Function("orders", "app.handler", "/x", dead_letter_queue=DEAD),
    Function("emails", "app.handler", "/x", reserved_concurrency=3),
    Function("billing", "app.handler", "/x", event_invoke_config=EventInvokeConfig(2, 75.0), dead_letter_queue=DEAD),
    Function("reports", "app.handler", "/x", event_invoke_config=EventInvokeConfig(0, 600.0)),
    Function(
        "shipping",
        "app.handler",
        "/x",
        versions=frozenset({"1"}),
        aliases={"lab": "1"},
        qualified_configs={"lab": EventInvokeConfig(5, retry_delays=(0.5, 7.0))},
    ),
)


def live_through(folder: Path, seed: int) -> World:
    """A world with all that can go wrong, from its first event to the end of its last."""
    dice = random.Random(seed)

    def script(invocation: Invocation) -> tuple[Outcome, float]:
        return dice.choices([RETURNED, FAILED], [0.6, 0.4])[0], dice.expovariate(1 / 2.0)

    world = World(folder, FUNCTIONS, script, seed=seed, most=20, jitter=seed)
    for _ in range(EVENTS):
        chosen = dice.choice(FUNCTIONS)
        world.send(chosen.name, qualifier=dice.choice(["", *chosen.aliases]))
        if dice.random() < 0.2:
            world.run(world.clock.now() + dice.expovariate(1 / 5.0))
    world.run()
    return world


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return live_through(tmp_path_factory.mktemp("world"), seed=1)


def test_every_event_ends_exactly_once_and_within_its_limits(world: World) -> None:
    ended = {name: [world.event(e.id) for e in world.answers if e.function == name] for name in world.functions}
    events = [event for of_function in ended.values() for event in of_function]
    assert len({event.id for event in events}) == EVENTS
    for event in events:
        config = world.functions[event.function].config(event.qualifier)
        assert event.state in (State.SUCCEEDED, State.DISCARDED)
        assert event.errors <= 1 + config.maximum_retry_attempts
        if event.condition is Condition.RETRIES_EXHAUSTED:
            assert event.errors == 1 + config.maximum_retry_attempts
    oldest = {event.id: event.accepted_at for event in events}
    ages = {event.id: world.functions[event.function].config(event.qualifier).maximum_event_age for event in events}
    assert all(at - oldest[id_] <= ages[id_] for at, id_, _ in world.environments.starts)

    seen = Counter(event.condition for event in events)
    assert seen[Condition.SUCCESS]
    assert seen[Condition.RETRIES_EXHAUSTED]
    assert seen[Condition.EVENT_AGE_EXCEEDED]
    assert max(event.attempts for event in events) > 3, "the lab tries more often than AWS"
    assert sum(event.throttles for event in events)


def test_dead_letters_are_exactly_the_discarded_events_of_functions_with_a_queue(world: World) -> None:
    events = [world.event(e.id) for e in world.answers]
    owed = {e.id for e in events if e.state is State.DISCARDED and world.functions[e.function].dead_letter_queue}
    letters = [row[6] for row in world.history() if row[0] == "message"]
    assert sorted(map(str, letters)) == sorted(owed)
    assert [row for row in world.history() if row[0] == "delivery"] == []


def test_the_same_seed_gives_the_same_history(world: World, tmp_path: Path) -> None:
    second = live_through(tmp_path / "same", seed=1)
    assert world.environments.starts == second.environments.starts
    assert world.history() == second.history()
    assert live_through(tmp_path / "other", seed=2).history() != world.history()


def test_concurrency_never_exceeds_a_limit(world: World) -> None:
    spans = sorted(
        (float(str(row[7])), +1, float(str(row[8])))
        for row in world.history()
        if row[0] == "attempt"
        and row[3] in (Ended.RETURNED, Ended.FUNCTION_ERROR)
        and _function(world, row[1]) == "emails"
    )
    moments = sorted(
        [(start, 1) for start, _, _ in spans] + [(end, -1) for _, _, end in spans], key=lambda m: (m[0], m[1])
    )
    running = most = 0
    for _, by in moments:
        running += by
        most = max(most, running)
    assert most == 3


def _function(world: World, seq: object) -> str:
    return next(event.function for event in world.answers if event.seq == seq)
