"""One request to run a function, on its way to an execution environment."""

from collections.abc import Callable
from dataclasses import dataclass, field

from .arn import LATEST
from .event import Outcome
from .fault import Fault
from .function import Function


@dataclass(slots=True, eq=False)
class Invocation:
    """What an execution environment needs to run a function once, and whom to tell.

    `may_start` is asked at the last moment, when an environment is free; if it answers False the invocation is dropped
    without another word. `done` is called exactly once otherwise. Both are called on the event loop.
    """

    request_id: str
    function: Function
    payload: bytes  # JSON
    may_start: Callable[[], bool]
    done: Callable[[Outcome], None]
    attempt: int = 1
    tries: int = 1  # attempts that the function's configuration allows
    source: str = "http"
    kind: str = "event"  # or "synchronous"
    invoked_arn: str = ""
    client_context: str | None = None  # JSON, synchronous invocations only
    executed_version: str = LATEST  # of the function, as its qualifier says
    trace_id: str = ""  # X-Ray trace header
    caller: str = ""  # request id of the invocation that sent this one, if it was one of ours
    waited: float = 0.0  # real seconds that it has spent waiting for synchronous invocations of its own
    accepted_at: float = 0.0  # engine time
    started_at: float | None = None  # engine time; None while it waits for a place
    environment: str = ""  # log stream of the environment that runs it
    version: int = 1  # of the code that runs it
    cold: bool = False
    fault: Fault | None = None  # what goes wrong with it
    tail: list[str] = field(default_factory=list)  # its log lines, for LogType=Tail
    waits_for: int = 0  # synchronous invocations that it has sent and got no answer to yet …
    waits_since: float = 0.0  # … real time, of the first of them
