"""Many events: the right number of them, at the right time, and the truth about what became of them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from lamtop.tui.burst import Burst, count_trouble

Answer = dict[str, Any]


class Taker:
    """Takes events; `answers` are for the first ones."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self.taken, self.at_once, self.most = 0, 0, 0
        self.answers = list(answers)
        self.told: list[tuple[str, str]] = []

    async def send(self) -> Answer:
        self.taken += 1
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        answer = self.answers.pop(0) if self.answers else {"status": 202}
        if isinstance(answer, Exception):
            raise answer
        return answer

    def tell(self, level: str, words: str) -> None:
        self.told.append((level, words))


def run(burst: Burst, taker: Taker, clock: Callable[[], float] = lambda: 0.0) -> tuple[str, str]:
    asyncio.run(burst.run(taker.send, taker.tell, clock))
    return taker.told[-1]


def test_every_event_is_sent_once_and_few_at_the_same_time() -> None:
    taker = Taker()
    assert run(Burst("orders", 1000), taker) == ("info", "202 accepted 1,000 of 1,000 for orders in 0.0 ms")
    assert taker.taken == 1000
    assert taker.most <= 16


def test_a_refused_event_is_counted_and_told() -> None:
    taker = Taker({"status": 429, "error": "Rate Exceeded.\x1b[2J"})
    assert run(Burst("orders", 20), taker) == (
        "error",
        "202 accepted 19 of 20 for orders, 1 refused: 429 Rate Exceeded.␛[2J in 0.0 ms",
    )


def test_a_lost_connection_ends_a_burst() -> None:
    taker = Taker(*[ConnectionError("no engine is connected")] * 100)
    level, words = run(Burst("orders", 10_000), taker)
    assert (level, words) == ("error", "202 accepted 0 of 10,000 for orders, then: no engine is connected")
    assert taker.taken <= 16


def test_events_wait_for_their_turn() -> None:
    waits: list[float] = []

    class Watched(Burst):
        async def _wait(self, seconds: float) -> None:
            waits.append(seconds)

    run(Watched("orders", 5, rate=20.0), Taker())
    assert waits == pytest.approx([0, 0.05, 0.1, 0.15, 0.2])


def test_a_stopped_burst_sends_no_more_and_does_not_wait() -> None:
    async def story() -> None:
        taker, burst = Taker(), Burst("orders", 100, rate=0.1)
        running: Awaitable[None] = asyncio.ensure_future(burst.run(taker.send, taker.tell))
        while not burst.accepted:
            await asyncio.sleep(0)
        burst.stop()
        await running
        assert taker.taken == 1
        assert taker.told[-1][0] == "warning"
        assert "202 accepted 1 of 100 for orders, stopped" in taker.told[-1][1]

    asyncio.run(story())


@pytest.mark.parametrize(
    ("count", "rate", "said"),
    [
        ("1", "", ""),
        ("10000", "0.1", ""),
        ("10", "1000", ""),
        ("0", "", "events: '0' is not allowed; use 1 to 10,000"),
        ("10001", "", "events: '10001' is not allowed; use 1 to 10,000"),
        ("", "", "events: '' is not allowed; use 1 to 10,000"),
        ("9" * 5000, "", f"events: '{'9' * 5000}' is not allowed; use 1 to 10,000"),
        ("10", "0", "per second: '0' is not allowed; use 0.1 to 1,000, or nothing for as fast as it goes"),
        ("10", "1.2.3", "per second: '1.2.3' is not allowed; use 0.1 to 1,000, or nothing for as fast as it goes"),
        ("10", "nan", "per second: 'nan' is not allowed; use 0.1 to 1,000, or nothing for as fast as it goes"),
    ],
)
def test_numbers_that_make_no_sense_are_refused_with_what_to_do(count: str, rate: str, said: str) -> None:
    assert count_trouble(count, rate) == said
