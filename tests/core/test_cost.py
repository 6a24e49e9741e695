"""What invocations would cost on AWS."""

import pytest

from lamtop.engine.core.cost import PRICES, Bill, billed_ms
from lamtop.engine.core.event import Ended, Outcome
from lamtop.engine.core.function import Function


def ran(seconds: float, init: float | None = None, waited: float = 0.0, ended: Ended = Ended.RETURNED) -> Outcome:
    return Outcome(ended, duration=seconds, init_duration=init, waited=waited)


def bill(*outcomes: Outcome, **changes: object) -> Bill:
    made = Bill()
    for outcome in outcomes:
        made.add(outcome, Function("orders", "orders.handler", "/nowhere", **{"memory": 512, **changes}))  # type: ignore[arg-type]
    return made


@pytest.mark.parametrize(
    ("duration", "init", "billed"),
    [(0.00219, 4.09879, 4101), (0.00177, None, 2), (3.0, None, 3000), (0.0000001, None, 1), (0.069, None, 69),
     (0.57, 0.43, 1000), (1.0000001, None, 1001)],
)  # fmt: skip
def test_billed_time_is_init_and_invoke_together_rounded_up_to_a_millisecond(
    duration: float, init: float | None, billed: int
) -> None:
    assert billed_ms(duration, init) == billed


def test_no_float_noise_costs_a_millisecond() -> None:
    for milliseconds in range(1, 20_000):
        assert billed_ms(milliseconds / 1000, None) == milliseconds


def test_three_million_seconds_at_half_a_gigabyte_cost_what_the_pricing_page_works_out() -> None:
    """The page's first example, before its free tier: 1.5 million GB-seconds, 3 million requests."""
    one = bill(ran(1.0))
    assert (one.requests, one.billed_ms, one.gb_seconds) == (1, 1000, 0.5)
    assert 3_000_000 * one.duration_cost == pytest.approx(1_500_000 * 0.0000166667)
    assert 3_000_000 * one.request_cost == pytest.approx(0.60)
    assert one.cost_per_million == pytest.approx(8.53335)


def test_arm_costs_less_for_the_same_time_and_the_same_for_a_request() -> None:
    x86, arm = bill(ran(1.0)), bill(ran(1.0), architecture="arm64")
    assert arm.duration_cost == pytest.approx(x86.duration_cost * 0.8, rel=1e-4)
    assert arm.request_cost == x86.request_cost


def test_every_architecture_that_a_function_may_have_has_a_price() -> None:
    assert set(PRICES.gb_second) == {"x86_64", "arm64"}


def test_a_failure_costs_as_much_as_a_success() -> None:
    assert bill(ran(1.0, ended=Ended.FUNCTION_ERROR)) == bill(ran(1.0))


@pytest.mark.parametrize("ended", [Ended.THROTTLED, Ended.NOT_STARTED, Ended.LOST, Ended.CANCELLED])
def test_what_aws_would_not_have_run_costs_nothing(ended: Ended) -> None:
    assert bill(ran(1.0, ended=ended)) == Bill()


def test_time_spent_waiting_for_another_function_is_part_of_the_bill_and_told_apart() -> None:
    chain = bill(ran(1.0, waited=0.9), ran(1.0))
    assert chain.waited_gb_seconds == pytest.approx(0.45)
    assert chain.waited_cost == pytest.approx(0.45 * 0.0000166667)
    assert chain.duration_cost == pytest.approx(1.0 * 0.0000166667)
    assert chain.waited_share == pytest.approx(chain.waited_cost / chain.cost)


def test_nobody_waits_longer_than_it_runs() -> None:
    assert bill(ran(1.0, waited=7.0)).waited_gb_seconds == 0.5


def test_no_invocation_is_no_cost_and_no_average() -> None:
    assert (Bill().cost, Bill().cost_per_million, Bill().waited_share) == (0.0, None, 0.0)


def test_a_function_that_changes_is_billed_by_what_it_was_each_time() -> None:
    small, large = (Function("orders", "orders.handler", "/", memory=memory) for memory in (1024, 2048))
    arm = Function("orders", "orders.handler", "/", memory=1024, architecture="arm64")
    made = Bill()
    for function in (small, large, large, arm, small):
        made.add(ran(1.0, waited=0.5), function)
    assert (made.requests, made.billed_ms, made.gb_seconds, made.waited_gb_seconds) == (5, 5000, 7.0, 3.5)
    assert made.duration_cost == pytest.approx(6 * PRICES.gb_second["x86_64"] + PRICES.gb_second["arm64"])
    assert made.waited_cost == pytest.approx(made.duration_cost / 2)
