"""What a row of the timeline says, and draws on the moving axis. Pure: rows and a time go in, text comes out."""

from collections.abc import Iterable
from typing import Any

from . import format as f
from .axis import STEPS, Scale, tick

Row = dict[str, Any]
Part = tuple[str, str]
Cells = list[Part]  # one character and its style each

PASTS = (10.0, 20.0, 30.0, 60.0, 90.0, 120.0, 180.0, 300.0, 600.0, 1800.0, 3600.0)
"""Seconds before now that an axis may begin at."""

_WIDEST_OWN = 300.0  # the axis does not grow further by itself: AWS's two retries and their waits fit
_AHEADS = (5.0, 15.0, 35.0, 70.0, 140.0, 300.0, 900.0)  # a wait of a minute may last some seconds more
LIVE = ("queued", "throttled", "retry", "running")
"""States in which more is to come."""

_WAITS = {"queued": (f.QUEUED, "dim"), "throttled": (f.THROTTLED, "warning"), "retry": (f.WAITING, "warning")}
_TRIES = {
    "ok": (f.FULL, f.FULL, "ok"),
    "error": (f.FULL, f.FAILED, "error"),
    "lost": (f.EMPTY, f.EMPTY, "warning"),
    "running": (f.FULL, f.RUNNING, "ok"),
}
_TRIES |= {f"{kind} injected": (body, f.INJECTED, style) for kind, (body, _, style) in _TRIES.items()}
_ENDS = {
    "succeeded": (f.OK, "ok"),
    "failed": (f.FAILED, "error"),
    "dead": (f.DEAD, "error"),
    "refused": (f.THROTTLED, "warning"),
}


def scale_of(rows: Iterable[Row], now: float, width: int, past: float | None = None) -> Scale:
    """The axis that these rows share: `past` seconds, or what they need, before now; their longest wait after it."""
    rows = list(rows)
    ahead = _step(max((_wait_of(row) for row in rows if _waits(row, now)), default=0.0), _AHEADS)
    if past is None:
        age = max((now - float(row["accepted_at"]) for row in rows), default=0.0)
        past = _step(min(_WIDEST_OWN, max(age, ahead, PASTS[0])), PASTS)
    return Scale(now - past, now + max(ahead, past / 16), width)


def is_sound(row: Row) -> bool:
    """Whether a row has what an axis needs to know of it."""
    try:
        scale_of([row], 0.0, 1)
    except (TypeError, ValueError, KeyError):
        return False
    return True


def _step(seconds: float, steps: tuple[float, ...]) -> float:
    return next((step for step in steps if seconds <= step), steps[-1]) if seconds else 0.0


def _waits(row: Row, now: float) -> bool:
    return (row.get("due_at") or 0.0) > now


def _wait_of(row: Row) -> float:
    """How long its wait is in all: it does not shrink while time goes by, and so the axis stands."""
    since = float(row["segments"][-1][0]) if row.get("segments") else float(row["accepted_at"])
    return float(row["due_at"]) - since


def ruler(scale: Scale, now: float) -> str:
    """The axis' labels: "now", and seconds before and after it about every nine cells."""
    line = [" "] * scale.width
    _put(line, scale.cell(now) - 1, "now")
    length = scale.end - scale.start
    step = next((one for one in STEPS if length / one * 9 <= scale.width), STEPS[-1])
    for count in range(1, scale.width):
        for sign, at in (("-", now - count * step), ("+", now + count * step)):
            if scale.start <= at <= scale.end:
                _put(line, scale.cell(at) - 1, sign + tick(count * step))
    return "".join(line)


def _put(line: list[str], at: int, text: str) -> None:
    at = max(0, min(at, len(line) - len(text)))
    if not "".join(line[max(0, at - 1) : at + len(text) + 1]).strip():
        line[at : at + len(text)] = text


