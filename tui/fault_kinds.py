"""The kinds of fault as the panel offers them: a letter, a few words, and what happens."""

from typing import NamedTuple


class KindOffer(NamedTuple):
    """`word` is the kind's name in a sentence."""

    letter: str
    word: str
    brief: str
    what: str


KINDS = tuple(
    KindOffer(*one)
    for one in (
        ("e", "error", "instead of handler", "an exception instead of the handler"),
        (
            "a",
            "error-after",
            "after its effects",
            "the handler does its work, then its answer is lost: idempotent?",
        ),
        ("t", "timeout", "hangs till it is up", "the handler hangs until its time is up"),
        ("d", "delay", "starts later", "the handler starts later, by the delay; its time runs"),
        ("x", "exit", "process: exit 1", "the process ends with status 1"),
        ("k", "kill", "process: SIGKILL", "the process is killed"),
        ("m", "memory", "out of memory", "the process uses more memory than its function may"),
        ("h", "throttle", "429, back to queue", "429, as at a concurrency limit; an event goes back to the queue"),
        ("v", "service", "500 from Lambda", "500 from Lambda itself; an event goes back to the queue"),
        ("u", "duplicate", "delivered twice", "an event that has succeeded is delivered once more"),
        ("c", "corrupt", "broken payload", "the payload arrives broken"),
        ("o", "oversize", "answer over 6 MB", "the answer is larger than 6 MB"),
        ("l", "logs", "1,000 log lines", "1,000 lines of log before the handler begins"),
        ("i", "init-error", "no cold start works", "a new environment does not start"),
        ("n", "init-delay", "cold starts later", "a new environment starts later, by the delay"),
        ("q", "dlq", "DLQ does not answer", "the queue or destination does not answer; what it is owed is kept"),
        ("p", "denied", "DLQ: no permission", "the queue or destination refuses: the permission is missing"),
        ("s", "stall", "queue stands still", "no event is taken from the queue"),
        ("g", "engine", "engine: SIGKILL", "the engine itself is killed once the attempt has begun, and started again"),
    )
)
TIMED = frozenset({"delay", "init-delay"})
ON_DELIVERY = frozenset({"dlq", "denied"})
"""They are aimed at a queue or a destination, by its name."""
USELESS: dict[str, frozenset[str]] = {
    "stall": frozenset({"percent", "count", "seed", "payload", "request"}),
    "init-error": frozenset({"payload", "request"}),
    "init-delay": frozenset({"payload", "request"}),
    "dlq": frozenset({"payload", "request"}),
    "denied": frozenset({"payload", "request"}),
}
"""What makes no sense with a kind, by the names of the panel's fields."""


def takes(kind: str, field: str) -> bool:
    """Whether a field means something for a kind."""
    if field == "delay":
        return kind in TIMED
    return field not in USELESS.get(kind, frozenset())


def offer_of(word: str) -> KindOffer:
    return next(one for one in KINDS if one.word == word)
