"""The verbs of faults: arm one, disarm one or all, tell what is armed. Every change is a notice."""

import difflib
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from .core.arn import receiver_name
from .core.fault import ON_DELIVERY, Rule
from .core.fault_words import ALL, parse
from .core.function import Function
from .faults import Faults


class Targets(NamedTuple):
    """What a fault may be aimed at."""

    functions: Collection[str]  # names
    receivers: Collection[str]  # names of queues, functions and everything else that dead letters and records go to


def targets(functions: Iterable[Function], queues: Iterable[str]) -> Targets:
    """What these functions and queues offer."""
    found = list(functions)
    configs = [config for function in found for config in (function.config(""), *function.qualified_configs.values())]
    named = [function.dead_letter_queue for function in found]
    named += [target for config in configs for target in (config.on_success, config.on_failure)]
    receivers = {*queues, *(receiver_name(target) for target in named if target)}
    return Targets([function.name for function in found], sorted(receivers))


class Arming:
    """Lets faults be armed from outside, by sentences."""

    def __init__(self, faults: Faults, offered: Callable[[], Targets], say: Callable[[str, str], object]) -> None:
        self._faults = faults
        self._offered = offered
        self._say = say
        faults.ended = self._tell

    async def arm(self, sentence: Any) -> dict[str, Any]:
        """Arm what a sentence says: {"number", "sentence"}. Raises ValueError, saying what is allowed."""
        if not isinstance(sentence, str):
            raise ValueError(f"fault: {sentence!r} is not allowed; use a sentence, such as 'orders timeout 50% 25x'")
        self._check(parse(sentence).rule)
        rule = self._faults.arm(sentence)
        words = self._faults.words(rule)
        self._say("warning", f"fault {rule.number} armed: {words}")
        return {"number": rule.number, "sentence": words}

    async def disarm(self, number: Any = None) -> dict[str, Any]:
        """Disarm one, or all: {"cleared": how many}."""
        if number is not None and (not isinstance(number, int) or isinstance(number, bool)):
            raise ValueError(f"number: {number!r} is not allowed; use the number of a fault, or null for all")
        return {"cleared": self._faults.clear(number)}

    async def armed(self) -> list[dict[str, Any]]:
        """Each that is not over, in the order of arming: its sentence, and what it has hit."""
        return self._faults.armed()

    def _check(self, rule: Rule) -> None:
        offered = self._offered()
        known, called = (
            (offered.receivers, "queue or destination") if rule.kind in ON_DELIVERY else (offered.functions, "function")
        )
        if rule.function and rule.function not in known:
            near = difflib.get_close_matches(rule.function, known, 1)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            allowed = ", ".join([ALL, *known])
            raise ValueError(f"{rule.function!r} is no {called} of this project{hint}; use one of {allowed}")

    def _tell(self, rule: Rule, why: str) -> None:
        hits = f"{rule.hits} hit{'s' if rule.hits != 1 else ''} of {rule.candidates}"
        self._say("info", f"fault {rule.number} {why}: {self._faults.words(replace(rule, until=None))}; {hits}")
