"""What is on disk. The only room that knows SQL.

`queue` is the truth and is written by the dispatcher alone; `peek` looks at it; `history` is for looking back.
"""

from .errors import StoreError, Unwritable
from .history import History
from .peek import Peek, Window
from .queue import Store
from .retention import KEEP, Retention

__all__ = ["KEEP", "History", "Peek", "Retention", "Store", "StoreError", "Unwritable", "Window"]
