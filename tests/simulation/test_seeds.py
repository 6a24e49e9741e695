"""Whatever happens to an engine, it keeps its promises: stories that dice invent, and a crash at every commit.

`--seeds 10000` lives through so many. A seed that fails is printed as the shortest story that does, to be kept in
test_kept_stories.py.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from lamtop.engine.core.event import Condition
from lamtop.engine.core.fault import ON_INIT, ON_INVOCATION
from simulation.life import Life, live
from simulation.shrink import as_test, shrink
from simulation.story import Arm, Crash, Fill, Live, MakeRoom, Purge, Redrive, Reload, Send, Step, Undo, invent

#: Something of everything: for crashes at each of its commits.
BUSY: list[Step] = [
    Send("orders", 3),
    Arm("billing error 100% 4x"),
    Send("billing", 3),
    Send("emails", 6),
    Live(3.0),
    Reload("orders", retries=1, reserved=1),
    Arm("dead denied 100% 70s"),
    Live(61.0),
    Redrive(1),
    Purge(1),
    Undo(),
    Fill(),
    Send("shipping", 2, "lab"),
    MakeRoom(),
    Live(400.0),
    Redrive(2),
]


@dataclass
class Seen:
    """What has happened in all stories together."""

    transitions: int = 0
    faults: int = 0
    crashes: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    injected: Counter[str] = field(default_factory=Counter)

    def add(self, life: Life) -> None:
        self.transitions += life.transitions
        self.faults += life.faults_seen
        self.crashes += life.lives - 1
        self.ends.update(str(row[16]) for row in life.lived if row[0] == "event")
        self.injected.update(str(row[-1]).partition(" ")[0] for row in life.lived if row[0] == "attempt")


def fails(seed: int, steps: Sequence[Step]) -> str:
    """Why a story goes wrong; "" if it does not."""
    try:
        live(steps, seed)
    except Exception as error:  # whatever a broken engine raises
        return f"{type(error).__name__}: {error}"
    return ""


def lived(seed: int) -> Life:
    steps = invent(seed)
    try:
        return live(steps, seed)
    except Exception as error:
        shortest = shrink(steps, lambda shorter: bool(fails(seed, shorter)))
        why = fails(seed, shortest) or f"{type(error).__name__}: {error}"
        raise AssertionError(as_test(seed, shortest, why)) from error


def test_every_story_ends_well(request: pytest.FixtureRequest) -> None:
    seen, seeds = Seen(), request.config.getoption("--seeds")
    for seed in range(seeds):
        seen.add(lived(seed))
    assert seen.faults >= seen.transitions / 10, "too little goes wrong"
    if seeds >= 1_000:
        assert seen.ends.keys() == {*Condition} - {Condition.RECURSIVE_INVOCATION}
        assert seen.injected.keys() - {""} == ON_INVOCATION | ON_INIT
    print(seen)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_any_commit_costs_nothing(after: bool) -> None:
    commits = live(BUSY, seed=1).commits
    assert commits > 20
    for at in range(1, commits + 1):
        live([Crash(at, after), *BUSY], seed=1)


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_the_same_seed_gives_the_same_history(seed: int) -> None:
    steps = [step for step in invent(seed) if not isinstance(step, Crash)] + BUSY
    first, second = live(steps, seed), live(steps, seed)
    assert first.lived == second.lived
    assert first.all_starts == second.all_starts
    assert live(steps, seed + 1).lived != first.lived
