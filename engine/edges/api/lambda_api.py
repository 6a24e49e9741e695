"""Lambda's Invoke, as the AWS CLI and the SDKs send it (Lambda API reference, "Invoke")."""

import asyncio
import base64
import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NoReturn, Protocol
from urllib.parse import unquote

from aiohttp import web

from ...core.arn import (
    ACCOUNT,
    LATEST,
    QUALIFIER_MAX,
    QUALIFIER_PATTERN,
    REFERENCE_PATTERN,
    REGION,
    Reference,
    function_arn,
)
from ...core.concurrency import Throttled
from ...core.event import Ended, Event, Outcome
from ...core.function import Function
from ...core.trace import HOPS_MAX, RecursionStopped
from ...reports import NotAccepted
from .answers import Answer, ApiError, error_answer, invalid, not_found, unavailable
from .body import BodyTooLarge, read_body

SYNCHRONOUS_MAX = 6 * 1024 * 1024  # bytes of a request
ASYNCHRONOUS_MAX = 1024 * 1024
_MOST = {"RequestResponse": SYNCHRONOUS_MAX, "Event": ASYNCHRONOUS_MAX, "DryRun": SYNCHRONOUS_MAX}
CLIENT_CONTEXT_MAX = 3_583  # bytes, base64
_TAIL_MAX = 4 * 1024  # bytes of log that LogType=Tail returns

INVOKE_PATH = re.compile(r"/2015-03-31/functions/([^/]+)/invocations/?")


class Invoker(Protocol):
    """What Invoke needs of the engine."""

    @property
    def functions(self) -> Mapping[str, Function]: ...
    def begin(
        self,
        function: Function,
        payload: bytes,
        answer: "Callable[[Answered], None]",
        *,
        source: str,
        request_id: str,
        qualifier: str,
        client_context: str | None,
        trace_id: str,
    ) -> None: ...
    def send(
        self,
        function: Function,
        payload: bytes,
        answer: Callable[[Event], None],
        refuse: Callable[[NotAccepted], None],
        *,
        source: str,
        request_id: str,
        qualifier: str,
        trace_id: str,
    ) -> None: ...


class Answered(Protocol):
    """A synchronous invocation that has ended."""

    @property
    def outcome(self) -> Outcome: ...
    @property
    def tail(self) -> list[str]: ...


async def invoke(engine: Invoker, request: web.BaseRequest, name: str, request_id: str) -> web.Response:
    """POST /2015-03-31/functions/{FunctionName}/invocations"""
    kind = _kind(request.headers)
    function, qualifier = find_function(engine.functions, unquote(name), request.query.get("Qualifier"))
    try:
        payload = await read_body(request, _MOST[kind])
    except BodyTooLarge as error:
        _too_large(kind, error.size)
    answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    reply = partial(_resolve, answer)
    _begin(engine, function, qualifier, _checked(payload), request.headers, request_id, reply)
    return (await answer).as_response()


async def call(engine: Invoker, name: str, payload: bytes, headers: Mapping[str, str], request_id: str) -> Answer:
    """The same for a caller in this process."""
    answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    begin(engine, name, None, payload, headers, request_id, partial(_resolve, answer))
    return await answer


def begin(
    engine: Invoker,
    name: str,
    qualifier: str | None,
    payload: bytes,
    headers: Mapping[str, str],
    request_id: str,
    reply: Callable[[Answer], None],
) -> None:
    """The same for a request that is here already, the names of its headers in lower case. `reply` is called once."""
    try:
        kind = _kind(headers)
        function, qualifier = find_function(engine.functions, name, qualifier)
        if len(payload) > _MOST[kind]:
            _too_large(kind, len(payload))
        _begin(engine, function, qualifier, _checked(payload), headers, request_id, reply)
    except ApiError as error:
        reply(error_answer(error, request_id))


