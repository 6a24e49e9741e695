"""The monitor on stage shows what is true at each moment at which time stands."""

import asyncio
from pathlib import Path

from shop import shop


def test_a_function_whose_event_has_its_environment_is_shown_to_run_and_not_to_wait(tmp_path: Path) -> None:
    async def story() -> None:
        async with shop(tmp_path) as it, it.watched() as monitor:
            await it.send("fire-and-forget")
            await monitor.pass_time(0.05)  # its environment is in init
            row = monitor.app.model.rows["functions"].known["fire-and-forget"]
            assert (row["in_flight"], row["queued"]) == (0, 1)
            await monitor.pass_time(1.0)
            row = monitor.app.model.rows["functions"].known["fire-and-forget"]
            assert (row["in_flight"], row["queued"]) == (1, 0)

    asyncio.run(story())
