"""When to start more execution environments.

AWS opens one for every concurrent invocation. On a laptop a start costs more than most invocations, and environments
beyond the number of cores make short handlers slower: so more are started only while work waits and does not flow.
"""

CHECK_AFTER = 0.0015  # seconds that work has to wait before the pool grows
CHECK_AFTER_EACH = 0.0004  # … and for each environment: a function that gets 2,500 invocations a second done flows
STARTS_AT_ONCE = 8  # starting at the same moment; more would only slow each other down
FIRST_STARTS_AT_ONCE = 2  # until one is ready nobody knows how long the handler takes
QUICK = 0.002  # seconds by its own clock: such a handler keeps a core busy, and more of them only fight over the cores
QUICK_MEMORY = 0.1  # seconds that a quick return is remembered, on a machine too busy to show the next one
FRESH = 0.25  # seconds after which a start counts as slow and no longer holds others back


def look_after(live: int) -> float:
    """How long to watch `live` environments, in seconds, before deciding whether work flows."""
    return max(CHECK_AFTER, live * CHECK_AFTER_EACH)


def flows(finished: int, live: int, seconds: float) -> bool:
    """Whether work ends fast enough, by what has `finished` in so many seconds, for `live` environments to do."""
    return finished >= live * seconds / look_after(live)


def growth_as_aws(*, waiting: int, starting: int, room: int) -> int:
    """How many environments to start now if there is to be one for every concurrent invocation, as on AWS.

    Lambda guide, "Understanding Lambda function scaling": a request that finds no idle environment opens one.
    """
    return max(0, min(waiting - starting, room))


def growth(
    *, waiting: int, live: int, starting: int, fresh: int, finished: int, quick: bool, cores: int, room: int
) -> int:
    """How many environments to start now.

    `waiting` invocations have no environment; `live` ones run or are idle; `fresh` of those `starting` began within
    the last `FRESH` seconds; `finished` invocations ended since the last look; `quick` says whether any of the last
    `QUICK_MEMORY` seconds took less than `QUICK`, on a machine with so many `cores`; `room` more are allowed at most.
    """
    if live + starting == 0:
        return min(1, waiting, room)
    if live and finished >= live:
        return 0
    if quick:
        room = min(room, max(2, cores) - live - starting)
    at_once = STARTS_AT_ONCE if live else FIRST_STARTS_AT_ONCE
    return max(0, min(waiting - starting, at_once - fresh, room))
