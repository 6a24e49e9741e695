"""Every tape that comes with lamtop comes out as it says: each is a lesson, and a test of engine and monitor."""

import asyncio
import os

import pytest

from lamtop.tui.demo import shelf
from lamtop.tui.demo.cameras import Check
from lamtop.tui.demo.performance import Report, perform
from lamtop.tui.demo.steps import Assert, Caption, Scene

_LONGEST = 60.0  # seconds of film
_READABLE = 72  # characters of a caption


def test_the_shelf_holds_the_tapes_that_are_told_of_and_no_others() -> None:
    assert sorted(path.stem for path in shelf.FOLDER.iterdir()) == sorted(shelf.NAMES)


@pytest.mark.parametrize("name", shelf.NAMES)
def test_a_tape_has_a_title_scenes_asserts_and_captions_that_can_be_read(name: str) -> None:
    tape = shelf.find_tape(name)
    actions = [step.action for step in tape.steps]
    assert tape.title
    assert any(isinstance(action, Scene) for action in actions)
    assert any(isinstance(action, Assert) for action in actions)
    assert [a.text for a in actions if isinstance(a, Caption) and len(a.text) > _READABLE] == []


@pytest.mark.parametrize("name", shelf.NAMES)
def test_a_tape_comes_out_as_it_says_in_at_most_a_minute_of_film(name: str) -> None:
    report: Report = asyncio.run(perform(shelf.find_tape(name), lambda _stage: Check()))
    assert 10.0 < report.seconds < _LONGEST
    assert report.pids - {os.getpid()}  # handlers ran in processes of their own
