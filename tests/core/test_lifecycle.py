"""The transition table, exhaustively, and histories that nobody thought of."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.histories import ENDS, History, function
from lamtop.engine.core import lifecycle
from lamtop.engine.core.event import Condition, Ended, Event, Outcome, Reason, State
from lamtop.engine.core.lifecycle import LEGAL_MOVES, LOSSES_MAX, IllegalMove

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


def check(history: History, retries: int, age: float) -> None:
    """What must hold of every finished history."""
    assert history.is_over
    assert history.ends == 1
    event = history.event
    assert event.errors <= 1 + retries
    assert event.losses <= LOSSES_MAX + 1
    assert all(start - event.accepted_at <= age for start in history.starts)
    assert event.attempts == len(history.starts)
    assert (event.condition is Condition.SUCCESS) == (event.state is State.SUCCEEDED)
    if event.condition is Condition.RETRIES_EXHAUSTED:
        assert event.errors == 1 + retries
    if event.condition is Condition.LOST_REPEATEDLY:
        assert event.losses == LOSSES_MAX + 1


@settings(deadline=None, max_examples=300)
@given(st.integers(0, 2), st.floats(60, 21_600), st.lists(MOVE, max_size=40))
def test_every_history_ends_exactly_once_within_its_limits(
    retries: int, age: float, moves: list[tuple[str, float, float]]
) -> None:
    history = History(function(retries, age))
    play(history, moves)
    check(history, retries, age)


# -- a test that cannot fail is worth nothing --------------------------------------------------------------------------


def _retries_once_too_often(event: Event, outcome: Outcome, f: Any, *, now: float, **dice: Any) -> Event:
    one_more = function(f.event_invoke_config.maximum_retry_attempts + 1, f.event_invoke_config.maximum_event_age)
    return lifecycle.settle(event, outcome, one_more, now=now, **dice)


def _loses_a_retry_with_the_engine(event: Event, outcome: Outcome, f: Any, *, now: float, **dice: Any) -> Event:
    if outcome.ended is Ended.LOST:
        outcome = ENDS["failed"]
    return lifecycle.settle(event, outcome, f, now=now, **dice)


def _counts_a_throttle_as_an_attempt(event: Event, outcome: Outcome, f: Any, *, now: float, **dice: Any) -> Event:
    settled = lifecycle.settle(event, outcome, f, now=now, **dice)
    return settled._replace(attempts=settled.attempts + (outcome.ended is Ended.THROTTLED))


def _does_not_look_ahead(event: Event, outcome: Outcome, f: Any, *, now: float, **dice: Any) -> Event:
    ageless = function(f.event_invoke_config.maximum_retry_attempts, 1e9)
    return lifecycle.settle(event, outcome, ageless, now=now, **dice)


def _never_gives_up_on_lost_attempts(event: Event, outcome: Outcome, f: Any, *, now: float, **dice: Any) -> Event:
    settled = lifecycle.settle(event._replace(losses=0), outcome, f, now=now, **dice)
    return settled._replace(losses=event.losses + settled.losses)


HISTORIES: list[tuple[int, float, list[tuple[str, float, float]]]] = [
    (2, 21_600.0, [("failed", 1.0, 0.0)] * 4),
    (1, 21_600.0, [("lost", 1.0, 0.0)] * 3 + [("failed", 1.0, 0.0)] * 2),
    (0, 21_600.0, [("throttled", 0.0, 0.0)] * 4 + [("returned", 1.0, 0.0)]),
    (2, 90.0, [("failed", 1.0, 0.0)] * 3),
    (2, 21_600.0, [("lost", 1.0, 0.0)] * 6),
]


@pytest.mark.parametrize(
    "mutant",
    [
        _retries_once_too_often,
        _loses_a_retry_with_the_engine,
        _counts_a_throttle_as_an_attempt,
        _does_not_look_ahead,
        _never_gives_up_on_lost_attempts,
    ],
)
def test_a_mutated_settle_is_caught(mutant: Any) -> None:
    assert verdicts(mutant) != verdicts(lifecycle.settle)


def verdicts(settle: Any) -> list[tuple[Any, ...]]:
    """How the histories above end, or what is wrong with them."""
    found: list[tuple[Any, ...]] = []
    for retries, age, moves in HISTORIES:
        history = History(function(retries, age), settle=settle)
        try:
            play(history, moves)
            check(history, retries, age)
        except (AssertionError, IllegalMove) as error:
            found.append((type(error).__name__,))
            continue
        event = history.event
        found.append(
            (event.condition, event.attempts, event.errors, event.losses, tuple(history.starts), event.ended_at)
        )
    return found
