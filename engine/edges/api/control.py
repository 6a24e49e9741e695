"""The monitor's own calls, under /_lamtop/. Each needs the engine's token."""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from aiohttp import WSMsgType, web

from ...reports import NotAccepted
from .answers import ApiError, json_response, unavailable
from .body import BodyTooLarge, read_body

_log = logging.getLogger(__name__)
_BODY_MAX = 1024 * 1024  # bytes
_REDRIVE_MAX = 8 * _BODY_MAX  # a changed payload comes as a JSON text in JSON
_SEND_SECONDS = 30.0  # a monitor that takes no frame for so long is gone


class Subscribed(Protocol):
    """One client's subscription."""

    def watch(self, wishes: Mapping[str, Mapping[str, Any]]) -> None: ...
    async def next_frame(self) -> dict[str, Any]: ...
    def close(self) -> None: ...


class Controlled(Protocol):
    """What the control calls need of the engine."""

    def hello(self) -> dict[str, Any]: ...
    def status(self) -> dict[str, Any]: ...
    async def redrive(self, ids: list[str], payloads: Mapping[str, str] | None = None) -> dict[str, Any]: ...
    async def purge(self, ids: list[str]) -> dict[str, Any]: ...
    async def undo(self, purge: str) -> dict[str, Any]: ...
    async def letters(self, ids: list[str]) -> list[dict[str, Any]]: ...
    async def reload(self) -> dict[str, Any]: ...
    async def set_speed(self, speed: float) -> dict[str, Any]: ...
    async def jump(self) -> dict[str, Any]: ...
    async def arm(self, sentence: Any) -> dict[str, Any]: ...
    async def disarm(self, number: Any = None) -> dict[str, Any]: ...
    async def armed(self) -> list[dict[str, Any]]: ...
    async def pause(self) -> dict[str, Any]: ...
    async def resume(self) -> dict[str, Any]: ...
    async def life(self, request_id: str) -> dict[str, Any] | None: ...
    async def page(self, wish: Mapping[str, Any], cursor: str | None) -> dict[str, Any]: ...
    def subscribe(self) -> Subscribed: ...
    def attached(self) -> None: ...
    def detached(self) -> None: ...
    def end(self, why: str) -> None: ...


async def control(
    engine: Controlled, request: web.BaseRequest, verb: str, monitors: set[web.WebSocketResponse]
) -> web.StreamResponse:
    """One call of the monitor or the command line. Raises ApiError for what does not exist or makes no sense."""
    match request.method, verb.split("/", 1):
        case "GET", ["hello"]:
            return json_response(engine.hello())
        case "GET", ["status"]:
            return json_response(engine.status())
        case "GET", ["watch"]:
            return await _watch(engine, request, monitors)
        case "GET", ["life", request_id]:
            found = await engine.life(request_id)
            return json_response(found, status=200 if found else 404)
        case "POST", ["page"]:
            body = await _body(request)
            return json_response(await _sensible(engine.page(body, body.get("cursor"))))
        case "POST", ["redrive"]:
            body = await _body(request, _REDRIVE_MAX)
            return json_response(await _written(engine.redrive(_ids(body), _payloads(body))))
        case "POST", ["purge"]:
            return json_response(await _written(engine.purge(_ids(await _body(request)))))
        case "POST", ["undo"]:
            return json_response(await _written(engine.undo(str((await _body(request)).get("purge") or ""))))
        case "POST", ["letters"]:
            return json_response({"letters": await engine.letters(_ids(await _body(request)))})
        case "POST", ["reload"]:
            return json_response(await engine.reload())
        case "POST", ["speed"]:
            return json_response(await _sensible(engine.set_speed((await _body(request)).get("speed", 1.0))))
        case "POST", ["jump"]:
            return json_response(await engine.jump())
        case "GET", ["faults"]:
            return json_response({"faults": await engine.armed()})
        case "POST", ["faults", "arm"]:
            return json_response(await _sensible(engine.arm((await _body(request)).get("fault"))))
        case "POST", ["faults", "clear"]:
            return json_response(await _sensible(engine.disarm((await _body(request)).get("number"))))
        case "POST", ["pause"]:
            return json_response(await engine.pause())
        case "POST", ["resume"]:
            return json_response(await engine.resume())
        case "POST", ["stop"]:
            engine.end("somebody said 'lamtop stop'")
            return json_response({"stopping": True})
    raise ApiError(404, "NotFoundException", f"{request.method} /_lamtop/{verb} is not a call of this version")


async def _watch(
    engine: Controlled, request: web.BaseRequest, monitors: set[web.WebSocketResponse]
) -> web.StreamResponse:
    """A monitor's connection: it sends its views, it gets frames. It is only as alive as the monitor."""
    socket = web.WebSocketResponse(heartbeat=20.0, max_msg_size=64 * 1024, compress=False)
    await socket.prepare(request)
    monitors.add(socket)
    subscription = engine.subscribe()
    engine.attached()
    sender = asyncio.create_task(_send_frames(socket, subscription))
    try:
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await _take_views(socket, subscription, message.data)
    finally:
        sender.cancel()
        monitors.discard(socket)
        subscription.close()
        engine.detached()
    return socket


async def _take_views(socket: web.WebSocketResponse, subscription: Subscribed, text: str) -> None:
    try:
        subscription.watch(json.loads(text)["views"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        await socket.send_json({"error": f"views: {error}"})


async def _send_frames(socket: web.WebSocketResponse, subscription: Subscribed) -> None:
    """One frame at a time: while a slow client takes one, what changes gathers for the next."""
    try:
        while not socket.closed:
            frame = await subscription.next_frame()
            async with asyncio.timeout(_SEND_SECONDS):
                await socket.send_json(frame, dumps=_dumps)
    except (TimeoutError, ConnectionError):
        await socket.close()
    except Exception:  # boundary: a bug in a view must not leave a monitor that never changes; it connects anew
        _log.exception("a monitor's frame")
        await socket.close()


_dumps: Callable[[Any], str] = json.JSONEncoder(separators=(",", ":"), default=str).encode


async def _body(request: web.BaseRequest, most: int = _BODY_MAX) -> dict[str, Any]:
    try:
        body = json.loads(await read_body(request, most) or b"{}")
    except BodyTooLarge:
        raise ApiError(413, "RequestEntityTooLargeException", f"the body is larger than {most} bytes") from None
    except ValueError as error:
        raise ApiError(400, "InvalidRequestContentException", f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise ApiError(400, "InvalidRequestContentException", "the body must be a JSON object")
    return body


def _ids(body: dict[str, Any]) -> list[str]:
    ids = body.get("ids")
    if not isinstance(ids, list) or not all(isinstance(id_, str) for id_ in ids):
        raise ApiError(400, "InvalidRequestContentException", f"ids: {ids!r} is not allowed; use a list of ids")
    return ids


def _payloads(body: dict[str, Any]) -> dict[str, str]:
    payloads = body.get("payloads") or {}
    if not isinstance(payloads, dict) or not all(isinstance(text, str) for text in payloads.values()):
        raise ApiError(400, "InvalidRequestContentException", "payloads: use an object from id to JSON text")
    return payloads


async def _written(answer: Any) -> Any:
    try:
        return await _sensible(answer)
    except NotAccepted as error:
        raise unavailable(error) from None


async def _sensible(answer: Any) -> Any:
    try:
        return await answer
    except ValueError as error:
        raise ApiError(400, "InvalidRequestContentException", str(error)) from None
