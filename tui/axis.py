"""The life of one request as rows on a shared time axis: who waited for what, how long, and by which rule."""

from dataclasses import dataclass
from typing import Any

from . import format as f
from .calls import SHOWN, call_words, called_by

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
    took = until - since
    if before is None and life["kind"] == "synchronous" and took < 0.05:
        return []
    if before is None:
        throttles = int(life.get("throttles") or 0)
        why = f"concurrency limit reached {f.counted(throttles, 'time')}" if throttles else "waiting for a place"
        return [Span("queued", since, until, "wait", f"{why}: {f.span(_rounded(took))}")]
    return [Span("wait", since, until, "retry", f"{_rule(life, before, failures)}: {f.span(_rounded(took))}")]


def _rounded(seconds: float) -> float:
    return seconds if seconds < 10 else round(seconds)


def _rule(life: Life, before: Life, failures: int) -> str:
    """Why there is a wait after an attempt, in the words of the rule that decided."""
    if before.get("ended") == "lost":
        return "attempt lost, costs no retry"
    retries = max(0, int(life["tries"]) - 1)
    left = max(0, retries - failures + 1)
    return f"function error, {left} of {retries} {'retry' if retries == 1 else 'retries'} left"


def _attempt(life: Life, attempt: Life, now: float) -> Span:
    start, ended = float(attempt["started_at"]), attempt.get("ended_at")
    label = f"try {attempt['number']}" if life["kind"] == "event" else "call"
    if ended is None:
        running = life.get("running") or {"timeout": None, "started_at": start, "number": attempt["number"]}
        return Span(label, start, now, "running", _running_words(running, now))
    took = attempt.get("duration")
    words = f.span(float(took) if took is not None else float(ended) - start)
    if attempt.get("init_duration"):
        words += f" + init {f.span(float(attempt['init_duration']))}"
    if attempt.get("waited"):
        words += f" · waited {f.span(float(attempt['waited']))}"
    if attempt.get("ended") == "returned":
        return Span(label, start, float(ended), "ok", f"returned after {words}")
    error = f.one_line(str(attempt.get("error") or attempt.get("ended") or ""))
    return Span(label, start, float(ended), "error", f"{words} · {error}")


def _running(running: Life, now: float) -> Span:
    start = float(running["started_at"])
    return Span(f"try {running['number']}", start, now, "running", _running_words(running, now))


def _running_words(running: Life, now: float) -> str:
    ran = f"running {f.span(max(0.0, round(now - float(running['started_at']), 1)))}"
    return f"{ran} of {f.span(float(running['timeout']))}" if running.get("timeout") else ran


def _waiting(life: Life, since: float, now: float, before: Life | None, failures: int) -> Span:
    due = float(life.get("due_at") or now)
    left = due - now
    label, kind = ("queued", "wait") if before is None else ("wait", "retry")
    if life.get("reason") == "throttled":
        why = "concurrency limit reached"
    elif before is not None:
        why = _rule(life, before, failures)
    else:
        why = "waiting for a place"
    if left <= 0:
        return Span(label, since, now, kind, why if before is None else f"waiting for a place: {why}")
    again = "next try" if before is not None or life.get("throttles") else "first try"
    return Span(label, since, due, kind, f"{again} {f.until(left)}: {why}", now)


def _end(life: Life) -> list[Span]:
    if life["state"] not in ("succeeded", "discarded"):
        return []
    at = float(life.get("ended_at") or life["accepted_at"])
    good = life["state"] == "succeeded"
    condition = str(life.get("condition") or ("Success" if good else "failed"))
    words = f"{condition}{_end_rule(life, condition)}{where_it_went(life)}"
    rows = [Span("end", at, at, "end-ok" if good else "end-error", words)]
    for delivery in life.get("deliveries") or ():
        if delivery.get("error"):
            said = f"not delivered to {delivery['target']} yet: {f.one_line(str(delivery['error']))}"
            rows.append(Span("", at, at, "end-error", said))
    if life.get("redriven_as"):
        rows.append(Span("", at, at, "end-ok", f"redriven as {f.short_id(str(life['redriven_as']))}"))
    return rows


def _end_rule(life: Life, condition: str) -> str:
    """The rule that ended an event, in a few words; "" where the condition says it all."""
    if life["kind"] != "event":
        return ""
    rules = {
        "RetriesExhausted": f": {life.get('errors')} of {life.get('tries')} tries failed",
        "EventAgeExceeded": ": the next try would be past its maximum age",
        "ZeroReservedConcurrency": ": reserved concurrency is 0, nothing may run",
        "RecursiveInvocation": ": the chain of calls came by this function too often",
        "LostRepeatedly": f": {f.counted(int(life.get('losses') or 0), 'attempt')} lost with the engine",
    }
    return rules.get(condition, "")


