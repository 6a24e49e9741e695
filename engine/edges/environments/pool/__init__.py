"""The environments of one function: which one takes the next invocation, and how many there are.

`pool` has them and hears what becomes of each; `waiting` has the invocations that no environment has taken yet;
`growth` says when there are to be more, `starts` starts them; `reload` tries new code before it serves. `setting` is
what the pools of all functions share.
"""

from .pool import IDLE_MAX, Pool
from .setting import Setting

__all__ = ["IDLE_MAX", "Pool", "Setting"]
