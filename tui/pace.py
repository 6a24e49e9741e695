"""How much real time the monitor takes for itself."""

from typing import NamedTuple


class Pace(NamedTuple):
    """Seconds, for what a person looks at."""

    paint: float = 0.1  # between two pictures at least
    ask: float = 0.5  # between two looks at the life of one request at least
    bar: float = 2.0  # that a scrollbar stays when it is needed no more
    retry: float = 1.0  # between two tries to reach an engine that has gone


AT_ONCE = Pace(0.0, 0.0, 0.0, 0.0)
"""For a monitor on simulated time: what it shows must not depend on when somebody looks."""