def _resolve(answer: "asyncio.Future[Answer]", value: Answer) -> None:
    if not answer.done():
        answer.set_result(value)


def _begin(
    engine: Invoker,
    function: Function,
    qualifier: str | None,
    payload: bytes,
    headers: Mapping[str, str],
    request_id: str,
    reply: Callable[[Answer], None],
) -> None:
    kind = _kind(headers)
    if kind == "DryRun":
        reply(Answer(204, {"x-amzn-RequestId": request_id}))
    elif kind == "Event":
        _send(engine, function, qualifier or "", payload, headers, request_id, reply)
    else:
        _run(engine, function, qualifier or "", payload, headers, request_id, reply)


def _send(
    engine: Invoker,
    function: Function,
    qualifier: str,
    payload: bytes,
    headers: Mapping[str, str],
    request_id: str,
    reply: Callable[[Answer], None],
) -> None:
    def refused(error: NotAccepted) -> None:
        reply(error_answer(unavailable(error), request_id))

    try:
        engine.send(
            function,
            payload,
            lambda _: reply(Answer(202, {"x-amzn-RequestId": request_id})),
            refused,
            source=source_of(headers),
            request_id=request_id,
            qualifier=qualifier,
            trace_id=headers.get("x-amzn-trace-id", ""),
        )
    except NotAccepted as error:
        raise unavailable(error) from None


def _run(
    engine: Invoker,
    function: Function,
    qualifier: str,
    payload: bytes,
    headers: Mapping[str, str],
    request_id: str,
    reply: Callable[[Answer], None],
) -> None:
    version = function.executed_version(qualifier) or LATEST
    tail = headers.get("x-amz-log-type") == "Tail"
    try:
        engine.begin(
            function,
            payload,
            lambda answered: reply(_answer(answered, request_id, version, tail)),
            source=source_of(headers),
            request_id=request_id,
            qualifier=qualifier,
            client_context=_client_context(headers.get("x-amz-client-context")),
            trace_id=headers.get("x-amzn-trace-id", ""),
        )
    except RecursionStopped:
        text = (
            f"{function.name} was invoked {HOPS_MAX} times in one chain of requests; "
            "the next invocation was stopped (RecursiveLoop: Terminate)"
        )
        raise ApiError(400, "RecursiveInvocationException", text, Type="User") from None
    except NotAccepted as error:
        raise unavailable(error) from None
    except Throttled as limit:
        raise ApiError(429, "TooManyRequestsException", "Rate Exceeded.", Type="User", Reason=str(limit)) from None


def _kind(headers: Mapping[str, str]) -> str:
    kind = headers.get("x-amz-invocation-type", "RequestResponse")
    if kind not in _MOST:
        raise invalid("invocationType", kind, "Member must satisfy enum value set: [Event, RequestResponse, DryRun]")
    return kind


def find_function(functions: Mapping[str, Function], text: str, qualifier: str | None) -> tuple[Function, str | None]:
    """The function that a caller means, and the qualifier it named. Raises ApiError as AWS would."""
    reference = Reference.parse(text)
    if reference is None:
        raise invalid("functionName", text, f"Member must satisfy regular expression pattern: {REFERENCE_PATTERN}")
    if qualifier:
        _check_qualifier(qualifier)
    if reference.region and reference.region != REGION:
        raise not_found(f"Functions from '{reference.region}' are not reachable in this region ('{REGION}')")
    if reference.account and reference.account != ACCOUNT:
        raise ApiError(403, "AccessDeniedException", f"this engine runs the functions of account {ACCOUNT}")
    if qualifier and reference.qualifier and qualifier != reference.qualifier:
        text = "The derived qualifier from the function name does not match the specified qualifier."
        raise ApiError(400, "InvalidParameterValueException", text, Type="User")
    wanted = qualifier or reference.qualifier
    function = functions.get(reference.name)
    if function is None or function.executed_version(wanted or LATEST) is None:
        raise not_found(f"Function not found: {function_arn(reference.name, wanted or LATEST)}")
    return function, wanted


