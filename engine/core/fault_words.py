"""A rule as somebody types it: "orders timeout 50% 25x 20s", "all delay +2s..5s", "orders error if {"card": "x"}"."""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from .fault import ON_DELIVERY, ON_INIT, TIMED, Kind, Rule

ALL = "all"
_NUMBER = r"\d+(?:\.\d+)?"
_PERCENT = re.compile(rf"({_NUMBER})%")
_COUNT = re.compile(r"(\d+)x")
_TIME = re.compile(rf"({_NUMBER})(ms|s|m|h)")
_DELAY = re.compile(rf"\+({_NUMBER}(?:ms|s|m|h))(?:\.\.({_NUMBER}(?:ms|s|m|h)))?")
_FIS = {  # actions of AWS Fault Injection Service that are a kind by another name
    "aws:lambda:invocation-error": Kind.ERROR,
    "aws:lambda:invocation-add-delay": Kind.DELAY,
}
_FIS_DELAY = 1.0  # seconds, of invocation-add-delay when it is given none
_DELAY_MAX = 900.0  # seconds, as in FIS: the longest that a function may run
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
ALLOWED = (
    "FUNCTION|all KIND [50%] [25x: hits] [20s: how long] [+2s or +2s..5s: a delay] [seed=7] [request=ID] "
    '[if {"key": "value"}: payloads that contain it]'
)


class Wish(NamedTuple):
    """A rule that is not armed yet: it has no number, and lasts so many seconds instead of until a moment."""

    rule: Rule
    seconds: float | None

    def armed(self, number: int, now: float) -> Rule:
        until = None if self.seconds is None else now + self.seconds
        return Rule(**{**_fields(self.rule), "number": number, "until": until})


def parse(sentence: str) -> Wish:
    """Raises ValueError, naming the word that is not understood and what is allowed."""
    head, _, match = sentence.partition(" if ")
    words = head.split()
    if len(words) < 2:
        raise ValueError(f"{sentence!r} is no fault; say {ALLOWED}")
    function, kind = words[0], _kind(words[1])
    found: dict[str, Any] = {"function": "" if function == ALL else function, "kind": kind}
    lasts: float | None = None
    for word in words[2:]:
        if taken := _TIME.fullmatch(word):
            lasts = _seconds(taken[0])
        else:
            found |= _wish(word, kind)
    if kind in TIMED:
        found.setdefault("seconds", _FIS_DELAY)
    if match:
        found["match"] = _match(match)
    _check_fit(kind, found)
    return Wish(Rule(0, **found), lasts)


def describe(rule: Rule, now: float) -> str:
    """The rule in the words that `parse` takes; the time is what is left."""
    words = [rule.function or ALL, str(rule.kind)]
    if rule.percent < 100:
        words.append(f"{rule.percent:g}%")
    if rule.count is not None:
        words.append(f"{rule.count}x")
    if rule.until is not None:
        words.append(f"{max(0.0, rule.until - now):.0f}s")
    if rule.kind in TIMED:
        words.append(f"+{rule.seconds:g}s" + (f"..{rule.seconds + rule.jitter:g}s" if rule.jitter else ""))
    if rule.seed:
        words.append(f"seed={rule.seed}")
    if rule.request:
        words.append(f"request={rule.request}")
    if rule.match is not None:
        words.append("if " + json.dumps(rule.match))
    return " ".join(words)


def _kind(word: str) -> Kind:
    try:
        return _FIS.get(word) or Kind(word)
    except ValueError:
        raise ValueError(f"{word!r} is no kind of fault; use one of {', '.join(Kind)}") from None


def _check_fit(kind: Kind, found: Mapping[str, Any]) -> None:
    """What says which invocations are meant makes no sense where there is none."""
    if kind is Kind.STALL:
        useless, why = {"percent", "count", "request", "match"}, "holds all events back; say only for how long: 20s"
    elif kind in ON_INIT:
        useless, why = {"request", "match"}, "hits environments that start, before they have an invocation"
    elif kind in ON_DELIVERY:
        useless, why = {"match"}, "hits messages on their way to a queue or destination, not payloads"
    else:
        return
    names = {"percent": "a percentage", "count": "a number of hits", "request": "request=", "match": "if"}
    for name in sorted(useless & found.keys()):
        raise ValueError(f"{kind} takes no {names[name].removeprefix('a ')}: it {why}")


def _wish(word: str, kind: Kind) -> dict[str, Any]:
    name, _, value = word.partition("=")
    if found := _PERCENT.fullmatch(word):
        percent = float(found[1])
        if not 0 < percent <= 100:
            raise ValueError(f"{word!r} is not allowed; use more than 0% and at most 100%")
        return {"percent": percent}
    if found := _COUNT.fullmatch(word):
        if not int(found[1]):
            raise ValueError(f"{word!r} is not allowed; use at least 1x")
        return {"count": int(found[1])}
    if found := _DELAY.fullmatch(word):
        return _delay(word, kind, found)
    if name == "seed" and value.isdigit():
        return {"seed": int(value)}
    if name == "request" and value:
        return {"request": value}
    raise ValueError(f"{word!r} is not understood; say {ALLOWED}")


def _delay(word: str, kind: Kind, found: re.Match[str]) -> dict[str, float]:
    if kind not in TIMED:
        raise ValueError(f"{word!r}: {kind} takes no delay; {' and '.join(sorted(TIMED))} do")
    least = _seconds(found[1])
    most = _seconds(found[2]) if found[2] else least
    if most > _DELAY_MAX:
        raise ValueError(f"{word!r} is not allowed; use at most {_DELAY_MAX:g}s, the longest that a function may run")
    if most < least:
        raise ValueError(f"{word!r} is not allowed; the second time must not be the shorter one")
    return {"seconds": least, "jitter": most - least}


def _seconds(text: str) -> float:
    found = _TIME.fullmatch(text)
    return float(found[1]) * _UNITS[found[2]] if found else 0.0


def _match(text: str) -> dict[str, Any]:
    quoted = len(text) > 1 and text[0] == text[-1] == "'"  # as for a shell, where there is none
    try:
        found = json.loads(text[1:-1] if quoted else text)
    except ValueError as error:
        raise ValueError(f"if {text}: that is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise ValueError(f"if {text}: use a JSON object")
    return found


def _fields(rule: Rule) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in Rule.__slots__}
