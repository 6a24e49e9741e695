"""The tape in the README comes out as it says."""

import asyncio
import re
from pathlib import Path

from lamtop.tui.demo.cameras import Check
from lamtop.tui.demo.grammar import VERBS
from lamtop.tui.demo.performance import perform
from lamtop.tui.demo.tape import parse_tape

README = Path(__file__).parents[2] / "README.md"


def test_the_tape_in_the_readme_can_be_played_as_it_stands() -> None:
    tape = re.search(r"```\n(title .*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert tape is not None
    asyncio.run(perform(parse_tape(tape[1], README), lambda _stage: Check()))


def test_the_readme_tells_of_every_step() -> None:
    section = README.read_text(encoding="utf-8").partition("## Tapes")[2].partition("\n## ")[0]
    assert [verb for verb in VERBS if not re.search(rf"`{verb}\b", section)] == []
