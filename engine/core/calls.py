"""Who runs and who waits for whom: which invocation sent a request, and how long it has waited for answers.

Kept in memory by the dispatcher, on its loop. Moments are real time in seconds, of the clock that measures durations.
"""

from .event import Outcome
from .invocation import Invocation
from .trace import parent_of, sender_of


class Calls:
    """The invocations that run, by the name that they go by in trace headers."""

    def __init__(self) -> None:
        self._running: dict[str, Invocation] = {}

    def begin(self, invocation: Invocation) -> None:
        self._running[parent_of(invocation.request_id)] = invocation

    def end(self, request_id: str, at: float = 0.0) -> Invocation | None:
        """It runs no longer. If it still waits for somebody (it was timed out), it has done so until now."""
        invocation = self._running.pop(parent_of(request_id), None)
        if invocation is not None and invocation.waits_for:
            invocation.waited += at - invocation.waits_since
        return invocation

    def caller(self, trace_header: str) -> Invocation | None:
        """The running invocation that sent a request with this header; None if nobody is known to have."""
        return self._running.get(sender_of(trace_header)) if trace_header else None


def wait(caller: Invocation, at: float) -> None:
    """The caller has sent a synchronous invocation. Waits that overlap count once."""
    if not caller.waits_for:
        caller.waits_since = at
    caller.waits_for += 1


def answer(caller: Invocation, at: float) -> None:
    """… and here is the answer."""
    caller.waits_for -= 1
    if not caller.waits_for:
        caller.waited += at - caller.waits_since


def with_waits(outcome: Outcome, invocation: Invocation | None) -> Outcome:
    """The outcome, with the time that its invocation spent waiting for others."""
    if invocation is None or not invocation.waited:
        return outcome
    return outcome._replace(waited=min(invocation.waited, outcome.duration))
