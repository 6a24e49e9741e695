"""A monitor whose engine is a list of frames: started by monitor.py with "busy" or "idle"."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tui"))

from fake_engine import FakeEngine, dead, function, queued, request_id, retry, running

from lamtop.tui.app import Lamtop

_VARIANTS = 10
_ROWS = 70


def frame(variant: int) -> str:
    """Everything changed, as JSON: it is read anew each time, as it is from an engine."""
    names = [function(f"function-{n:02}", invocations=variant * 2000 + n, errors=n + variant) for n in range(_ROWS)]
    rows = {
        "queue": [queued(variant * _ROWS + n, size=n) for n in range(_ROWS)],
        "inflight": [running(variant * _ROWS + n) for n in range(_ROWS)],
        "retries": [retry(variant * _ROWS + n) for n in range(_ROWS)],
        "dlq": [dead(variant * _ROWS + n) for n in range(_ROWS)],
        "functions": names,
    }
    views = {
        pane: {"total": 100_000 if pane != "functions" else _ROWS, "offset": 0, "rows": found,
               "ids": [row["id"] for row in found]}
        for pane, found in rows.items()
    }  # fmt: skip
    totals = FakeEngine().totals | {"queued": 100_000, "succeeded": variant * 2000}
    return json.dumps({"totals": totals, "views": views})


class Fed:
    def __init__(self, busy: bool) -> None:
        self._busy, self._line = busy, 0
        self._frames = [frame(variant) for variant in range(_VARIANTS)]

    async def hello(self) -> dict[str, Any]:
        return {"url": "http://127.0.0.1:4566", "project": "/x/template.yaml", "python": "3.13"}

    async def subscribe(self, views: object) -> None: ...

    async def frames(self) -> AsyncIterator[dict[str, Any]]:
        number = 0
        while self._busy or not number:
            found = json.loads(self._frames[number % _VARIANTS])
            found["time"] = {"engine": time.time(), "mode": "real", "rate": 1.0}
            found["logs"] = {"logs": {"lines": [self._next_line() for _ in range(200)], "left_out": 1800}}
            if not self._busy:
                found["views"] = {"functions": found["views"]["functions"]}
                found["totals"] = FakeEngine().totals
            yield found
            number += 1
            await asyncio.sleep(0.1)
        await asyncio.Event().wait()

    def _next_line(self) -> dict[str, Any]:
        self._line += 1
        return {"id": self._line, "at": time.time(), "function": "function-1", "request_id": request_id(self._line),
                "attempt": 1, "kind": "output", "text": f"line {self._line} of what it has to say"}  # fmt: skip

    async def close(self) -> None: ...


async def connect() -> Any:
    return Fed(sys.argv[1] == "busy")


if __name__ == "__main__":
    Lamtop(connect).run()
