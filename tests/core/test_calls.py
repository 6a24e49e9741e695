"""Who sent a request, and how long the sender has waited for answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamtop.engine.core.calls import Calls, answer, wait, with_waits
from lamtop.engine.core.event import Ended, Outcome
from lamtop.engine.core.function import Function
from lamtop.engine.core.invocation import Invocation
from lamtop.engine.core.trace import header_of

ORDERS = Function("orders", "app.handler", "/x")
ID = "12345678-1234-4123-8123-123456789abc"
HEADER = header_of("", ORDERS, ID, 0.0)


def invocation() -> Invocation:
    return Invocation(ID, ORDERS, b"{}", may_start=lambda: True, done=lambda outcome: None)


def test_a_header_names_the_running_invocation_that_got_it() -> None:
    calls, orders = Calls(), invocation()
    assert calls.caller(HEADER) is None
    calls.begin(orders)
    assert calls.caller(HEADER) is orders
    assert calls.caller("") is None
    assert calls.caller("Parent=0000000000000000") is None
    assert calls.end(ID) is orders
    assert calls.caller(HEADER) is None
    assert calls.end(ID) is None, "what has ended, or never began, is nobody"


def test_waits_that_overlap_count_once() -> None:
    orders = invocation()
    wait(orders, 1.0)
    wait(orders, 2.0)
    answer(orders, 3.0)
    assert orders.waited == 0.0, "it still waits for the other"
    answer(orders, 5.0)
    wait(orders, 10.0)
    answer(orders, 11.0)
    assert orders.waited == 5.0


def test_who_is_timed_out_while_it_waits_has_waited_until_then() -> None:
    calls, orders = Calls(), invocation()
    calls.begin(orders)
    wait(orders, 1.0)
    calls.end(ID, 4.0)
    assert orders.waited == 3.0


def test_an_outcome_tells_how_much_of_its_duration_was_waiting() -> None:
    orders, outcome = invocation(), Outcome(Ended.RETURNED, duration=2.0)
    assert with_waits(outcome, orders) is outcome
    assert with_waits(outcome, None) is outcome
    orders.waited = 1.5
    assert with_waits(outcome, orders).waited == 1.5
    orders.waited = 2.0001  # the two clocks are read one after the other
    assert with_waits(outcome, orders).waited == 2.0


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 50)), min_size=1, max_size=8))
def test_the_time_waited_is_the_union_of_all_waits(spans: list[tuple[int, int]]) -> None:
    orders = invocation()
    moments = sorted(
        [(start, 0, wait) for start, _ in spans] + [(start + length, 1, answer) for start, length in spans],
        key=lambda moment: moment[:2],
    )
    for at, _, what in moments:
        what(orders, float(at))
    covered = {second for start, length in spans for second in range(start, start + length)}
    assert orders.waits_for == 0
    assert orders.waited == pytest.approx(len(covered))
