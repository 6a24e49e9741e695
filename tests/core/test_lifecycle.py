"""The transition table, exhaustively, and histories that nobody thought of."""

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.histories import ENDS, History, function, under
from lamtop.engine.core import lifecycle
from lamtop.engine.core.event import Condition, Ended, Event, Outcome, Reason, State
from lamtop.engine.core.function import EventInvokeConfig, Function
from lamtop.engine.core.lifecycle import LEGAL_MOVES, LOSSES_MAX, IllegalMove
from lamtop.engine.core.trace import header_of

MOVES: dict[str, Callable[[Event], Any]] = {
    "begin": lambda e: lifecycle.begin(e, now=1.0),
    "throttle": lambda e: lifecycle.throttle(e, function(), now=1.0, jitter=0.0),
    "expire": lambda e: lifecycle.expire(e, function(), now=1.0),
    "cancel": lambda e: lifecycle.cancel(e, function(), now=1.0),
    "redrive": lambda e: lifecycle.redrive(e, 2, "id2", function(), now=1.0),
    **{
        f"settle {name}": lambda e, outcome=outcome: lifecycle.settle(e, outcome, function(), now=1.0)
        for name, outcome in ENDS.items()
    },
}


def event_in(state: State) -> Event:
    event = lifecycle.accept(1, "id", function(), b"{}", now=0.0, source="test")
    return event._replace(state=state, attempts=1)


@pytest.mark.parametrize(("state", "move"), list(itertools.product(State, MOVES)))
def test_an_illegal_move_raises_and_a_legal_one_goes_where_the_table_says(state: State, move: str) -> None:
    event = event_in(state)
    verb = move.split()[0]
    if verb not in LEGAL_MOVES[state]:
        with pytest.raises(IllegalMove):
            MOVES[move](event)
        return
    moved = MOVES[move](event)
    after = moved[0] if verb == "redrive" else moved
    assert after.state in LEGAL_MOVES[state][verb]


def test_the_table_allows_exactly_these_moves() -> None:
    assert {state: set(moves) for state, moves in LEGAL_MOVES.items()} == {
        State.QUEUED: {"begin", "throttle", "expire", "cancel"},
        State.RUNNING: {"settle"},
        State.SUCCEEDED: set(),
        State.DISCARDED: {"redrive"},
    }


def test_a_failing_event_is_tried_three_times_then_discarded() -> None:
    history = History(function())
    for _ in range(3):
        history.attempt("failed", seconds=1.0)
    assert history.starts == [0.0, 61.0, 182.0]  # one and two minutes after the failure
    assert history.event.condition is Condition.RETRIES_EXHAUSTED


@pytest.mark.parametrize("retries", [0, 1, 2])
def test_the_retry_limit_counts_function_errors(retries: int) -> None:
    history = History(function(retries))
    while not history.is_over:
        history.attempt("failed")
    assert history.event.errors == history.event.attempts == retries + 1


def test_a_throttle_is_not_an_attempt() -> None:
    history = History(function())
    dues = []
    for _ in range(5):
        history.attempt("throttled")
        dues.append(history.event.due_at)
    waits = [b - a for a, b in itertools.pairwise([0.0, *dues])]
    assert waits == pytest.approx([1.05, 2.1, 4.2, 8.4, 16.8])
    assert (history.event.attempts, history.event.errors, history.event.throttles) == (0, 0, 5)


def test_a_throttle_waits_five_minutes_at_most() -> None:
    history = History(function())
    for _ in range(12):
        history.refuse()
    assert history.event.due_at - history.now == 300.0


def test_an_attempt_begins_the_backoff_anew() -> None:
    history = History(function())
    for move in ("throttled", "throttled", "failed", "throttled"):
        history.attempt(move)
    assert history.event.throttles == 1


def test_a_lost_attempt_costs_no_retry() -> None:
    history = History(function())
    for end in ("lost", "failed", "lost", "failed", "lost", "failed"):
        history.attempt(end)
    assert (history.event.errors, history.event.losses) == (3, 3)
    assert history.event.condition is Condition.RETRIES_EXHAUSTED


def test_a_lost_attempt_is_due_again_at_once() -> None:
    history = History(function())
    history.attempt("lost", seconds=5.0)
    assert (history.event.due_at, history.event.reason) == (5.0, Reason.LOST)


def test_an_attempt_that_never_started_is_given_back() -> None:
    history = History(function())
    history.attempt("not started")
    assert (history.event.attempts, history.event.losses, history.event.reason) == (0, 0, Reason.NEW)


