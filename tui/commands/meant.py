"""The engine that a command is for, and a client of it."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from .words import fail

if TYPE_CHECKING:
    from lamtop.engine.registry import Entry

    from ..client import HttpClient

T = TypeVar("T")


def find(target: str | None, state: Path | None) -> "Entry":
    """The engine that is meant. A missing one is an error message."""
    from .. import engines
    from ..client import EngineUnreachable

    try:
        return engines.find(target, state)
    except EngineUnreachable as error:
        fail(str(error))


def with_client(target: str | None, state: Path | None, use: "Callable[[HttpClient], Awaitable[T]]") -> T:
    """Use a client of the engine that is meant, and close it. A missing engine is an error message, as is a refusal."""
    from .. import engines
    from ..client import EngineUnreachable

    entry = find(target, state)

    async def run() -> T:
        client = engines.client_of(entry)
        try:
            return await use(client)
        finally:
            await client.close()

    try:
        return asyncio.run(run())
    except (EngineUnreachable, ValueError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        sys.exit(130)
