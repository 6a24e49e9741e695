"""What is done as long as something lasts."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


class Over(Exception):
    """It did not last long enough."""


async def unless(over: "asyncio.Future[None]", act: Awaitable[T]) -> T:
    """What comes of `act`. It is given up, and Over raised, if `over` comes first."""
    acting = asyncio.ensure_future(act)
    try:
        await asyncio.wait((acting, over), return_when=asyncio.FIRST_COMPLETED)
        if not acting.done():
            raise Over
        return acting.result()
    finally:
        acting.cancel()
