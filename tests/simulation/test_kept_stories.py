"""Stories that have once gone wrong, as short as they could be made."""

from simulation.life import live
from simulation.story import Arm, Send, Sleep, Step


def test_a_success_that_is_too_old_for_its_duplicate_is_no_dead_letter() -> None:
    steps: list[Step] = [Arm("billing duplicate 100% 9x"), Send("billing", 9), Sleep(400.0)]
    for seed in range(4):
        live(steps, seed)
