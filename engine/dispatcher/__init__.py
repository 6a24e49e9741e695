"""The only writer of events and messages.

`dispatcher` takes in what has arrived and starts what is due. `due` finds what that is, `attempts` follows a begun
event until an environment has run it, `redrives` reads dead letters back, `purging` takes them away for a
while or for good, `outbox` delivers what ended events owe, and `moves` writes down what a step has decided.
"""

from .attempts import Environments
from .dispatcher import Dispatcher, Step
from .purging import UNDO_SECONDS

__all__ = ["UNDO_SECONDS", "Dispatcher", "Environments", "Step"]
