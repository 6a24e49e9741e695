"""The client: raw sockets that stay open, one thread, one selector; the same for lamtop, for a floor and for a peer.

A threaded client in Python spends more on its threads than an engine on a call. This one sends prepared bytes, reads
the status and the length of an answer, and looks at everything else after the run.
"""

import http.client
import json
import re
import selectors
import socket
import statistics
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

_PATIENCE = 60.0  # seconds without a single answer
_LENGTH = re.compile(rb"\ncontent-length:\s*(\d+)", re.IGNORECASE)
_REQUEST_ID = re.compile(rb"\nx-amzn-requestid:\s*(\S+)", re.IGNORECASE)

#: About 1 KB of JSON, as an event of a queue or of a web shop looks.
EVENT = json.dumps(
    {
        "seconds": 0,
        "order": "0b7c4d1e-5a37-4a44-9f0b-2f1a0e6f8c11",
        "customer": {"name": "Ada Lovelace", "mail": "ada@example.com", "since": 1843},
        "items": [{"sku": f"sku-{n:05}", "title": "a thing of some kind", "count": n, "price": 9.5} for n in range(11)],
        "note": "leave it with the neighbours " * 3,
    }
).encode()


@dataclass
class Load:
    """What came of many calls."""

    latencies: list[float] = field(default_factory=list)  # seconds
    heads: list[bytes] = field(default_factory=list)
    seconds: float = 0.0  # from the first request sent to the last answer read

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    @property
    def p50(self) -> float:
        """In milliseconds."""
        return statistics.median(self.latencies) * 1_000

    @property
    def p99(self) -> float:
        """In milliseconds."""
        return sorted(self.latencies)[int(len(self.latencies) * 0.99)] * 1_000

    def request_ids(self) -> list[str]:
        """The request ids that were given out."""
        return [found[1].decode() for head in self.heads if (found := _REQUEST_ID.search(head))]


def invocation(port: int, function: str, kind: str = "RequestResponse", body: bytes = EVENT, path: str = "") -> bytes:
    """The bytes of one Invoke, as an SDK sends it: signed, and with all its headers."""
    scope = "20261120/us-east-1/lambda/aws4_request"
    signed = "host;x-amz-client-context;x-amz-date;x-amz-invocation-type"
    return (
        f"POST {path or f'/2015-03-31/functions/{function}/invocations'} HTTP/1.1\r\n"
        f"Host: 127.0.0.1:{port}\r\n"
        "Accept-Encoding: identity\r\n"
        f"X-Amz-Invocation-Type: {kind}\r\n"
        "User-Agent: Boto3/1.43.1 md/Botocore#1.43.1 ua/2.1 os/linux lang/python#3.11 md/pyimpl#CPython m/Z,b,e\r\n"
        "X-Amz-Date: 20261120T090000Z\r\n"
        f"Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/{scope}, SignedHeaders={signed}, "
        f"Signature={'5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7'}\r\n"
        "amz-sdk-invocation-id: 3f1c9f4e-7b1d-4d58-8a52-9f3a6f1c2b77\r\n"
        "amz-sdk-request: attempt=1\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def drive(port: int, request: bytes, count: int, connections: int, status: int = 200) -> Load:
    """Send the request `count` times over so many connections, each as soon as the one before it is answered.

    Raises RuntimeError for any other status, TimeoutError if nothing is answered for a minute.
    """
    with ExitStack() as stack:
        selector = stack.enter_context(selectors.DefaultSelector())
        for _ in range(min(connections, count)):
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(connection, selectors.EVENT_READ, _Line(connection, b"HTTP/1.1 %d" % status))
        return _drive(selector, request, count)


class _Line:
    """One connection, and the answer that it waits for."""

    __slots__ = ("_expected", "_received", "_size", "_socket", "head", "sent_at")

    def __init__(self, connection: socket.socket, expected: bytes) -> None:
        self._socket = connection
        self._expected = expected
        self._received = b""
        self._size = 0
        self.head = b""
        self.sent_at = 0.0

    def send(self, request: bytes) -> None:
        self._received = b""
        self._size = 0
        self.sent_at = time.perf_counter()
        self._socket.sendall(request)

    def is_answered(self) -> bool:
        """Read what is there; True once the answer is complete."""
        data = self._socket.recv(65_536)
        if not data:
            raise RuntimeError("the server has closed the connection")
        self._received = received = self._received + data if self._received else data
        if not self._size:
            end = received.find(b"\r\n\r\n")
            if end < 0:
                return False
            self.head = received[:end]
            if not received.startswith(self._expected):
                raise RuntimeError(f"{self._expected.decode()} was expected: {received[:500]!r}")
            length = _LENGTH.search(self.head)
            self._size = end + 4 + (int(length[1]) if length else 0)
        return len(received) >= self._size


def _drive(selector: selectors.BaseSelector, request: bytes, count: int) -> Load:
    load = Load()
    lines: list[_Line] = [key.data for key in selector.get_map().values()]
    now, unsent, clock = time.perf_counter, count - len(lines), time.perf_counter()
    for line in lines:
        line.send(request)
    while len(load.latencies) < count:
        ready = selector.select(_PATIENCE)
        if not ready:
            raise TimeoutError(f"{len(load.latencies)} of {count} answered, then nothing for {_PATIENCE:.0f} s")
        for key, _ in ready:
            line = key.data
            if not line.is_answered():
                continue
            load.latencies.append(now() - line.sent_at)
            load.heads.append(line.head)
            if unsent:
                unsent -= 1
                line.send(request)
    load.seconds = now() - clock
    return load


def call(
    port: int, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
) -> tuple[int, str, bytes]:
    """One call on a connection of its own: status, request id and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    try:
        connection.request(method, path, None if body is None else json.dumps(body).encode(), dict(headers or {}))
        response = connection.getresponse()
        return response.status, response.getheader("x-amzn-RequestId", ""), response.read()
    finally:
        connection.close()
