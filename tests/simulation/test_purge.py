"""What is purged is gone at once, and comes back for ten seconds: all of it or nothing, whatever dies meanwhile."""

from pathlib import Path

import pytest

from lamtop.engine.core.event import State
from lamtop.engine.core.function import EventInvokeConfig, Function
from lamtop.engine.reports import Purge
from lamtop.engine.store import KEEP, Peek, Window
from simulation.world import FAILED, RETURNED, World

DEAD = "arn:aws:sqs:us-east-1:000000000000:dead"
ONCE = EventInvokeConfig(maximum_retry_attempts=0)
KEPT = Function("kept", "app.handler", "/nowhere", dead_letter_queue=DEAD, event_invoke_config=ONCE)
DROPS = Function("drops", "app.handler", "/nowhere", event_invoke_config=ONCE)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two dead letters and a dropped event."""
    world = World(tmp_path / "state", [KEPT, DROPS], lambda _: (FAILED, 0.0))
    for name in ("kept", "kept", "drops"):
        world.send(name)
    world.run()
    return world


def shown(world: World, **window: object) -> list[str]:
    """The ids in the DLQ pane."""
    peek = Peek(world.store.path)
    _, rows = peek.dead_letters(Window(**window), ["dead"])  # type: ignore[arg-type]
    peek.close()
    return sorted(str(row["id"]) for row in rows)


def tombstones(world: World) -> int:
    return len([row for row in world.history() if row[0] == "tombstone"])


def without_names(world: World) -> list[tuple[object, ...]]:
    return [row for row in world.history() if row[0] != "tombstone"]


def test_what_is_purged_is_gone_and_an_undo_brings_all_of_it_back_as_it_was(world: World) -> None:
    before, letters = world.history(), shown(world)
    assert len(letters) == 3
    name, purged = world.purge(*letters, "nonsense")
    assert sorted(purged) == letters
    assert shown(world) == []
    assert world.undo(name) == 3
    assert shown(world) == letters
    assert world.history() == before


def test_only_the_named_ones_go_and_nothing_happens_when_none_is_there(world: World) -> None:
    first, *others = shown(world)
    world.purge(first)
    assert shown(world) == others
    before = world.history()
    assert world.purge(first, "nonsense", "dropped:nonsense") == ("", [])
    assert world.history() == before


def test_an_undo_without_a_name_takes_the_newest_purge_back_then_the_one_before(world: World) -> None:
    first, second, third = shown(world)
    world.purge(first)
    world.clock.advance_to(world.clock.now() + 1)
    world.purge(second, third)
    assert world.undo() == 2
    assert shown(world) == [second, third]
    assert world.undo() == 1
    assert world.undo() is None
    assert len(shown(world)) == 3


def test_after_ten_seconds_nothing_comes_back_and_the_payload_is_off_the_disk(world: World) -> None:
    name, _ = world.purge(*shown(world))
    world.clock.advance_to(world.clock.now() + 9.9)
    world.step()
    assert tombstones(world) == 3
    world.clock.advance_to(world.clock.now() + 0.1)
    assert world.undo(name) is None
    assert (shown(world), tombstones(world)) == ([], 0)


def test_ten_seconds_are_real_ones_when_engine_time_runs_faster(world: World) -> None:
    world.clock.rate = 60.0  # type: ignore[misc]
    name, _ = world.purge(*shown(world))
    world.clock.advance_to(world.clock.now() + 599)
    assert world.undo(name) == 3


def test_a_purge_that_was_not_committed_leaves_everything_and_a_committed_one_can_be_undone_after_a_crash(
    world: World,
) -> None:
    letters = shown(world)
    before = world.history()
    world.dispatcher.report(purge_of(letters))
    world.dispatcher.step()  # … and the engine dies before the commit
    world.crash_and_start_again()
    assert world.history() == before

    name, _ = world.purge(*letters)
    world.crash_and_start_again()
    assert shown(world) == []
    assert world.undo(name) == 3
    assert shown(world) == letters


def test_an_engine_that_starts_later_lets_go_of_what_an_older_one_purged(world: World) -> None:
    world.purge(*shown(world))
    world.clock.advance_to(world.clock.now() + 60)
    world.crash_and_start_again()
    world.step()
    assert tombstones(world) == 0


def test_what_can_be_brought_back_is_not_pruned(world: World) -> None:
    name, _ = world.purge(*shown(world))
    world.store.prune(KEEP._replace(events=0), world.clock.now() + 1, 3)
    world.undo(name)
    assert all(world.store.event(id_.removeprefix("dropped:")) for id_ in shown(world) if id_.startswith("dropped:"))
    assert len([row for row in world.history() if row[0] == "event"]) == 3


def test_a_purged_letter_cannot_be_redriven_until_it_is_back(world: World) -> None:
    first, *_ = shown(world)
    name, _ = world.purge(first)
    assert world.redrive(first)[0] == []
    world.undo(name)
    assert len(world.redrive(first)[0]) == 1


def test_a_redrive_with_a_changed_payload_keeps_the_lineage_and_the_old_payload(world: World) -> None:
    world.environments.script = lambda _: (RETURNED, 0.0)
    first, *_ = shown(world)
    [[old, new]], _ = world.redrive(first, **{first: b'{"mended":true}'})
    world.run()
    assert (world.event(old).payload, world.event(new).payload) == (b"{}", b'{"mended":true}')
    assert (world.event(new).redriven_from, world.event(old).redriven_as) == (old, new)
    assert world.event(new).state is State.SUCCEEDED


def test_letters_are_told_whole_and_grouped_by_their_error(world: World) -> None:
    peek = Peek(world.store.path)
    letters = peek.letters([*shown(world), "nonsense"])
    assert [letter["payload"] for letter in letters] == ["{}"] * 3
    assert {letter["queue"] for letter in letters} == {"dead", None}
    assert [letter["attempts"][0]["error_message"] for letter in letters] == ["boom"] * 3
    total, [group] = peek.dead_letters(Window(by_error=True), ["dead"])
    assert (total, group["count"], group["error"], group["function"]) == (1, 3, "Exception: boom", "2 functions")
    assert peek.dead_letters(Window(error="Exception: boom"), ["dead"])[0] == 3
    assert peek.dead_letters(Window(error="Exception: other"), ["dead"])[0] == 0
    peek.close()


def purge_of(ids: list[str]) -> Purge:
    return Purge(tuple(ids), lambda _name, _purged: None)
