"""`lamtop --plain`: the story of every request as lines, for pipes and screen readers, from the same subscription."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from . import format as f
from .link import Client, Connect
from .story import facts, is_over

_PANES = ("queue", "inflight", "retries", "dlq")
_LIMIT = 500  # rows and lines of a view
_MOST_PENDING = 2_000  # requests whose lives are still to be looked at; of more the oldest are left out
_KEPT = 10_000  # requests that are over and remembered: their last rows and lines come later
_LOOK_EVERY = 0.3  # seconds between two looks at what goes on
Row = dict[str, Any]


async def print_changes(connect: Connect) -> int:
    """Print one line for each change until the engine ends. Returns the exit code."""
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        client = await connect()
    except Exception as error:  # whatever keeps the engine from starting is for the user to read
        sys.stderr.write(f"Error: {f.clean(str(error) or type(error).__name__)}\n")
        return 1
    try:
        await Plain(client, _say).run()
    except BrokenPipeError:  # whoever read has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    finally:
        await client.close()
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


class Plain:
    """Follows one engine. A request is looked at when a frame names it or it leaves a pane, and while it runs."""

    def __init__(self, client: Client, say: Callable[[str], None]) -> None:
        self._client, self._say = client, say
        self._since: float | None = None  # engine time of the first frame: what was before is not told
        self._now = 0.0
        self._pending: dict[str, None] = {}
        self._left_out = 0
        self._shown: dict[str, set[str]] = {}
        self._told: dict[str, set[Any]] = {}  # request -> facts that were printed
        self._over: dict[str, None] = {}
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Until the engine has ended."""
        hello = await self._client.hello()
        self._line(None, f"connected to {hello.get('url', '?')}, {hello.get('project', '')}")
        await self._client.subscribe({pane: _view(pane) for pane in (*_PANES, "logs")})
        looking = asyncio.create_task(self._look())
        listening = asyncio.create_task(self._listen())
        try:
            await asyncio.wait({looking, listening}, return_when=asyncio.FIRST_COMPLETED)
            for task in (looking, listening):
                if task.done():
                    task.result()
        except (OSError, ValueError) as error:
            if isinstance(error, BrokenPipeError):
                raise
            self._line(self._now, f"the engine has ended: {error}")
        finally:
            looking.cancel()
            listening.cancel()

    # what the engine sends

    async def _listen(self) -> None:
        async for frame in self._client.frames():
            self._take(frame)

    def _take(self, frame: Row) -> None:
        first = self._since is None
        self._now = float(frame["time"]["engine"])
        if first:
            self._since = self._now
            self._line(self._now, _counts(frame["totals"]))
        for notice in frame.get("notices", ()):
            if float(notice.get("at") or 0) >= (self._since or 0.0):
                self._line(notice["at"], f"{notice['level']}: {notice['text']}")
        named = [one for pane, view in frame["views"].items() for one in self._changed(pane, view)]
        named += [line["request_id"] for news in frame.get("logs", {}).values() for line in news["lines"]]
        if not first:
            self._want(named)

    def _changed(self, pane: str, view: Row) -> Iterable[str]:
        """The requests of a pane that are new, other than before, or gone."""
        named = {_request(row) for row in view["rows"]}
        if pane != "dlq" and "ids" in view:
            ids = set(view["ids"])
            named |= self._shown.get(pane, set()) - ids
            self._shown[pane] = ids
        return named

    def _want(self, requests: Iterable[str]) -> None:
        for one in requests:
            if one and one not in self._over:
                self._pending[one] = None
        while len(self._pending) > _MOST_PENDING:
            del self._pending[next(iter(self._pending))]
            self._left_out += 1
        if self._pending:
            self._news.set()

    # what is told of it

    async def _look(self) -> None:
        while True:
            goes_on: list[str] = []
            while self._pending:
                request = next(iter(self._pending))
                del self._pending[request]
                if await self._tell(request):
                    goes_on.append(request)
            if self._left_out:
                self._line(self._now, f"{f.counted(self._left_out, 'request')} left out: too many at once")
                self._left_out = 0
            await self._rest(_LOOK_EVERY if goes_on else None)
            self._want(goes_on)

    async def _rest(self, seconds: float | None) -> None:
        self._news.clear()
        waiting: Awaitable[Any] = self._news.wait()
        try:
            await asyncio.wait_for(waiting, seconds)
        except TimeoutError:
            return

    async def _tell(self, request: str) -> bool:
        """Print what is new in a life; whether more may come without a word from the engine."""
        life = await self._client.life(request)
        if life is None:
            return False
        told = self._told.setdefault(request, set())
        for fact in facts(life):
            if fact.key not in told and fact.at >= (self._since or 0.0):
                self._line(fact.at, f"{f.clean(life['function'])} {f.short_id(request)} {fact.words}")
            told.add(fact.key)
        if is_over(life):
            self._forget(request)
            return False
        return life["state"] != "queued" or float(life.get("due_at") or 0) <= self._now

    def _forget(self, request: str) -> None:
        self._told.pop(request, None)
        self._over[request] = None
        if len(self._over) > _KEPT:
            del self._over[next(iter(self._over))]

    def _line(self, at: float | None, words: str) -> None:
        stamp = f"{f.clock_ms(at)} " if at else ""
        self._say(stamp + f.one_line(f.clean(words)))


def _view(pane: str) -> Row:
    sort = {"sort": "dead_at", "descending": True} if pane == "dlq" else {"sort": "", "descending": False}
    return {"view": pane, "filter": "", "offset": 0, "limit": 1 if pane == "logs" else _LIMIT, **sort}


def _request(row: Row) -> str:
    return str(row.get("request_id") or row["id"])


def _counts(totals: Row) -> str:
    words = (("queued", "queued"), ("in_flight", "running"), ("retrying", "waiting for a retry"))
    counts = [f"{f.number(int(totals[key]))} {word}" for key, word in words]
    paused = totals.get("paused_since")
    halted = [f"PAUSED since {f.clock(paused)}: no asynchronous event begins"] if paused else []
    return ", ".join([*counts, f.counted(int(totals["dead_letters"]), "dead letter"), *halted])
