"""The life of one request as sentences, one for each thing that happened: what `lamtop --plain` prints."""

from dataclasses import dataclass
from typing import Any

from . import format as f
from .life_end import where_it_went

Life = dict[str, Any]
_NOT_BEGUN = ("throttled", "not started")  # an attempt that never reached the handler


@dataclass(frozen=True)
class Fact:
    """`key` is the same whenever the life is looked at, `at` engine time."""

    key: tuple[Any, ...]
    at: float
    words: str


def is_over(life: Life) -> bool:
    """Whether nothing more can happen to the request."""
    return life["state"] in ("succeeded", "discarded") and not life.get("running")


def facts(life: Life) -> list[Fact]:
    """What has happened to a request so far, in order."""
    told = [Fact(("accepted",), float(life["accepted_at"]), _accepted(life))]
    for attempt in life["attempts"]:
        if attempt.get("ended") not in _NOT_BEGUN:
            told += _attempt(life, attempt)
    running = life.get("running")
    if running:
        told.append(_begun(life, running))
    if life["state"] == "queued" and life.get("reason") in ("throttled", "lost"):
        told.append(_put_back(life))
    if is_over(life):
        told.append(_end(life))
    return list({fact.key: fact for fact in told}.values())


def _accepted(life: Life) -> str:
    how = "synchronous" if life["kind"] == "synchronous" else "asynchronous"
    redriven = f", redriven from {f.short_id(life['redriven_from'])}" if life.get("redriven_from") else ""
    return f"accepted, {how}, from {life.get('source') or 'somebody'}{redriven}"


def _begun(life: Life, attempt: Life) -> Fact:
    cold = ", cold start" if attempt.get("cold") or attempt.get("init_duration") else ""
    key = ("begun", attempt["number"], attempt["started_at"])
    words = f"running, {_which(life, attempt)}{cold}{_hit(attempt)}"
    return Fact(key, float(attempt["started_at"]), words)


def _hit(attempt: Life) -> str:
    return f", {f.injected(str(attempt['injected']))}" if attempt.get("injected") else ""


def _which(life: Life, attempt: Life) -> str:
    return "the only attempt" if life["kind"] == "synchronous" else f"attempt {attempt['number']} of {life['tries']}"


def _attempt(life: Life, attempt: Life) -> list[Fact]:
    begun = _begun(life, attempt)
    if attempt.get("ended_at") is None or attempt.get("ended") in (None, "returned"):
        return [begun]
    why = f.one_line(str(attempt.get("error") or attempt["ended"]))
    words = f"failed, {_which(life, attempt)}{_hit(attempt)}: {why}{_next(life, attempt)}"
    return [begun, Fact(("failed", *begun.key[1:]), float(attempt["ended_at"]), words)]


def _next(life: Life, attempt: Life) -> str:
    if life["state"] != "queued" or life.get("running") or attempt is not life["attempts"][-1]:
        return ""
    due = float(life["due_at"] or attempt["ended_at"])
    return f"; next try at {f.clock(due)}, {f.span(round(max(0.0, due - float(attempt['ended_at']))))} later"


def _put_back(life: Life) -> Fact:
    due, reason = float(life["due_at"] or 0), str(life["reason"])
    why = "throttled" if reason == "throttled" else "lost, its environment or the engine ended"
    key = (reason, life.get("throttles"), life.get("losses"), life["due_at"])
    return Fact(key, due, f"{why}; next try at {f.clock(due)}")


def _end(life: Life) -> Fact:
    at = float(life["ended_at"] or life["accepted_at"])
    if life["state"] == "succeeded":
        words = f"succeeded, {f.span(at - float(life['accepted_at']))} after it was accepted"
    elif life["kind"] == "synchronous":
        words = "ended with an error, which the caller was told"
    else:
        words = f"dead letter, {life.get('condition') or 'given up'}{where_it_went(life)}"
    return Fact(("end",), at, words)
