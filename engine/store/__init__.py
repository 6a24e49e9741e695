"""What is on disk. The only room that knows SQL.

`queue` is the truth and is written by the dispatcher alone, in `transactions` that a full disk cannot lose (`reserve`
sets room aside); `peek` looks at it; `rows` is what its rows hold. `history` is for looking back, which
`history_reader` does; `history_file` opens it. `folder` locks the state folder, `file` opens a database, `salvage`
mends one, `retention` says what may go. `absences` remembers when no engine ran.
"""

from .absences import Absence, Absences
from .errors import StoreError, Unwritable
from .folder import is_new, unmake
from .history import History
from .history_reader import Answered, HistoryReader
from .peek import Peek, Window
from .queue import Store
from .retention import KEEP, Retention

__all__ = [
    "KEEP",
    "Absence",
    "Absences",
    "Answered",
    "History",
    "HistoryReader",
    "Peek",
    "Retention",
    "Store",
    "StoreError",
    "Unwritable",
    "Window",
    "is_new",
    "unmake",
]
