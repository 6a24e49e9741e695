"""What is done with dead letters, dropped events among them, and what the monitor says about it."""

import asyncio
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import format as f
from .keymap import key_for
from .link import Client, Link
from .views import View

MOST = 10_000  # dead letters that one key acts on
_PAGE = 500
_AT_ONCE = 20  # whole dead letters in one answer

Say = Callable[[str, str], None]


class DeadLetters:
    """The verbs. Each says in the status line what became of it; none raises."""

    def __init__(self, link: Link, say: Say) -> None:
        self._link, self._say = link, say
        self._undo = ""  # the newest purge of this monitor
        self.undo_until = 0.0  # real time, monotonic

    async def ids(self, views: list[View]) -> list[str]:
        """The ids of everything in these views, 10,000 at most; none, and words, if nobody can be asked."""
        found: dict[str, None] = {}
        try:
            for view in views:
                cursor = None
                while len(found) < MOST:
                    page = await self._client().page(view.wish(0, _PAGE), cursor)
                    found.update(dict.fromkeys(str(row["id"]) for row in page["rows"]))
                    cursor = page["cursor"]
                    if cursor is None:
                        break
        except Exception as error:  # the reader of the status line decides what to do about it
            self._failed("dead letters cannot be listed", error)
            return []
        return list(found)[:MOST]

    async def redrive(self, ids: list[str], payloads: dict[str, str] | None = None) -> None:
        """Give dead letters a new life."""
        try:
            answer = f.clean_deep(await self._client().redrive(ids, payloads))
        except Exception as error:
            self._failed("not redriven", error)
            return
        self._say(*_redrive_sentence(answer))

    async def purge(self, ids: list[str]) -> None:
        """Take dead letters away."""
        try:
            answer = f.clean_deep(await self._client().purge(ids))
        except Exception as error:
            self._failed("not purged", error)
            return
        if not answer["purged"]:
            self._say("warning", "nothing was purged: they are gone already")
            return
        self._undo, seconds = str(answer["undo"]), float(answer["seconds"])
        self.undo_until = time.monotonic() + seconds
        gone, undo = letters(len(answer["purged"])), key_for("undo")
        self._say("info", f"purged {gone} · {undo} brings back, for {f.span(seconds)}")

    async def undo(self) -> None:
        """Bring back what the newest purge took away."""
        try:
            answer = await self._client().undo(self._undo)
        except Exception as error:
            self._failed("not brought back", error)
            return
        self._undo, restored = "", int(answer["restored"])
        if restored:
            self._say("info", f"brought back {letters(restored)}")
        else:
            self._say("warning", "there is nothing to bring back: a purge can be undone for 10 s")

    async def letter(self, id_: str) -> dict[str, Any] | None:
        """One dead letter whole, as it is: not cleaned. None, and words, if it is not there."""
        try:
            found = await self._client().letters([id_])
        except Exception as error:
            self._failed("it cannot be edited", error)
            return None
        if not found:
            self._say("warning", "this dead letter is gone")
        return found[0] if found else None

    async def letter_of(self, request_id: str) -> str | None:
        """The id of the dead letter that tells of a request."""
        view = View("dlq", filter=request_id)
        return next(iter(await self.ids([view])), None)

    async def export(self, ids: list[str], folder: Path) -> None:
        """Write dead letters to a new file, private to the user: a JSON object a line."""
        path = folder / time.strftime("dead-letters-%Y%m%d-%H%M%S.jsonl")
        try:
            count = await self._write(ids, path)
        except Exception as error:
            self._failed("not exported", error)
            return
        self._say("info", f"exported {letters(count)}: {path.name} in {path.parent}")

    async def _write(self, ids: list[str], path: Path) -> int:
        lines: list[str] = []
        for start in range(0, len(ids), _AT_ONCE):
            found = await self._client().letters(ids[start : start + _AT_ONCE])
            lines += map(json_line, found)
        await asyncio.to_thread(_write_private, path, lines)
        return len(lines)

    def _client(self) -> Client:
        if self._link.client is None:
            raise ConnectionError("no engine is connected")
        return self._link.client

    def _failed(self, what: str, error: Exception) -> None:
        self._say("error", f"{what}: {f.clean(str(error) or type(error).__name__)}")


def _write_private(path: Path, lines: list[str]) -> None:
    """A new file that nobody else may read; an error if there is one already."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def json_line(letter: dict[str, Any]) -> str:
    """A dead letter as one line of JSON. Its payload stands there letter for letter: no number is read and rounded."""
    rest = json.dumps({key: value for key, value in letter.items() if key != "payload"})
    payload = str(letter["payload"])
    try:
        json.loads(payload)
    except ValueError:
        return f'{rest[:-1]}, "payload": {json.dumps(payload)}}}'
    one_line = payload.replace("\r", " ").replace("\n", " ")  # in JSON, no text holds one
    return f'{rest[:-1]}, "payload": {one_line}}}'


def letters(count: int) -> str:
    """ "1 dead letter", "3 dead letters"."""
    return f.counted(count, "dead letter")


def _redrive_sentence(answer: dict[str, Any]) -> tuple[str, str]:
    done, refused = answer.get("redriven", []), answer.get("refused", [])
    parts = []
    if len(done) == 1:
        parts.append(f"redriven {f.short_id(done[0][0])} → {f.short_id(done[0][1])}")
    elif done:
        parts.append(f"redriven {f.counted(len(done), 'event')}")
    if refused:
        parts.append(f"{len(refused)} refused: {refused[0][1]}")
    return ("error" if refused else "info"), ", ".join(parts) or "nothing was redriven"