def test_an_event_never_outlives_its_maximum_age() -> None:
    history = History(function(age=60.0))
    history.attempt("failed", seconds=0.1)
    assert history.event.condition is Condition.EVENT_AGE_EXCEEDED  # not waited for
    assert history.now == pytest.approx(0.1)


def test_zero_reserved_concurrency_discards_without_trying() -> None:
    history = History(function(reserved_concurrency=0))
    assert history.event.condition is Condition.ZERO_RESERVED_CONCURRENCY
    assert history.event.attempts == 0


def test_a_chain_that_goes_round_ends_untried() -> None:
    came = ""
    for number in range(16):
        came = header_of(came, function(), f"{number:08x}-0000-4000-8000-000000000000", 0.0)
    event = lifecycle.accept(1, "id", function(), b"{}", now=0.0, source="test", trace_id=came)
    assert (event.condition, event.attempts, event.dropped) == (Condition.RECURSIVE_INVOCATION, 0, True)
    allowed = function(recursive_loop="Allow")
    assert lifecycle.accept(1, "id", allowed, b"{}", now=0.0, source="test", trace_id=came).state is State.QUEUED


def test_an_event_with_nowhere_to_go_is_dropped() -> None:
    assert History(function(reserved_concurrency=0)).event.dropped
    assert not History(function(reserved_concurrency=0, dead_letter_queue="arn:x")).event.dropped


def test_a_redriven_event_starts_a_new_life_and_both_know_of_each_other() -> None:
    history = History(function(retries=0))
    history.attempt("failed")
    old, new = lifecycle.redrive(history.event, 2, "id2", function(), now=9.0)
    assert (old.redriven_as, new.redriven_from) == ("id2", "id")
    assert (new.state, new.attempts, new.errors, new.due_at) == (State.QUEUED, 0, 0, 9.0)


# -- histories that nobody thought of ----------------------------------------------------------------------------------

MOVE = st.one_of(
    st.tuples(
        st.sampled_from(["returned", "failed", "failed", "throttled", "not started", "lost", "cancelled"]),
        st.floats(0, 900),
        st.floats(0, 400),
    ),
    st.just(("refuse", 0.0, 0.0)),
)


def play(history: History, moves: list[tuple[str, float, float]]) -> None:
    for end, seconds, waited in moves:
        if history.is_over:
            return
        if end == "refuse":
            history.refuse()
        else:
            history.attempt(end, seconds, waited)
    for _ in range(400):  # a stubborn handler finishes any history
        if history.is_over:
            return
        history.attempt("failed")


def check(history: History) -> None:
    """What must hold of every finished history."""
    assert history.is_over
    assert history.ends == 1
    event, config = history.event, history.config
    assert event.errors <= 1 + config.maximum_retry_attempts
    assert event.losses <= LOSSES_MAX + 1
    assert all(start - event.accepted_at <= config.maximum_event_age for start in history.starts)
    assert event.attempts == len(history.starts)
    assert (event.condition is Condition.SUCCESS) == (event.state is State.SUCCEEDED)
    if event.condition is Condition.RETRIES_EXHAUSTED:
        assert event.errors == 1 + config.maximum_retry_attempts
    if event.condition is Condition.LOST_REPEATEDLY:
        assert event.losses == LOSSES_MAX + 1
    for wait, delay in zip(history.waits, config.retry_delays, strict=False):
        assert delay - 1e-3 <= wait <= delay * 70 / 60 + 1e-3
    if history.late is None:  # the last delay goes on
        assert history.waits[len(config.retry_delays) :] == pytest.approx(
            [config.retry_delays[-1]] * (len(history.waits) - len(config.retry_delays)), abs=1e-3
        )


CONFIGS = st.builds(
    EventInvokeConfig,
    st.integers(0, 10),
    st.floats(60, 21_600),
    retry_delays=st.lists(st.floats(0, 600), min_size=1, max_size=5).map(tuple),
)


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(["", "$LATEST", "prod"]),
    CONFIGS,
    st.none() | st.floats(0, 1),
    st.lists(MOVE, max_size=40),
)
def test_every_history_ends_exactly_once_within_its_limits(
    qualifier: str, config: EventInvokeConfig, late: float | None, moves: list[tuple[str, float, float]]
) -> None:
    """With AWS's settings and the lab's, under every qualifier."""
    history = History(under(qualifier, config), qualifier=qualifier, late=late)
    play(history, moves)
    check(history)


# -- a test that cannot fail is worth nothing --------------------------------------------------------------------------


