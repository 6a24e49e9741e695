from lamtop.engine.core.concurrency import ACCOUNT_LIMIT, RESERVED_LIMIT, InFlight, Limits, admit, room


def in_flight(**counts: int) -> InFlight:
    made = InFlight()
    for function, count in counts.items():
        for _ in range(count):
            made.start(function)
    return made


def test_reserved_concurrency_is_a_cap() -> None:
    limits = Limits(reserved={"orders": 2})
    assert admit("orders", in_flight(orders=1), limits) is None
    assert admit("orders", in_flight(orders=2), limits) == RESERVED_LIMIT


def test_reserved_concurrency_is_a_guarantee() -> None:
    limits = Limits(account=10, reserved={"orders": 4})
    crowd = in_flight(emails=6)
    assert admit("emails", crowd, limits) == ACCOUNT_LIMIT
    assert room("orders", crowd, limits) == 4


def test_functions_without_a_share_use_what_the_reserved_ones_leave() -> None:
    limits = Limits(account=10, reserved={"orders": 4})
    assert room("emails", in_flight(orders=4, billing=1), limits) == 5


def test_zero_reserved_concurrency_admits_nobody() -> None:
    assert admit("orders", in_flight(), Limits(reserved={"orders": 0})) == RESERVED_LIMIT


def test_what_has_ended_makes_room() -> None:
    crowd = in_flight(orders=2)
    crowd.end("orders")
    assert admit("orders", crowd, Limits(reserved={"orders": 2})) is None
