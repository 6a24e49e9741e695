"""Makes the README's picture from the running program: `python tests/tui/picture.py`.

A first engine, at 600 times the speed, lets a few events die; a second one runs the monitor on what they left.
"""

import asyncio
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from lamtop.engine import Engine, Settings
from lamtop.tui.app import Lamtop
from lamtop.tui.client import LocalClient

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "tui" / "monitor.svg"
PROJECT = Path("/tmp/shop")  # seen in tracebacks
SIZE = (140, 40)


def settings(speed: float) -> Settings:
    return Settings(PROJECT / "handlers" / "template.yaml", PROJECT / ".lamtop", speed=speed)


async def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.02)


async def send(engine: Engine, name: str, payload: bytes = b"{}") -> None:
    await engine.accept(engine.functions[name], payload, source="monitor", request_id=engine.new_request_id())


async def leave_dead_letters() -> None:
    engine = Engine(settings(speed=600))
    await engine.start(any_port=True)
    for name in ("always-fails", "crashes", "always-fails"):
        await send(engine, name, b'{"item": "umbrella"}')
    await until(lambda: engine.views.totals()["dead_letters"] == 3)
    await engine.stop()


async def take_picture() -> str:
    engine = Engine(settings(speed=1))
    await engine.start(any_port=True)
    try:
        return await _with_monitor(engine)
    finally:
        await engine.stop()


async def _with_monitor(engine: Engine) -> str:
    async def connect() -> LocalClient:
        return LocalClient(engine)

    app = Lamtop(connect)
    async with app.run_test(size=SIZE) as pilot:
        for name in ("always-fails", "flaky", "fire-and-forget"):
            await send(engine, name)
        await until(lambda: engine.views.totals()["retrying"] >= 1)
        await pilot.press("j", "j", "a", "j", "j")
        calls = [
            asyncio.create_task(
                engine.invoke(
                    engine.functions["request-response"],
                    b"{}",
                    source="boto3",
                    request_id=engine.new_request_id(),
                )
            )
            for _ in range(2)
        ]
        await until(lambda: len(engine.environments.executing) >= 3)
        await pilot.pause(1.5)
        svg = app.export_screenshot(title="lamtop")
        for call in calls:
            call.cancel()
    return svg


def self_contained(svg: str) -> str:
    """Without fonts from elsewhere, and with spaces that every renderer keeps."""
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r">([^<>]*)</text>", lambda text: f">{text[1].replace(' ', '&#160;')}</text>", svg)
    svg = svg.replace("Fira Code", "DejaVu Sans Mono, Menlo, Consolas")
    return re.sub(r"[ \t]+\n", "\n", svg)


def main() -> None:
    shutil.rmtree(PROJECT, ignore_errors=True)
    shutil.copytree(ROOT / "handlers", PROJECT / "handlers", ignore=shutil.ignore_patterns("__*"))
    asyncio.run(leave_dead_letters())
    PICTURE.write_text(self_contained(asyncio.run(take_picture())), encoding="utf-8")
    shutil.rmtree(PROJECT)
    print(f"wrote {PICTURE.relative_to(ROOT)}, {PICTURE.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
