"""A shop whose days pass in moments: the examples' own engine on simulated time, and the monitor on top of it."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from lamtop.engine import Engine
from lamtop.tui.demo.company import Company
from lamtop.tui.demo.props import Props, copy_project
from lamtop.tui.demo.stage import Stage

SEED = 4


class Monitor(Stage):
    """The real app on the shop's engine."""

    def __init__(self, shop: "Shop", theme: str, *, in_ascii: bool) -> None:
        super().__init__(shop.company, shop.props.costume(), theme, in_ascii=in_ascii)
        self.shop = shop

    async def keys(self, *keys: str) -> None:
        """Press keys one after another."""
        for key in keys:
            await self.press(key)

    async def pass_time(self, seconds: float) -> None:
        await self.company.advance(seconds)
        await self.settle()


class Shop:
    """One engine that runs the examples in a folder of its own, and whoever looks at it."""

    def __init__(self, company: Company, props: Props) -> None:
        self.company, self.props = company, props

    @property
    def engine(self) -> Engine:
        return self.company.engine

    async def send(self, name: str, payload: str = "{}") -> str:
        """Queue an event, as boto3 does; its request id."""
        engine, sent = self.engine, payload.encode()
        request_id = engine.new_request_id()
        return (await engine.accept(engine.functions[name], sent, source="boto3", request_id=request_id)).id

    @asynccontextmanager
    async def watched(
        self, size: tuple[int, int] = (100, 30), theme: str = "dark", *, in_ascii: bool = False
    ) -> AsyncIterator[Monitor]:
        monitor = Monitor(self, theme, in_ascii=in_ascii)
        async with monitor.app.run_test(size=size):
            await monitor.begin()
            yield monitor


@asynccontextmanager
async def shop(folder: Path, environ: Mapping[str, str] = os.environ) -> AsyncIterator[Shop]:
    """Open one in this folder."""
    props = copy_project(None, folder)
    company = Company(props, SEED, environ)
    await company.open()
    try:
        yield Shop(company, props)
    finally:
        await company.close()
