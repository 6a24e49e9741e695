"""The short way for plain requests gives the answers of the long way, and takes nothing that is in doubt."""

import asyncio
import json
import socket
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import pytest
from aiohttp.http_parser import HttpRequestParser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.running import Engine, Project, quick_python
from lamtop.engine.edges.api.plain_request import BODY_MAX, parse

HEAD = "POST /2015-03-31/functions/{name}/invocations HTTP/1.1\r\nHost: localhost\r\n"
CODE = """
def echo(event, context):
    print("echoed")
    return {"event": event, "arn": context.invoked_function_arn}

def fails(event, context):
    raise KeyError("card")
"""


def plain(name: str = "echo", body: bytes = b"{}", *headers: str) -> bytes:
    more = "".join(f"{header}\r\n" for header in headers)
    return f"{HEAD.format(name=name)}{more}Content-Length: {len(body)}\r\n\r\n".encode() + body


def test_a_plain_request_is_read_completely() -> None:
    request = parse(plain("a%3A1", b'{"k": 1}', "X-Amz-Invocation-Type:\t Event ", "connection: Keep-Alive"))
    assert request is not None
    assert (request.name, request.qualifier) == ("a:1", None)
    assert request.headers["x-amz-invocation-type"] == "Event"
    assert request.needed - request.body_at == 8


def test_the_qualifier_is_decoded() -> None:
    request = parse(plain().replace(b"invocations HTTP", b"invocations?Qualifier=%24LATEST HTTP"))
    assert request is not None
    assert request.qualifier == "$LATEST"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"POST ",
        plain()[:60],
        plain().replace(b"POST", b"GET "),
        plain().replace(b"HTTP/1.1", b"HTTP/1.0"),
        plain().replace(b"HTTP/1.1", b"HTTP/1.1 "),
        plain().replace(b"invocations HTTP", b"invocations?Qualifier=1&Qualifier=2 HTTP"),
        plain().replace(b"invocations HTTP", b"invocations?qualifier=1 HTTP"),
        plain().replace(b"echo", b"echo/../x"),
        plain().replace(b"Host: localhost\r\n", b""),
        plain().replace(b"Host:", b"Host :"),
        plain().replace(b"Host:", b" Host:"),
        plain().replace(b"Host: localhost", b"Host: localhost\r\n more"),
        plain().replace(b"Host: localhost\r\n", b"Host: localhost\n"),
        plain().replace(b"Host: localhost", b"Host: local\x00host"),
        plain().replace(b"Host: localhost", b"Host: l\xc3\xb6calhost"),
        plain().replace(b"Content-Length: 2", b"Content-Length: +2"),
        plain().replace(b"Content-Length: 2", b"Content-Length: 2, 2"),
        plain().replace(b"Content-Length: 2", b"Content-Length: 0x2"),
        plain().replace(b"Content-Length: 2", b"Content-Length: " + str(BODY_MAX + 1).encode()),
        plain().replace(b"Content-Length: 2\r\n", b""),
        plain("echo", b"{}", "Content-Length: 2"),
        plain("echo", b"{}", "Transfer-Encoding: chunked"),
        plain("echo", b"{}", "Expect: 100-continue"),
        plain("echo", b"{}", "Upgrade: h2c"),
        plain("echo", b"{}", "Connection: close"),
        plain("echo", b"{}", "Connection: keep-alive, upgrade"),
        plain("echo", b"{}", "Content-Encoding: gzip"),
        plain("echo", b"{}", "Host: evil.example"),
        plain("echo", b"{}", *(f"X-{n}: 1" for n in range(80))),
        plain("echo", b"{}", "X: " + "a" * 20_000),
    ],
)
def test_what_is_in_doubt_is_left_to_the_general_parser(data: bytes) -> None:
    assert parse(data) is None


@given(
    edits=st.lists(st.tuples(st.integers(0, 300), st.binary(max_size=3), st.integers(0, 3)), max_size=4),
    body=st.binary(max_size=40),
)
@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_what_is_taken_reads_the_same_as_by_the_general_parser(
    edits: list[tuple[int, bytes, int]], body: bytes
) -> None:
    data = plain(
        "echo", body, "X-Amz-Invocation-Type: Event", "User-Agent: Boto3/1 md/x#1", "Accept-Encoding: identity"
    )
    for at, piece, removed in edits:
        data = data[:at] + piece + data[at + removed :]
    request = parse(data)
    if request is None or len(data) < request.needed:
        return
    message, payload, rest = general(data[: request.needed])
    assert message.method == "POST"
    assert message.path.startswith("/2015-03-31/functions/")
    assert {k.lower(): v for k, v in message.headers.items()} == request.headers
    assert (payload, rest) == (data[request.body_at : request.needed], b"")


