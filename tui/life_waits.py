"""Why a request waits, or has waited: in the words of the rule that decided, and never of one that did not."""

from dataclasses import dataclass
from typing import Any

from . import format as f

Life = dict[str, Any]
_LATE = 15.0  # seconds; AWS, and lamtop where it plays AWS, is up to 10 s later than the rule says


@dataclass(frozen=True)
class Wait:
    """From one moment to another (engine seconds); after which attempt, and how many had failed by then."""

    since: float
    until: float
    before: Life | None
    failures: int


def past_words(life: Life, wait: Wait) -> str:
    """Why there was a wait that is over."""
    absence = _absence(life, wait)
    if absence and _is_retry(wait):
        return f"{absence}, retry {wait.failures} of {max(0, int(life['tries']) - 1)} was due"
    if absence:
        return f"{absence} · {_rule(life, wait)}" if wait.before else absence
    if wait.before is not None:
        return _rule(life, wait) + _late_words(life, wait)
    throttles = int(life.get("throttles") or 0)
    return f"concurrency limit reached {f.counted(throttles, 'time')}" if throttles else "waiting for a place"


def waiting_words(life: Life, wait: Wait, now: float) -> str:
    """Why it waits now: until `wait.until`, or, if that is over, for a place."""
    if life.get("reason") == "throttled":
        why = "concurrency limit reached"
    else:
        why = _rule(life, wait) if wait.before is not None else "waiting for a place"
    if wait.until <= now:
        return why if wait.before is None else f"waiting for a place: {why}"
    again = "next try" if wait.before is not None or life.get("throttles") else "first try"
    return f"{again} {f.until(wait.until - now)}: {why}"


def title_words(life: Life, now: float) -> str:
    """What a queued request waits for, as a title."""
    left = float(life.get("due_at") or now) - now
    if life.get("reason") == "retry":
        retries = max(0, int(life["tries"]) - 1)
        which = f"retry {life.get('errors') or 1} of {retries}"
        return f"{f.RETRY} waiting for {which} {f.until(left)}" if left > 0 else f"{f.RETRY} {which} waits for a place"
    if life.get("reason") == "throttled":
        return f"{f.THROTTLED} throttled, next try {f.until(left)}" if left > 0 else f"{f.THROTTLED} throttled"
    if life.get("reason") == "lost":
        return f"{f.RETRY} its attempt was lost, waiting to run again"
    return f"{f.QUEUED} queued, waiting for a place"


def rounded(seconds: float) -> float:
    """Without the fractions that nobody reads."""
    return seconds if seconds < 10 else round(seconds)


def _rule(life: Life, wait: Wait) -> str:
    """Why there is a wait after an attempt, in the words of the rule that decided."""
    if wait.before and wait.before.get("ended") == "lost":
        return "attempt lost, costs no retry"
    retries = max(0, int(life["tries"]) - 1)
    left = max(0, retries - wait.failures + 1)
    return f"function error, {left} of {retries} {'retry' if retries == 1 else 'retries'} left"


def _is_retry(wait: Wait) -> bool:
    return wait.before is not None and wait.before.get("ended") != "lost"


def _delay(life: Life, wait: Wait) -> float:
    """After how many seconds the rule makes a retry due; 0 if that is not known."""
    delays = life.get("retry_delays") or ()
    return float(delays[min(wait.failures, len(delays)) - 1]) if delays and wait.failures else 0.0


def _late_words(life: Life, wait: Wait) -> str:
    """A retry began long after it was due: what it waited for then is not on record, so only that is said."""
    delay = _delay(life, wait) if _is_retry(wait) else 0.0
    over = wait.until - wait.since - delay
    return f", due after {f.span(rounded(delay))} but began late" if delay and over > _LATE else ""


def _absence(life: Life, wait: Wait) -> str:
    """No engine ran when it was due: since when, and until when; "" if one did."""
    due = wait.since + (_delay(life, wait) if _is_retry(wait) else 0.0)
    found = [one for one in life.get("absences") or () if one[0] < wait.until and one[1] > due and one[1] > wait.since]
    if not found or wait.until < due:
        return ""
    first, last = found[0], found[-1]
    words = (
        f"engine off {f.clock(first[0])} to {f.clock(last[1])}" if first[2] else f"engine off until {f.clock(last[1])}"
    )
    return words + (f" ({len(found)} times)" if len(found) > 1 else "")
