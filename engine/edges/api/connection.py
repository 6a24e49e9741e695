"""One client's connection. Plain Invoke requests are answered right here; the rest is aiohttp's, parser and all.

aiohttp costs more than the whole of an invocation. It also parses strictly, and that strictness is kept: a connection
is ours only as long as each request on it is beyond doubt (see `plain_request`). The first that is not goes to aiohttp
with every byte, and so does all that follows on that connection.

aiohttp waits for ever: a client that does not finish its headers in 10 s, or its body in 30 s, is cut off here.
"""

import asyncio
import time
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Protocol

from aiohttp.web_protocol import RequestHandler

from . import body
from .answers import Answer
from .plain_request import PlainRequest, parse

HEADER_SECONDS = 10.0
IDLE_SECONDS = 75.0


class Performer(Protocol):
    """Who answers plain requests. It raises nothing."""

    def perform(self, plain: PlainRequest, body: bytes, reply: Callable[[Answer], None]) -> None:
        """`reply` is called once, now or later."""
        ...

    def late(self) -> Answer:
        """The answer to a request whose body did not come in time."""
        ...


class Connection(RequestHandler):
    """A connection that serves plain requests itself, and loses patience with those that do not come to an end."""

    __slots__ = ("_is_answering", "_loop_time", "_patience", "_performer", "_plain", "_unread", "_until")

    def __init__(self, performer: Performer, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._performer = performer
        self._plain = True
        self._unread = b""
        self._is_answering = False
        self._patience: asyncio.TimerHandle | None = None
        self._until = 0.0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._loop_time = asyncio.get_running_loop().time
        self._allow(HEADER_SECONDS)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._allow(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._plain:
            super().data_received(data)
        elif self._is_answering:
            self._unread += data
            if self.transport is not None:
                self.transport.pause_reading()
        else:
            self._take(self._unread + data if self._unread else data)

    def handed_over(self) -> None:
        """aiohttp has a complete head: from here on its keep-alive watches."""
        self._allow(None)

    # -- plain requests ----------------------------------------------------------------------------------------------

    def _take(self, data: bytes) -> None:
        request = parse(data)
        if request is None:
            self._hand_over(data)
        elif len(data) < request.needed:
            if not self._unread:
                self._allow(body.BODY_SECONDS)
            self._unread = data
        else:
            self._unread = data[request.needed :]
            self._allow(None)
            self._is_answering = True
            self._performer.perform(request, data[request.body_at : request.needed], self._answer)

    def _answer(self, answer: Answer) -> None:
        transport = self.transport
        if transport is None or transport.is_closing():
            return
        transport.write(as_bytes(answer))
        self._allow(IDLE_SECONDS)
        if self._unread:
            asyncio.get_running_loop().call_soon(self._go_on)
        else:
            self._is_answering = False

    def _go_on(self) -> None:
        """The next request came with the one before, or while it was answered."""
        self._is_answering = False
        data, self._unread = self._unread, b""
        if self.transport is not None:
            self.transport.resume_reading()
            self._take(data)

    def _hand_over(self, data: bytes) -> None:
        self._plain = False
        self._unread = b""
        super().data_received(data)

    # -- patience ----------------------------------------------------------------------------------------------------

    def _allow(self, seconds: float | None) -> None:
        """Wait so long for what has to come next; None: for as long as it takes. The timer runs on and looks again."""
        if seconds is None:
            self._until = float("inf")
            return
        self._until = self._loop_time() + seconds
        if self._patience is None:
            self._patience = asyncio.get_running_loop().call_later(seconds, self._lose_patience)
        elif self._patience.when() > self._until:
            self._patience.cancel()
            self._patience = asyncio.get_running_loop().call_later(seconds, self._lose_patience)

    def _lose_patience(self) -> None:
        self._patience = None
        left = self._until - self._loop_time()
        if left == float("inf"):
            return
        if left > 0:
            self._allow(left)
            return
        if self.transport is None:
            return
        if self._unread:
            self.transport.write(as_bytes(self._performer.late()))
            self.force_close()
        else:
            self.transport.abort()


def as_bytes(answer: Answer) -> bytes:
    """The answer as it goes over the wire."""
    status = answer.status
    lines = [f"HTTP/1.1 {status} {_PHRASES[status]}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    if status != HTTPStatus.NO_CONTENT:
        lines.append(f"Content-Length: {len(answer.body)}")
    lines.append(f"Date: {_date(int(time.time()))}\r\n\r\n")
    return "\r\n".join(lines).encode("latin-1") + answer.body


_PHRASES = {status.value: status.phrase for status in HTTPStatus}


@lru_cache(1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
