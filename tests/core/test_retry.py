"""When the next try is due, to the second; and as late as on AWS for those who want it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.histories import History, function
from lamtop.engine.core.event import Condition
from lamtop.engine.core.retry import retry_delay, throttle_delay

AWS = (60.0, 120.0)


def test_the_waits_are_one_minute_and_then_two() -> None:
    assert [retry_delay(errors, AWS) for errors in (1, 2, 3, 9)] == [60, 120, 120, 120]


def test_the_lab_may_have_other_waits_and_the_last_one_goes_on() -> None:
    assert [retry_delay(errors, (1.0, 5.0, 30.0)) for errors in (1, 2, 3, 4, 10)] == [1, 5, 30, 30, 30]


@given(st.integers(1, 10), st.floats(0, 1))
def test_as_on_aws_a_retry_comes_five_to_ten_seconds_late_and_never_early(errors: int, late: float) -> None:
    assert 5 <= retry_delay(errors, AWS, late) - retry_delay(errors, AWS) <= 10


@given(st.floats(0.01, 60), st.floats(0, 1))
def test_a_shorter_wait_is_late_in_proportion(delay: float, late: float) -> None:
    assert delay * 65 / 60 - 1e-6 <= retry_delay(1, [delay], late) <= delay * 70 / 60 + 1e-6


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_a_throttle_waits_a_second_that_doubles_up_to_five_minutes(throttles: int, jitter: float) -> None:
    exact = throttle_delay(throttles, 0.0)
    assert exact == min(2.0 ** min(throttles - 1, 20), 300.0)
    assert exact <= throttle_delay(throttles, jitter) <= min(exact * 1.1, 300.0)


def test_a_late_retry_that_would_be_too_old_is_not_waited_for() -> None:
    for late, attempts in ((None, 2), (0.0, 1)):
        history = History(function(age=62.0), late=late)
        while not history.is_over:
            history.attempt("failed")
        assert (history.event.condition, history.event.attempts) == (Condition.EVENT_AGE_EXCEEDED, attempts)


@pytest.mark.parametrize("late", [0.0, 0.5, 1.0])
def test_the_starts_that_were_recorded_on_aws_are_among_those_of_late_retries(late: float) -> None:
    history = History(function(), late=late)
    for _ in range(3):
        history.attempt("failed", seconds=1.0)
    first, second = (b - a for a, b in zip(history.starts, history.starts[1:], strict=False))
    assert 66 <= first <= 71
    assert 126 <= second <= 131
