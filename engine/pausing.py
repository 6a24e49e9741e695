"""The verbs that pause the poller: asynchronous events are accepted and wait, and none begins until it is resumed."""

from typing import Any

from .dispatcher import Dispatcher
from .view import Notices

_SAID = (
    "PAUSED: no asynchronous event begins; they are accepted and wait. Synchronous invocations go on. "
    "A restart of the engine resumes too"
)


class Pausing:
    """Holds the dispatcher, and says so for as long as it does. It ends with the engine: nothing is written down."""

    def __init__(self, dispatcher: Dispatcher, notices: Notices) -> None:
        self._dispatcher, self._notices = dispatcher, notices

    async def pause(self) -> dict[str, Any]:
        """Begin no asynchronous event: {"paused_since": engine time}."""
        self._dispatcher.pause()
        self._notices.keep("pause", "warning", _SAID)
        return self._state()

    async def resume(self) -> dict[str, Any]:
        """Go on: {"paused_since": None}."""
        if self._dispatcher.paused_since is not None:
            self._dispatcher.resume()
            self._notices.clear("pause")
            self._notices.say("info", "resumed: asynchronous events begin again")
        return self._state()

    def _state(self) -> dict[str, Any]:
        return {"paused_since": self._dispatcher.paused_since}