def with_settings(f: Function, **changes: Any) -> Function:
    """The function, with these settings changed under every qualifier."""
    qualified = {name: replace(config, **changes) for name, config in f.qualified_configs.items()}
    return replace(f, event_invoke_config=replace(f.event_invoke_config, **changes), qualified_configs=qualified)


def _retries_once_too_often(event: Event, outcome: Outcome, f: Function, *, now: float, **dice: Any) -> Event:
    one_more = with_settings(f, maximum_retry_attempts=f.config(event.qualifier).maximum_retry_attempts + 1)
    return lifecycle.settle(event, outcome, one_more, now=now, **dice)


def _loses_a_retry_with_the_engine(event: Event, outcome: Outcome, f: Function, *, now: float, **dice: Any) -> Event:
    if outcome.ended is Ended.LOST:
        outcome = ENDS["failed"]
    return lifecycle.settle(event, outcome, f, now=now, **dice)


def _counts_a_throttle_as_an_attempt(event: Event, outcome: Outcome, f: Function, *, now: float, **dice: Any) -> Event:
    settled = lifecycle.settle(event, outcome, f, now=now, **dice)
    return settled._replace(attempts=settled.attempts + (outcome.ended is Ended.THROTTLED))


def _does_not_look_ahead(event: Event, outcome: Outcome, f: Function, *, now: float, **dice: Any) -> Event:
    return lifecycle.settle(event, outcome, with_settings(f, maximum_event_age=1e9), now=now, **dice)


def _never_gives_up_on_lost_attempts(event: Event, outcome: Outcome, f: Function, *, now: float, **dice: Any) -> Event:
    settled = lifecycle.settle(event._replace(losses=0), outcome, f, now=now, **dice)
    return settled._replace(losses=event.losses + settled.losses)


def _forgets_the_qualifier(event: Event, outcome: Outcome, f: Function, *, now: float, **dice: Any) -> Event:
    settled = lifecycle.settle(event._replace(qualifier=""), outcome, f, now=now, **dice)
    return settled._replace(qualifier=event.qualifier)


def _waits_as_on_aws_in_the_lab_too(event: Event, outcome: Outcome, f: Function, *, now: float, **dice: Any) -> Event:
    return lifecycle.settle(event, outcome, with_settings(f, retry_delays=(60.0, 120.0)), now=now, **dice)


HISTORIES: list[tuple[EventInvokeConfig, list[tuple[str, float, float]]]] = [
    (EventInvokeConfig(), [("failed", 1.0, 0.0)] * 4),
    (EventInvokeConfig(1), [("lost", 1.0, 0.0)] * 3 + [("failed", 1.0, 0.0)] * 2),
    (EventInvokeConfig(0), [("throttled", 0.0, 0.0)] * 4 + [("returned", 1.0, 0.0)]),
    (EventInvokeConfig(2, 90.0), [("failed", 1.0, 0.0)] * 3),
    (EventInvokeConfig(), [("lost", 1.0, 0.0)] * 6),
    (EventInvokeConfig(5, retry_delays=(0.5, 3.0)), [("failed", 1.0, 0.0)] * 6),
]


@pytest.mark.parametrize(
    "mutant",
    [
        _retries_once_too_often,
        _loses_a_retry_with_the_engine,
        _counts_a_throttle_as_an_attempt,
        _does_not_look_ahead,
        _never_gives_up_on_lost_attempts,
        _forgets_the_qualifier,
        _waits_as_on_aws_in_the_lab_too,
    ],
)
def test_a_mutated_settle_is_caught(mutant: Any) -> None:
    assert verdicts(mutant) != verdicts(lifecycle.settle)


def verdicts(settle: Any) -> list[tuple[Any, ...]]:
    """How the histories above end, or what is wrong with them."""
    found: list[tuple[Any, ...]] = []
    for config, moves in HISTORIES:
        history = History(under("prod", config), settle=settle, qualifier="prod")
        try:
            play(history, moves)
            check(history)
        except (AssertionError, IllegalMove) as error:
            found.append((type(error).__name__,))
            continue
        event = history.event
        found.append(
            (event.condition, event.attempts, event.errors, event.losses, tuple(history.starts), event.ended_at)
        )
    return found


@pytest.mark.parametrize(("now", "state"), [(60.0, State.QUEUED), (60.5, State.SUCCEEDED)])
def test_what_has_succeeded_is_delivered_once_more_only_if_it_is_young_enough(now: float, state: State) -> None:
    """And is a success for good if it is not: it is not discarded for its age."""
    event = event_in(State.RUNNING)
    assert lifecycle.settle(event, ENDS["returned"], function(age=60.0), now=now, again=True).state is state
