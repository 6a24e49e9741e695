"""The values that move: an event, the attempts at it, and how an attempt ended.

They are named tuples because an event is a row, and because the engine makes tens of thousands of them a second.
"""

from enum import StrEnum
from typing import NamedTuple


class State(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    DISCARDED = "discarded"


class Reason(StrEnum):
    """Why an event is queued, as it was last put there."""

    NEW = "new"  # just accepted
    RETRY = "retry"  # a function error: due one or two minutes later
    THROTTLED = "throttled"  # a concurrency limit was reached at its try
    LOST = "lost"  # the engine died during its attempt
    DUPLICATE = "duplicate"  # succeeded, and is delivered once more because a fault says so
    REDRIVE = "redrive"  # sent round again from a dead-letter queue


class Condition(StrEnum):
    """Why an event ended, in AWS's spelling.

    How AWS calls the end of a recursive chain in its records is not known for sure. The last two are lamtop's own.
    """

    SUCCESS = "Success"
    RETRIES_EXHAUSTED = "RetriesExhausted"
    EVENT_AGE_EXCEEDED = "EventAgeExceeded"
    ZERO_RESERVED_CONCURRENCY = "ZeroReservedConcurrency"
    RECURSIVE_INVOCATION = "RecursiveInvocation"
    LOST_REPEATEDLY = "LostRepeatedly"
    CANCELLED = "Cancelled"


class Ended(StrEnum):
    """How an attempt ended."""

    RETURNED = "returned"
    FUNCTION_ERROR = "function error"  # an exception, a timeout, an exit, an answer that is no JSON
    THROTTLED = "throttled"  # never started: a limit was reached; gives the attempt back
    NOT_STARTED = "not started"  # never started: the engine stopped first; gives the attempt back
    LOST = "lost"  # the engine died or was stopped meanwhile
    CANCELLED = "cancelled"


class Event(NamedTuple):
    """One asynchronous event. Times are engine time, in seconds since the epoch."""

    seq: int  # order of acceptance; the row's key
    id: str  # the request id, the same for every attempt
    function: str
    qualifier: str  # as the caller gave it; "" if it gave none
    payload: bytes  # JSON
    source: str  # who sent it: "http", "monitor", "redrive" …
    accepted_at: float
    state: State = State.QUEUED
    reason: Reason = Reason.NEW
    due_at: float = 0.0
    attempts: int = 0  # attempts begun
    errors: int = 0  # attempts that ended in a function error: what the retry limit counts
    throttles: int = 0  # in a row, since the last attempt
    losses: int = 0
    begun_at: float | None = None  # the running attempt's, or the last one's
    condition: Condition | None = None
    ended_at: float | None = None
    error: str | None = None  # of the last failed attempt: "ErrorType: message"
    redriven_from: str | None = None  # request id of the life before this one
    redriven_as: str | None = None  # request id of the life after this one
    dropped: bool = False  # discarded with nowhere to go
    trace_id: str = ""  # X-Ray trace header, with the lineage that recursion is found by
    caller: str = ""  # request id of the invocation that sent it, if it was one of ours


class Outcome(NamedTuple):
    """How one invocation ended, as its execution environment saw it.

    Times are engine time in seconds since the epoch; durations are the handler's own, in seconds.
    """

    ended: Ended
    payload: bytes = b"null"  # the result, or AWS's error object, as JSON
    error_type: str | None = None
    error_message: str | None = None
    started_at: float = 0.0
    ended_at: float = 0.0
    duration: float = 0.0
    init_duration: float | None = None  # of the cold start that this invocation paid for
    memory_used: int = 0  # MB
    environment: str = ""  # its log stream's name
    version: int = 1  # of the code: goes up with every reload
    first_line: int = 0  # the log lines of this invocation are numbered from here …
    last_line: int = 0  # … to here
    waited: float = 0.0  # seconds of `duration` spent waiting for synchronous invocations of its own
    injected: str = ""  # the armed fault that hit it: "timeout (fault 2)"

    @property
    def error(self) -> str | None:
        """One line for a table: "KeyError: 'card'"; None when the function returned."""
        if self.ended is Ended.RETURNED:
            return None
        if not self.error_type:
            return self.error_message or str(self.ended)
        return f"{self.error_type}: {self.error_message}" if self.error_message else self.error_type


class Attempt(NamedTuple):
    """One try at an event, written when it has ended. Numbered from 1."""

    event: int  # Event.seq
    number: int
    outcome: Outcome


class Delivery(NamedTuple):
    """Something that somebody must be told about an ended event: a row of the outbox."""

    id: int
    event: int  # Event.seq
    request_id: str
    kind: str  # "dead letter", "on failure", "on success"
    target: str  # ARN
    body: bytes
    attributes: dict[str, str]
    due_at: float
    tries: int = 0
    error: str | None = None


class Message(NamedTuple):
    """A message in one of this project's queues."""

    id: str
    queue: str  # its name
    body: bytes
    attributes: dict[str, str]
    sent_at: float
    request_id: str  # of the event that it tells of
