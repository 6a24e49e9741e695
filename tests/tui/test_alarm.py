"""A busy machine may hold the monitor up at any place, and it paints all the same."""

import asyncio
import itertools

import pytest
from stage import Stage, play
from textual import _time


def test_a_machine_that_is_busy_at_every_look_at_the_clock_does_not_keep_a_picture_from_being_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = itertools.count(1_000_000)

    async def story(stage: Stage) -> None:
        drawn = asyncio.Event()
        monkeypatch.setattr(stage.app.main._paint, "_draw", drawn.set)
        with monkeypatch.context() as busy:
            busy.setattr(_time, "get_time", lambda: next(looks) * 0.5)  # Textual's own timers never ring now
            stage.app.main.paint_soon()
            await asyncio.wait_for(drawn.wait(), 5)

    play(story)
