"""Inits that fail or take too long: repeated in the invocation on AWS, and here; once only for a save."""

import asyncio
import re
from collections.abc import Callable

from engine.test_environments import Bench, bench, failure, result, spawn
from lamtop.engine.core.event import Outcome

__all__ = ["bench", "spawn"]

COUNTING = """
    from pathlib import Path
    count = Path("count")
    with count.open("a") as file:
        file.write("x")
    """


def shape(b: Bench, request_id: str = "r1") -> list[str]:
    """The log without times and texts."""
    lines = [re.sub(r"[\d.]+ ms", "# ms", text.partition("\n")[0]) for text in b.lines.of(request_id)]
    return [re.sub(r"(INIT_START|\[WARNING\]|REPORT RequestId: \w+).*?(\tStatus.*)?$", r"\1\2", line) for line in lines]


def test_37_code_that_does_not_load_is_imported_twice_for_one_invocation(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        error = failure(await b.run())
        assert (error["errorType"], error["requestId"]) == ("ZeroDivisionError", "")
        assert (b.folder / "count").read_text() == "xx"
        failed = "Status: error\tError Type: Runtime.Unknown"
        once = ["[WARNING]", "[ERROR] ZeroDivisionError: division by zero"]
        assert shape(b) == [
            "INIT_START", *once, f"INIT_REPORT Init Duration: # ms\tPhase: init\t{failed}",
            *once, f"INIT_REPORT Init Duration: # ms\tPhase: invoke\t{failed}",
            "START RequestId: r1 Version: $LATEST", "END RequestId: r1", f"REPORT RequestId: r1\t{failed}",
        ]  # fmt: skip
        assert "LAMBDA_WARNING: Unhandled exception. " in b.lines.of()[1]
        assert b.environments.cold_starts == {"fn": 1}
        assert b.environments.live("fn") == 0

    bench(COUNTING + "\n    1 / 0\n", story)


def test_36_an_init_over_its_limit_is_repeated_under_the_functions_timeout(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        b.configure(timeout=0.4)
        error = failure(await b.run())
        assert error == {
            "errorType": "Sandbox.Timedout", "errorMessage": "RequestId: r1 Error: Task timed out after 0.40 seconds",
        }  # fmt: skip
        assert shape(b) == [
            "INIT_START",
            "INIT_REPORT Init Duration: # ms\tPhase: init\tStatus: timeout",
            "INIT_REPORT Init Duration: # ms\tPhase: invoke\tStatus: timeout",
            "START RequestId: r1 Version: $LATEST", "END RequestId: r1", "REPORT RequestId: r1\tStatus: timeout",
        ]  # fmt: skip
        assert b.environments.live("fn") == 0

    bench("import time\ntime.sleep(60)", story, init_max=0.2)


def test_an_init_that_succeeds_at_its_second_try_serves_its_invocation(
    bench: Callable[..., None],
) -> None:
    async def story(b: Bench) -> None:
        first = await b.run()
        assert result(first)[1] <= 10_000 - 1
        second = await b.run()
        assert (result(first)[0], result(second)[0]) == (1, 2)
        assert first.environment == second.environment
        assert first.init_duration is None
        assert [line.partition(" ")[0].partition("\t")[0] for line in b.lines.of("r1")] == [
            "INIT_START", "INIT_REPORT", "START", "END", "REPORT",
        ]  # fmt: skip
        assert "Init Duration" not in b.lines.of("r1")[-1]
        assert first.duration > 0.01
        assert b.environments.cold_starts == {"fn": 1}

    code = (
        COUNTING
        + """
    import os, time
    if count.read_text() == "x":
        os._exit(3)
    time.sleep(0.01)
    calls = 0
    def handler(event, context):
        global calls
        calls += 1
        return calls, context.get_remaining_time_in_millis()
    """
    )
    bench(code, story)


def test_a_repeated_init_can_be_cancelled(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        running = b.send()
        while not b.environments.executing:
            await asyncio.sleep(0.002)
        assert b.environments.cancel("r1")
        outcome: Outcome = await running
        assert outcome.ended.value == "cancelled"

    bench(COUNTING + "\n    import os, time\n    if count.read_text() == 'x': os._exit(1)\n    time.sleep(60)\n", story)


def test_a_bad_save_is_imported_once(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        assert result(await b.run()) == 1
        b.write(COUNTING + "\n    1 / 0\n")
        assert await b.environments.reload(b.function) == "ZeroDivisionError: division by zero (app.py, line 7)"
        assert (b.folder / "count").read_text() == "x"
        assert result(await b.run()) == 1
        log = b.lines.of("")
        assert [line.split()[0] for line in log if not line.startswith("[")] == ["INIT_START", "INIT_REPORT"]

    bench("def handler(event, context): return 1", story)


def test_a_save_that_takes_too_long_to_load_says_so(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        assert result(await b.run()) == 1
        b.write("import time\ntime.sleep(60)")
        assert await b.environments.reload(b.function) == "Sandbox.Timedout: Init took longer than 0.3 seconds"

    bench("def handler(event, context): return 1", story, init_max=0.3)


def test_every_waiting_invocation_has_an_init_of_its_own(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        outcomes = await asyncio.gather(*(b.send() for _ in range(3)))
        assert {failure(outcome)["errorType"] for outcome in outcomes} == {"ZeroDivisionError"}
        assert (b.folder / "count").read_text().count("x") == 6
        for n in (1, 2, 3):
            assert b.lines.of(f"r{n}")[-1].startswith("REPORT")

    bench(COUNTING + "\n    1 / 0\n", story)
