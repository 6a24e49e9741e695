"""The shortest story that still goes wrong, and the test that it makes."""

from collections.abc import Callable, Sequence

from simulation.story import Step

_TRIES = 400


def shrink(steps: Sequence[Step], fails: Callable[[Sequence[Step]], bool], tries: int = _TRIES) -> list[Step]:
    """Leave out what is not needed for the failure, larger parts first; then make crowds smaller."""
    left = [tries]

    def still_fails(shorter: Sequence[Step]) -> bool:
        left[0] -= 1
        return left[0] >= 0 and fails(shorter)

    kept = list(steps)
    size = len(kept) // 2
    while size:
        at = 0
        while at < len(kept):
            shorter = kept[:at] + kept[at + size :]
            if still_fails(shorter):
                kept = shorter
            else:
                at += size
        size //= 2
    return _with_smaller_counts(kept, still_fails)


def _with_smaller_counts(steps: list[Step], fails: Callable[[Sequence[Step]], bool]) -> list[Step]:
    for at, step in enumerate(steps):
        for count in (1, 2, 3, 5, 8):
            smaller = _counting(step, count)
            if smaller is not None and fails([*steps[:at], smaller, *steps[at + 1 :]]):
                steps = [*steps[:at], smaller, *steps[at + 1 :]]
                break
    return steps


def _counting(step: Step, count: int) -> Step | None:
    """The same step with a smaller count, if it has one."""
    if "count" not in step._fields or step._asdict()["count"] <= count:
        return None
    return step._replace(count=count)  # type: ignore[call-arg]


def as_test(seed: int, steps: Sequence[Step], why: str) -> str:
    """What to paste into test_kept_stories.py."""
    told = "".join(f"        {step},\n" for step in steps)
    return (
        f"seed {seed} fails: {why}\n\nKeep it as a test:\n\n"
        f"def test_seed_{seed}() -> None:\n    steps: list[Step] = [\n{told}    ]\n    live(steps, seed={seed})\n"
    )
