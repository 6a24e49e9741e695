"""Execution environments: the processes that run handlers.

`environments` are those of all functions, `pool` those of one, `environment` is one. Three rooms are behind them:
`runtime` is what runs inside the process, `processes` how one is started, limited and ended, `logs` what is logged of
it. Between the engine and the process: its `variables` with their `search_path`, the `channel`, and `failures`, which
says in AWS's words how it went wrong.
"""

from .environments import Environments
from .logs.log import LogSink
from .processes.survivors import end_survivors
from .variables import surroundings

__all__ = ["Environments", "LogSink", "end_survivors", "surroundings"]
