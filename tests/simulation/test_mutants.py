"""The simulation finds mistakes: each engine that is broken on purpose is caught within 1,000 seeds (most within 10).

`-rP` prints the seed that caught it.
"""

import pytest

from simulation.life import live
from simulation.mutants import MUTANTS
from simulation.shrink import as_test, shrink
from simulation.story import Arm, Send, Step, invent
from simulation.test_seeds import fails


@pytest.mark.parametrize("name", MUTANTS)
def test_a_broken_engine_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MUTANTS[name](monkeypatch)
    caught_by = next((seed for seed in range(1_000) if fails(seed, invent(seed))), None)
    assert caught_by is not None, "it lived through 1,000 stories"
    print(f"{name}: caught by seed {caught_by}")


def test_a_failing_story_shrinks_to_what_is_needed_and_is_printed_as_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    MUTANTS["settle retries at once"](monkeypatch)
    steps: list[Step] = [*invent(0), Arm("orders error 100% 9x"), Send("orders", 7), *invent(2)]
    shortest = shrink(steps, lambda shorter: bool(fails(0, shorter)))
    assert len(shortest) <= 2
    assert all(step.count == 1 for step in shortest if isinstance(step, Send))
    printed = as_test(0, shortest, "why")
    names = {"live": live, "Step": Step, **{type(step).__name__: type(step) for step in shortest}}
    exec(printed.partition("as a test:")[2], names)
    with pytest.raises(AssertionError, match="too early"):
        names["test_seed_0"]()
