"""One function in full: whether its newest code runs, what it costs, what was counted, how it is set."""

from typing import Any

from .. import format as f
from ..model import Change
from ..widgets.line_view import Part
from .bill_lines import bill_lines, fact
from .sheet import Lines, Sheet

Row = dict[str, Any]


class FunctionScreen(Sheet):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.function = name

    def title_words(self) -> str:
        return self.function

    def model_changed(self, _change: Change | None) -> None:
        if self.is_mounted:
            self.show_again()

    def lines(self) -> Lines:
        row = self.lamtop.model.rows["functions"].known.get(self.function)
        if row is None:
            return [[("This function is not there any more.", "warning")]]
        payload = f.one_line(self.lamtop.wishes.payload(self.function))
        now: Lines = [fact("now", _now_words(row)), fact("durations", _duration_words(row))]
        settings = [*_settings(row), fact("payload of i, a", payload)]
        return [*_troubles(row), *now, *_costs(row), *_counters(row), [("", "")], [("Settings", "title")], *settings]


def _troubles(row: Row) -> Lines:
    lines: Lines = []
    if row.get("limited_by"):
        lines.append([(f"Invocations wait: no more environments, limited by {row['limited_by']}", "warning")])
    if row.get("reload_error"):
        lines.append([("The newest code does not load:", "error")])
        lines += [[(line, "error")] for line in row["reload_error"].split("\n")]
    return [*lines, [("", "")]] if lines else []


def _now_words(row: Row) -> str:
    environments = f.counted(int(row.get("environments") or 0), "environment")
    waiting = f.counted(int(row.get("queued") or 0), "event")
    dead = f.counted(int(row.get("dead") or 0), "dead letter")
    running = row.get("in_flight") or 0
    return f"code v{row.get('version')} · {environments} · {running} in flight · {waiting} waiting · {dead}"


def _duration_words(row: Row) -> str:
    cold = f.counted(int(row.get("cold_starts") or 0), "cold start")
    return f"p50 {f.short_span(row.get('p50'))} · p99 {f.short_span(row.get('p99'))} · {cold}"


def _costs(row: Row) -> Lines:
    bill = row.get("bill")
    if not bill:
        return []
    head: Lines = [[("", "")], [("Cost on AWS of what ran since the engine started", "title")]]
    *items, prices = bill_lines(bill)
    return [*head, *items, *_per_million(row), prices]


def _per_million(row: Row) -> Lines:
    if not row.get("cost_per_million"):
        return []
    return [fact("per million", f"{'such invocations':30}{f.money(row['cost_per_million']):>12}")]


def _counters(row: Row) -> Lines:
    counters = row.get("metrics") or {}
    lines: Lines = [[("", "")], [("Counted since the engine started, by CloudWatch's names", "title")]]
    told: list[tuple[str, int]] = list(counters.items())
    half = len(told) // 2
    for left, right in zip(told[:half], told[half:], strict=True):
        lines.append([*_counter(*left, 19), *_counter(*right, 27)])
    return lines


def _counter(name: str, count: int, width: int) -> list[Part]:
    bad = count and name not in ("Invocations", "AsyncEventsReceived")
    return [(f"{name:{width}} ", "dim"), (f"{f.number(count):>7}   ", "error" if bad else "")]


def _settings(row: Row) -> Lines:
    reserved = row.get("reserved")
    concurrency = "not reserved" if reserved is None else f"{reserved} reserved"
    lines = [
        fact("handler", " · ".join(_told(row, "handler", "runtime", "architecture"))),
        fact("limits", f"{f.span(float(row.get('timeout') or 0))} timeout · {row.get('memory')} MB · "
              f"concurrency {concurrency}"),
        fact("failed events", _retry_words(row)),
        fact("then", _where_words(row)),
        fact("layers", ", ".join(one.rpartition("/")[2] for one in row.get("layers") or ()) or "none"),
        fact("log", _log_words(row)),
        fact("versions", _version_words(row)),
        fact("recursive loop", str(row.get("recursive_loop") or "")),
        fact("scaling", _SCALING.get(str(row.get("scaling")), str(row.get("scaling") or ""))),
    ]  # fmt: skip
    return lines + [fact("lab, not AWS", one, "accent") for one in row.get("lab") or ()]


_SCALING = {
    "lazy": "lazy: one more environment only while work waits (lamtop's own)",
    "aws": "aws: one environment for every concurrent invocation",
}


def _told(row: Row, *keys: str) -> list[str]:
    return [str(row[key]) for key in keys if row.get(key)]


def _retry_words(row: Row) -> str:
    retries = int(row.get("retries") or 0)
    oldest = f.span(float(row.get("maximum_age") or 0))
    return f"{retries} {'retry' if retries == 1 else 'retries'}, within {oldest}"


def _where_words(row: Row) -> str:
    words = [f"dead-letter queue {row['dead_letter_queue']}"] if row.get("dead_letter_queue") else []
    words += [f"on failure {row['on_failure']}"] if row.get("on_failure") else []
    words = words or ["dropped: no dead-letter queue"]
    return " · ".join(words + ([f"on success {row['on_success']}"] if row.get("on_success") else []))


def _log_words(row: Row) -> str:
    form = str(row.get("log_format") or "Text")
    if form == "JSON":
        form += f", application {row.get('log_level')}, system {row.get('system_log_level')}"
    return f"{form} → {row.get('log_group') or ''}"


def _version_words(row: Row) -> str:
    aliases = ", ".join(f"{alias} → {version}" for alias, version in row.get("aliases") or ())
    versions = ", ".join(row.get("versions") or ()) or "only $LATEST"
    return f"{versions} · {aliases}" if aliases else versions
