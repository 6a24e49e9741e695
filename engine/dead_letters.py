"""The verbs of dead letters: send them round again, take them away, bring them back, look at them whole."""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from .debts import Debts, fail, resolve
from .dispatcher import UNDO_SECONDS, Dispatcher
from .reports import Purge, Redrive, Report, Undo
from .store import Peek

_PAYLOAD_MAX = 1024 * 1024  # bytes of an asynchronous event (Lambda guide, "Lambda quotas")


class DeadLetters:
    """What can be asked of dead letters. What changes them raises NotAccepted if it cannot be written now."""

    def __init__(self, dispatcher: Dispatcher, peek: Peek, debts: Debts) -> None:
        self._dispatcher, self._peek, self._debts = dispatcher, peek, debts

    async def redrive(self, ids: list[str], payloads: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Send dead letters round again: {"redriven": [[old, new] …], "refused": [[id, why] …]}.

        `payloads` are changed ones, by id. Raises ValueError if one is no JSON or too large.
        """
        changed = _changed_payloads(ids, payloads or {})
        redriven, refused = await self._answer(lambda give: Redrive(tuple(ids), lambda *told: give(told), changed))
        return {"redriven": list(map(list, redriven)), "refused": list(map(list, refused))}

    async def purge(self, ids: list[str]) -> dict[str, Any]:
        """Take dead letters away: {"purged": [id …], "refused": [[id, why] …], "undo": name, "seconds": to undo it}."""
        name, purged = await self._answer(lambda give: Purge(tuple(ids), lambda *told: give(told)))
        return _purge_answer(ids, name, purged)

    async def undo(self, purge: str = "") -> dict[str, Any]:
        """Bring back what a purge took away, "" for the newest: {"restored": how many}; 0 if it is too late."""
        return {"restored": await self._answer(lambda give: Undo(purge, give)) or 0}

    async def letters(self, ids: list[str]) -> list[dict[str, Any]]:
        """These dead letters whole, those that are there; at most 20 at once, for a payload may have a megabyte."""
        return await asyncio.to_thread(self._peek.letters, ids[:20])

    async def _answer(self, report: Callable[[Callable[[Any], None]], Report]) -> Any:
        """Leave a report, and wait for what it is answered with."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._dispatcher.report(report(self._debts.owe(partial(resolve, answer), partial(fail, answer))))
        return await answer


def _purge_answer(ids: Sequence[str], name: str, purged: list[str]) -> dict[str, Any]:
    """What a client is told of a purge."""
    gone = set(purged)
    refused = [[id_, "there is no such dead letter"] for id_ in dict.fromkeys(ids) if id_ not in gone]
    return {"purged": purged, "refused": refused, "undo": name, "seconds": UNDO_SECONDS}


def _changed_payloads(ids: Sequence[str], payloads: Mapping[str, str]) -> dict[str, bytes]:
    """The payloads that dead letters are redriven with. Raises ValueError, naming the one that cannot be."""
    changed = {}
    for id_, text in payloads.items():
        if id_ not in ids:
            raise ValueError(f"payloads: {id_!r} is none of the ids")
        try:
            json.loads(text)
        except ValueError as error:
            raise ValueError(f"payloads: that of {id_} is not JSON: {error}") from None
        changed[id_] = text.encode(errors="replace")
        if len(changed[id_]) > _PAYLOAD_MAX:
            raise ValueError(
                f"payloads: that of {id_} has {len(changed[id_])} bytes; an event has {_PAYLOAD_MAX} at most"
            )
    return changed
