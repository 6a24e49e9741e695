"""The invocations of one function that no environment has taken yet."""

from collections import deque

from ....clock import Clock
from ....core.event import Outcome
from ....core.invocation import Invocation
from ..failures import Failure
from ..logs.log import LogSink


class Waiting:
    """Two queues: somebody waits for the answer of a synchronous invocation, so those go before events."""

    def __init__(self, clock: Clock, log: LogSink) -> None:
        self._clock = clock
        self._log = log
        self._synchronous: deque[Invocation] = deque()
        self._events: deque[Invocation] = deque()
        self._admitted: set[Invocation] = set()  # may_start was asked, but the environment turned out to be dead

    def __len__(self) -> int:
        return len(self._synchronous) + len(self._events)

    def add(self, invocation: Invocation) -> None:
        self._queue(invocation).append(invocation)

    def put_back(self, invocation: Invocation) -> None:
        """It was to start, and could not: it is the first again, and is not asked a second time."""
        self._admitted.add(invocation)
        self._queue(invocation).appendleft(invocation)

    def next(self) -> Invocation | None:
        """Take out the first that still may start."""
        while self._synchronous or self._events:
            invocation = (self._synchronous or self._events).popleft()
            if invocation in self._admitted:
                self._admitted.discard(invocation)
                return invocation
            if invocation.may_start():
                return invocation
        return None

    def cancel(self, request_id: str, why: Failure) -> bool:
        """End the one of this id; False if there is none."""
        for queue in (self._synchronous, self._events):
            for invocation in queue:
                if invocation.request_id == request_id:
                    queue.remove(invocation)
                    self._drop(invocation, why)
                    return True
        return False

    def drop_synchronous(self, why: Failure) -> None:
        """End those that somebody waits for."""
        while self._synchronous:
            self._drop(self._synchronous.popleft(), why)

    def drop_all(self, why: Failure) -> None:
        """End everything that waits."""
        while self._synchronous or self._events:
            self._drop((self._synchronous or self._events).popleft(), why)

    def _queue(self, invocation: Invocation) -> deque[Invocation]:
        return self._events if invocation.kind == "event" else self._synchronous

    def _drop(self, invocation: Invocation, why: Failure) -> None:
        self._admitted.discard(invocation)
        now, next_line = self._clock.now(), self._log.next_number
        invocation.done(
            Outcome(
                why.ended,
                why.as_json(),
                why.type or None,
                why.message,
                now,
                now,
                first_line=next_line,
                last_line=next_line - 1,
            )
        )
