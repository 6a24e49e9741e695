"""Who called whom, in words."""

from typing import Any

from . import format as f

Life = dict[str, Any]
SHOWN = 9  # calls of a request that have a digit to go there


def called_by(life: Life) -> str:
    """The invocation that sent this request, in words; "" if it was none of ours."""
    caller = life.get("caller")
    if not caller:
        return ""
    return f"called by {caller['function'] or '?'} {f.short_id(caller['id'])}, attempt {caller['attempt']}"


def call_words(call: Life, now: float) -> str:
    """One call that a request made: whom, and what became of it."""
    whom = f"{call['function']} {f.short_id(str(call['id']))}"
    failed = f" · {f.one_line(str(call['error']))}" if call.get("error") else ""
    if call["kind"] == "event":
        return f"{whom} · 202 at once, {call['state']}{failed}"
    if call.get("ended_at") is None:
        return f"{whom} · {f.span(max(0.0, round(now - float(call['accepted_at']), 1)))} so far"
    return f"{whom} · {f.span(float(call['ended_at']) - float(call['accepted_at']))}{failed}"