def drawn(row: Row, scale: Scale, now: float) -> list[Part]:
    """One request's line, exactly as wide as the scale."""
    if row["state"] not in LIVE and float(row["ended_at"] or row["accepted_at"]) < scale.start:
        return [(f.fit(f"ended {f.age(now - float(row['ended_at'] or row['accepted_at']))} ago", scale.width), "dim")]
    cells: Cells = [(" ", "")] * scale.width
    cells[scale.cell(now)] = ("│", "dim")
    segments = [one for one in row["segments"] if one[1] is None or one[1] >= scale.start]
    for start, end, kind in segments:  # waits first: a try has its cell, however short it was
        if kind in _WAITS:
            _draw_wait(cells, scale, now, (start, end), kind, bool(end and end > now))
    for start, end, kind in segments:
        if kind in _TRIES:
            _draw_try(cells, scale, (start, now if end is None else end), kind)
    if row["state"] in _ENDS:
        _draw_end(cells, scale, float(row["ended_at"] or row["accepted_at"]), _ENDS[row["state"]])
    return _joined(cells)


def _draw_wait(
    cells: Cells, scale: Scale, now: float, when: tuple[float, float | None], kind: str, to_come: bool
) -> None:
    first, here = scale.cell(when[0]), scale.cell(now)
    last = here if when[1] is None or to_come else scale.cells(*when)[1]  # type: ignore[arg-type]
    for at in range(first, max(first + 1, last)):
        cells[at] = _WAITS[kind]
    if to_come and when[1] is not None:
        due = scale.cell(when[1])
        for at in range(here + 1, due):
            cells[at] = (f.AHEAD, "warning")
        if when[1] <= scale.end:
            cells[due] = (f.RETRY, "warning")


def _draw_try(cells: Cells, scale: Scale, when: tuple[float, float], kind: str) -> None:
    first, last = scale.cells(*when)
    body, tip, style = _TRIES[kind]
    for at in range(first, last):
        cells[at] = (body, style)
    cells[last - 1] = (tip, style)


def _draw_end(cells: Cells, scale: Scale, at: float, mark: Part) -> None:
    behind = scale.cells(at, at)[0]
    while behind < scale.width - 1 and cells[behind][0] not in " │":
        behind += 1
    cells[behind] = mark


def _joined(cells: Cells) -> list[Part]:
    parts: list[Part] = []
    for text, style in cells:
        if parts and parts[-1][1] == style:
            parts[-1] = (parts[-1][0] + text, style)
        else:
            parts.append((text, style))
    return parts


def state_words(row: Row, now: float) -> Part:
    """What stands of it now, in a shape, a word and a time."""
    state, since = row["state"], float(row["accepted_at"])
    if state == "running":
        segments = row.get("segments")
        return f"{f.RUNNING} runs {f.age(now - float(segments[-1][0] if segments else since))}", "ok"
    if state in LIVE:
        left = float(row["due_at"] or 0) - now
        if left <= 0 and state == "retry":
            return f"{f.RETRY} retry is due", "warning"
        if left <= 0:
            return f"{f.QUEUED} queued {f.age(now - since)}", ""
        word = f"{f.RETRY} retry" if state == "retry" else f"{f.THROTTLED} throttled"
        return (f"{word} {f.until(left)}" if state == "retry" else f"{word} {f.countdown(left)}"), "warning"
    glyph, style = _ENDS[state]
    if state == "refused":
        return f"{glyph} throttled 429", style
    took = f.age(float(row["ended_at"]) - since) if row["kind"] == "event" else _ran(row)
    return f"{glyph} {'ok' if state == 'succeeded' else state} {took}", style


def _ran(row: Row) -> str:
    return f.short_span(float(row["ended_at"]) - float(row["accepted_at"]))


def kind_words(row: Row) -> Part:
    """How it was sent, and which try it is at: "sync", "2/3" while more may come, "3" when it is over."""
    if row["kind"] == "synchronous":
        return "sync", "dim"
    return (f"{row['attempt']}/{row['tries']}" if row["state"] in LIVE else str(row["attempt"])), ""
