"""The columns of each pane: what a row says, in words, how wide, and which column gives way first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import format as f
from . import timeline
from .inflow import spark

Row = dict[str, Any]
Cell = tuple[str, str]  # text and the name of its style: "", "dim", "ok", "warning", "error", "accent"
Show = Callable[[Row, float, int], Cell]  # of a row, at an engine time, in so many cells


@dataclass(frozen=True)
class Column:
    """`drop` orders who leaves when there is no room (1 first, 0 never); `sort` is the field the engine sorts by;
    `share` is how greedily it takes room that is left over."""

    title: str
    least: int
    most: int
    show: Show
    sort: str = ""
    drop: int = 0
    right: bool = False
    share: int = 1


def laid_out(columns: tuple[Column, ...], room: int) -> list[tuple[Column, int]]:
    """The columns that fit into `room` cells, one cell apart, each with its width: what matters most comes in
    first, and what is left goes to the elastic."""
    kept = [column for column in columns if not column.drop]
    for column in sorted((column for column in columns if column.drop), key=lambda column: -column.drop):
        if sum(one.least + 1 for one in kept) + column.least <= room:
            kept.append(column)
    kept.sort(key=columns.index)
    spare = max(0, room - sum(column.least + 1 for column in kept) + 1)
    return list(zip(kept, _shared(kept, spare), strict=True))


def _shared(columns: list[Column], spare: int) -> list[int]:
    """Their widths when the spare cells go round."""
    widths = [column.least for column in columns]
    while spare > 0 and any(column.most > width for column, width in zip(columns, widths, strict=True)):
        for at, column in enumerate(columns):
            more = min(spare, column.most - widths[at], column.share)
            widths[at] += more
            spare -= more
    return widths


def _text(key: str, style: str = "") -> Show:
    return lambda row, _now, _width: (f.one_line(str(row.get(key) or "")), style)


def _function(row: Row, _now: float, _width: int) -> Cell:
    return str(row.get("function", "")), ""


def _function_hit(row: Row, _now: float, _width: int) -> Cell:
    """With a mark while an armed fault is at work on it."""
    return (f"{f.INJECTED} {row['function']}", "warning") if row.get("injected") else (str(row["function"]), "")


def _id(row: Row, _now: float, _width: int) -> Cell:
    return f.short_id(str(row.get("request_id") or row["id"])), "dim"


def _age(row: Row, now: float, _width: int) -> Cell:
    return f.age(now - row["accepted_at"]), "dim"


def _try(row: Row, _now: float, _width: int) -> Cell:
    if row.get("kind") == "synchronous":
        return "sync", "dim"
    return f"{row['attempt']}/{row['tries']}", ""


def why_queued(row: Row, now: float, width: int) -> Cell:
    """Why an event waits, in the most words that fit."""
    left = row["due_at"] - now
    wait = str(row.get("wait") or "")
    if wait == "throttled" and left > 0:
        return _longest(
            width, f"throttled, next try in {f.span(_calm(left))}", f"throttled, in {f.countdown(left)}"
        ), "warning"
    if left > 0:
        return f"due {f.until(left)}", "warning"
    return wait or "due now", "warning" if wait in ("throttled", "PAUSED") else ""


def _calm(seconds: float) -> float:
    return float(int(seconds) + 1)


def _longest(width: int, *choices: str) -> str:
    return next((text for text in choices if len(text) <= width), choices[-1])


def _size(row: Row, _now: float, _width: int) -> Cell:
    return f.size(row["size"]), "dim"


def _run_time(row: Row, now: float, _width: int) -> Cell:
    return f.age(_ran(row, now)), ""


def _ran(row: Row, now: float) -> float:
    """Real seconds, however fast waits pass: a handler keeps real time."""
    return (now - float(row["started_at"])) / float(row.get("rate") or 1.0)


def _timeout(row: Row, now: float, width: int) -> Cell:
    limit = float(row["timeout"]) or 1.0
    used = _ran(row, now)
    gauge = f.bar(used / limit, max(3, width - 5))
    return f"{gauge} {f.age(limit - used):>4}", "warning" if used > 0.8 * limit else "ok"


def _cold(row: Row, _now: float, _width: int) -> Cell:
    return ("cold" if row.get("cold") else "warm"), "accent" if row.get("cold") else "dim"


def _version(row: Row, _now: float, _width: int) -> Cell:
    if row.get("reload_error"):
        return f"{f.FAILED}v{row['version']}", "error"
    return (f"v{row['version']}" if row.get("version") else ""), "dim"


def _due(row: Row, now: float, _width: int) -> Cell:
    return f.countdown(row["due_at"] - now), "warning"


def _error(row: Row, _now: float, _width: int) -> Cell:
    """With the armed fault that hit it, if one did."""
    words = [f.injected(str(row.get("injected") or "")), f.one_line(str(row.get("error") or ""))]
    return " · ".join(filter(None, words)), "error" if words[1] else "warning"


def _source(row: Row, _now: float, _width: int) -> Cell:
    """Who sent it; while an armed fault is at work on it, that."""
    hit = f.injected(str(row.get("injected") or ""))
    return (hit, "warning") if hit else (f.one_line(str(row.get("source") or "")), "dim")


def _drain(row: Row, now: float, width: int) -> Cell:
    """How much of its wait is left."""
    since, due = float(row.get("waits_since") or now), float(row["due_at"])
    return f.bar((due - now) / max(0.001, due - since), width), "warning"


def _rate(row: Row, now: float, _width: int) -> Cell:
    """The calls of the last seconds; the number is of the last second that is over."""
    counts = row["inflow"].counts(now) if "inflow" in row else []
    return (f"{spark(counts)} {f.number(counts[-2])}/s", "accent") if any(counts) else ("·", "dim")


def _dead_at(row: Row, _now: float, _width: int) -> Cell:
    return f.clock(row["dead_at"]), "dim"


def _dead_state(row: Row, _now: float, _width: int) -> Cell:
    return (f"{f.DEAD} dead", "error") if row.get("queue") else (f"{f.FAILED} dropped", "warning")


def is_group(row: Row) -> bool:
    """Whether a row of the DLQ pane stands for all dead letters of one error."""
    return "count" in row


def _first_at(row: Row, _now: float, _width: int) -> Cell:
    return f.clock(row["first_at"]), "dim"


def _attempts(row: Row, _now: float, _width: int) -> Cell:
    return str(row["attempts"]), ""


def _name(row: Row, _now: float, _width: int) -> Cell:
    return str(row["id"]), ""


def _count(key: str, style: str = "") -> Show:
    def show(row: Row, _now: float, _width: int) -> Cell:
        value = int(row.get(key) or 0)
        return (f.number(value), style) if value else ("·", "dim")

    return show


def _seconds(key: str) -> Show:
    return lambda row, _now, _width: (f.short_span(row.get(key)), "" if row.get(key) is not None else "dim")


def _money(key: str) -> Show:
    return lambda row, _now, _width: (f.money(row[key]), "") if row.get(key) else ("·", "dim")


def _waited(row: Row, _now: float, _width: int) -> Cell:
    return (f.share(row["waited_share"]), "warning") if row.get("waited_share") else ("·", "dim")


def _running(row: Row, _now: float, _width: int) -> Cell:
    limit = row.get("reserved")
    return f"{row.get('in_flight') or 0}/{'∞' if limit is None else limit}", "ok" if row.get("in_flight") else "dim"


def _state(row: Row, _now: float, _width: int) -> Cell:
    if row.get("reload_error"):
        return f.one_line(f"{f.FAILED} reload failed: {row['reload_error']}"), "error"
    if row.get("limited_by"):
        return f"{f.THROTTLED} limited by {row['limited_by']}", "warning"
    return str(row.get("handler") or ""), "dim"


_F = Column("FUNCTION", 16, 24, _function, "function")
_I = Column("ID", 4, 4, _id)

COLUMNS: dict[str, tuple[Column, ...]] = {
    "queue": (
        _F,
        _I,
        Column("AGE", 4, 4, _age, "accepted_at", 4, right=True),
        Column("TRY", 4, 4, _try, "attempt", 3),
        Column("WAITS BECAUSE", 19, 40, why_queued, "due_at", share=7),
        Column("SIZE", 6, 6, _size, "size", 1, right=True),
        Column("SOURCE", 8, 20, _text("source", "dim"), "source", 2),
    ),
    "inflight": (
        Column("FUNCTION", 12, 24, _function_hit, "function"),
        _I,
        Column("TRY", 4, 4, _try, "attempt", 3),
        Column("RUN", 4, 4, _run_time, "started_at", right=True),
        Column("TIMEOUT", 10, 21, _timeout, "timeout"),
        Column("START", 5, 5, _cold, "cold", 4),
        Column("CODE", 4, 5, _version, "version", 1),
        Column("SOURCE", 8, 30, _source, "source", 2),
    ),
    "retries": (
        Column("FUNCTION", 12, 24, _function, "function"),
        _I,
        Column("TRY", 3, 3, _try, "attempt"),
        Column("IN", 4, 5, _due, "due_at", right=True),
        Column("WAIT", 5, 20, _drain, drop=1, share=2),
        Column("AFTER", 9, 200, _text("error", "error"), "error", share=4),
    ),
    "dlq": (
        Column("FUNCTION", 12, 24, _function, "function"),
        _I,
        Column("DEAD AT", 8, 8, _dead_at, "dead_at", 3),
        Column("STATE", 9, 9, _dead_state, "queue"),
        Column("TRIES", 5, 5, _attempts, "attempts", 2, right=True),
        Column("ERROR", 16, 80, _error, "error", share=4),
        Column("CONDITION", 17, 18, _text("condition"), "condition", 1),
    ),
    "timeline": (
        Column("FUNCTION", 12, 18, _function, "function"),
        _I,
        Column("STATE", 16, 16, lambda row, now, _width: timeline.state_words(row, now), "state"),
        Column("TRY", 4, 4, lambda row, _now, _width: timeline.kind_words(row), "attempt", 2),
        Column("ERROR", 16, 40, _error, "error", 1),
    ),
    "dlq by error": (
        Column("COUNT", 6, 6, _count("count", "error"), "count", right=True),
        Column("FIRST", 8, 8, _first_at, "first_at", 1),
        Column("LAST", 8, 8, _dead_at, "dead_at", 2),
        Column("ERROR", 18, 120, _text("error", "error"), "error", share=6),
        Column("FUNCTION", 12, 24, _text("function"), "function", 3),
    ),
    "functions": (
        Column("FUNCTION", 16, 24, _name, "id"),
        Column("CALLS", 6, 6, _count("invocations"), "invocations", right=True),
        Column("RATE", 15, 15, _rate, "", 7, right=True),
        Column("ERR", 5, 5, _count("errors", "error"), "errors", right=True),
        Column("P50", 6, 6, _seconds("p50"), "p50", 11, right=True),
        Column("P99", 6, 6, _seconds("p99"), "p99", 8, right=True),
        Column("RUN", 5, 5, _running, "in_flight", right=True),
        Column("WAIT", 5, 5, _count("queued"), "queued", 10, right=True),
        Column("DLQ", 5, 5, _count("dead", "error"), "dead", 9, right=True),
        Column("COLD", 5, 5, _count("cold_starts"), "cold_starts", 2, right=True),
        Column("CODE", 4, 5, _version, "version", 6),
        Column("COST", 11, 11, _money("cost"), "cost", 3, right=True),
        Column("PER 1M", 8, 8, _money("cost_per_million"), "cost_per_million", 5, right=True),
        Column("WAITED", 6, 6, _waited, "waited_share", 4, right=True),
        Column("HANDLER", 14, 60, _state, "", 1, share=8),
    ),
}
"""Pane -> its columns, left to right."""

LIVE = ("queue", "inflight", "retries", "timeline")
"""Panes whose rows show a running time."""


def sort_fields(pane: str) -> list[str]:
    """What the rows of a pane can be sorted by; first "", the engine's own order."""
    return ["", *(column.sort for column in COLUMNS.get(pane, ()) if column.sort)]


def sort_title(pane: str, field: str) -> str:
    """The column title of a sort field, in lower case."""
    return next((column.title.lower() for column in COLUMNS.get(pane, ()) if column.sort == field), field)
