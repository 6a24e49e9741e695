"""When the next try is due.

Source: Lambda guide, "How Lambda handles errors and retries with asynchronous invocation".
"""

_AFTER_ERROR = (60.0, 120.0)  # seconds: "one-minute wait between the first two attempts, and two minutes …"
_THROTTLE_LONGEST = 300.0
_THROTTLE_JITTER = 0.1  # recorded on AWS: 1, 2, 4, 8, 16 s add up to 16.6 and 32.8 s


def retry_delay(errors: int) -> float:
    """Seconds to wait after the function error number `errors` (from 1)."""
    return _AFTER_ERROR[min(errors, len(_AFTER_ERROR)) - 1]


def throttle_delay(throttles: int, jitter: float) -> float:
    """Seconds to wait after the throttle number `throttles` (from 1) in a row: 1 s, doubling to 5 minutes.

    `jitter`, from 0 to 1, lengthens it a little, so that a crowd that was refused together does not return together.
    """
    doubled = min(2.0 ** min(throttles - 1, 16), _THROTTLE_LONGEST)
    return min(doubled * (1 + _THROTTLE_JITTER * jitter), _THROTTLE_LONGEST)
