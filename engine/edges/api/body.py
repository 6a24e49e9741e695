"""The body of a request: within a limit, and in time."""

import asyncio

from aiohttp import web

BODY_SECONDS = 30.0


class BodyTooLarge(Exception):
    """The body is larger than allowed; `size` is what is known of it, in bytes."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size


async def read_body(request: web.BaseRequest, most: int) -> bytes:
    """The whole body. Raises BodyTooLarge, before reading it where its length is announced, or TimeoutError."""
    announced = request.content_length or 0
    if announced > most:
        raise BodyTooLarge(announced)
    content = request.content
    if content.is_eof():  # usually all of it has arrived: then there is nothing to wait for
        body = content.read_nowait(-1)
    else:
        async with asyncio.timeout(BODY_SECONDS):
            body = await _read(request, most)
    if len(body) > most:
        raise BodyTooLarge(len(body))
    return body


async def _read(request: web.BaseRequest, most: int) -> bytes:
    try:
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0  # the answer proper has not begun
        return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise BodyTooLarge(most + 1) from None
