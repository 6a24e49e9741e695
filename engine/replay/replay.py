"""A recording that answers as an engine does: everything can be looked at, nothing runs, nothing is written."""

import asyncio
import os
import time
import weakref
from collections.abc import Callable
from importlib.metadata import version
from typing import Any, NoReturn

from ..store.recording import Recording
from ..view import Looking, Subscription, parse_view
from .player import Player
from .reading import read
from .rewound import Rewound

Row = dict[str, Any]
_SPEED_MAX = 100_000.0
_MARKS = 200  # parts of the recording that a client is told of, to draw it


class NotInAReplay(ConnectionError):
    """A verb that would change something was asked for."""

    def __init__(self) -> None:
        super().__init__("this is a replay: nothing runs")


class Replay:
    """Looked at through the same calls as an engine, and `wind`. Only what comes after `start` needs an event loop."""

    ended: asyncio.Future[str]

    def __init__(self, recording: Recording, *, idle: float = 3.0, real: Callable[[], float] = time.monotonic) -> None:
        """It stands at the first moment. What nothing happens in for longer than `idle` seconds is cut short while it
        plays; 0: nothing is. `real` is the clock that it goes by, in seconds. Raises StoreError if the recording is
        damaged. Reads all of it: seconds, if it is large.
        """
        self._recording = recording
        self._known = known = read(recording)
        self._rewound = Rewound(known, real)
        self.clock = self._rewound.clock
        self._happenings = self._rewound.happenings
        self._player = Player(self.clock, self._go, self._happenings.next_sign_of_life, self._is_quiet, idle)
        self.views = self._rewound.views
        self._looking = Looking(self.views, lambda _: None, self._absences)
        self._subscriptions: weakref.WeakSet[Subscription] = weakref.WeakSet()
        self._winding = asyncio.Lock()
        self.life, self.page = self._looking.life, self._looking.page
        for remark in (*recording.remarks, *known.configured.remarks):
            self._rewound.notices.say("warning", remark)
        self._rewound.take(*self._rewound.find(known.first))

    def start(self) -> None:
        """Time may pass from here on; how fast, `set_speed` says."""
        if not hasattr(self, "ended"):
            self.ended = asyncio.get_running_loop().create_future()
            self._player.start()

    def close(self) -> None:
        """Let go of the recording."""
        self._player.stop()
        self._known.past.close()
        self._known.history.close()

    def end(self, why: str) -> None:
        if not self.ended.done():
            self.ended.set_result(why)

    # -- looking -----------------------------------------------------------------------------------------------------

    def hello(self) -> Row:
        """Whose recording this is; "replay" has its bounds, in engine time, and where in it how much failed."""
        project, known = self._known.configured.project(self._known.last), self._known
        return {
            "project": project.get("source") or str(self._recording.path),
            "url": "",
            "interpreter": project.get("interpreter", ""),
            "python": project.get("python", ""),
            "version": version("lamtop"),
            "pid": os.getpid(),
            "state": "",  # nothing is to be written there
            "owned": False,
            "warnings": [],
            "notice": None,
            "replay": {
                "path": str(self._recording.path),
                "first": known.first,
                "last": known.last,
                "failures": _marks(known.failures, known.first, known.last),
            },
        }

    def status(self) -> Row:
        views = self.views
        _, functions = views.rows(parse_view("status", {"view": "functions", "limit": 500}))
        return {**self.hello(), "time": views.time(), "totals": views.totals(), "functions": functions}

    def subscribe(self) -> Subscription:
        subscription = self._looking.subscribe()
        self._subscriptions.add(subscription)
        return subscription

    async def letters(self, ids: list[str]) -> list[Row]:
        """These dead letters whole, those that are there; at most 20 at once."""
        return await asyncio.to_thread(self._known.past.letters, ids[:20])

    async def armed(self) -> list[Row]:
        return []  # not on record

    def _absences(self, since: float, until: float) -> list[tuple[float, float, bool]]:
        until = min(until, self._rewound.at)
        return [absence for absence in self._known.absences if absence.start < until and absence.end > since]

    # -- going through it --------------------------------------------------------------------------------------------

    async def set_speed(self, speed: float) -> Row:
        """Let so many seconds of the recording pass in a real one, from its beginning if it is at its end; 0: stand."""
        if not isinstance(speed, int | float) or not 0 <= speed <= _SPEED_MAX:
            raise ValueError(f"speed: {speed!r} is not allowed; use a number from 0 (it stands) to {_SPEED_MAX:g}")
        if speed and self.clock.is_at_end:
            async with self._winding:
                await self._show(self.clock.first)
        self.clock.set_rate(float(speed))
        self._player.jumped()
        self._tell()
        return {"speed": speed}

    async def jump(self) -> Row:
        """Go on to what happens next: {"seconds": how many were left out, or None if nothing does}."""
        before = self.clock.now()
        found = await self.wind("change", 1)
        return {"seconds": found["at"] - before if found["found"] else None}

    async def wind(self, to: str, amount: float, of: str = "") -> Row:
        """Go to another moment: {"at": engine time, "found": was there one, "happened": [[id, function, words] …]}.

        `to` is "by" (so many seconds on or, negative, back), "second" (of the recording), "moment" (of engine time),
        or "change" and "failure": the next (1) or the one before (-1), of a request or function if one is named. There
        it stands still. Raises ValueError for anything else.
        """
        async with self._winding:
            at = await asyncio.to_thread(self._wanted, to, amount, of)
            if to in ("change", "failure"):
                self.clock.set_rate(0.0)
            if at is not None:
                await self._show(at)
        self._player.jumped()
        self._tell()
        happened = await asyncio.to_thread(self._happenings.at, at, of) if at is not None else []
        return {"at": self.clock.now(), "found": at is not None, "happened": [list(one) for one in happened]}

    def _wanted(self, to: str, amount: float, of: str) -> float | None:
        """The moment that is meant; None if there is none. Reads the recording."""
        now, seek = self.clock.now(), self._happenings
        match to:
            case "by":
                return now + amount
            case "second":
                return self.clock.first + amount
            case "moment":
                return amount
            case "change":
                return seek.next_change(now, of) if amount > 0 else seek.last_change(now, of)
            case "failure":
                return seek.next_failure(now, of) if amount > 0 else seek.last_failure(now, of)
        raise ValueError(f"to: {to!r} is not known; use by, second, moment, change or failure")

    async def _show(self, at: float) -> None:
        """Go there, however far it is."""
        self._rewound.take(*await asyncio.to_thread(self._rewound.find, self.clock.go_to(at)))
        for subscription in self._subscriptions:
            subscription.look_again()

    async def _go(self, at: float) -> bool:
        """Go on to there, a little later."""
        if self._winding.locked():
            return True
        async with self._winding:
            moved, found = await asyncio.to_thread(self._rewound.find, at)
            self._rewound.take(moved, found)
        if moved.lines is None:
            for subscription in self._subscriptions:
                subscription.look_again()
        for line in moved.lines or ():
            for listener in self._known.history.listeners:
                listener(line)
        if not self.clock.rate:
            self._tell()
        return moved.is_changed

    def _tell(self) -> None:
        """Time goes on otherwise than clients think."""
        self._rewound.dispatcher.metrics.changed("inflight")

    def _is_quiet(self) -> bool:
        return len(self._rewound.pools.executing) <= self._rewound.unfinished

    # -- what a replay does not do -----------------------------------------------------------------------------------

    async def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise NotInAReplay

    call = redrive = purge = undo = reload = arm = disarm = pause = resume = _refuse


def _marks(moments: list[float], first: float, last: float) -> list[int]:
    """How many of these moments are in each equal part of the recording."""
    counts, length = [0] * _MARKS, (last - first) or 1.0
    for at in moments:
        counts[max(0, min(_MARKS - 1, int((at - first) / length * _MARKS)))] += 1
    return counts
