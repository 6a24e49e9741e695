"""What an event was at which moment, worked out from how it is now and how its attempts ended."""

import random
from typing import Any

import pytest

from lamtop.engine.core import lifecycle
from lamtop.engine.core.course import course
from lamtop.engine.core.event import Attempt, Condition, Ended, Event, Outcome, Reason, State
from lamtop.engine.core.function import EventInvokeConfig, Function

FUNCTION = Function("orders", "app.handler", "/nowhere")
RETURNED = Outcome(Ended.RETURNED, b'"done"')
FAILED = Outcome(Ended.FUNCTION_ERROR, error_type="ValueError", error_message="no luck")
LOST = Outcome(Ended.LOST)


class Life:
    """An event that lives by the real rules, and what it was from when on."""

    def __init__(self, function: Function = FUNCTION) -> None:
        self.function = function
        self.now = 1_000.0
        self.attempts: list[Attempt] = []
        self.event = lifecycle.accept(1, "r1", function, b"{}", now=self.now, source="boto3")
        self.stands: list[tuple[float, Event]] = [(self.now, self.event)]

    def _move(self, event: Event) -> None:
        self.event = event
        if self.stands[-1][0] == self.now:
            self.stands.pop()
        self.stands.append((self.now, event))

    def begin(self, *, late: float = 0.0) -> None:
        """Its next attempt begins when it is due, or so much later."""
        self.now = max(self.now, self.event.due_at) + late
        self._move(lifecycle.begin(self.event, now=self.now))

    def end(self, outcome: Outcome, after: float = 1.0) -> None:
        began, self.now = self.now, self.now + after
        told = outcome._replace(started_at=began, ended_at=self.now)
        self.attempts.append(Attempt(1, self.event.attempts, told))
        self._move(lifecycle.settle(self.event, told, self.function, now=self.now))

    def attempt(self, outcome: Outcome, after: float = 1.0) -> None:
        self.begin()
        self.end(outcome, after)

    def throttle(self, jitter: float = 0.0) -> None:
        self.now = max(self.now, self.event.due_at)
        self._move(lifecycle.throttle(self.event, self.function, now=self.now, jitter=jitter))

    def told(self, **more: Any) -> list[tuple[float, Event]]:
        return course(self.event, self.attempts, self.function, **more).stands


def waits(stands: list[tuple[float, Event]]) -> list[Event]:
    return [event for _, event in stands if event.state is State.QUEUED]


def test_an_event_that_succeeds_at_once() -> None:
    life = Life()
    life.attempt(RETURNED)
    assert life.told() == life.stands
    assert course(life.event, life.attempts, FUNCTION).settled == [1_001.0]


def test_three_attempts_their_waits_and_the_end() -> None:
    life = Life()
    for seconds in (1.0, 2.0, 3.0):
        life.attempt(FAILED, seconds)
    assert life.event.condition is Condition.RETRIES_EXHAUSTED
    assert life.told() == life.stands
    assert [at for at, _ in life.told()] == [1_000, 1_001, 1_061, 1_063, 1_183, 1_186]


@pytest.mark.parametrize("tries", [0, 1, 2])
def test_what_still_waits_runs_or_was_just_accepted(tries: int) -> None:
    for is_begun in (False, True):
        life = Life()
        for _ in range(tries):
            life.attempt(FAILED)
        if is_begun:
            life.begin()
        assert life.told() == life.stands


def test_an_error_stays_with_the_event_when_a_later_attempt_succeeds() -> None:
    life = Life()
    life.attempt(FAILED)
    life.attempt(RETURNED)
    assert life.told() == life.stands
    assert life.told()[-1][1].error == "ValueError: no luck"


def test_the_last_of_its_waits_is_as_it_is_on_record_however_late_the_attempt_came() -> None:
    life = Life()
    life.attempt(FAILED)
    life.begin(late=7.0)
    life.end(RETURNED)
    assert life.told() == life.stands


def test_an_earlier_retry_that_came_late_was_due_by_the_rule() -> None:
    life = Life()
    life.attempt(FAILED)
    life.begin(late=300.0)  # somebody had paused the poller
    life.end(FAILED)
    life.attempt(FAILED)
    assert [event.due_at for event in waits(life.told())] == [1_061.0, 1_482.0]


def test_a_retry_that_is_late_as_on_aws_was_due_when_it_came() -> None:
    life = Life()
    life.attempt(FAILED)
    life.begin(late=6.5)
    life.end(FAILED)
    life.begin()
    assert [event.due_at for event in waits(life.told(late=True))] == [1_067.5, 1_188.5]
    assert [event.due_at for event in waits(life.told(late=False))] == [1_061.0, 1_188.5]


def test_delays_of_the_lab_are_reckoned_with() -> None:
    quick = Function("orders", "", "", event_invoke_config=EventInvokeConfig(4, retry_delays=(1.0, 5.0)))
    life = Life(quick)
    for _ in range(5):
        life.attempt(FAILED)
    assert life.told() == life.stands


