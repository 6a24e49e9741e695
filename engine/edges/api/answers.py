"""Answers in the form that AWS clients read."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

#: Response headers that every answer carries.
_JSON = "application/json"


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


def invalid(member: str, value: str, constraint: str) -> ApiError:
    """AWS's ValidationException for one member of a request."""
    text = f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}"
    return ApiError(400, "ValidationException", text)


def error_response(error: ApiError, request_id: str) -> web.Response:
    """The body has `Message` for what was not found and `message` for the rest, as AWS's do."""
    key = "Message" if error.code == "ResourceNotFoundException" else "message"
    body = {**error.extra, key: error.message}
    headers = {"x-amzn-RequestId": request_id, "x-amzn-ErrorType": error.code}
    return web.Response(status=error.status, body=json.dumps(body).encode(), content_type=_JSON, headers=headers)


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(status=status, body=json.dumps(value).encode(), content_type=_JSON, headers=headers)
