"""How many processes this machine gives us."""

import os
import resource
import time
from collections.abc import Callable

DESCRIPTORS_EACH = 5  # socket, log pipe, process descriptor, and two for the moment of the start
DESCRIPTORS_SPARE = 100  # for connections, files and everything else
DESCRIPTORS_MAX = 65_536

MEMORY_SPARE = 512  # MB that are left to everybody else
MEMORY_EACH = 4  # MB that an environment takes at least
_SHARED = 10  # MB of what an environment seems to use: it shares the interpreter with others
_MEMORY_LOOK_EVERY = 0.05  # seconds


class Capacity:
    """Counts environments of all functions against the limits. `limited_by` says which one was reached last.

    `available` tells how much memory can be had, in MB; None if the system does not say.
    """

    def __init__(self, environments_max: int, available: Callable[[], int | None]) -> None:
        self.used = 0
        self.cores = os.cpu_count() or 1
        self.limited_by: str | None = None
        self._environments_max = environments_max
        self._descriptors = _raise_descriptor_limit()
        self._available = available
        self._seen: int | None = None  # MB at the last look
        self._seen_at = 0.0
        self._used_then = 0

    def room(self, memory: int = 0) -> int:
        """How many more environments may be started now, if each seems to use so many MB.

        The first one always may: with none at all no work would ever be done.
        """
        by_descriptors = (self._descriptors - DESCRIPTORS_SPARE) // DESCRIPTORS_EACH
        limit = max(1, min(self._environments_max, by_descriptors))
        by_memory = self._room_in_memory(max(MEMORY_EACH, memory - _SHARED))
        self.limited_by = None
        if self.used >= limit and by_descriptors < self._environments_max:
            self.limited_by = f"descriptors: {limit} environments with {self._descriptors} open files allowed"
        elif self.used >= limit:
            self.limited_by = f"environments_max: {limit}"
        elif by_memory == 0:
            self.limited_by = f"memory: {self.used} environments, {self._seen} MB left"
        return max(0, min(limit - self.used, by_memory))

    def _room_in_memory(self, each: int) -> int:
        now = time.monotonic()
        if now - self._seen_at > _MEMORY_LOOK_EVERY:
            self._seen, self._seen_at, self._used_then = self._available(), now, self.used
        if self._seen is None:
            return self._environments_max
        room = (self._seen - MEMORY_SPARE) // each - max(0, self.used - self._used_then)
        return max(room, 0 if self.used else 1)


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