def test_what_has_ended_is_settled_when_that_is_written_down() -> None:
    life = Life()
    life.begin()
    life.now += 1.0
    told = RETURNED._replace(started_at=1_000.0, ended_at=life.now)
    life.now += 0.2  # the disk is slow
    life.attempts.append(Attempt(1, 1, told))
    life._move(lifecycle.settle(life.event, told, FUNCTION, now=life.now))
    assert life.told() == life.stands
    failed = life.event._replace(state=State.DISCARDED, condition=Condition.RETRIES_EXHAUSTED)
    assert course(failed, life.attempts, FUNCTION).settled == [pytest.approx(1_001.2)]


def test_throttles_before_the_first_attempt_come_when_the_rule_has_them() -> None:
    life = Life()
    for _ in range(3):
        life.throttle(jitter=0.5)
    life.attempt(RETURNED)
    assert [(at, event.reason, event.throttles) for at, event in life.told()] == [
        (pytest.approx(at), event.reason, event.throttles) for at, event in life.stands
    ]


def test_throttles_that_began_later_than_the_first_try_are_reckoned_back_from_the_last() -> None:
    life = Life()
    life.now += 40.0  # it has waited for a place
    life.throttle()
    life.throttle()
    life.attempt(RETURNED)
    at = [at for at, event in life.told() if event.reason is Reason.THROTTLED and event.state is State.QUEUED]
    assert at[0] == pytest.approx(1_040.0, abs=0.2)
    assert life.told()[0][1].reason is Reason.NEW


def test_an_event_that_ends_while_it_waits_has_waited_until_then() -> None:
    short = Function("orders", "", "", event_invoke_config=EventInvokeConfig(maximum_event_age=100.0))
    life = Life(short)
    life.attempt(FAILED)
    life.now = 1_120.0
    life._move(lifecycle.expire(life.event, short, now=life.now))
    assert life.event.condition is Condition.EVENT_AGE_EXCEEDED
    assert life.told() == life.stands


def test_an_event_that_was_never_tried() -> None:
    life = Life(Function("orders", "", "", reserved_concurrency=0))
    assert life.event.condition is Condition.ZERO_RESERVED_CONCURRENCY
    assert life.told() == life.stands == [(1_000.0, life.event)]


def test_an_attempt_lost_with_the_engine_was_settled_by_the_next_one() -> None:
    life = Life()
    life.begin()
    life.now = 1_500.0
    lost = LOST._replace(started_at=1_000.0)  # when it ended nobody knows
    life.attempts.append(Attempt(1, 1, lost))
    life._move(lifecycle.settle(life.event, lost, FUNCTION, now=life.now))
    life.attempt(RETURNED)
    assert life.told() == life.stands
    assert course(life.event, life.attempts, FUNCTION).settled == [1_500.0, 1_501.0]


def test_a_second_delivery_of_what_has_succeeded() -> None:
    life = Life()
    life.begin()
    life.now += 1.0
    told = RETURNED._replace(started_at=1_000.0, ended_at=life.now)
    life.attempts.append(Attempt(1, 1, told))
    life._move(lifecycle.settle(life.event, told, FUNCTION, now=life.now, again=True))
    life.attempt(RETURNED)
    assert life.told() == life.stands


def test_a_dead_event_was_not_sent_round_before_it_was() -> None:
    life = Life()
    for _ in range(3):
        life.attempt(FAILED)
    life.now += 50.0
    life._move(lifecycle.redrive(life.event, 2, "r2", FUNCTION, now=life.now)[0])
    assert life.told(redriven_at=life.now) == life.stands
    assert [event.redriven_as for _, event in life.told()][-1] == "r2"


def test_one_that_was_purged_had_been_there() -> None:
    life = Life()
    for _ in range(3):
        life.attempt(FAILED)
    purged = life.event._replace(dropped=False)
    stands = course(purged, life.attempts, FUNCTION, gone_at=2_000.0).stands
    assert [(at, event.dropped) for at, event in stands[-2:]] == [(life.now, True), (2_000.0, False)]


@pytest.mark.parametrize("seed", range(30))
def test_any_life_by_the_rules_is_told_as_it_was(seed: int) -> None:
    dice = random.Random(seed)
    life = Life(Function("orders", "", "", event_invoke_config=EventInvokeConfig(dice.randrange(4))))
    while life.event.state is State.QUEUED and dice.random() < 0.9:
        life.begin()
        if dice.random() < 0.9:
            life.end(dice.choice([RETURNED, FAILED, FAILED, FAILED]), dice.uniform(0.1, 9.0))
        else:
            break
    told = life.told()
    assert [at for at, _ in told] == pytest.approx([at for at, _ in life.stands])
    assert [event for _, event in told] == [event for _, event in life.stands]
