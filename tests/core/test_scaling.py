"""The pool grows when work waits and does not flow, and not otherwise."""

from lamtop.engine.core.scaling import flows, growth, growth_as_aws, look_after


def grow(
    waiting: int = 100,
    live: int = 0,
    starting: int = 0,
    fresh: int = 0,
    finished: int = 0,
    quick: bool = False,
    room: int = 1_000,
) -> int:
    return growth(
        waiting=waiting,
        live=live,
        starting=starting,
        fresh=fresh,
        finished=finished,
        quick=quick,
        cores=4,
        room=room,
    )


def test_the_first_environment_is_started_at_once() -> None:
    assert grow() == 1


def test_nothing_is_started_for_nobody() -> None:
    assert grow(waiting=0) == 0
    assert grow(waiting=0, live=3) == 0


def test_until_the_first_is_ready_only_two_are_starting() -> None:
    assert grow(starting=1, fresh=1) == 1
    assert grow(starting=2, fresh=2) == 0


def test_slow_starts_do_not_hold_others_back() -> None:
    assert grow(starting=2, fresh=0) == 2


def test_eight_at_a_time_are_started_for_work_that_does_not_flow() -> None:
    assert grow(live=2) == 8
    assert grow(live=2, starting=5, fresh=5) == 3


def test_work_that_flows_starts_nothing() -> None:
    assert grow(live=2, finished=2) == 0
    assert grow(live=8, finished=5) == 8


def test_quick_handlers_get_no_more_than_one_for_each_core_however_much_waits() -> None:
    assert grow(live=8, finished=5, quick=True) == 0
    assert grow(live=2, finished=1, quick=True) == 2
    assert grow(live=8, finished=0) == 8  # all of them are in something long


def test_environments_that_are_starting_count_as_places() -> None:
    assert grow(waiting=3, live=1, starting=2, fresh=0) == 1
    assert grow(waiting=2, live=1, starting=2, fresh=0) == 0


def test_no_more_are_started_than_there_is_room_for() -> None:
    assert grow(live=2, room=3) == 3
    assert grow(room=0) == 0


def test_many_environments_are_watched_for_longer() -> None:
    assert look_after(1) == look_after(3) == 0.0015
    assert look_after(50) == 0.02


def test_as_on_aws_everything_that_waits_gets_a_place_of_its_own_at_once() -> None:
    assert growth_as_aws(waiting=300, starting=0, room=1_000) == 300
    assert growth_as_aws(waiting=300, starting=120, room=1_000) == 180
    assert growth_as_aws(waiting=5, starting=7, room=1_000) == 0
    assert growth_as_aws(waiting=300, starting=0, room=50) == 50


def test_work_flows_if_each_environment_would_have_ended_one_by_the_next_look() -> None:
    assert flows(100, live=100, seconds=look_after(100))
    assert flows(50, live=100, seconds=look_after(100) / 2)
    assert not flows(49, live=100, seconds=look_after(100) / 2)
    assert not flows(0, live=1, seconds=0.0001)
