"""What is on disk. The only room that knows SQL.

`queue` is the truth and is written by the dispatcher alone; `peek` looks at it; `history` is for looking back.
"""

from .history import History
from .peek import Peek, Window
from .queue import Store, StoreError

__all__ = ["History", "Peek", "Store", "StoreError", "Window"]
