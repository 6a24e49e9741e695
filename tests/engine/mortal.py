"""`lamtop`, with the faults that FAULTS names, one a line, armed in the first life of its engine."""

import os
from typing import Any

from lamtop.engine.engine import Engine
from lamtop.tui.cli import main

_start = Engine.start


async def start(self: Engine, **wishes: Any) -> None:
    await _start(self, **wishes)
    if self.settings.lifeline is None or not self.settings.lifeline.left:
        for sentence in os.environ["FAULTS"].splitlines():
            self.faults.arm(sentence)


if __name__ == "__main__":
    Engine.start = start  # type: ignore[method-assign]
    main()
