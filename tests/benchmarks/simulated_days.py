"""How fast simulated days pass: event transitions a second, of the real dispatcher and store beside a witness.

A transition is a row's change of state on disk: accepted, begun, back in the queue, ended. Seeded stories with faults
of every kind, crashes, full disks and reloads, in one process, the state folder in memory. Crowds are large, and the
engine wakes every ten simulated seconds, so that a step has something to do: it costs as much as several transitions.

Floor: the same dispatcher and store, where nothing fails, with no witness: each event is accepted, begins and returns.
"""

import sys
import tempfile
import time
from pathlib import Path

from table import Figure, Measured, arguments, at_least, median, run

sys.path.insert(0, str(Path(__file__).parent.parent))
from simulation.life import IN_MEMORY, CountingMetrics, Life, live
from simulation.story import FUNCTIONS, invent
from simulation.world import RETURNED, World

ROUNDS, SEEDS, CROWD, PAUSE = 3, 8, 400, 10.0
_WAVES, _WAVE = 20, 250


def measure(rounds: int = ROUNDS, seeds: int = SEEDS) -> Measured:
    rates, processor, calm, lives = [], [], [], []
    for _ in range(rounds):
        calm.append(_calm())
        began, used = time.perf_counter(), time.process_time()
        lives = [live(invent(seed, CROWD), seed, PAUSE) for seed in range(seeds)]
        transitions = sum(life.transitions for life in lives)
        rates.append(transitions / (time.perf_counter() - began))
        processor.append(transitions / (time.process_time() - used))
    return _figures(lives, median(rates), median(processor), median(calm))


def _figures(lives: list[Life], rate: float, processor: float, calm: float) -> Measured:
    transitions, faults = (sum(getattr(life, name) for life in lives) for name in ("transitions", "faults_seen"))
    figure = Figure(
        "simulated event transitions", f"{rate:,.0f} /s", f"nothing fails {calm:,.0f} /s", rate / calm,
        at_least(20_000, rate, "/s"),
    )  # fmt: skip
    notes = [
        f"{transitions:,} transitions, {faults / transitions:.0%} of them back to the queue or discarded; "
        f"{sum(life.lives - 1 for life in lives)} crashes; every promise kept",
        f"{processor:,.0f} transitions in a second of processor time",
    ]
    return [figure], notes


def _calm() -> float:
    """Transitions a second where nothing goes wrong."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        world = _Counted(Path(folder) / "state", [FUNCTIONS["shipping"]], lambda _: (RETURNED, 1.0))
        began = time.perf_counter()
        for _ in range(_WAVES):
            for _ in range(_WAVE):
                world.send("shipping")
            world.run(world.clock.now() + 1.0)
        world.run()
        taken = time.perf_counter() - began
        world.store.close()
        assert isinstance(world.metrics, CountingMetrics)
        return world.metrics.transitions / taken


class _Counted(World):
    def _metrics(self) -> CountingMetrics:
        return CountingMetrics()


if __name__ == "__main__":
    chosen = arguments(__doc__, rounds=(ROUNDS, "rounds"), seeds=(SEEDS, "stories in a round"))
    run(lambda: measure(chosen.rounds, chosen.seeds))
