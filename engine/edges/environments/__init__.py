"""Execution environments: the processes that run handlers.

`environments` are those of all functions, `environment` is one. Four rooms are around them: `pool` is which of a
function's environments takes an invocation, and how many there are; `processes` how a process is started, limited and
ended; `runtime` what runs inside it; `logs` what is logged of it. Between the engine and a process are its `variables`
with their `search_path`, the `channel`, the `deadline`, and `failures`, which says in AWS's words how it went wrong.
"""

from .environments import Environments
from .logs.log import LogSink
from .processes.survivors import end_survivors
from .variables import surroundings

__all__ = ["Environments", "LogSink", "end_survivors", "surroundings"]
