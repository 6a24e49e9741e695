"""The DLQ column of the Functions pane: the letters that stand in the DLQ pane now."""

from pathlib import Path

from engine.test_views import Watched, always, function
from lamtop.engine.core.function import EventInvokeConfig
from lamtop.engine.reports import Purge
from lamtop.engine.view.subscription import _number_of
from simulation.world import FAILED


def test_a_function_counts_its_letters_of_now_and_a_redriven_or_purged_one_no_longer(tmp_path: Path) -> None:
    once = EventInvokeConfig(maximum_retry_attempts=0)
    homeless = function("homeless", dead_letter_queue=None, event_invoke_config=once)
    watched = Watched(tmp_path, [function(event_invoke_config=once), homeless], always(FAILED))
    world = watched.world

    def counted() -> dict[str, int]:
        found = {row["id"]: row["dead"] for row in watched.rows("functions")}
        assert sum(found.values()) == watched.views.totals()["dead_letters"] == watched.total("dlq")
        return found

    for name in ("orders", "orders", "homeless"):
        world.send(name)
    world.run(world.clock.now() + 1)
    assert counted() == {"orders": 2, "homeless": 1}
    before = _number_of("functions", world.dispatcher.metrics.changes)
    letter = watched.rows("dlq", filter="fn:orders")[0]["id"]
    world.report(Purge((letter,), lambda _name, _ids: None))
    world.run(world.clock.now() + 1)
    assert counted() == {"orders": 1, "homeless": 1}
    assert _number_of("functions", world.dispatcher.metrics.changes) != before
    dropped = watched.rows("functions")
    assert {row["id"]: row["metrics"]["AsyncEventsDropped"] for row in dropped} == {"orders": 2, "homeless": 1}
    watched.close()