_KINDS = {
    "dead letter": "dead-letter queue",
    "dlq": "dead-letter queue",
    "record": "destination",
    "on failure": "on-failure destination",
    "on success": "on-success destination",
}


def where_it_went(life: Life) -> str:
    """The places that the end of a request was told to, with an arrow before them; "" if there were none."""
    places = [
        f"{_KINDS.get(str(one['kind']), str(one['kind']))} {one['target']}" for one in life.get("deliveries") or ()
    ]
    if places:
        return " → " + ", ".join(places)
    dropped = life.get("dropped", life["state"] == "discarded" and life["kind"] == "event")
    if dropped:
        return " → dropped: no dead-letter queue"
    is_taken = life["state"] == "discarded" and life["kind"] == "event" and not life.get("redriven_as")
    return " → its dead letter was purged, or taken from the queue" if is_taken else ""


@dataclass(frozen=True)
class Scale:
    """Engine seconds to cells. Anything that lasted gets one cell at least."""

    start: float
    end: float
    width: int

    def cell(self, when: float) -> int:
        part = (when - self.start) / max(1e-9, self.end - self.start)
        return max(0, min(self.width - 1, int(part * self.width)))

    def cells(self, start: float, end: float) -> tuple[int, int]:
        """First cell and the one after the last."""
        first = self.cell(start)
        last = round((end - self.start) / max(1e-9, self.end - self.start) * self.width)
        return first, max(first + 1, min(self.width, last))


def scale_of(rows: list[Span], width: int) -> Scale:
    """The axis all rows share."""
    start = min(row.start for row in rows)
    return Scale(start, max(start + 1e-3, *(row.end for row in rows)), width)


STEPS = (
    1e-3,
    2e-3,
    5e-3,
    0.01,
    0.02,
    0.05,
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    1800,
    3600,
    7200,
    21600,
)


def ruler(scale: Scale) -> str:
    """The axis' labels: seconds since the request was accepted, about every twelve cells."""
    length = scale.end - scale.start
    step = next((one for one in STEPS if length / one * 12 <= scale.width), STEPS[-1])
    line = [" "] * scale.width
    at = 0
    while at * step <= length:
        cell = scale.cell(scale.start + at * step) if at else 0
        text = tick(at * step)
        if cell + len(text) <= scale.width and "".join(line[max(0, cell - 1) : cell + len(text)]).strip() == "":
            line[cell : cell + len(text)] = text
        at += 1
    return "".join(line)


def tick(seconds: float) -> str:
    if not seconds:
        return "0"
    if seconds < 1:
        return f"{seconds * 1000:g}ms"
    if seconds < 60:
        return f"{seconds:g}s"
    return f"{int(seconds // 60)}:{int(seconds % 60):02}" if seconds < 3600 else f"{seconds / 3600:g}h"


_FILL = {
    "caller": f.EMPTY,
    "wait": f.WAITING,
    "retry": f.WAITING,
    "ok": f.FULL,
    "error": f.FULL,
    "running": f.FULL,
    "call": f.WAITING,
}
_STYLE = {
    "caller": "accent",
    "wait": "dim",
    "retry": "warning",
    "ok": "ok",
    "error": "error",
    "running": "ok",
    "call": "warning",
    "end-ok": "ok",
    "end-error": "error",
}


def drawn(row: Span, scale: Scale) -> list[tuple[str, str]]:
    """One row's part of the axis, exactly as wide as the scale: text and style."""
    style = _STYLE[row.kind]
    if row.kind.startswith("end"):
        glyph = (f.OK if row.kind == "end-ok" else f.DEAD) if row.label else " "
        cell = scale.cell(row.start)
        return [(" " * cell + glyph + " " * (scale.width - cell - 1), style)]
    first, last = scale.cells(row.start, row.end)
    past = last if row.ahead is None else max(first, min(last, scale.cell(row.ahead)))
    text = " " * first + _FILL[row.kind] * (past - first) + f.AHEAD * (last - past)
    return [(text + " " * (scale.width - last), style)]


def style_of(row: Span) -> str:
    """The style its words are drawn in."""
    return {"error": "error", "end-error": "error", "end-ok": "ok", "running": "ok"}.get(row.kind, "")
