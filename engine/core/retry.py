"""When the next try is due.

Source: Lambda guide, "How Lambda handles errors and retries with asynchronous invocation".
"""

from collections.abc import Sequence

_LATE = (5.0, 10.0)  # seconds; recorded on AWS: 65 to 66 s and 126 to 130 s from one start to the next
_LATE_AFTER = 60.0  # seconds of delay from which it is all of that; a shorter one, in the lab, is late in proportion
_THROTTLE_LONGEST = 300.0
_THROTTLE_JITTER = 0.1  # recorded on AWS: 1, 2, 4, 8, 16 s add up to 16.6 and 32.8 s


def retry_delay(errors: int, delays: Sequence[float], late: float | None = None) -> float:
    """Seconds to wait after the function error number `errors` (from 1); the last of the delays goes on.

    `late`, from 0 to 1, makes it as late as AWS is; None leaves it exact.
    """
    delay = delays[min(errors, len(delays)) - 1]
    if late is None:
        return delay
    least, most = _LATE
    return delay + (least + (most - least) * late) * min(delay / _LATE_AFTER, 1.0)


def throttle_delay(throttles: int, jitter: float) -> float:
    """Seconds to wait after the throttle number `throttles` (from 1) in a row: 1 s, doubling to 5 minutes.

    `jitter`, from 0 to 1, lengthens it a little, so that a crowd that was refused together does not return together.
    """
    doubled = min(2.0 ** min(throttles - 1, 16), _THROTTLE_LONGEST)
    return min(doubled * (1 + _THROTTLE_JITTER * jitter), _THROTTLE_LONGEST)
