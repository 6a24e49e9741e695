"""A story is what happens to an engine, step by step: values to write a test with, and dice that invent them."""

import random
from collections.abc import Callable
from typing import NamedTuple

from lamtop.engine.core.function import EventInvokeConfig, Function
from simulation.world import QUEUES

DEAD, RECORDS = QUEUES["dead"].arn, QUEUES["records"].arn
_AUDIT = Function("audit", "app.handler", "/x", dead_letter_queue=DEAD)
FUNCTIONS = {
    f.name: f
    for f in (
        _AUDIT,
        Function(
            "orders", "app.handler", "/x", dead_letter_queue=DEAD,
            event_invoke_config=EventInvokeConfig(on_success=_AUDIT.arn),
        ),
        Function("emails", "app.handler", "/x", reserved_concurrency=3),
        Function(
            "billing", "app.handler", "/x", dead_letter_queue=DEAD,
            event_invoke_config=EventInvokeConfig(2, 75.0, on_failure=RECORDS),
        ),
        Function(
            "reports", "app.handler", "/x", event_invoke_config=EventInvokeConfig(0, 600.0, on_failure=_AUDIT.arn)
        ),
        Function(
            "shipping", "app.handler", "/x", versions=frozenset({"1"}), aliases={"lab": "1"},
            qualified_configs={"lab": EventInvokeConfig(5, retry_delays=(0.5, 7.0))},
        ),
    )
}  # fmt: skip


class Send(NamedTuple):
    """Events of one function, all at once."""

    function: str
    count: int = 1
    qualifier: str = ""


class Live(NamedTuple):
    """Time passes, and everything happens when it is due."""

    seconds: float


class Sleep(NamedTuple):
    """The machine is suspended: time has passed, and all that was due meanwhile is late."""

    seconds: float


class Arm(NamedTuple):
    sentence: str


class Clear(NamedTuple):
    """Every armed fault is cleared."""


class Reload(NamedTuple):
    """A function is configured anew. Events that it has already are treated by the new settings."""

    function: str
    retries: int = 2
    age: float = 21_600.0
    reserved: int | None = None
    dead_letters: bool = True


class Redrive(NamedTuple):
    """The oldest dead letters are sent round again, and one that is not there."""

    count: int = 1


class Purge(NamedTuple):
    """The oldest dead letters go."""

    count: int = 1


class Undo(NamedTuple):
    """The newest purge is taken back."""


class Stale(NamedTuple):
    """An event that has no attempt under way is reported to have ended one."""

    nth: int = 0


class Twice(NamedTuple):
    """So many of the attempts that end next are reported twice, the second time with another outcome."""

    count: int = 1


class GiveUp(NamedTuple):
    """The environments of a function let go of what waits for them."""

    function: str


class Fill(NamedTuple):
    """The disk is full …"""


class MakeRoom(NamedTuple):
    """… and has room again."""


class Crash(NamedTuple):
    """The engine dies at the commit number `at` from here on, before or after it; 0: at once, between two steps."""

    at: int = 0
    after: bool = False
    downtime: float = 0.0


Step = (
    Send
    | Live
    | Sleep
    | Arm
    | Clear
    | Reload
    | Redrive
    | Purge
    | Undo
    | Stale
    | Twice
    | GiveUp
    | Fill
    | MakeRoom
    | Crash
)

_SECONDS = (0.5, 1.0, 3.0, 10.0, 61.0, 125.0, 400.0, 4_000.0)
_HITS = ("error", "error-after", "timeout", "exit", "kill", "memory", "throttle", "service", "duplicate", "corrupt",
         "oversize", "logs", "init-error", "delay", "init-delay", "dlq", "denied", "stall")  # fmt: skip
_DELAYED = {"delay": " +1s..9s", "init-delay": " +2s"}


def invent(seed: int, crowd: int = 12, steps: int = 14) -> list[Step]:
    """A story of so many steps; `crowd` is the most events sent at once. Some stories are about one trouble."""
    dice = random.Random(f"story {seed}")
    told: list[Step] = [_send(dice, crowd)]
    often = dice.choice((None, None, _crash, _crash, _arm, _reload))
    weights = [weight + 16 * (maker is often) for maker, weight in _MAKERS.items()]
    while len(told) < steps:
        told.append(dice.choices(tuple(_MAKERS), weights)[0](dice, crowd))
    return told


def _send(dice: random.Random, crowd: int) -> Step:
    name = dice.choice(tuple(FUNCTIONS))
    return Send(name, dice.randint(1, crowd), dice.choice(["", *FUNCTIONS[name].aliases]))


def _arm(dice: random.Random, crowd: int) -> Step:
    kind = dice.choice(_HITS)
    target = dice.choice(("all", "all", "all", *(QUEUES if kind in ("dlq", "denied") else FUNCTIONS)))
    lasts = f"{dice.randint(1, 3 * crowd)}x"
    if kind == "stall" or dice.random() < 0.3:
        lasts = f"{dice.choice((5, 70, 300))}s"
    percent, drawn = dice.choice((30, 60, 100)), dice.randint(1, 99)
    if kind == "stall":
        return Arm(f"{target} {kind} {lasts}")
    return Arm(f"{target} {kind} {percent}% {lasts} seed={drawn}{_DELAYED.get(kind, '')}")


def _reload(dice: random.Random, crowd: int) -> Step:
    age = dice.choice((60.0, 75.0, 600.0, 21_600.0))
    return Reload(
        dice.choice(tuple(FUNCTIONS)), dice.randint(0, 2), age, dice.choice((None, None, 0, 1, 3)), dice.random() < 0.7
    )


def _crash(dice: random.Random, crowd: int) -> Step:
    return Crash(dice.choice((0, 1, 1, 2, 3, 8)), dice.random() < 0.5, dice.choice((0.0, 0.0, 0.0, 30.0, 700.0)))


_MAKERS: dict[Callable[[random.Random, int], Step], float] = {
    _send: 9,
    lambda dice, crowd: Live(dice.choice(_SECONDS)): 8,
    lambda dice, crowd: Sleep(dice.choice(_SECONDS)): 1,
    _arm: 8,
    lambda dice, crowd: Clear(): 1,
    _reload: 2,
    lambda dice, crowd: Redrive(dice.randint(1, 4)): 1,
    lambda dice, crowd: Purge(dice.randint(1, 4)): 1,
    lambda dice, crowd: Undo(): 1,
    lambda dice, crowd: Stale(dice.randint(0, 30)): 1,
    lambda dice, crowd: Twice(dice.randint(1, 5)): 1,
    lambda dice, crowd: GiveUp(dice.choice(tuple(FUNCTIONS))): 0.5,
    lambda dice, crowd: Fill(): 0.7,
    lambda dice, crowd: MakeRoom(): 0.7,
    _crash: 2,
}
