"""What the sections of the inspector say of a life and of one attempt in it."""

from typing import Any

from .. import format as f
from ..keymap import key_for
from ..wishes import pretty
from .call_lines import stream_lines
from .environment_lines import environment_lines, short_stream
from .result_lines import error_lines, log_lines
from .sheet import Lines

Life = dict[str, Any]
SECTIONS = ("Result", "Payload", "Log", "Environment", "Calls and cost")
CALLS = SECTIONS.index("Calls and cost")
OF_ONE_ATTEMPT = ("Result", "Environment")


def section_words(shown: int) -> str:
    """The sections' names, the one that is shown in brackets."""
    return "  ".join(f"[{name}]" if at == shown else f" {name} " for at, name in enumerate(SECTIONS))


def section_lines(section: int, life: Life, attempt: Life | None) -> Lines:
    """A section to read; the one with the calls draws itself."""
    match SECTIONS[section]:
        case "Payload":
            return [[(line, "")] for line in pretty(str(life.get("payload") or "")).split("\n")]
        case "Log":
            return [*stream_lines(life), *(log_lines(life) or [[("It has not printed anything.", "dim")]])]
        case "Environment":
            head: Lines = [[(_number_words(life, attempt), "dim")]] if attempt else []
            return [*head, *environment_lines(life, attempt)]
        case _:
            return _result_lines(life, attempt)


def attempts_of(life: Life | None) -> list[Life]:
    """Its attempts, and the one that runs if it is not among them."""
    if life is None:
        return []
    attempts, running = list(life["attempts"]), life.get("running")
    if running and all(one["number"] != running["number"] for one in attempts):
        attempts.append(running)
    return attempts


def _result_lines(life: Life, attempt: Life | None) -> Lines:
    if attempt is None:
        ended = life.get("condition") or life.get("refused")
        return [[(f"It ended without an attempt: {ended}." if ended else "No attempt yet.", "dim")]]
    lines: Lines = [[(_attempt_words(life, attempt), "dim")]]
    if attempt.get("ended") is None:
        return [*lines, [("It is running.", "ok")]]
    if attempt.get("ended") == "returned":
        return [*lines, *([(line, "")] for line in pretty(str(attempt.get("result") or "null")).split("\n"))]
    return [*lines, *error_lines(str(attempt.get("error") or attempt["ended"]), str(attempt.get("result") or ""))]


def _number_words(life: Life, attempt: Life) -> str:
    """Which attempt this is of those that there are; more may come while the request has not ended."""
    count = len(attempts_of(life))
    words = f"attempt {attempt['number']} of {count}" + ("" if life.get("ended_at") else " so far")
    keys = f"{key_for('attempt.next')}/{key_for('attempt.previous')}"
    return words + (f"  ({keys}: others)" if count > 1 else "")


def _attempt_words(life: Life, attempt: Life) -> str:
    words = [_number_words(life, attempt)]
    if attempt.get("version"):
        words.append(f"v{attempt['version']}")
    if attempt.get("environment"):
        words.append(f"environment {short_stream(str(attempt['environment']))}")
    if attempt.get("injected"):
        words.insert(1, f.injected(str(attempt["injected"])))
    words.append("cold start" if attempt.get("init_duration") or attempt.get("cold") else "warm")
    if attempt.get("duration") is not None:
        words.append(f.span(float(attempt["duration"])))
    if attempt.get("memory_used"):
        words.append(f"{attempt['memory_used']} MB")
    if attempt.get("billed_ms"):
        words.append(f"billed {attempt['billed_ms']:,} ms = {f.money(attempt['cost'])}")
    return " · ".join(words)
