"""Talks to an engine: over HTTP, or in the same process for tests and tapes. Both say the same plain values."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

if TYPE_CHECKING:
    import aiohttp

    from lamtop.engine import Engine, Replay

_CONNECT_SECONDS = 5.0
_FRAME_MAX = 64 * 1024 * 1024  # bytes: 500 rows of everything, and log lines of 64 KiB

Values = dict[str, Any]


class EngineUnreachable(ConnectionError):
    """There is no engine where one was expected; the text says what to do."""


class Client(Protocol):
    """What the monitor and the command line know of an engine."""

    async def hello(self) -> Values: ...
    async def status(self) -> Values: ...
    async def subscribe(self, views: dict[str, Values]) -> None: ...
    def frames(self) -> AsyncIterator[Values]: ...
    async def invoke(self, function: str, payload: bytes, *, asynchronous: bool, dry_run: bool = False) -> Values: ...
    async def redrive(self, ids: list[str], payloads: dict[str, str] | None = None) -> Values: ...
    async def purge(self, ids: list[str]) -> Values: ...
    async def undo(self, purge: str = "") -> Values: ...
    async def letters(self, ids: list[str]) -> list[Values]: ...
    async def reload(self) -> Values: ...
    async def arm(self, sentence: str) -> Values: ...
    async def disarm(self, number: int | None = None) -> Values: ...
    async def faults(self) -> list[Values]: ...
    async def set_speed(self, speed: float) -> Values: ...
    async def jump(self) -> Values: ...
    async def pause(self) -> Values: ...
    async def resume(self) -> Values: ...
    async def life(self, request_id: str) -> Values | None: ...
    async def page(self, view: Values, cursor: str | None = None) -> Values: ...
    async def stop(self) -> None: ...
    async def close(self) -> None: ...


class HttpClient:
    """An engine in another process."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token
        self._session: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._connecting = asyncio.Lock()  # who subscribes and who listens must share one socket

    async def hello(self) -> Values:
        found: Values = await self._call("GET", "hello")
        return found

    async def status(self) -> Values:
        found: Values = await self._call("GET", "status")
        return found

    async def subscribe(self, views: dict[str, Values]) -> None:
        socket = await self._connected()
        await socket.send_json({"views": views})

    async def frames(self) -> AsyncIterator[Values]:
        """Frames until the engine is gone; then ConnectionError."""
        socket = await self._connected()
        async for message in socket:
            frame = json.loads(message.data)
            if "error" in frame:
                raise ValueError(frame["error"])
            yield frame
        self._socket = None
        raise EngineUnreachable("the engine has gone")

    async def invoke(self, function: str, payload: bytes, *, asynchronous: bool, dry_run: bool = False) -> Values:
        """Invoke as every client of Lambda does; `function` may name a version or alias (name:alias). The answer's
        status is Lambda's."""
        import aiohttp

        url = f"{self._url}/2015-03-31/functions/{quote(function, safe='')}/invocations"
        started = time.perf_counter()
        try:
            async with self._http().post(
                url, data=payload, headers=_headers(asynchronous, dry_run), timeout=aiohttp.ClientTimeout(total=None)
            ) as response:
                body = await response.text()
                took = time.perf_counter() - started
                return _invoked(response.status, response.headers, body, took)
        except aiohttp.ClientError as error:
            raise EngineUnreachable(f"{self._url} does not answer: {error}") from None

    async def redrive(self, ids: list[str], payloads: dict[str, str] | None = None) -> Values:
        found: Values = await self._call("POST", "redrive", {"ids": ids, "payloads": payloads or {}})
        return found

    async def purge(self, ids: list[str]) -> Values:
        found: Values = await self._call("POST", "purge", {"ids": ids})
        return found

    async def undo(self, purge: str = "") -> Values:
        found: Values = await self._call("POST", "undo", {"purge": purge})
        return found

    async def letters(self, ids: list[str]) -> list[Values]:
        found: list[Values] = (await self._call("POST", "letters", {"ids": ids}))["letters"]
        return found

    async def reload(self) -> Values:
        found: Values = await self._call("POST", "reload")
        return found

    async def arm(self, sentence: str) -> Values:
        found: Values = await self._call("POST", "faults/arm", {"fault": sentence})
        return found

    async def disarm(self, number: int | None = None) -> Values:
        found: Values = await self._call("POST", "faults/clear", {"number": number})
        return found

    async def faults(self) -> list[Values]:
        found: list[Values] = (await self._call("GET", "faults"))["faults"]
        return found

    async def set_speed(self, speed: float) -> Values:
        found: Values = await self._call("POST", "speed", {"speed": speed})
        return found

    async def jump(self) -> Values:
        found: Values = await self._call("POST", "jump")
        return found

    async def pause(self) -> Values:
        found: Values = await self._call("POST", "pause")
        return found

    async def resume(self) -> Values:
        found: Values = await self._call("POST", "resume")
        return found

    async def life(self, request_id: str) -> Values | None:
        found: Values | None = await self._call("GET", f"life/{quote(request_id, safe='')}")
        return found

    async def page(self, view: Values, cursor: str | None = None) -> Values:
        found: Values = await self._call("POST", "page", {**view, "cursor": cursor})
        return found

    async def stop(self) -> None:
        await self._call("POST", "stop")

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()
        if self._session is not None:
            await self._session.close()
        self._socket = self._session = None

    def _http(self) -> "aiohttp.ClientSession":
        if self._session is None:
            import aiohttp

            timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS)
            self._session = aiohttp.ClientSession(timeout=timeout)
        return self._session

    async def _connected(self) -> "aiohttp.ClientWebSocketResponse":
        import aiohttp

        async with self._connecting:
            if self._socket is None or self._socket.closed:
                try:
                    self._socket = await self._http().ws_connect(
                        f"{self._url}/_lamtop/watch", headers=self._authority(), max_msg_size=_FRAME_MAX, heartbeat=20.0
                    )
                except (aiohttp.ClientError, OSError) as error:
                    raise EngineUnreachable(f"{self._url} does not answer: {error}") from None
            return self._socket

    async def _call(self, method: str, verb: str, body: Values | None = None) -> Any:
        import aiohttp

        try:
            async with self._http().request(
                method, f"{self._url}/_lamtop/{verb}", json=body, headers=self._authority()
            ) as response:
                answer = json.loads(await response.read())
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise EngineUnreachable(f"{self._url} does not answer as an engine: {error}") from None
        if response.status == 400:
            raise ValueError(answer["message"])
        if response.status >= 400 and isinstance(answer, dict):
            raise EngineUnreachable(f"{self._url} refused {verb}: {answer.get('message') or answer.get('Message')}")
        return answer

    def _authority(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}


