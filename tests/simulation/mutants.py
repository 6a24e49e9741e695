"""Engines with a plausible mistake in them, to see that the simulation finds it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lamtop.engine.core import concurrency, lifecycle, record
from lamtop.engine.core.concurrency import Limits
from lamtop.engine.core.event import Condition, Ended, Event, Outcome, State
from lamtop.engine.core.function import Function
from lamtop.engine.dispatcher import Dispatcher
from lamtop.engine.dispatcher.attempts import Attempts
from lamtop.engine.dispatcher.due import Due
from lamtop.engine.dispatcher.outbox import Outbox
from lamtop.engine.metrics import Metrics
from lamtop.engine.reports import Accept, Finished
from lamtop.engine.store import Store

Patch = pytest.MonkeyPatch
_settle, _room, _admit, _recover = lifecycle.settle, concurrency.room, concurrency.admit, Dispatcher.recover
MUTANTS: dict[str, Callable[[Patch], None]] = {}


def _mutant(change: Callable[[Patch], None]) -> Callable[[Patch], None]:
    MUTANTS[change.__name__.strip("_").replace("_", " ")] = change
    return change


def _settles(patch: Patch, change: Callable[[Event, Outcome], tuple[Event, Outcome]]) -> None:
    """Settle another event, or another outcome, than the real one."""

    def settle(event: Event, outcome: Outcome, function: Function, **rest: Any) -> Event:
        return _settle(*change(event, outcome), function, **rest)

    patch.setattr(lifecycle, "settle", settle)


# -- settle ------------------------------------------------------------------------------------------------------------


def _after_settle(patch: Patch, change: Callable[[Event, Event, Outcome], Event]) -> None:
    def settle(event: Event, outcome: Outcome, function: Function, **rest: Any) -> Event:
        return change(event, _settle(event, outcome, function, **rest), outcome)

    patch.setattr(lifecycle, "settle", settle)


def _allows(patch: Patch, more: int) -> None:
    retry = lifecycle._retry

    def retries(event: Event, function: Function, *rest: Any) -> Event:
        config = function.config(event.qualifier)
        other = replace(config, maximum_retry_attempts=config.maximum_retry_attempts + more)
        return retry(event, replace(function, event_invoke_config=other, qualified_configs={"lab": other}), *rest)

    patch.setattr(lifecycle, "_retry", retries)


@_mutant
def _settle_retries_once_too_often(patch: Patch) -> None:
    _allows(patch, +1)


@_mutant
def _settle_retries_once_too_little(patch: Patch) -> None:
    _allows(patch, -1)


@_mutant
def _settle_forgets_to_count_an_error(patch: Patch) -> None:
    _after_settle(patch, lambda event, after, _: after._replace(errors=event.errors))


@_mutant
def _settle_does_not_look_ahead_at_the_age(patch: Patch) -> None:
    def queue(event: Event, reason: Any, due_at: float, function: Function, now: float) -> Event:
        return event._replace(state=State.QUEUED, reason=reason, due_at=due_at)

    patch.setattr(lifecycle, "_queue", queue)


@_mutant
def _settle_takes_a_lost_attempt_for_an_error(patch: Patch) -> None:
    _settles(patch, lambda event, outcome: (
        event, outcome._replace(ended=Ended.FUNCTION_ERROR) if outcome.ended is Ended.LOST else outcome))  # fmt: skip


@_mutant
def _settle_keeps_the_attempt_that_was_turned_back(patch: Patch) -> None:
    turned = (Ended.THROTTLED, Ended.NOT_STARTED)
    _after_settle(patch, lambda event, after, outcome: (
        after._replace(attempts=event.attempts) if outcome.ended in turned else after))  # fmt: skip


@_mutant
def _settle_retries_at_once(patch: Patch) -> None:
    _after_settle(patch, lambda event, after, outcome: (
        after._replace(due_at=event.due_at) if outcome.ended is Ended.FUNCTION_ERROR else after))  # fmt: skip


@_mutant
def _settle_gives_up_after_three_losses(patch: Patch) -> None:
    patch.setattr(lifecycle, "LOSSES_MAX", 2)


@_mutant
def _settle_never_gives_up_what_is_lost(patch: Patch) -> None:
    patch.setattr(lifecycle, "LOSSES_MAX", 1_000)


@_mutant
def _settle_takes_the_same_report_twice(patch: Patch) -> None:
    patch.setattr(Attempts, "settled", lambda self, seq: self.begun.get(seq))


# -- ages --------------------------------------------------------------------------------------------------------------


@_mutant
def _age_is_not_asked_when_an_environment_is_free(patch: Patch) -> None:
    patch.setattr(Attempts, "_may_start", _may_start_at_any_age)


def _may_start_at_any_age(self: Attempts, event: Event, function: Function, invocation: Any) -> bool:
    asked = lifecycle.is_too_old
    try:
        lifecycle.is_too_old = lambda *_, **__: False
        return _may_start(self, event, function, invocation)
    finally:
        lifecycle.is_too_old = asked


_may_start = Attempts._may_start


@_mutant
def _age_of_the_function_is_taken_for_that_of_the_qualifier(patch: Patch) -> None:
    def too_old(event: Event, function: Function, *, at: float) -> bool:
        return at - event.accepted_at > min(600.0, function.event_invoke_config.maximum_event_age)

    patch.setattr(lifecycle, "is_too_old", too_old)


# -- admit and room ----------------------------------------------------------------------------------------------------


@_mutant
def _room_for_one_more_than_is_reserved(patch: Patch) -> None:
    def room(function: str, in_flight: Any, limits: Limits) -> int:
        return _room(function, in_flight, limits) + (function in limits.reserved)

    patch.setattr(concurrency, "room", room)


@_mutant
def _admit_does_not_ask(patch: Patch) -> None:
    patch.setattr(concurrency, "admit", lambda *_: None)


@_mutant
def _admit_gives_what_is_reserved_to_everybody(patch: Patch) -> None:
    patch.setattr(Limits, "unreserved", property(lambda limits: limits.account))


@_mutant
def _place_is_given_back_twice(patch: Patch) -> None:
    def end(self: Any, function: str) -> None:
        self.by_function[function] = max(0, self.by_function[function] - 2)
        self.total = max(0, self.total - 2)

    patch.setattr(concurrency.InFlight, "end", end)


# -- recovery ----------------------------------------------------------------------------------------------------------


@_mutant
def _recovery_forgets_the_last(patch: Patch) -> None:
    def recover(self: Dispatcher) -> int:
        left = self._store.running()
        for event in left[:-1]:
            self.begun[event.seq] = event
            self.report(Finished(event.seq, Outcome(Ended.LOST)))
        return len(left)

    patch.setattr(Dispatcher, "recover", recover)


@_mutant
def _recovery_forgets_all(patch: Patch) -> None:
    patch.setattr(Dispatcher, "recover", lambda self: 0)


def _recovers_as(patch: Patch, ended: Ended) -> None:
    def recover(self: Dispatcher) -> int:
        left = self._store.running()
        for event in left:
            self.begun[event.seq] = event
            self.report(Finished(event.seq, Outcome(ended)))
        return len(left)

    patch.setattr(Dispatcher, "recover", recover)


@_mutant
def _recovery_takes_what_is_lost_for_an_error(patch: Patch) -> None:
    _recovers_as(patch, Ended.FUNCTION_ERROR)


@_mutant
def _recovery_takes_what_is_lost_for_never_begun(patch: Patch) -> None:
    _recovers_as(patch, Ended.NOT_STARTED)


@_mutant
def _recovery_runs_in_twos(patch: Patch) -> None:
    def recover(self: Dispatcher) -> int:
        _recover(self)
        return _recover(self)

    patch.setattr(Dispatcher, "recover", recover)
    patch.setattr(Attempts, "settled", lambda self, seq: self.begun.get(seq))


# -- promises and letters ----------------------------------------------------------------------------------------------


@_mutant
def _accepted_before_the_commit(patch: Patch) -> None:
    accept = Dispatcher._accept

    def hasty(self: Dispatcher, report: Accept, now: float) -> None:
        accept(self, report, now)
        self._effects.pop()()

    patch.setattr(Dispatcher, "_accept", hasty)


@_mutant
def _executed_before_the_commit(patch: Patch) -> None:
    begin = Attempts.begin

    def hasty(self: Attempts, event: Event, function: Function, now: float) -> Event:
        after_commit, self._after_commit = self._after_commit, lambda act: act()
        try:
            return begin(self, event, function, now)
        finally:
            self._after_commit = after_commit

    patch.setattr(Attempts, "begin", hasty)


@_mutant
def _expired_events_are_owed_nothing(patch: Patch) -> None:
    owed = Outbox.owed
    patch.setattr(Outbox, "owed", lambda self, event, *rest: (
        [] if event.condition is Condition.EVENT_AGE_EXCEEDED else owed(self, event, *rest)))  # fmt: skip


@_mutant
def _dead_letters_are_sent_twice(patch: Patch) -> None:
    deliveries = record.deliveries

    def twice(event: Event, *rest: Any, next_id: int, now: float) -> Any:
        owed = deliveries(event, *rest, next_id=next_id, now=now)
        return owed + [each._replace(id=each.id + len(owed)) for each in owed if each.kind == "dead letter"]

    patch.setattr(record, "deliveries", twice)


@_mutant
def _redriven_letters_stay(patch: Patch) -> None:
    patch.setattr(Store, "delete_dead_letters", lambda self, request_id: None)


@_mutant
def _one_throttled_event_of_a_crowd_is_overlooked(patch: Patch) -> None:
    find = Due.find

    def hasty(self: Due, now: float) -> None:
        find(self, now)
        self._looked_until = now + 0.3

    patch.setattr(Due, "find", hasty)


@_mutant
def _counts_forget_what_is_sent_away(patch: Patch) -> None:
    moved = Metrics.moved

    def forgetful(self: Metrics, before: Event | None, after: Event) -> None:
        moved(self, before, after)
        if after.condition is Condition.ZERO_RESERVED_CONCURRENCY:
            self.of(after.function).async_events_dropped -= 1

    patch.setattr(Metrics, "moved", forgetful)
