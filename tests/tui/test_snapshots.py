"""What the monitor shows of the examples, drawn by the real program from a real engine on simulated time.

The pictures are in `snapshots/`; each says of itself what it is there to show.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from shop import Monitor, Shop, shop
from snapshot import FOLDER, check, file_of

from lamtop.tui.film.svg import svg_of_letters

PICTURES = {
    "an engine that nobody has asked anything": "empty panes say which key fills them",
    "an event waits for a place, others run, others for their retry": "all of it at 140x40: reason, bar, countdown",
    "the same at 100x30": "the timeline gives way to the log, nothing else",
    "the same at 80x24": "one list, the log, and a tab for each other pane",
    "the same at 60x15": "the smallest terminal that is drawn on",
    "time has passed and no row has changed": "countdowns, ages and the axis move with the engine's time alone",
    "the first wait of an event that fails": "the inspector counts down, and says by which rule",
    "both waits of an event that fails, and its end": "three attempts, two waits, dead: on one axis",
    "the payload of an event": "as it was sent",
    "the log of an event": "what it printed, attempt by attempt",
    "dead letters": "marked rows are counted in the title, and the footer says what may be done with them",
    "dead letters by error": "each error once: how many, first and last",
    "a dead letter is edited before it goes back": "its payload as it was, to be mended",
    "redrive asks first": "how many events go back, and into which queue",
    "purge asks for the number": "nothing is lost by one wrong key",
    "what was purged can be brought back": "the key and the time there is for it",
    "the timeline": "queued, running, waiting, dead and done on one axis",
    "the timeline of one function": "the scope stands in the header, and every pane is narrowed",
    "the log with errors": "an error is found by its colour and its line",
    "the log without platform lines": "an inverted filter, typed",
    "a handler does not load": "its error stands until it is mended, and the old code goes on",
    "what the engine has said": "reloads and warnings, newest first",
    "a synchronous call runs": "it tells how long, and what it prints",
    "a synchronous call is answered": "status, time, payload and log",
    "a synchronous call fails": "the error as the caller gets it",
    "every function": "calls, errors, times, places, versions and costs",
    "one function": "what template.yaml says of it",
    "the invoke form shows where the JSON is wrong": "line and column of the error",
    "events to choose from": "sent before, saved, or an example of AWS's",
    "many events at once": "how many, and how quickly",
    "every action with its key": "the palette",
    "help": "the keys that work in this pane",
    "the engine is gone": "the last picture stays, and says so",
    "light": "on a white ground",
    "16 colours": "the terminal's own",
    "no colours": "NO_COLOR: nothing is told by colour alone",
    "ascii": "every glyph has a likeness",
}
"""The sentence it is known by -> what it is there to show."""


class Album:
    """Takes the pictures."""

    def __init__(self) -> None:
        self.pictures: dict[str, str] = {}

    async def take(self, monitor: Monitor, name: str) -> None:
        await monitor.settle()
        assert name not in self.pictures
        self.pictures[name] = svg_of_letters(monitor.frame(), name, PICTURES[name])


Chapter = Callable[[Shop, Album], Awaitable[None]]


async def the_first_minutes(it: Shop, album: Album) -> None:
    async with it.watched((100, 30)) as monitor:
        await album.take(monitor, "an engine that nobody has asked anything")
        fails = await it.send("always-fails", '{"item": "umbrella"}')
        for name in ("flaky", "crashes", "times-out", "fire-and-forget"):
            await it.send(name)
        for item in range(12):
            await it.send("batch-item", f'{{"item": {item}, "seconds": 2}}')
        await monitor.pass_time(1.5)
        await monitor.resize(140, 40)
        await album.take(monitor, "an event waits for a place, others run, others for their retry")
        await monitor.resize(100, 30)
        await album.take(monitor, "the same at 100x30")
        await monitor.resize(80, 24)
        await album.take(monitor, "the same at 80x24")
        await monitor.resize(60, 15)
        await album.take(monitor, "the same at 60x15")
        await monitor.resize(140, 40)
        await monitor.pass_time(30)
        await album.take(monitor, "time has passed and no row has changed")
        await monitor.resize(100, 30)
        await monitor.keys("3")
        await show(monitor, fails)
        await album.take(monitor, "the first wait of an event that fails")
        await monitor.pass_time(30)
        await monitor.keys("escape")
        await monitor.pass_time(200)
        await monitor.keys("4")
        await monitor.settle()
        await show(monitor, fails)
        await album.take(monitor, "both waits of an event that fails, and its end")
        await monitor.keys("right_square_bracket")
        await album.take(monitor, "the payload of an event")
        await monitor.keys("right_square_bracket")
        await album.take(monitor, "the log of an event")


async def show(monitor: Monitor, request_id: str) -> None:
    """Open the life of a request that the focused pane has."""
    table = monitor.app.main.tables[monitor.app.main.focused_pane]
    await monitor.keys("g")
    for _ in range(table.rows.total):
        row = table.row()
        if row is not None and str(row.get("request_id") or row["id"]) == request_id:
            break
        await monitor.keys("j")
    await monitor.keys("enter")


async def dead_letters(it: Shop, album: Album) -> None:
    for number in range(3):
        await it.send("always-fails", f'{{"item": "umbrella {number % 2}"}}')
    await it.engine.simulation.advance(200)
    async with it.watched((100, 30)) as monitor:
        await monitor.keys("4", "z", "space", "space")
        await album.take(monitor, "dead letters")
        await monitor.keys("M")
        await album.take(monitor, "redrive asks first")
        await monitor.keys("n", "asterisk", "asterisk", "e")
        await album.take(monitor, "a dead letter is edited before it goes back")
        await monitor.keys("escape", "c")
        await album.take(monitor, "dead letters by error")
        await monitor.keys("c", "D")
        await album.take(monitor, "purge asks for the number")
        total = monitor.app.main.tables["dlq"].rows.total
        await monitor.keys(*str(total), "enter")
        await album.take(monitor, "what was purged can be brought back")
        await monitor.keys("u")
        await monitor.settle()


async def the_story_of_requests(it: Shop, album: Album) -> None:
    async with it.watched((140, 40)) as monitor:
        for name in ("always-fails", "fire-and-forget", "flaky", "crashes", "times-out", "slow-import"):
            await it.send(name)
            await monitor.pass_time(7)
        await it.send("fire-and-forget")
        await monitor.pass_time(3)
        await monitor.keys("7", "z", "equals_sign")
        await album.take(monitor, "the timeline")
        await monitor.keys("g", "j", "o", "0", "7", "o")
        await monitor.resize(100, 30)
        await album.take(monitor, "the timeline of one function")
        await monitor.keys("0", "5", "z", "left_square_bracket")
        await album.take(monitor, "the log with errors")
        await monitor.keys("G", "slash", *"!kind:platform")
        await monitor.resize(80, 24)
        await album.take(monitor, "the log without platform lines")


async def reloads(it: Shop, album: Album) -> None:
    file = it.props.folder / "handlers" / "thumbnail.py"
    good = file.read_text()
    async with it.watched((100, 30)) as monitor:
        file.write_text(good.replace("return [made", "retrun [made"))
        await reload(monitor, file)
        await album.take(monitor, "a handler does not load")
        file.write_text(good)
        await reload(monitor, file)
        await monitor.keys("n")
        await album.take(monitor, "what the engine has said")


async def reload(monitor: Monitor, file: Path) -> None:
    """Load one file anew, and let as much time pass as it takes."""
    reloading = asyncio.create_task(monitor.shop.engine.reload({file.resolve()}))
    await asyncio.sleep(0)
    await monitor.pass_time(3)
    await reloading


async def synchronous_calls(it: Shop, album: Album) -> None:
    async with it.watched((100, 30)) as monitor:
        await choose(monitor, "request-response")
        await monitor.keys("i")
        await monitor.pass_time(1.5)
        await album.take(monitor, "a synchronous call runs")
        await monitor.pass_time(2)
        await album.take(monitor, "a synchronous call is answered")
        await monitor.keys("escape")
        await choose(monitor, "always-fails")
        await monitor.keys("i")
        await monitor.pass_time(1)
        await album.take(monitor, "a synchronous call fails")


async def choose(monitor: Monitor, function: str) -> None:
    await monitor.keys("6", "g")
    for _ in monitor.app.model.function_names():
        if monitor.app.main.selected != function:
            await monitor.keys("j")
    assert monitor.app.main.selected == function, monitor.screen()


async def functions_and_forms(it: Shop, album: Album) -> None:
    async with it.watched((140, 40)) as monitor:
        await monitor.keys("6", "z")
        await album.take(monitor, "every function")
        await monitor.resize(100, 30)
        await monitor.keys("z")
        await choose(monitor, "always-fails")
        await monitor.keys("enter")
        await album.take(monitor, "one function")
        await monitor.keys("escape", "e")
        await monitor.settle()
        await monitor.keys("delete", "delete", *'{"item": umbrella}', "ctrl+s")
        await album.take(monitor, "the invoke form shows where the JSON is wrong")
        await monitor.keys("ctrl+o")
        await album.take(monitor, "events to choose from")
        await monitor.keys("escape", "escape", "b")
        await album.take(monitor, "many events at once")
        await monitor.keys("escape", "colon")
        await album.take(monitor, "every action with its key")
        await monitor.keys("escape", "4", "question_mark")
        await album.take(monitor, "help")


async def terminals(it: Shop, album: Album) -> None:
    await it.send("fire-and-forget")
    await it.engine.simulation.advance(1)
    for name, theme, size in (("light", "light", (100, 30)), ("16 colours", "terminal", (100, 30))):
        async with it.watched(size, theme) as monitor:
            await album.take(monitor, name)
    async with it.watched((80, 24), in_ascii=True) as monitor:
        await album.take(monitor, "ascii")
        await monitor.keys("0")
    os.environ["NO_COLOR"] = "1"
    async with it.watched((80, 24)) as monitor:
        await album.take(monitor, "no colours")
    del os.environ["NO_COLOR"]
    async with it.watched((80, 24)) as monitor:
        it.company.came.clear()
        monitor.cut_the_line()
        await monitor.settle()
        await album.take(monitor, "the engine is gone")
    it.company.came.set()


CHAPTERS: tuple[Chapter, ...] = (
    the_first_minutes,
    dead_letters,
    the_story_of_requests,
    synchronous_calls,
    functions_and_forms,
    terminals,
    reloads,
)


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Album]:
    """All pictures, from one engine, one chapter after the other."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "UTC")
        time.tzset()
        patch.delenv("NO_COLOR", raising=False)
        album = Album()
        asyncio.run(asyncio.wait_for(tell(album, tmp_path_factory.mktemp("shop")), 300))
        yield album
    time.tzset()


async def tell(album: Album, folder: Path) -> None:
    async with shop(folder) as it:
        for chapter in CHAPTERS:
            await chapter(it, album)


@pytest.mark.parametrize("name", PICTURES)
def test_the_screen_shows(name: str, album: Album) -> None:
    check(name, album.pictures[name])


def test_no_picture_is_left_over_and_none_names_another_host() -> None:
    assert {path.name for path in FOLDER.iterdir()} == {file_of(name).name for name in PICTURES}
    for path in FOLDER.iterdir():
        assert "//" not in path.read_text().replace("http://www.w3.org/2000/svg", "").replace("http://127.0.0.1", "")