def general(data: bytes) -> tuple[Any, bytes, bytes]:
    """The same bytes as aiohttp reads them; raises if they are no request."""
    protocol: Any = Mock(_reading_paused=False)
    loop = asyncio.new_event_loop()
    parser = HttpRequestParser(protocol, loop, 2**16, max_line_size=8190, max_field_size=2**16)
    messages, _, rest = parser.feed_data(data)
    loop.close()
    ((message, payload),) = messages
    return message, b"".join(getattr(payload, "_buffer", [])), rest


# -- both ways ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("plain")
    functions = {"echo": {"Handler": "app.echo"}, "fails": {"Handler": "app.fails"}}
    with Project(folder, functions, {"app.py": CODE}) as project:
        yield project.serve("--python", quick_python(folder))


@pytest.mark.parametrize(
    ("name", "body", "headers"),
    [
        ("echo", b'{"k": "\xc3\xa4"}', ()),
        ("echo", b"", ()),
        ("echo", b"{}", ("X-Amz-Invocation-Type: DryRun",)),
        ("echo", b"{}", ("X-Amz-Invocation-Type: Event",)),
        ("echo", b"{}", ("X-Amz-Invocation-Type: Bogus",)),
        ("echo%3A%24LATEST", b"{}", ()),
        ("fails", b"{}", ()),
        ("nothing", b"{}", ()),
        ("echo", b"not json", ()),
        ("echo", b"{}", ("Origin: http://evil.example",)),
        ("a%20b", b"{}", ()),
    ],
)
def test_both_ways_give_the_same_answer(engine: Engine, name: str, body: bytes, headers: tuple[str, ...]) -> None:
    short = plain(name, body, *headers)
    assert parse(short) is not None
    long = plain(name, body, *headers, "X-Twice: 1", "X-Twice: 2")
    assert parse(long) is None
    assert answer_to(engine, short) == answer_to(engine, long)


class Talk:
    """One connection: bytes out, whole answers in."""

    def __init__(self, engine: Engine) -> None:
        self.socket = socket.create_connection((engine.host, engine.port), timeout=10)
        self.file = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        status = int(self.file.readline().split()[1])
        lines = iter(self.file.readline, b"\r\n")
        headers = {
            name.strip().lower(): value.strip() for name, value in (line.decode().split(":", 1) for line in lines)
        }
        return status, headers, self.file.read(int(headers.get("content-length", 0)))

    def __enter__(self) -> "Talk":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.socket.close()


def answer_to(engine: Engine, request: bytes) -> tuple[int, dict[str, str], Any]:
    with Talk(engine) as talk:
        talk.send(request)
        status, headers, body = talk.answer()
    request_id = headers.pop("x-amzn-requestid")
    for varying in ("date", "server", "connection"):
        headers.pop(varying, None)
    if not body:
        headers.pop("content-type", None)  # aiohttp names one for nothing
    return status, headers, json.loads(body.replace(request_id.encode(), b"ID") or b"null")


def test_requests_sent_at_once_are_answered_in_order(engine: Engine) -> None:
    with Talk(engine) as talk:
        talk.send(b"".join(plain("echo", b"%d" % n) for n in range(20)))
        answers = [json.loads(talk.answer()[2])["event"] for _ in range(20)]
    assert answers == list(range(20))


def test_a_body_that_comes_late_and_in_pieces_is_waited_for(engine: Engine) -> None:
    data = plain("echo", b'{"a": 1}')
    with Talk(engine) as talk:
        for piece in (data[:-8], data[-8:-3], data[-3:]):
            talk.send(piece)
        assert json.loads(talk.answer()[2])["event"] == {"a": 1}


def test_after_plain_requests_a_connection_may_go_on_the_general_way(engine: Engine) -> None:
    with Talk(engine) as talk:
        for n, request in enumerate((plain("echo", b"0"), plain("echo", b"1", "X: 1", "X: 2"), plain("echo", b"2"))):
            talk.send(request)
            assert json.loads(talk.answer()[2])["event"] == n