def _check_qualifier(text: str) -> None:
    if not re.fullmatch(QUALIFIER_PATTERN, text):
        raise invalid("qualifier", text, f"Member must satisfy regular expression pattern: {QUALIFIER_PATTERN}")
    if len(text) > QUALIFIER_MAX:
        raise invalid("qualifier", text, f"Member must have length less than or equal to {QUALIFIER_MAX}")


def _checked(payload: bytes) -> bytes:
    """The event: JSON, or "{}" if there is none. Raises ApiError if it is something else."""
    if not payload:
        return b"{}"
    check_json(payload)
    return payload


def check_json(payload: bytes) -> None:
    """Raises ApiError 400 InvalidRequestContentException unless this is JSON, in AWS's words."""
    try:
        _DECODER.decode(payload.decode())
    except UnicodeDecodeError as error:
        _not_json(f"Invalid UTF-8 byte 0x{payload[error.start]:02x}", 1, error.start)
    except json.JSONDecodeError as error:
        token = re.match(r"[\w.+-]{1,64}", error.doc[error.pos :])
        _not_json(
            f"Unrecognized token '{token[0] if token else error.doc[error.pos : error.pos + 1]}'",
            error.lineno,
            error.colno,
        )
    except RecursionError:
        _not_json("Document nesting depth exceeds the maximum allowed", 1, 1)
    except _Constant as constant:
        _not_json(f"Unrecognized token '{constant}'", 1, 1)


class _Constant(Exception):
    """NaN or Infinity: no JSON."""


def _refuse(constant: str) -> NoReturn:
    raise _Constant(constant)


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_int=str)  # no limit on digits


def _not_json(what: str, line: int, column: int) -> NoReturn:
    text = (
        f"Could not parse request body into json: Could not parse payload into json: {what}: was expecting "
        "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n at [Source: REDACTED "
        f"(`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {line}, column: {column}]"
    )
    raise ApiError(400, "InvalidRequestContentException", text, Type="User")


def _too_large(kind: str, size: int) -> NoReturn:
    if kind == "Event":
        text = f"{size} byte payload is too large for the Event invocation type (limit {ASYNCHRONOUS_MAX} bytes)"
    else:
        text = f"Request must be smaller than {SYNCHRONOUS_MAX} bytes for the InvokeFunction operation"
    raise ApiError(413, "RequestEntityTooLargeException", text, Type="User")


def _client_context(header: str | None) -> str | None:
    if header is None:
        return None
    try:
        if len(header) > CLIENT_CONTEXT_MAX:
            raise ValueError
        text = base64.b64decode(header, validate=True).decode()
        json.loads(text)
    except ValueError:
        raise ApiError(
            400, "InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object."
        ) from None
    return text


def _answer(answered: Answered, request_id: str, version: str, tail: bool) -> Answer:
    outcome = answered.outcome
    headers = {
        "x-amzn-RequestId": request_id,
        "X-Amz-Executed-Version": version,
        "Content-Type": "application/json",
    }
    if outcome.ended is not Ended.RETURNED:
        headers["X-Amz-Function-Error"] = "Unhandled"
    if tail:
        log = "\n".join(answered.tail).encode(errors="replace") + b"\n"
        headers["X-Amz-Log-Result"] = base64.b64encode(log[-_TAIL_MAX:]).decode()
    return Answer(200, headers, outcome.payload)


def source_of(headers: Mapping[str, str]) -> str:
    """Who calls, for the screen, unless it turns out to be a function of ours: the AWS CLI, an SDK, or "http"."""
    agent: Any = headers.get("user-agent", "")
    if agent.startswith("lamtop"):
        return "lamtop"
    if "aws-cli" in agent:
        return "aws-cli"
    return "boto3" if "Boto3" in agent or "Botocore" in agent else "http"
