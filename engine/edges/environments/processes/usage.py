"""What processes have had of the machine's cores."""

from pathlib import Path
from typing import NamedTuple


class Usage(NamedTuple):
    """Real seconds of all threads of a process: on a core, and in line for one."""

    computed: float
    queued: float
    waits: bool  # at this moment every thread waits, for something else than a core or a disk


def usage(pid: int) -> Usage | None:
    """What a process has used so far; None if there is none, or the system does not say."""
    computed = queued = 0
    waits = True
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            on_core, in_line, _ = (task / "schedstat").read_text().split()
            computed, queued = computed + int(on_core), queued + int(in_line)
            waits = waits and (task / "stat").read_text().rpartition(") ")[2].startswith("S")
    except (OSError, ValueError):
        return None
    return Usage(computed / 1e9, queued / 1e9, waits)
