"""The engine's end of the socket to one execution environment: whole frames out, whole frames in, nothing blocks.

The layout of the frames is in `runtime/bootstrap.py`, which cannot import this file.
"""

import asyncio
import os
import socket
import struct
from collections.abc import Callable

from .failures import RESPONSE_MAX

READY, INIT_ERROR, RESULT, ERROR, TOO_LARGE, WAITS = b"R", b"I", b"O", b"E", b"L", b"W"
LISTENS = "listens"
ANSWERS = (RESULT, ERROR, TOO_LARGE)

_REQUEST = struct.Struct("!II")
_ANSWER = struct.Struct("!16scIIHI")
_NAME_MAX = 1_024  # bytes of a request id
_ERROR_MAX = 64 * 1024 * 1024  # an error object may be larger than a response

# One buffer for all: what is read is taken out at once. Larger ones are measurably slower.
_BUFFER = bytearray(64 * 1024)
_VIEW = memoryview(_BUFFER)


class Channel:
    """Frames to and from one process.

    `on_answer(kind, request_id, payload, memory, took)` is called with each answer, memory in KB, the time it took by
    the process's own clock in microseconds; `on_broken(closed)` when the process has closed its end (True) or something
    else than an answer came (False). After that, nothing is read.
    """

    __slots__ = ("_frame", "_loop", "_nonce", "_on_answer", "_on_broken", "_open", "_socket", "_unsent")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        end: socket.socket,
        on_answer: Callable[[bytes, str, bytes, int, int], None],
        on_broken: Callable[[bool], None],
    ) -> None:
        self._loop = loop
        self._socket = end
        self._on_answer = on_answer
        self._on_broken = on_broken
        self._nonce = os.urandom(16)
        self._frame: bytearray | None = None
        self._unsent: memoryview | None = None
        self._open = True
        end.setblocking(False)
        end.send(self._nonce)
        loop.add_reader(end, self._on_readable)

    def send(self, head: bytes, payload: bytes) -> bool:
        """Send one request; False if the process has already closed its end."""
        frame = _REQUEST.pack(len(head), len(payload)) + head + payload
        try:
            sent = self._socket.send(frame)
        except BlockingIOError:
            sent = 0
        except OSError:
            return False
        if sent < len(frame):
            self._unsent = memoryview(frame)[sent:]
            self._loop.add_writer(self._socket, self._on_writable)
        return True

    def read_all(self) -> None:
        """Take in what has arrived, now that the process has ended."""
        while self._open and self._on_readable():
            pass

    def close(self) -> None:
        self._stop()
        self._socket.close()

    def _stop(self) -> None:
        if self._open:
            self._open = False
            self._loop.remove_reader(self._socket)
            if self._unsent is not None:
                self._loop.remove_writer(self._socket)
                self._unsent = None

    def _break(self, closed: bool) -> None:
        self._stop()
        self._on_broken(closed)

    def _on_writable(self) -> None:
        if self._unsent is None:
            return
        try:
            self._unsent = self._unsent[self._socket.send(self._unsent) :]
        except BlockingIOError:
            return
        except OSError:
            self._unsent = self._unsent[:0]  # it closed its end: the reader learns of it too
        if not self._unsent:
            self._unsent = None
            self._loop.remove_writer(self._socket)

    def _on_readable(self) -> bool:
        """Read once. False when there was nothing."""
        try:
            count = self._socket.recv_into(_BUFFER)
        except BlockingIOError:
            return False
        except OSError:
            count = 0
        if count == 0:
            self._break(closed=True)
            return False
        if self._frame is None and count >= _ANSWER.size:
            self._take(_VIEW[:count])
        else:
            self._gather(_VIEW[:count])
        return True

    def _gather(self, piece: memoryview) -> None:
        """A frame in several pieces."""
        if self._frame is None:
            self._frame = bytearray()
        frame = self._frame
        frame += piece
        if len(frame) >= _ANSWER.size:
            self._take(memoryview(frame))
        elif not self._nonce.startswith(frame[:16]):
            self._break(closed=False)

    def _take(self, data: memoryview) -> None:
        nonce, kind, memory, took, name_length, payload_length = _ANSWER.unpack_from(data)
        limit = RESPONSE_MAX if kind == RESULT else _ERROR_MAX
        body = _ANSWER.size + name_length
        size = body + payload_length
        if nonce != self._nonce or payload_length > limit or name_length > _NAME_MAX or len(data) > size:
            self._break(closed=False)
        elif len(data) == size:
            request_id = str(data[_ANSWER.size : body], "utf-8", "replace")
            payload = bytes(data[body:])
            self._frame = None
            self._on_answer(kind, request_id, payload, memory, took)
        elif self._frame is None:
            self._frame = bytearray(data)
