"""How a recording plays: as fast as is wished, without the stretches in which nothing happens, and to its end."""

import asyncio
from collections.abc import Iterable

from lamtop.engine.replay.clock import ReplayClock
from lamtop.engine.replay.player import Player

FIRST, LAST = 1_000.0, 2_000.0


class Played:
    """A recording in which something happens at some moments; a second of real time passes with each look at it."""

    def __init__(self, *moments: float, idle: float = 4.0, rate: float = 1.0, runs: Iterable[float] = ()) -> None:
        self.real = 0.0
        self.moments, self.runs = moments, list(runs)
        self.clock = ReplayClock(FIRST, LAST, lambda: self.real)
        self.clock.set_rate(rate)
        self.player = Player(self.clock, self._go, self._next, self._is_quiet, idle)
        self.shown = [FIRST]

    async def _go(self, at: float) -> bool:
        before, now = self.shown[-1], at
        self.shown.append(at)
        return any(before < moment <= now for moment in self.moments)

    def _next(self, at: float) -> float | None:
        return min((moment for moment in self.moments if moment > at), default=None)

    def _is_quiet(self) -> bool:
        return not (self.runs and self.runs[0] <= self.clock.now() < self.runs[1])

    def look(self, times: int) -> list[float]:
        """So many seconds of real time; where it was after each, from the beginning on."""

        async def steps() -> None:
            for _ in range(times):
                self.real += 1.0
                await self.player.step()

        asyncio.run(steps())
        return [at - FIRST for at in self.shown[1:]]


def test_it_passes_as_fast_as_is_wished_and_not_beyond_its_end() -> None:
    assert Played(idle=0).look(3) == [1, 2, 3]
    assert Played(idle=0, rate=0.25).look(2) == [0.25, 0.5]
    fast = Played(idle=0, rate=400.0)
    assert fast.look(4) == [400, 800, 1000, 1000]
    assert fast.clock.rate == 0, "it stands still there"


def test_what_is_quiet_for_long_is_cut_to_a_moment_after_and_a_moment_before() -> None:
    assert Played(1_060.0, 1_063.0).look(8) == [1, 58, 59, 60, 61, 62, 63, 64]


def test_a_short_quiet_stretch_is_played() -> None:
    assert Played(1_004.0, 1_007.0).look(8) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_what_is_quiet_is_reckoned_in_real_time() -> None:
    assert Played(1_600.0, rate=16.0).look(4) == [16, 568, 584, 600]


def test_while_something_runs_nothing_is_cut() -> None:
    assert Played(1_060.0, runs=(1_000.0, 1_005.0)).look(8) == [1, 2, 3, 4, 5, 58, 59, 60]


def test_behind_the_last_thing_it_goes_on_to_the_end() -> None:
    assert Played().look(4) == [1, 998, 999, 1000]


def test_where_somebody_has_gone_it_stays_for_a_moment() -> None:
    played = Played(1_060.0)
    played.look(1)
    played.clock.go_to(1_020.0)
    played.player.jumped()
    assert played.look(2)[-2:] == [21, 58]


def test_the_clock_keeps_its_place_when_it_goes_faster_or_slower() -> None:
    played = Played(idle=0)
    played.real = 7.0
    for rate in (4.0, 0.0, 1.0):
        assert played.clock.now() == FIRST + 7.0
        played.clock.set_rate(rate)
    assert played.clock.go_to(-5.0) == FIRST
    assert played.clock.go_to(5_000.0) == LAST
    assert played.clock.is_at_end
