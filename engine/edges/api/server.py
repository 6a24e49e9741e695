"""The listening socket: who may ask, and who answers."""

import asyncio
import logging
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from . import guard
from .answers import Answer, ApiError, error_answer
from .body import BODY_SECONDS
from .connection import IDLE_SECONDS, Connection, Performer
from .control import Controlled, control
from .lambda_api import INVOKE_PATH, SYNCHRONOUS_MAX, Invoker, begin, invoke
from .plain_request import PlainRequest

_log = logging.getLogger(__name__)


class Served(Invoker, Controlled, Protocol):
    """What the endpoint needs of the engine."""

    def new_request_id(self) -> str: ...


class _Listener(web.Server):
    """aiohttp's low-level server, with connections that answer plain requests themselves."""

    def __init__(self, handler: Any, performer: Performer, **options: Any) -> None:
        super().__init__(handler, **options)
        self._performer = performer

    def __call__(self) -> RequestHandler:
        return Connection(self._performer, self, loop=self._loop, **self._kwargs)


class Server:
    """Serves Lambda's API and the control calls on one port."""

    def __init__(
        self,
        engine: Served,
        token: str,
        allowed_hosts: frozenset[str] = frozenset(),
        answered: Callable[[], None] | None = None,
    ) -> None:
        """`answered` is called after each answer, if somebody wants to know."""
        self._engine = engine
        self._token = token
        self._answered = answered
        self._allowed_hosts = allowed_hosts
        self._runner: web.ServerRunner | None = None
        self._monitors: set[web.WebSocketResponse] = set()
        self.url = ""
        self.port = 0

    async def start(self, host: str, port: int) -> None:
        """Listen. Port 0 picks a free one. Raises OSError if the port is taken."""
        server = _Listener(
            self._handle,
            self,
            request_factory=_request,
            keepalive_timeout=IDLE_SECONDS,
            access_log=None,
            auto_decompress=False,
            logger=_quiet(),
            tcp_keepalive=False,
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=1.0)
        await self._runner.setup()
        listening = _listen(host, port)
        await web.SockSite(self._runner, listening, backlog=1024).start()
        name = f"[{host}]" if ":" in host else host
        self.port = listening.getsockname()[1]
        self.url = f"http://{name}:{self.port}"

    async def stop(self) -> None:
        """Stop listening, close every connection."""
        for socket_ in list(self._monitors):
            await socket_.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        protocol = request.protocol
        if isinstance(protocol, Connection):
            protocol.handed_over()
        request_id = self._engine.new_request_id()
        try:
            return await self._route(request, request_id)
        except ApiError as error:
            refusal = error
        except TimeoutError:
            refusal = _late()
        except web.HTTPException as error:
            refusal = ApiError(error.status, "BadRequestException", error.reason)
        except Exception:
            _log.exception("%s %s", request.method, request.rel_url)
            refusal = _our_fault()
        finally:
            if self._answered is not None:
                self._answered()
        return _closing(error_answer(refusal, request_id).as_response(), request)

    def perform(self, plain: PlainRequest, body: bytes, reply: Callable[[Answer], None]) -> None:
        """A plain Invoke request, with the same checks and answers as any other."""
        request_id = self._engine.new_request_id()
        if self._answered is not None:
            reply = partial(_reply_and_tell, reply, self._answered)
        try:
            guard.check_host(plain.headers, self._allowed_hosts)
            guard.check_origin(plain.headers)
            begin(self._engine, plain.name, plain.qualifier, body, plain.headers, request_id, reply)
        except ApiError as refusal:
            reply(error_answer(refusal, request_id))
        except Exception:
            _log.exception("invoke %s", plain.name)
            reply(error_answer(_our_fault(), request_id))

    def late(self) -> Answer:
        answer = error_answer(_late(), self._engine.new_request_id())
        return answer._replace(headers={**answer.headers, "Connection": "close"})

    async def _route(self, request: web.BaseRequest, request_id: str) -> web.StreamResponse:
        headers = request.headers
        guard.check_host(headers, self._allowed_hosts)
        guard.check_origin(headers)
        path = request.rel_url.raw_path
        if found := INVOKE_PATH.fullmatch(path):
            if request.method != "POST":
                raise ApiError(405, "MethodNotAllowedException", f"{request.method} is not allowed here; use POST")
            return await invoke(self._engine, request, found[1], request_id)
        if path.startswith("/_lamtop/"):
            guard.check_token(headers, self._token)
            return await control(self._engine, request, path.removeprefix("/_lamtop/"), self._monitors)
        raise ApiError(404, "UnknownOperationException", f"lamtop does not serve {request.method} {path}")


def _reply_and_tell(reply: Callable[[Answer], None], tell: Callable[[], None], answer: Answer) -> None:
    reply(answer)
    tell()


def _late() -> ApiError:
    return ApiError(408, "RequestTimeoutException", f"the body did not arrive within {BODY_SECONDS:.0f} s")


def _our_fault() -> ApiError:
    """A bug in the engine is an AWS-shaped 500, not a broken connection."""
    text = "lamtop failed on this request; its log says how"
    return ApiError(500, "ServiceException", text, Type="Service")


def _quiet() -> logging.Logger:
    """For aiohttp: a request that makes no sense is the client's business, not a traceback on our terminal."""
    logger = logging.getLogger(f"{__name__}.http")
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    return logger


def _closing(response: web.Response, request: web.BaseRequest) -> web.Response:
    """After a refusal the rest of a body is not worth reading."""
    if not request.content.is_eof():
        response.force_close()
    return response


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    return web.BaseRequest(
        message, payload, protocol, writer, task, asyncio.get_running_loop(), client_max_size=SYNCHRONOUS_MAX + 1
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)
    return listening
