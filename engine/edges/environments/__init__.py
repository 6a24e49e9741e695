"""Execution environments: the processes that run handlers.

`bootstrap` runs inside the process, `process` is the engine's side of one, `log` what is logged of it (`lines` are the
platform's, `output` the handler's), `pool` has the environments of one function, and `environments` all of them.
"""

from .environments import Environments
from .log import LogSink
from .survivors import end_survivors
from .variables import surroundings

__all__ = ["Environments", "LogSink", "end_survivors", "surroundings"]
