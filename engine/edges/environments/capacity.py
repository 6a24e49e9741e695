"""How many processes this machine gives us."""

import os
import resource

DESCRIPTORS_EACH = 4  # socket, log pipe, process descriptor, and one for the moment of the start
DESCRIPTORS_SPARE = 100  # for connections, files and everything else
DESCRIPTORS_MAX = 65_536


class Capacity:
    """Counts environments of all functions against the limits. `limited_by` says which one was reached last."""

    def __init__(self, environments_max: int) -> None:
        self.used = 0
        self.cores = os.cpu_count() or 1
        self.limited_by: str | None = None
        self._environments_max = environments_max
        self._descriptors = _raise_descriptor_limit()

    def room(self) -> int:
        """How many more environments may be started now."""
        by_descriptors = (self._descriptors - DESCRIPTORS_SPARE) // DESCRIPTORS_EACH
        limit = max(1, min(self._environments_max, by_descriptors))
        if self.used < limit:
            self.limited_by = None
        elif by_descriptors < self._environments_max:
            self.limited_by = f"descriptors: {limit} environments with {self._descriptors} open files allowed"
        else:
            self.limited_by = f"environments_max: {limit}"
        return max(0, limit - self.used)


def _raise_descriptor_limit() -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS_MAX if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS_MAX)
    if soft != resource.RLIM_INFINITY and soft >= wanted:
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        return soft  # macOS: the hard limit may be larger than the kernel allows
    return wanted
