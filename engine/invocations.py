"""The verbs: run a function now, put an event in the queue.

A synchronous invocation goes straight to an environment. Everything else is a report to the dispatcher, whose answer
is owed until it is on the disk.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, Required, TypedDict, Unpack

from .answer_times import AnswerTimes
from .clock import Clock
from .core import calls
from .core.arn import LATEST, function_arn
from .core.calls import with_waits
from .core.concurrency import ACCOUNT_LIMIT, Throttled
from .core.event import Event, Outcome
from .core.fault import BEFORE_START, ON_INVOCATION, Fault, Kind
from .core.function import Function
from .core.invocation import Invocation
from .core.trace import RecursionStopped, header_of, is_loop
from .debts import Debts, fail, resolve
from .dispatcher import Dispatcher, Environments
from .faults import Faults
from .metrics import Metrics
from .refusals import Refusals
from .reports import Accept, NotAccepted
from .store import History

_FAULTS = ON_INVOCATION - {Kind.DUPLICATE}  # a caller that waits gets one answer


class Wishes(TypedDict, total=False):
    """How a function is to be invoked. `trace_id` is the trace header that came with the request."""

    source: Required[str]
    request_id: Required[str]
    qualifier: str
    client_context: str | None
    trace_id: str


class Answered(NamedTuple):
    """A synchronous invocation that has ended."""

    outcome: Outcome
    tail: list[str]


class Invocations:
    """What can be asked of functions."""

    def __init__(
        self,
        clock: Clock,
        dispatcher: Dispatcher,
        environments: Environments,
        history: History,
        metrics: Metrics,
        debts: Debts,
        answer_times: AnswerTimes,
        faults: Faults,
        callers_wait: Callable[[int], None],
    ) -> None:
        """`callers_wait` is told of synchronous callers that are no handlers: 1 when one comes, -1 when it has gone."""
        self._clock = clock
        self._dispatcher = dispatcher
        self._environments = environments
        self._history = history
        self._refusals = Refusals(history)
        self._metrics = metrics
        self._debts = debts
        self._answer_times = answer_times
        self._faults = faults
        self._callers_wait = callers_wait

    async def invoke(self, function: Function, payload: bytes, **wishes: Unpack[Wishes]) -> Answered:
        """Run a function now and wait for it. Raises as `begin` does."""
        answer: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self.begin(function, payload, partial(resolve, answer), **wishes)
        return await answer

    def begin(
        self, function: Function, payload: bytes, answer: Callable[[Answered], None], **wishes: Unpack[Wishes]
    ) -> None:
        """Run a function now; `answer` gets what becomes of it.

        Raises Throttled if a concurrency limit stands in the way, RecursionStopped if the chain has come by too often,
        NotAccepted if an armed fault says that Lambda itself fails.
        """
        trace_id, qualifier, request_id = wishes.get("trace_id", ""), wishes.get("qualifier", ""), wishes["request_id"]
        if is_loop(trace_id, function):
            self._metrics.recursion_stopped(function.name)
            raise RecursionStopped(function.name)
        now = self._clock.now()
        limit = self._dispatcher.admit(function.name)
        refusal = None if limit else self._refusal(function, request_id, payload)
        limit = limit or (ACCOUNT_LIMIT if refusal else None)
        if limit and not self._refusals.wants(function.name, now):
            raise Throttled(limit)
        caller = self._dispatcher.calls.caller(trace_id)
        invocation = Invocation(
            request_id,
            function,
            payload,
            may_start=self._may_start,
            done=_nobody,
            source=f"function {caller.function.name}" if caller else wishes["source"],
            kind="synchronous",
            invoked_arn=function_arn(function.name, qualifier or None),
            executed_version=function.executed_version(qualifier) or LATEST,
            client_context=wishes.get("client_context"),
            trace_id=header_of(trace_id, function, request_id, now),
            caller=caller.request_id if caller else "",
            accepted_at=now,
        )
        invocation.fault = refusal
        if limit:
            self._refusals.keep(invocation, limit)
            raise Throttled(limit)
        invocation.fault = self._faults.choose(_FAULTS, function.name, request_id, payload)
        invocation.done = partial(self._ended, invocation, caller, answer)
        self._metrics.received += 1
        self._dispatcher.in_flight.start(function.name)
        self._dispatcher.calls.begin(invocation)
        if caller is None:
            self._callers_wait(1)
        else:
            calls.wait(caller, self._clock.ticks())
        self._environments.run(invocation)

    def _refusal(self, function: Function, request_id: str, payload: bytes) -> Fault | None:
        """The armed fault that pretends a limit is reached. Raises NotAccepted if it says that Lambda itself fails."""
        fault = self._faults.choose(BEFORE_START, function.name, request_id, payload)
        if fault is not None and fault.kind is not Kind.THROTTLE:
            raise NotAccepted(f"injected: {fault}")
        return fault

    def _may_start(self) -> bool:
        """A synchronous invocation was admitted when it came, and starts as soon as an environment is free."""
        self._metrics.changed("inflight")
        return True

    def _ended(
        self, invocation: Invocation, caller: Invocation | None, answer: Callable[[Answered], None], outcome: Outcome
    ) -> None:
        self._dispatcher.in_flight.end(invocation.function.name)
        if caller is None:
            self._callers_wait(-1)
        else:
            calls.answer(caller, self._clock.ticks())
        outcome = with_waits(outcome, self._dispatcher.calls.end(invocation.request_id, self._clock.ticks()))
        self._metrics.invoked(invocation.function, outcome)
        self._history.record(invocation, outcome)
        answer(Answered(outcome, invocation.tail))

    async def accept(self, function: Function, payload: bytes, **wishes: Unpack[Wishes]) -> Event:
        """Put an event in the queue. Returns when it is on disk; raises NotAccepted if it cannot be written now."""
        answer: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self.send(function, payload, partial(resolve, answer), partial(fail, answer), **wishes)
        return await answer

    def send(
        self,
        function: Function,
        payload: bytes,
        answer: Callable[[Event], None],
        refuse: Callable[[NotAccepted], None],
        **wishes: Unpack[Wishes],
    ) -> None:
        """Put an event in the queue. `answer` gets it once it is on disk, `refuse` why it cannot be written now."""
        trace_id = wishes.get("trace_id", "")
        caller = self._dispatcher.calls.caller(trace_id)
        report = Accept(
            wishes["request_id"],
            function,
            payload,
            f"function {caller.function.name}" if caller else wishes["source"],
            self._debts.owe(self._answer_times.timed(answer), refuse),
            wishes.get("qualifier", ""),
            trace_id,
            caller.request_id if caller else "",
        )
        self._dispatcher.report(report)


def _nobody(_: Outcome) -> None:
    """Stands in until there is somebody to tell."""
