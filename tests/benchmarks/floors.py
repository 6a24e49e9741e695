"""What a call costs without lamtop, in processes of their own: a bare aiohttp server, and a raw pipe round trip."""

import asyncio
import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_LENGTH = struct.Struct("!I")


@contextmanager
def http_server() -> Iterator[tuple[int, int]]:
    """A bare aiohttp low-level server that reads the body and answers with it: its port and its process."""
    with subprocess.Popen([sys.executable, __file__, "http"], stdout=subprocess.PIPE) as child:
        assert child.stdout
        try:
            yield int(child.stdout.readline()), child.pid
        finally:
            child.terminate()


@contextmanager
def pipe_child() -> Iterator["Pipe"]:
    """A child that parses JSON and writes it again, over two blocking pipes."""
    command = [sys.executable, __file__, "pipe"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin
        assert child.stdout
        try:
            yield Pipe(child.stdin.fileno(), child.stdout.fileno())
        finally:
            child.terminate()


class Pipe:
    """The near ends of the two pipes."""

    def __init__(self, out: int, back: int) -> None:
        self._out = out
        self._back = back

    def round_trips(self, payload: bytes, count: int) -> list[float]:
        """The seconds that each took."""
        seconds = []
        for _ in range(count):
            started = time.perf_counter()
            _write(self._out, payload)
            _read(self._back)
            seconds.append(time.perf_counter() - started)
        return seconds


def _write(descriptor: int, data: bytes) -> None:
    os.write(descriptor, _LENGTH.pack(len(data)) + data)


def _read(descriptor: int) -> bytes:
    """The next message; nothing once the other side has gone."""
    data = os.read(descriptor, 65_536)
    while data and len(data) < _LENGTH.size + _LENGTH.unpack_from(data)[0]:
        data += os.read(descriptor, 65_536)
    return data[_LENGTH.size :]


def _serve_pipe() -> None:
    while data := _read(0):
        _write(1, json.dumps(json.loads(data)).encode())


async def _serve_http() -> None:
    from aiohttp import web

    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(body=await request.read(), content_type="application/json")

    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    if sys.argv[1:] == ["http"]:
        asyncio.run(_serve_http())
    else:
        _serve_pipe()
