"""Sentences that are typed where actions are looked up: "fault orders timeout 50% 25x", "speed 16", "jump"."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from .armed import Fault, brief
from .fault_grammar import trouble
from .fault_kinds import KINDS, ON_DELIVERY, takes
from .time_words import SPEEDS, speed_words

_CLEAR = "clear"
_LIMITS = (
    ("delay", "+2s", "by 2 seconds"),
    ("delay", "+2s..5s", "by 2 to 5 seconds"),
    ("percent", "50%", "of 100 calls it hits 50"),
    ("count", "25x", "until it has hit 25 times"),
    ("lasts", "20s", "for 20 seconds"),
)


class Sentence(NamedTuple):
    """What may be typed, and what it does. One that is not `complete` wants more words."""

    text: str
    does: str
    complete: bool = True


class Known(NamedTuple):
    """What sentences may speak of."""

    functions: Sequence[str] = ()
    receivers: Sequence[str] = ()  # queues and destinations
    faults: Sequence[Fault] = ()  # that are armed


def is_begun(typed: str) -> bool:
    """Whether this is the beginning of a sentence, and no search for an action."""
    return typed.lstrip().startswith(("fault ", "speed ")) or typed.strip() == "jump"


def sentences(typed: str, known: Known) -> list[Sentence]:
    """What is typed, if it makes sense as it is, then how it could go on."""
    verb, _, rest = typed.lstrip().partition(" ")
    match verb:
        case "fault":
            return _faults(rest, known)
        case "speed":
            return _speeds(rest.strip())
    return [Sentence("jump", "jump to what is due next")] if typed.strip() == "jump" else []


def problem(typed: str) -> str:
    """What is wrong with a sentence, in the words of whoever reads it; "" if nothing is."""
    verb, _, rest = typed.strip().partition(" ")
    if verb == "speed":
        return "" if speed_of(rest) is not None else f"'{rest}' is no speed; use a number from 0 (time stands still)"
    if verb != "fault" or rest.split()[:1] == [_CLEAR]:
        return ""
    return trouble(rest)


def speed_of(text: str) -> float | None:
    """A speed as it is typed: "16", "x16", "1/4"; None if it is none."""
    above, slash, below = text.strip().removeprefix("x").partition("/")
    try:
        return float(above) / (float(below) if slash else 1.0)
    except (ValueError, ZeroDivisionError):
        return None


def _speeds(rest: str) -> list[Sentence]:
    speed = speed_of(rest)
    typed = [Sentence(f"speed {rest}", _at(speed))] if speed is not None and speed not in SPEEDS else []
    offered = [Sentence(f"speed {_written(one)}", _at(one)) for one in SPEEDS if _written(one).startswith(rest)]
    return [*typed, *offered]


def _written(speed: float) -> str:
    return "1/4" if speed == 0.25 else f"{speed:g}"


def _at(speed: float) -> str:
    return f"time {speed_words(speed)}" if speed else "time stands still"


def _faults(rest: str, known: Known) -> list[Sentence]:
    if rest.split()[:1] == [_CLEAR]:
        return _clears(rest, known.faults)
    *done, part = rest.split(" ")
    words = [word for word in done if word]
    typed = [Sentence(f"fault {rest.strip()}", "arm this")] if words and not trouble(rest) else []
    return typed if "if" in words[2:] else [*typed, *_goes_on(words, part, known)]


def _goes_on(words: list[str], part: str, known: Known) -> Iterable[Sentence]:
    head = " ".join(["fault", *words])
    if not words:
        targets = dict.fromkeys([*known.functions, "all", *known.receivers])
        offered = [Sentence(f"{head} {one}", "what goes wrong with it?", False) for one in targets if _fits(one, part)]
        return [*offered, *_clears("", known.faults if part == _CLEAR else ())] if _fits(_CLEAR, part) else offered
    if len(words) == 1:
        kinds = [one for one in KINDS if _fits(one.word, part) and _is_for(one.word, words[0], known)]
        return [Sentence(f"{head} {one.word}", one.what) for one in kinds]
    if part or trouble(" ".join(words)):
        return []
    limits = (limit for limit in _LIMITS if takes(words[1], limit[0]) and not _has(words, limit[1]))
    return [Sentence(f"{head} {word}", does) for _, word, does in limits]


def _is_for(kind: str, target: str, known: Known) -> bool:
    """Queues and destinations do not run, functions do not take dead letters."""
    if target == "all":
        return True
    return (
        target in known.receivers if kind in ON_DELIVERY else target not in known.receivers or target in known.functions
    )


def _has(words: list[str], limit: str) -> bool:
    return any(word[-1] == limit[-1] and (word[0] == "+") == (limit[0] == "+") for word in words[2:])


def _fits(word: str, part: str) -> bool:
    return word.startswith(part)


def _clears(rest: str, faults: Sequence[Fault]) -> list[Sentence]:
    number = rest.removeprefix(_CLEAR).strip()
    everything = [] if number else [Sentence(f"fault {_CLEAR}", "clear all faults")]
    one_by_one = [fault for fault in faults if str(fault["number"]).startswith(number)]
    return [*everything, *(Sentence(f"fault {_CLEAR} {one['number']}", f"clear {brief(one)}") for one in one_by_one)]
