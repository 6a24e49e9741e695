"""Answers in the form that AWS clients read."""

import json
from typing import Any, NamedTuple

from aiohttp import web

_JSON = "application/json"
_CAPITAL = frozenset({"ResourceNotFoundException", "RecursiveInvocationException"})


class ApiError(Exception):
    """The caller erred, or a limit stands in the way. `code` is AWS's name of the error."""

    def __init__(self, status: int, code: str, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.extra = extra


def not_found(message: str) -> ApiError:
    return ApiError(404, "ResourceNotFoundException", message, Type="User")


def unavailable(why: object) -> ApiError:
    """The engine cannot do it now, through no fault of the caller's: clients try again."""
    return ApiError(500, "ServiceException", str(why), Type="Service")


def invalid(member: str, value: str, constraint: str) -> ApiError:
    """AWS's ValidationException for one member of a request."""
    text = f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
    return ApiError(400, "ValidationException", text)


class Answer(NamedTuple):
    """What a caller gets, by HTTP or without it."""

    status: int
    headers: dict[str, str]
    body: bytes = b""

    def as_response(self) -> web.Response:
        return web.Response(status=self.status, headers=self.headers, body=self.body)


def error_answer(error: ApiError, request_id: str) -> Answer:
    """The body has `Message` for a few errors and `message` for the rest, as AWS's do."""
    key = "Message" if error.code in _CAPITAL else "message"
    body = json.dumps({**error.extra, key: error.message}).encode()
    headers = {"x-amzn-RequestId": request_id, "x-amzn-ErrorType": error.code, "Content-Type": _JSON}
    return Answer(error.status, headers, body)


def json_response(value: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, body=json.dumps(value).encode(), content_type=_JSON)
