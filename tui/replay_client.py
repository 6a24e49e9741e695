"""Talks to a recording: the calls of an engine, and one to go to another moment."""

from typing import TYPE_CHECKING

from .client import LocalClient, Values

if TYPE_CHECKING:
    from lamtop.engine import Replay


class ReplayClient(LocalClient):
    """A recording in this very process."""

    def __init__(self, replay: "Replay") -> None:
        super().__init__(replay)
        self._replay = replay

    async def wind(self, to: str, amount: float, of: str = "") -> Values:
        """Go to another moment, as `Replay.wind` says."""
        return await self._replay.wind(to, amount, of)
