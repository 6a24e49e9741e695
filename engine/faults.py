"""The faults that are armed, and what they have hit. In memory: an engine that is started anew has none.

Only one that a fault has killed, or anybody else, and whose supervisor brings it back has those of its predecessor.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from .clock import Clock, Timer
from .core.arn import receiver_name
from .core.event import Delivery
from .core.fault import ON_DELIVERY, Fault, Kind, Rule, choose
from .core.fault_words import describe, parse


class Faults:
    """Armed rules, in the order in which they were armed."""

    def __init__(
        self,
        clock: Clock,
        changed: Callable[[], None] = lambda: None,
        lifted: Callable[[], None] = lambda: None,
        is_supervised: bool = False,
    ) -> None:
        """`changed` is called when there is another rule, or another hit; `lifted` when a rule is over or cleared.

        `is_supervised`: somebody would bring the engine back if a fault killed it.
        """
        self._clock = clock
        self._changed = changed
        self._lifted = lifted
        self.ended: Callable[[Rule, str], object] = lambda *_: None  # told of a rule that is no more, and why
        self._is_supervised = is_supervised
        self._rules: list[Rule] = []
        self._armed = 0
        self._timer: Timer | None = None  # rings when the first of them is over

    def arm(self, sentence: str) -> Rule:
        """Arm what a sentence says. Raises ValueError if it makes no sense, or nobody could undo what it does."""
        wish = parse(sentence)
        if wish.rule.kind is Kind.ENGINE and not self._is_supervised:
            raise ValueError(
                f"{sentence!r}: nobody would start this engine again; "
                "start it with 'lamtop serve --supervised', or from the monitor"
            )
        self._armed += 1
        rule = wish.armed(self._armed, self._clock.now())
        self._rules.append(rule)
        self.plan()
        self._changed()
        return rule

    def plan(self) -> None:
        """Look again when the first of the rules is over. To be called too when time passes otherwise than before."""
        if self._timer is not None:
            self._timer.cancel()
        ends = [rule.until for rule in self._rules if rule.until is not None]
        self._timer = self._clock.ring_at(min(ends), self._time_is_up) if ends else None

    def to_keep(self) -> list[dict[str, Any]]:
        """The rules that are not over, as JSON values, for `take_over`."""
        now = self._clock.now()
        return [asdict(rule) for rule in self._rules if not rule.is_over(now)]

    def take_over(self, kept: Iterable[Mapping[str, Any]]) -> None:
        """Go on with the rules of an engine before this one, as far as they had come."""
        for fields in kept:
            rule = Rule(**{**fields, "kind": Kind(fields["kind"])})
            self._armed = max(self._armed, rule.number)
            self._rules.append(rule)
        self.plan()

    def clear(self, number: int | None = None) -> int:
        """Disarm one rule, or all. Returns how many that were."""
        cleared = [rule for rule in self._rules if number in (None, rule.number)]
        self._rules = [rule for rule in self._rules if rule not in cleared]
        self._end(cleared, "cleared")
        if cleared:
            self._lifted()
        return len(cleared)

    def _time_is_up(self) -> None:
        if self._drop_what_is_over():
            self._lifted()
        else:
            self.plan()  # a clock of the machine's is a little early now and then

    def _drop_what_is_over(self) -> bool:
        now = self._clock.now()
        over = [rule for rule in self._rules if rule.is_over(now)]
        self._rules = [rule for rule in self._rules if not rule.is_over(now)]
        self._end(over, "is over")
        return bool(over)

    def _end(self, rules: list[Rule], why: str) -> None:
        for rule in rules:
            self.ended(rule, "is used up" if rule.is_used_up else why)
        if rules:
            self.plan()
            self._changed()

    def words(self, rule: Rule) -> str:
        """The sentence that arms it anew, with the time that is left."""
        return describe(rule, self._clock.now())

    def armed(self) -> list[dict[str, Any]]:
        """Each rule that is not over: its sentence, and what it has hit."""
        now = self._clock.now()
        return [
            {"number": rule.number, "kind": str(rule.kind), "function": rule.function, "sentence": describe(rule, now),
             "hits": rule.hits, "candidates": rule.candidates, "count": rule.count, "until": rule.until}
            for rule in self._rules
            if not rule.is_over(now)
        ]  # fmt: skip

    def choose(self, kinds: frozenset[Kind], function: str, request: str = "", payload: bytes = b"") -> Fault | None:
        """What hits this candidate, if anything does."""
        if not self._rules:
            return None
        matters = any(rule.match is not None for rule in self._rules)
        parsed = json.loads(payload) if matters and payload else None
        self._rules, fault = choose(
            self._rules, kinds, now=self._clock.now(), function=function, request=request, payload=parsed
        )
        if fault is not None:
            self._changed()
            self._drop_what_is_over()
        return fault

    def why_not_delivered(self, delivery: Delivery) -> str | None:
        """What keeps a delivery from its queue or function, if anything does."""
        name = receiver_name(delivery.target)
        fault = self.choose(ON_DELIVERY, name, delivery.request_id)
        if fault is None:
            return None
        why = "AccessDenied, the permission is missing" if fault.kind is Kind.DENIED else "it does not answer"
        return f"{name}: {why}; injected: {fault}"

    def stalls(self, function: str) -> bool:
        """Whether no event of this function is to be taken from the queue now."""
        stalling = [rule for rule in self._rules if rule.kind is Kind.STALL and rule.function in ("", function)]
        return any(not rule.is_over(self._clock.now()) for rule in stalling)  # each event asks: mostly there is none
