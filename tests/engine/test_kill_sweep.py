"""A real engine, killed at some of the calls by which it changes its files; `kill_sweep.py` takes all of them."""

import os
import random
import shutil

import pytest

from engine.kill_sweep import Point, killed_at
from engine.running import linux_only

SAMPLE = int(os.environ.get("LAMTOP_SWEEP", "2"))
SEED = int(os.environ.get("LAMTOP_SEED", random.SystemRandom().randrange(1_000_000)))
#: Which calls there are at least, in every telling of the story: two thirds of what the sweep counts.
_SURE = {
    ("pwrite64", "state/queue.sqlite3-wal"): 200,
    ("fdatasync", "state/queue.sqlite3-wal"): 16,
    ("pwrite64", "state/history.sqlite3-wal"): 25,
    ("write", "state/processes"): 8,
}


def sample() -> list[Point]:
    """Spread evenly over the journal of the queue, and one each for the others when there are enough."""
    dice = random.Random(SEED)
    (call, file), most = next(iter(_SURE.items()))
    share = max(1, SAMPLE - len(_SURE) + 1) if len(_SURE) < SAMPLE else SAMPLE
    points = [Point(False, call, file, int(most * (n + dice.random()) / share) + 1) for n in range(share)]
    others = [Point(False, *which, dice.randint(1, most)) for which, most in list(_SURE.items())[1:]]
    return points + others[: SAMPLE - share]


@linux_only
@pytest.mark.skipif(not shutil.which("strace"), reason="strace kills at a system call")
def test_an_engine_that_is_killed_as_it_writes_has_lost_nothing_and_doubled_nothing() -> None:
    print(f"\nseed {SEED} (LAMTOP_SEED)")
    for point in sample():
        assert killed_at(point) == "killed", point