class LocalClient:
    """An engine in this very process."""

    def __init__(self, engine: "Engine | Replay") -> None:
        self._engine = engine
        self._subscription = engine.subscribe()

    async def hello(self) -> Values:
        return self._engine.hello()

    async def status(self) -> Values:
        return self._engine.status()

    async def subscribe(self, views: dict[str, Values]) -> None:
        self._subscription.watch(views)

    async def frames(self) -> AsyncIterator[Values]:
        while not self._engine.ended.done():
            yield await self._subscription.next_frame()
        raise EngineUnreachable("the engine has ended")

    async def invoke(self, function: str, payload: bytes, *, asynchronous: bool, dry_run: bool = False) -> Values:
        ticks = self._engine.clock.ticks  # simulated time is the caller's too
        started = ticks()
        answer = await self._engine.call(function, payload, _headers(asynchronous, dry_run))
        body = answer.body.decode(errors="replace")
        return _invoked(answer.status, answer.headers, body, ticks() - started)

    async def redrive(self, ids: list[str], payloads: dict[str, str] | None = None) -> Values:
        return await self._engine.redrive(ids, payloads)

    async def purge(self, ids: list[str]) -> Values:
        return await self._engine.purge(ids)

    async def undo(self, purge: str = "") -> Values:
        return await self._engine.undo(purge)

    async def letters(self, ids: list[str]) -> list[Values]:
        return await self._engine.letters(ids)

    async def reload(self) -> Values:
        return await self._engine.reload()

    async def arm(self, sentence: str) -> Values:
        return await self._engine.arm(sentence)

    async def disarm(self, number: int | None = None) -> Values:
        return await self._engine.disarm(number)

    async def faults(self) -> list[Values]:
        return await self._engine.armed()

    async def set_speed(self, speed: float) -> Values:
        return await self._engine.set_speed(speed)

    async def jump(self) -> Values:
        return await self._engine.jump()

    async def pause(self) -> Values:
        return await self._engine.pause()

    async def resume(self) -> Values:
        return await self._engine.resume()

    async def life(self, request_id: str) -> Values | None:
        return await self._engine.life(request_id)

    async def page(self, view: Values, cursor: str | None = None) -> Values:
        return await self._engine.page(view, cursor)

    async def stop(self) -> None:
        self._engine.end("the client said so")

    async def close(self) -> None:
        self._subscription.close()


def _headers(asynchronous: bool, dry_run: bool) -> dict[str, str]:
    kind = "DryRun" if dry_run else "Event" if asynchronous else "RequestResponse"
    return {"x-amz-invocation-type": kind, "x-amz-log-type": "Tail", "user-agent": "lamtop"}


def _invoked(status: int, headers: Any, body: str, took: float) -> Values:
    """What an invocation gave: {"request_id", "status", "payload", "error", "took" (seconds), "log"}."""
    import base64

    log = base64.b64decode(headers.get("X-Amz-Log-Result", "")).decode(errors="replace")
    return {
        "request_id": headers.get("x-amzn-RequestId", ""),
        "status": status,
        "payload": body,
        "error": _error(status, headers, body),
        "took": took,
        "log": log,
    }


def _error(status: int, headers: Any, body: str) -> str | None:
    if status < 400 and not headers.get("X-Amz-Function-Error"):
        return None
    try:
        told = json.loads(body)
        kind = told.get("errorType") or headers.get("x-amzn-ErrorType") or f"HTTP {status}"
        message = told.get("errorMessage") or told.get("message") or told.get("Message") or ""
    except (ValueError, AttributeError):
        kind, message = f"HTTP {status}", body[:200]
    reason = f" ({told['Reason']})" if status == 429 and isinstance(told, dict) and told.get("Reason") else ""
    return f"{kind}: {message}{reason}" if message else str(kind)


async def wait_until_gone(client: Client, seconds: float) -> bool:
    """Wait until the engine answers no more; False if it still does after so long."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                await client.hello()
                await asyncio.sleep(0.05)
    except EngineUnreachable:
        return True
    except TimeoutError:
        return False
