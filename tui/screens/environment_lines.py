"""The execution environment of one attempt, and how its function is set up, as lines to read."""

from typing import Any

from .. import format as f
from ..widgets.line_view import Part
from .bill_lines import fact
from .sheet import Lines

Life = dict[str, Any]
_GAUGE = 12  # cells


def environment_lines(life: Life, attempt: Life | None) -> Lines:
    """Where this attempt ran or runs, then what its function declares. No attempt: only that."""
    head: Lines = _attempt_lines(life, attempt) if attempt else [[("It has not been given an environment yet.", "dim")]]
    return [*head, *_declared_lines(life.get("declared") or {})]


def _attempt_lines(life: Life, attempt: Life) -> Lines:
    stream = str(attempt.get("environment") or "")
    if not stream:
        return [[("This attempt never reached an execution environment.", "dim")]]
    return [
        fact("environment", _name_words(life, stream)),
        _process_line(life, stream),
        _start_line(attempt),
        fact("code", _code_words(life, attempt)),
        _memory_line(life, attempt),
        fact("log", f"{life.get('log_group') or '?'} → {stream}"),
    ]


def short_stream(stream: str) -> str:
    """The part of a log stream's name that tells environments apart."""
    return stream.rpartition("]")[2][:6]


def streams_of(life: Life) -> list[str]:
    """The environments of all attempts so far, in order."""
    attempts = [*life["attempts"], life.get("running") or {}]
    return list(dict.fromkeys(str(one["environment"]) for one in attempts if one.get("environment")))


def _name_words(life: Life, stream: str) -> str:
    streams, name = streams_of(life), short_stream(stream)
    if len(streams) < 2 or stream not in streams:
        return name
    return f"{name} · number {streams.index(stream) + 1} of the {len(streams)} that this request has used"


def _process_line(life: Life, stream: str) -> list[Part]:
    pid, python = (life.get("processes") or {}).get(stream) or (0, "")
    if not pid:
        return fact("process", "has ended, or been replaced since", "dim")
    return fact("process", f"pid {pid}, still there" + (f" · Python {python}" if python else ""), "ok")


def _start_line(attempt: Life) -> list[Part]:
    init = attempt.get("init_duration")
    if init is not None:
        return fact("start", f"cold: this attempt paid for its init, {f.span(float(init))}", "accent")
    if attempt.get("cold"):
        return fact("start", "cold: a new environment", "accent")
    return fact("start", "warm: the environment was there already")


def _code_words(life: Life, attempt: Life) -> str:
    version = f"v{attempt['version']} since the engine started" if attempt.get("version") else "?"
    return f"{version} · as {life.get('executed_version') or '$LATEST'}"


def _memory_line(life: Life, attempt: Life) -> list[Part]:
    limit, used = (life.get("declared") or {}).get("memory"), attempt.get("memory_used")
    if not used:
        return fact("memory", f"limit {limit} MB" if limit else "?")
    if not limit:
        return fact("memory", f"{used} MB")
    part = int(used) / int(limit)
    return fact("memory", f"{used} of {limit} MB {f.bar(part, _GAUGE)}", "warning" if part > 0.9 else "")


def _declared_lines(declared: Life) -> Lines:
    if not declared:
        return [[("", "")], [("Its function is not configured any more.", "dim")]]
    kind = " · ".join(str(declared[key]) for key in ("handler", "runtime", "architecture") if declared.get(key))
    limits = f"{f.span(float(declared['timeout']))} timeout · {declared['memory']} MB"
    facts = [
        fact("handler", kind),
        fact("limits", limits),
        fact("code in", str(declared["code"])),
        fact("interpreter", str(declared["interpreter"])),
    ]
    return [[("", "")], [("As the function is configured now", "title")], *facts, *_variable_lines(declared)]


def _variable_lines(declared: Life) -> Lines:
    variables = declared.get("variables") or []
    head: Lines = [[("", "")], [("Environment variables that it declares, besides AWS's own", "title")]]
    if not variables:
        return [*head, [("none", "dim")]]
    width = min(32, max(len(name) for name, _ in variables))
    return head + [_variable(str(name), value, width) for name, value in variables]


def _variable(name: str, value: str | None, width: int) -> list[Part]:
    if value is None:
        return [(f"{f.fit(name, width)}  ", "dim"), ("hidden: it looks like a secret", "warning")]
    return [(f"{f.fit(name, width)}  ", "dim"), (f.one_line(value), "")]
