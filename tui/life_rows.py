"""The life of one request as rows on a shared time axis: who waited for what, how long, and by which rule."""

from dataclasses import dataclass
from typing import Any

from . import format as f
from .axis import Scale
from .calls import SHOWN, call_words, called_by
from .life_end import end_rule, where_it_went
from .life_waits import Wait, past_words, rounded, waiting_words

Life = dict[str, Any]


@dataclass(frozen=True)
class Span:
    """One row: from `start` to `end` in engine seconds, what it was, and why in words.

    `ahead` is the part that has not happened yet begins at this time (None: all of it is past).
    """

    label: str
    start: float
    end: float
    kind: str  # "caller", "wait", "retry", "ok", "error", "running", "call", "end-ok", "end-error"
    words: str
    ahead: float | None = None
    mark: str = ""  # stands in its last cell


def spans(life: Life, now: float) -> list[Span]:
    """The rows of a life, in order: caller, waits and attempts, what happens now, the end."""
    rows = [_caller(life, now)]
    since = float(life["accepted_at"])
    failures, before = 0, None
    for attempt in life["attempts"]:
        rows += _wait(life, since, float(attempt["started_at"]), before, failures)
        ended = attempt.get("ended_at")
        rows.append(_attempt(life, attempt, now))
        rows += _calls(life, float(attempt["started_at"]), float(ended if ended is not None else now), now)
        failures += attempt.get("ended") == "function error"
        since, before = float(ended if ended is not None else now), attempt
    running = life.get("running")
    if running and not any(
        one["number"] == running["number"] and one.get("ended_at") is None for one in life["attempts"]
    ):
        rows += _wait(life, since, float(running["started_at"]), before, failures)
        rows.append(_running(running, now))
        rows += _calls(life, float(running["started_at"]), now, now)
    elif life["state"] == "queued":
        rows.append(_waiting(life, since, now, before, failures))
    return [*rows, *_end(life)]


def _caller(life: Life, now: float) -> Span:
    start, answered = float(life["accepted_at"]), life.get("answered")
    source = f" · {f.one_line(called_by(life) or str(life.get('source') or ''))}".rstrip(" ·")
    if answered is None:
        return Span("caller", start, now, "caller", f"waits for the answer{source}", now)
    if answered.get("after") is None:
        return Span("caller", start, start, "caller", f"{answered['status']} at once{source}")
    after = float(answered["after"])
    return Span("caller", start, start + after, "caller", f"{answered['status']} after {f.span(after)}{source}")


def _calls(life: Life, since: float, until: float, now: float) -> list[Span]:
    """The calls made during one attempt: what a function waits for is billed twice."""
    rows = []
    for number, call in enumerate((life.get("calls") or ())[:SHOWN], 1):
        start = float(call["accepted_at"])
        if since <= start <= until:
            waits = call["kind"] != "event"
            end = float(call["ended_at"] if call.get("ended_at") is not None else now) if waits else start
            rows.append(Span(f" → {number}", start, end, "call", call_words(call, now)))
    return rows


def _wait(life: Life, since: float, until: float, before: Life | None, failures: int) -> list[Span]:
    if before is None and life["kind"] == "synchronous" and until - since < 0.05:
        return []
    label, kind = ("queued", "wait") if before is None else ("wait", "retry")
    words = past_words(life, Wait(since, until, before, failures))
    return [Span(label, since, until, kind, f"{words}: {f.span(rounded(until - since))}")]


def _attempt(life: Life, attempt: Life, now: float) -> Span:
    start, ended = float(attempt["started_at"]), attempt.get("ended_at")
    label = f"try {attempt['number']}" if life["kind"] == "event" else "call"
    mark = f.INJECTED if attempt.get("injected") else ""
    if ended is None:
        running = life.get("running") or {"timeout": None, "started_at": start, "number": attempt["number"]}
        return Span(label, start, now, "running", _running_words(running, now), mark=mark)
    took = attempt.get("duration")
    words = f.span(float(took) if took is not None else float(ended) - start)
    if attempt.get("init_duration"):
        words += f" + init {f.span(float(attempt['init_duration']))}"
    if attempt.get("waited"):
        words += f" · waited {f.span(float(attempt['waited']))}"
    if attempt.get("injected"):
        words += f" · {f.injected(str(attempt['injected']))}"
    if attempt.get("ended") == "returned":
        return Span(label, start, float(ended), "ok", f"returned after {words}", mark=mark)
    error = f.one_line(str(attempt.get("error") or attempt.get("ended") or ""))
    return Span(label, start, float(ended), "error", f"{words} · {error}", mark=mark)


def _running(running: Life, now: float) -> Span:
    start = float(running["started_at"])
    mark = f.INJECTED if running.get("injected") else ""
    return Span(f"try {running['number']}", start, now, "running", _running_words(running, now), mark=mark)


def _running_words(running: Life, now: float) -> str:
    ran = f"running {f.span(max(0.0, round(now - float(running['started_at']), 1)))}"
    words = f"{ran} of {f.span(float(running['timeout']))}" if running.get("timeout") else ran
    return f"{words} · {f.injected(str(running['injected']))}" if running.get("injected") else words


def _waiting(life: Life, since: float, now: float, before: Life | None, failures: int) -> Span:
    due = float(life.get("due_at") or now)
    label, kind = ("queued", "wait") if before is None else ("wait", "retry")
    words = waiting_words(life, Wait(since, due, before, failures), now)
    return Span(label, since, due, kind, words, now) if due > now else Span(label, since, now, kind, words)


def _end(life: Life) -> list[Span]:
    if life["state"] not in ("succeeded", "discarded"):
        return []
    at = float(life.get("ended_at") or life["accepted_at"])
    good = life["state"] == "succeeded"
    if life.get("refused"):
        return [Span("end", at, at, "end-error", f"{f.one_line(str(life['refused']))}; never began, costs nothing")]
    condition = str(life.get("condition") or ("Success" if good else "failed"))
    words = f"{condition}{end_rule(life, condition)}{where_it_went(life)}"
    rows = [Span("end", at, at, "end-ok" if good else "end-error", words)]
    for delivery in life.get("deliveries") or ():
        if delivery.get("error"):
            said = f"not delivered to {delivery['target']} yet: {f.one_line(str(delivery['error']))}"
            rows.append(Span("", at, at, "end-error", said))
    if life.get("redriven_as"):
        rows.append(Span("", at, at, "end-ok", f"redriven as {f.short_id(str(life['redriven_as']))}"))
    return rows


def scale_of(rows: list[Span], width: int) -> Scale:
    """The axis all rows share."""
    start = min(row.start for row in rows)
    return Scale(start, max(start + 1e-3, *(row.end for row in rows)), width)
