"""Hot reload.

`reloader` reads the project again and switches functions to their new code. `saves` tells a person's save from what a
handler writes, `reach` which functions a saved file may concern, `absences` whether a function that is missed is gone.
"""

from .reloader import Reloader

__all__ = ["Reloader"]
