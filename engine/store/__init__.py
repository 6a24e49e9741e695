"""What is on disk. The only room that knows SQL.

`queue` is the truth and is written by the dispatcher alone, in `transactions` that a full disk cannot lose (`reserve`
sets room aside); `peek` looks at it; `rows` is what its rows hold. `history` is for looking back, which
`history_reader` does; `history_file` opens it. `folder` locks the state folder, `file` opens a database, `salvage`
mends one, `retention` says what may go. `absences` remembers when no engine ran, `configurations` how functions were
configured. `recording` is all of that as it was left, and writes nothing (`snapshot`); `past` and `past_history` set it
to a moment. These three are for replays alone, and are not loaded with the rest.
"""

from .absences import Absence, Absences
from .configurations import Configuration, Configurations
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
    "Configuration",
    "Configurations",
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
