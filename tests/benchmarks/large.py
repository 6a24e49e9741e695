"""100,000 rows in a real engine: from a key to the right picture, for scrolling, sorting and filtering.

The store itself writes 100,000 throttled events, as many retries and as many log lines before the engine starts; they
come due in an hour. `lamtop attach` shows one pane zoomed in a terminal of 140 x 40. Each row bears its place in the
order, so the picture is the right one when the row that belongs there is in it. The Timeline looks at the newest 250
requests and is not slower with more. The floor is `?` and escape: a key that asks no engine.
"""

import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from harness import ECHO, Project
from table import Figure, Measured, arguments, median, run
from terminal import Terminal
from traffic import EVENT

from lamtop.engine.core.event import Event, Reason
from lamtop.engine.store import History, Store

ROUNDS, ROWS = 5, 100_000
_BATCH = 10_000
_NAMES = 7


def measure(rounds: int = ROUNDS, rows: int = ROWS) -> Measured:
    functions = {f"function-{n}": {"Handler": "echo.handler"} for n in range(_NAMES)}
    taken: dict[str, list[float]] = {}
    with Project(functions, {"echo.py": ECHO}) as project:
        _fill(project.state, rows)
        engine = project.serve()
        attach = [sys.executable, "-m", "lamtop.tui.cli", "attach", engine.url]
        with Terminal(attach, project.code, project.environ | {"COLORTERM": "truecolor"}) as terminal:
            terminal.seconds_until("function-0")
            for _ in range(rounds):
                for pane, steps in _PANES.items():
                    for what, seconds in _visit(terminal, pane, steps, rows):
                        taken.setdefault(what, []).append(seconds)
            terminal.press("q")
            terminal.wait()
    return _figures(taken), [f"{rows:,} rows in each pane, {rounds} rounds; in brackets the worst"]


#: Pane's key -> (what, keys, the place of a row that must then be there; below 0: counted from the last).
_PANES = {
    "1": (
        ("queue, page down", "\x1b[6~", 34), ("queue, to the end", "G", -1), ("queue, to the top", "g", 0),
        ("queue, six sorts and reverse", "ssssssS", -1), ("queue, sorted, to the end", "G", 0),
        ("queue, sorted, to the top", "g", -1), ("queue, filter", "s/{middle}\r", -2),
    ),
    "3": (
        ("retries, page down", "\x1b[6~", 34), ("retries, to the end", "G", -1), ("retries, to the top", "g", 0),
        ("retries, four sorts and reverse", "ssssS", -1), ("retries, sorted, to the end", "G", 0),
        ("retries, filter", "s/{middle}\r", -2),
    ),
    "5": (("logs, filter", "/{middle}\r", -2),),
}  # fmt: skip


def _visit(
    terminal: Terminal, pane: str, steps: tuple[tuple[str, str, int], ...], rows: int
) -> Iterator[tuple[str, float]]:
    middle = f"place{rows // 2:06}"
    terminal.press("?")
    yield "help (asks no engine)", _until(terminal, "Every pane")
    _escape(terminal)
    terminal.press(f"0{pane}z")
    terminal.drain(0.8)
    for what, keys, place in steps:
        found = middle if place == -2 else f"place{place % rows:06}"
        before, slash, typed = keys.format(middle=middle).partition("/")
        if slash:
            terminal.press(before + slash)
            terminal.drain(0.8)  # until it can be typed in
        terminal.press(typed or before)
        yield what, _until(terminal, found)
        terminal.drain(0.15)
    _escape(terminal)


def _until(terminal: Terminal, word: str) -> float:
    began = time.perf_counter()
    return terminal.seconds_until(word) - (began - terminal.started)


def _escape(terminal: Terminal) -> None:
    terminal.press("\x1b")
    terminal.drain(0.3)  # an escape alone is the key only if nothing follows


def _fill(state: Path, count: int) -> None:
    store, now = Store(state), time.time()
    for reason in (Reason.THROTTLED, Reason.RETRY):
        for first in range(0, count, _BATCH):
            store.begin()
            store.insert(_event(place, count, reason, now) for place in range(first, min(first + _BATCH, count)))
            store.commit()
    store.close()
    history = History(state)
    for place in range(count):
        history.line(f"function-{place % _NAMES}", str(uuid.UUID(int=place)), 1, now, "output", f"place{place:06}")
        if place % 2_000 == 0:
            history.hand_over()
    history.close()


def _event(place: int, count: int, reason: Reason, now: float) -> Event:
    """The one at this place; the order of acceptance is another than that of coming due."""
    retry = reason is Reason.RETRY
    seq = 1 + place * 7919 % count + (count if retry else 0)
    name, mark = f"function-{place * _NAMES // count}", f"place{place:06}"
    return Event(seq, str(uuid.uuid4()), name, "$LATEST", EVENT, mark, now, reason=reason, attempts=retry, errors=retry,
                 due_at=now + 3_600 + place * 0.01, error=f"ValueError: {mark}" if retry else None)  # fmt: skip


def _figures(taken: dict[str, list[float]]) -> list[Figure]:
    floor = median(taken["help (asks no engine)"]) * 1_000
    return [
        Figure(what, f"{median(all_) * 1_000:.0f} ms ({max(all_) * 1_000:.0f})", f"help {floor:.0f} ms",
               median(all_) * 1_000 / floor)
        for what, all_ in taken.items()
    ]  # fmt: skip


if __name__ == "__main__":
    chosen = arguments(__doc__, rounds=(ROUNDS, "rounds"), rows=(ROWS, "rows of each pane, a multiple of 10,000"))
    run(lambda: measure(chosen.rounds, chosen.rows))
