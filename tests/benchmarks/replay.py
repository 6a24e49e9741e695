"""Going through a recording of 10,000 events, and of ten times as many: how long until the screen could be drawn.

The store itself writes the recording: an event every 50 ms, each tenth failing all three of its attempts, and four log
lines for each attempt. A move is what a key asks for; behind it every pane's rows are read, as for a frame. The floor
is reading those rows without having moved.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from table import Figure, Measured, arguments, median, run

from lamtop.engine import Replay, open_recording
from lamtop.engine.core.event import Attempt, Condition, Ended, Event, Outcome, State
from lamtop.engine.core.function import Function
from lamtop.engine.core.function_values import values_of
from lamtop.engine.store import Configurations, History, Store
from lamtop.engine.view import parse_view

EVENTS, ROUNDS = (10_000, 100_000), 20
_START, _GAP, _RETRY = 1_700_000_000.0, 0.05, (60.0, 120.0)
_PANES = ("queue", "inflight", "retries", "dlq", "functions", "timeline", "logs")
_BATCH = 5_000
_FUNCTIONS = ("orders", "bills")
_FAILED = Outcome(Ended.FUNCTION_ERROR, b'{"errorType":"E"}', "ValueError", "no luck", duration=0.02, environment="e")
_RETURNED = Outcome(Ended.RETURNED, b'"done"', duration=0.02, environment="e")

Move = Callable[[Replay], Awaitable[object]]
_MOVES: dict[str, Move] = {
    "10 s on": lambda replay: replay.wind("by", 10.0),
    "10 s back": lambda replay: replay.wind("by", -10.0),
    "next thing that happens": lambda replay: replay.wind("change", 1),
    "next failure": lambda replay: replay.wind("failure", 1),
    "failure before": lambda replay: replay.wind("failure", -1),
    "from the middle to the end": lambda replay: replay.wind("moment", replay.clock.last),
    "from the middle to the beginning": lambda replay: replay.wind("moment", replay.clock.first),
}


def measure(rounds: int = ROUNDS, counts: tuple[int, ...] = EVENTS) -> Measured:
    figures: list[Figure] = []
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            _fill(Path(folder) / "state", count)
            began = time.perf_counter()
            recording = open_recording(Path(folder) / "state", Path(folder))
            replay = Replay(recording)
            opened = time.perf_counter() - began
            figures += asyncio.run(_moves(replay, count, rounds))
            figures.append(Figure(f"{count:,} events, opened in", f"{opened:.2f} s", "", None))
            replay.close()
    return figures, [f"{rounds} rounds; in brackets the worst"]


async def _moves(replay: Replay, count: int, rounds: int) -> list[Figure]:
    taken: dict[str, list[float]] = {}
    for _ in range(rounds):
        for what, move in _MOVES.items():
            middle = (replay.clock.first + replay.clock.last) / 2
            await replay.wind("moment", middle)
            floor = await _seconds(lambda _: asyncio.sleep(0), replay)
            taken.setdefault("", []).append(floor)
            taken.setdefault(what, []).append(await _seconds(move, replay))
    rest = median(taken.pop("")) * 1_000
    return [
        Figure(f"{count:,} events, {what}", f"{median(all_) * 1_000:.0f} ms ({max(all_) * 1_000:.0f})",
               f"rows alone {rest:.0f} ms", median(all_) * 1_000 / rest)
        for what, all_ in taken.items()
    ]  # fmt: skip


async def _seconds(move: Move, replay: Replay) -> float:
    """Until it has moved and every pane's rows are there."""
    began = time.perf_counter()
    await move(replay)
    await asyncio.to_thread(_read, replay)
    return time.perf_counter() - began


def _read(replay: Replay) -> None:
    for pane in _PANES:
        view = parse_view(pane, {"view": pane, "limit": 60 if pane != "logs" else 500})
        replay.views.lines(view) if pane == "logs" else replay.views.rows(view)
    replay.views.totals()


# -- the recording -----------------------------------------------------------------------------------------------------


def _fill(state: Path, count: int) -> None:
    store, history = Store(state), History(state)
    for first in range(1, count + 1, _BATCH):
        events = [_event(seq) for seq in range(first, min(first + _BATCH, count + 1))]
        attempts = [attempt for event in events for attempt in _attempts(event)]
        store.begin()
        store.insert(events)
        store.record(attempts)
        store.set_engine_time(events[-1].accepted_at)
        store.commit()
        for attempt in attempts:
            for line in range(4):
                at, id_ = attempt.outcome.started_at + line / 1_000, events[attempt.event - first].id
                history.line("orders", id_, attempt.number, at, "output", f"line {line} of attempt {attempt.number}")
        history.hand_over()
    store.close()
    history.close()
    functions = [values_of(Function(name, "app.handler", "/nowhere")) for name in _FUNCTIONS]
    Configurations(state).note(_START, {"functions": functions})


def _event(seq: int) -> Event:
    at, fails = _START + seq * _GAP, seq % 10 == 0
    ended_at = at + 0.02 + (sum(_RETRY) + 0.04 if fails else 0.0)
    return Event(
        seq, f"{seq * 2654435761 % 2**32:08x}-{seq:024}", _FUNCTIONS[seq % 2], "", b"{}", "boto3",
        at, State.DISCARDED if fails else State.SUCCEEDED, due_at=ended_at - 0.02, attempts=3 if fails else 1,
        errors=3 if fails else 0, begun_at=ended_at - 0.02, ended_at=ended_at, dropped=fails,
        condition=Condition.RETRIES_EXHAUSTED if fails else Condition.SUCCESS,
        error="ValueError: no luck" if fails else None,
    )  # fmt: skip


def _attempts(event: Event) -> list[Attempt]:
    if event.state is State.SUCCEEDED:
        at = event.accepted_at
        return [Attempt(event.seq, 1, _RETURNED._replace(started_at=at, ended_at=at + 0.02))]
    starts = [event.accepted_at, event.accepted_at + 60.02, event.accepted_at + 180.04]
    return [
        Attempt(event.seq, number, _FAILED._replace(started_at=at, ended_at=at + 0.02))
        for number, at in enumerate(starts, 1)
    ]


if __name__ == "__main__":
    chosen = arguments(__doc__, rounds=(ROUNDS, "rounds"))
    run(lambda: measure(chosen.rounds))
