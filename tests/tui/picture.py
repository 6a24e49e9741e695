"""Makes the README's pictures from the running program: `python tests/tui/picture.py`.

A first engine, at 60 times the speed, lets a few events die; a second one runs the monitor on what they left. One
function has a concurrency of 1 and is called three times, so that something waits for its turn.
"""

import asyncio
import html
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from lamtop.engine import Engine, Settings
from lamtop.tui.app import Lamtop
from lamtop.tui.client import LocalClient

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "tui" / "pictures"
PROJECT = Path("/tmp/shop")  # seen in tracebacks
BUSY = "request-response"
CELL = 12.2  # units of a character's width
FONT = "DejaVu Sans Mono, Menlo, Consolas"
FONT_SIZE = 20.26  # its characters are then as wide as a cell, so that lines meet

VIEWS: tuple[tuple[str, tuple[int, int], tuple[str, ...]], ...] = (
    ("monitor", (140, 40), ()),
    ("timeline", (112, 17), ("7", "z")),
    ("functions", (134, 20), ("6", "g")),
    ("logs", (112, 18), ("5", "[")),
    ("dead-letters", (112, 15), ("4", "j", "space")),
    ("life", (112, 24), ("enter",)),
    ("form", (100, 24), ("escape", "z", "0", "6", "g", "e", "ctrl+t", "delete", "delete", *'{"item": "umbrella"}')),
    ("palette", (100, 24), ("escape", "ctrl+p", *"re")),
)
"""Name of the picture, size of the terminal, keys that lead there from the one before."""


def settings(speed: float) -> Settings:
    return Settings(PROJECT / "handlers" / "template.yaml", PROJECT / ".lamtop", speed=speed)


async def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.02)


async def send(engine: Engine, name: str, payload: bytes = b"{}") -> None:
    await engine.accept(engine.functions[name], payload, source="monitor", request_id=engine.new_request_id())


async def leave_dead_letters() -> None:
    engine = Engine(settings(speed=60))
    await engine.start(any_port=True)
    for name in ("always-fails", "crashes", "always-fails"):
        await send(engine, name, b'{"item": "umbrella"}')
    await until(lambda: engine.views.totals()["dead_letters"] == 3)
    await engine.stop()


async def take_pictures() -> dict[str, str]:
    engine = Engine(settings(speed=1))
    await engine.start(any_port=True)
    try:
        return await _with_monitor(engine)
    finally:
        await engine.stop()


async def _with_monitor(engine: Engine) -> dict[str, str]:
    async def connect() -> LocalClient:
        return LocalClient(engine)

    app = Lamtop(connect, theme="dark", in_ascii=False)
    async with app.run_test(size=VIEWS[0][1]) as pilot:
        for name in ("always-fails", "flaky", "fire-and-forget"):
            await send(engine, name)
        await until(lambda: engine.views.totals()["retrying"] >= 1)
        await pilot.press("j", "j", "a", "j", "j")
        call = asyncio.create_task(_call(engine, BUSY))
        await until(lambda: len(engine.environments.executing) >= 2)
        for _ in range(2):
            await send(engine, BUSY)
        svgs = {name: await _picture(app, pilot, size, keys) for name, size, keys in VIEWS}
        call.cancel()
    return svgs


async def _call(engine: Engine, name: str) -> None:
    request_id = engine.new_request_id()
    await engine.invoke(engine.functions[name], b"{}", source="boto3", request_id=request_id)


async def _picture(app: Lamtop, pilot: Pilot[None], size: tuple[int, int], keys: tuple[str, ...]) -> str:
    for key in keys:
        await pilot.press(key)
    await pilot.resize_terminal(*size)
    await pilot.pause(1.5)  # clocks and rates are painted once a second
    return app.export_screenshot(title="lamtop")


def self_contained(svg: str) -> str:
    """Without fonts from elsewhere, and every word at its own place, however wide a renderer draws spaces."""
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r' clip-path="url\(#[^)]*-line-\d+\)"', "", svg)
    svg = re.sub(r'<clipPath id="[^"]*-line-\d+">.*?</clipPath>\n?', "", svg, flags=re.DOTALL)
    svg = re.sub(r'<text class="(\S+)" x="(\S+)" y="(\S+)" textLength="\S+">([^<]*)</text>', _words, svg)
    svg = svg.replace("Fira Code", FONT).replace("font-size: 20px", f"font-size: {FONT_SIZE}px")
    svg = re.sub(r"terminal-\d+-", "t-", svg)
    return re.sub(r"\s*\n\s*", "\n", svg)


def _words(element: re.Match[str]) -> str:
    kind, x, y, text = element.groups()
    text = html.unescape(text).replace("\xa0", " ")
    return "".join(
        f'<text class="{kind}" x="{float(x) + found.start() * CELL:.1f}" y="{y}" '
        f'textLength="{len(found[0]) * CELL:.1f}">{html.escape(found[0]).replace(" ", "&#160;")}</text>'
        for found in re.finditer(r"\S+( \S+)*", text)
    )


def main() -> None:
    shutil.rmtree(PROJECT, ignore_errors=True)
    shutil.copytree(ROOT / "handlers", PROJECT / "handlers", ignore=shutil.ignore_patterns("__*"))
    template = PROJECT / "handlers" / "template.yaml"
    name = f"      FunctionName: {BUSY}\n"
    template.write_text(template.read_text().replace(name, f"{name}      ReservedConcurrentExecutions: 1\n"))
    asyncio.run(leave_dead_letters())
    PICTURES.mkdir(exist_ok=True)
    for name, svg in asyncio.run(take_pictures()).items():
        picture = PICTURES / f"{name}.svg"
        picture.write_text(self_contained(svg), encoding="utf-8")
        print(f"wrote {picture.relative_to(ROOT)}, {picture.stat().st_size // 1024} KiB")
    shutil.rmtree(PROJECT)


if __name__ == "__main__":
    main()
