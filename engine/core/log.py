"""One log line."""

from typing import NamedTuple


class LogLine(NamedTuple):
    """One event of a function's log. `text` may hold newlines: a traceback is one event.

    `at` is engine time in seconds since the epoch; `attempt` is 0 for lines outside of an invocation. Its log group is
    the function's, its log stream the environment's of that attempt; only lines outside of an invocation name it here.
    """

    number: int  # goes up by one with every line, over all functions
    at: float
    function: str
    request_id: str
    attempt: int
    kind: str  # "platform": START, END, REPORT …; "output": the handler's own
    text: str
    stream: str = ""
