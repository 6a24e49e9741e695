"""Answers that the queue owes: each is given once what was sent is on the disk, or refused if it cannot be written."""

import asyncio
from collections.abc import Callable
from typing import Any

from .loop import Loop
from .reports import NotAccepted


class Debts:
    """Who waits for the queue."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._refusals: dict[int, Callable[[NotAccepted], None]] = {}  # how to refuse each
        self._count = 0

    def owe(self, answer: Callable[[Any], None], refuse: Callable[[NotAccepted], None]) -> Callable[[Any], None]:
        """What gives an answer that the queue owes, unless it was refused meanwhile. Raises NotAccepted right now."""
        if self._loop.trouble is not None:
            raise NotAccepted(self._loop.trouble)
        self._count += 1
        number = self._count
        self._refusals[number] = refuse

        def give(value: Any) -> None:
            if self._refusals.pop(number, None) is not None:
                answer(value)

        return give

    def refuse(self, why: str) -> None:
        """Tell everyone who waits that the queue does not answer."""
        refusals, self._refusals = self._refusals, {}
        for refuse in refusals.values():
            refuse(NotAccepted(why))


def resolve(answer: asyncio.Future[Any], value: object) -> None:
    """Give an answer that somebody awaits, unless they went away."""
    if not answer.done():
        answer.set_result(value)


def fail(answer: asyncio.Future[Any], error: Exception) -> None:
    """Refuse what somebody awaits, unless they went away."""
    if not answer.done():
        answer.set_exception(error)
