"""The endpoint under requests that no well-meaning client sends, byte for byte over raw sockets."""

import asyncio
import gzip
import json
import re
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.running import Answer, Engine, Project, quick_python, until
from lamtop.engine.core.function import Function
from lamtop.engine.edges.api import Server, body, connection

INVOKE = "/2015-03-31/functions/echo/invocations"
SYNCHRONOUS_MAX = 6 * 1024 * 1024
ASYNCHRONOUS_MAX = 1024 * 1024

CODE = """
import os, time

def echo(event, context):
    with open(os.environ["RUNS"], "a") as runs:
        runs.write("run\\n")
    return event

def slow(event, context):
    time.sleep(0.5)
    return echo(event, context)
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("server")
    functions = {"echo": {"Handler": "app.echo"}, "slow": {"Handler": "app.slow"}}
    variables = {"RUNS": str(folder / "runs.txt")}
    with Project(folder, functions, {"app.py": CODE}, variables=variables) as project:
        running = project.serve("--python", quick_python(folder), "--allow-host", "lambda.test")
        assert running.invoke("echo", "warm").json == "warm"
        yield running
        assert running.stop() == 0
        assert project.errors.read_text() == "", "no request may make the engine complain"


def runs(engine: Engine) -> int:
    """How many times a handler has run."""
    return len((engine.project.folder / "runs.txt").read_text().splitlines())


def talk(address: tuple[str, int], *parts: bytes, seconds: float = 10.0) -> bytes:
    """Send these bytes, then read until the other side closes."""
    with socket.create_connection(address, timeout=seconds) as connection:
        received = b""
        try:
            for part in parts:
                connection.sendall(part)
            while piece := connection.recv(65536):
                received += piece
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has closed already; what it said before counts
        return received


def raw(engine: Engine, *parts: bytes) -> bytes:
    return talk((engine.host, engine.port), *parts)


def first_answer(address: tuple[str, int], *parts: bytes) -> bytes:
    """Send these bytes and read one answer; whether the connection stays open is no matter."""
    with socket.create_connection(address, timeout=10) as connection:
        for part in parts:
            connection.sendall(part)
        received = b""
        while b"\r\n\r\n" not in received:
            received += connection.recv(65536) or b"\r\n\r\n"
        length = re.search(rb"(?i)content-length: (\d+)", received)
        assert length, received
        while len(received.partition(b"\r\n\r\n")[2]) < int(length[1]):
            received += connection.recv(65536)
        return received


def status_of(answer: bytes) -> int:
    found = re.match(rb"HTTP/1\.[01] (\d{3}) ", answer)
    assert found, answer[:200]
    return int(found[1])


def request(
    method: str = "POST", path: str = INVOKE, *headers: str, host: str = "localhost", data: str = "{}"
) -> bytes:
    head = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(data)}", "Connection: close", *headers]
    return ("\r\n".join(head) + "\r\n\r\n" + data).encode("latin-1")


# -- who may talk to it ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST", "localhost:4566", "127.0.0.1", "127.0.0.1:80", "127.8.8.8", "[::1]", "[::1]:4566",
     "x.localhost", "a.b.localhost:1", "localhost.localstack.cloud:4566", "lambda.test", "lambda.test:4566"],
)  # fmt: skip
def test_this_machines_own_names_are_served(engine: Engine, host: str) -> None:
    answer = raw(engine, request(host=host))
    assert status_of(answer) == 200
    assert answer.endswith(b"\r\n\r\n{}")


FOREIGN = ["evil.example", "localhost.evil.example", "evil-localhost", "notlocalhost", "127.0.0.1.evil.example",
           "0.0.0.0", "10.0.0.1", "[::2]", "169.254.169.254", "localhost.localstack.cloud.evil.example",
           "sub.lambda.test", "2130706433", "localhost@evil.example", ""]  # fmt: skip


@pytest.mark.parametrize("host", FOREIGN)
def test_a_name_that_is_not_ours_is_refused_on_every_path_with_every_method(engine: Engine, host: str) -> None:
    before = runs(engine)
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"):
        for path in (INVOKE, "/", "/_lamtop/status", "/_lamtop/stop", "/_lamtop/watch", "/nothing"):
            answer = raw(engine, request(method, path, f"Authorization: Bearer {engine.token}", host=host))
            assert status_of(answer) in ((403,) if host else (400, 403)), (method, path)
    assert runs(engine) == before


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost:3000", "http://127.0.0.1", "file://"]
)
def test_a_web_page_is_refused_wherever_it_comes_from(engine: Engine, origin: str) -> None:
    before = runs(engine)
    for path in (INVOKE, "/_lamtop/status", "/_lamtop/stop", "/_lamtop/watch"):
        plain = request("POST", path, f"Origin: {origin}", "Content-Type: text/plain")  # no preflight asks for this one
        answer = raw(engine, plain)
        assert status_of(answer) == 403
        assert b"access-control-allow" not in answer.lower()
    preflight = request("OPTIONS", INVOKE, f"Origin: {origin}", "Access-Control-Request-Method: POST")
    assert b"access-control-allow" not in raw(engine, preflight).lower()
    assert runs(engine) == before


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200), ("odd", 403)]
)
def test_what_a_browser_says_of_the_sender_counts(engine: Engine, site: str, status: int) -> None:
    before = runs(engine)
    assert status_of(raw(engine, request("POST", INVOKE, f"Sec-Fetch-Site: {site}"))) == status
    assert runs(engine) == before + (status == 200)


@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer wrong", "Basic eDp5", "Bearer \xff", "Bearer " + "x" * 5_000])
def test_every_call_of_the_monitor_needs_the_token(engine: Engine, given: str) -> None:
    calls = [("GET", verb) for verb in ("hello", "status", "watch", "life/x", "no-such-call", "")]
    calls += [("POST", verb) for verb in ("page", "redrive", "purge", "undo", "letters", "reload", "stop")]
    for method, verb in calls:
        answer = raw(engine, request(method, f"/_lamtop/{verb}", *([f"Authorization: {given}"] if given else [])))
        assert status_of(answer) == 401, (method, verb)
    assert engine.status()["pid"] == engine.pid


def test_a_call_that_does_not_exist_says_so(engine: Engine) -> None:
    for path in ("/_lamtop/no-such-call", "/_lamtop/", "/_lamtop/life", "/_lamtop/status/more"):
        answer = engine.request("GET", path, b"", {"Authorization": f"Bearer {engine.token}"})
        assert answer.status == 404, path


# -- malformed ---------------------------------------------------------------------------------------------------------

START = f"POST {INVOKE} HTTP/1.1\r\n"
MALFORMED = {
    "both a length and chunks": START
    + "Host: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": START + "Host: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}1",
    "the same length twice": START + "Host: localhost\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a negative length": START + "Host: localhost\r\nContent-Length: -2\r\n\r\n{}",
    "a length with a sign": START + "Host: localhost\r\nContent-Length: +2\r\n\r\n{}",
    "a length that is a word": START + "Host: localhost\r\nContent-Length: two\r\n\r\n{}",
    "a bad chunk": START + "Host: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "an unknown encoding": START + "Host: localhost\r\nTransfer-Encoding: cow\r\n\r\n{}",
    "no host": START + "Content-Length: 2\r\n\r\n{}",
    "two hosts": START + "Host: localhost\r\nHost: evil.example\r\nContent-Length: 2\r\n\r\n{}",
    "a huge header": START + "Host: localhost\r\nX-Big: " + "x" * 100_000 + "\r\nContent-Length: 2\r\n\r\n{}",
    "a huge path": f"GET /{'x' * 100_000} HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a thousand headers": START
    + "Host: localhost\r\n"
    + "".join(f"X-{n}: {'y' * 64}\r\n" for n in range(1_000))
    + "Content-Length: 2\r\n\r\n{}",
    "a NUL in a header": START + "Host: localhost\r\nX-Nul: a\0b\r\nContent-Length: 2\r\n\r\n{}",
    "a bare line feed in a header": START + "Host: localhost\r\nX-Bad: a\rb\r\nContent-Length: 2\r\n\r\n{}",
    "a space before the colon": START + "Host : localhost\r\nContent-Length: 2\r\n\r\n{}",
    "a folded header": START + "Host: localhost\r\nX-Fold: a\r\n b\r\nContent-Length: 2\r\n\r\n{}",
    "no HTTP at all": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS, perhaps\r\n\r\n",
    "another HTTP": START.replace("1.1", "9.9") + "Host: localhost\r\n\r\n",
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_malformed_request_gets_a_4xx_and_a_closed_connection(engine: Engine, what: str) -> None:
    before = runs(engine)
    answer = raw(engine, MALFORMED[what].encode("latin-1"))  # `raw` returns once the connection is closed
    assert 400 <= status_of(answer) < 500, answer[:300]
    assert len(re.findall(rb"HTTP/1\.[01] ", answer)) == 1, "one request, one answer"
    assert b"Traceback" not in answer
    assert b"site-packages" not in answer
    assert runs(engine) == before


@pytest.mark.parametrize(
    "header",
    ["X-Amz-Invocation-Type: \xff", "X-Amz-Client-Context: \xff", "X-Amz-Client-Context: bm90IGpzb24=", "Host: \xff",
     "X-Amz-Invocation-Type: event", "X-Amz-Client-Context: " + "A" * 4_000],
)  # fmt: skip
def test_a_header_that_makes_no_sense_is_the_callers_error(engine: Engine, header: str) -> None:
    before = runs(engine)
    answer = raw(engine, request("POST", INVOKE, header))
    assert 400 <= status_of(answer) < 500, answer[:300]
    assert runs(engine) == before


@pytest.mark.parametrize("header", ["X-Amzn-Trace-Id: \xff", "User-Agent: \xff", "X-Amz-Log-Type: \xff", "X-\xe9: 1"])
def test_a_header_that_is_not_text_does_not_break_the_engine(engine: Engine, header: str) -> None:
    assert status_of(raw(engine, request("POST", INVOKE, header))) < 500
    assert engine.invoke("echo", 1).json == 1


def test_a_client_that_asks_before_it_sends_its_body_is_told_to_go_on(engine: Engine) -> None:
    head = request(data='"ok"').replace(b"Connection", b"Expect: 100-continue\r\nConnection").removesuffix(b'"ok"')
    with socket.create_connection((engine.host, engine.port), timeout=2) as connection:
        connection.sendall(head)
        assert connection.recv(1_000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b'"ok"')
        assert status_of(connection.recv(65536)) == 200


@pytest.mark.parametrize(
    "data", [b"{}", gzip.compress(b"{}"), gzip.compress(b" " * 50_000_000)], ids=["not packed", "packed", "a bomb"]
)
def test_a_body_is_taken_as_it_is_and_never_unpacked(engine: Engine, data: bytes) -> None:
    answer = engine.request("POST", INVOKE, data, {"Content-Encoding": "gzip"})
    expected = (200, b"{}") if data == b"{}" else (400, b"InvalidRequestContentException")
    assert (answer.status, answer.headers.get("x-amzn-errortype", "{}").encode()) == expected


NAMES = [
    "..%2f..%2fetc%2fpasswd", "%2e%2e", "..%5c..%5c", "a%00b", "%2fetc%2fpasswd", "C%3a%5cx", "x" * 300, "%c3%a9cho",
    "%d0%b5cho", "echo%0a", "echo%20", "%20echo", "echo%3bls", "%ff", "%F0%9F%92%A3", "echo%3a", "%25", "a%0d%0ab",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_lambda_does_not_allow_is_refused_before_anything_else(engine: Engine, name: str) -> None:
    answer = engine.request("POST", f"/2015-03-31/functions/{name}/invocations", b"{}")
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (400, "ValidationException"), answer
    assert answer.json["message"].startswith("1 validation error detected: Value '")


PATHS = ["//", "/../../etc/passwd", "/%2e%2e/", "/_lamtop", "/_LAMTOP/status", "*"]
PATHS += ["/2015-03-31/functions//invocations", "/2015-03-31/functions/echo/invocations/x"]


@pytest.mark.parametrize("path", PATHS)
def test_a_path_that_is_not_served_is_a_4xx(engine: Engine, path: str) -> None:
    assert 400 <= status_of(raw(engine, request("POST", path))) < 500


BODIES = {
    "no JSON": b"not json",
    "half": b'{"a":',
    "two values": b"1 2",
    "bad UTF-8": b'"\xff"',
    "a control character": b'"\x01"',
    "NaN": b"NaN",
    "minus Infinity": b"[-Infinity]",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "only spaces": b"   ",
    "deeper than deep": b"[" * 100_000 + b"]" * 100_000,
}


@pytest.mark.parametrize("kind", ["RequestResponse", "Event", "DryRun"])
@pytest.mark.parametrize("what", BODIES)
def test_a_body_that_is_no_json_is_refused_at_once(engine: Engine, what: str, kind: str) -> None:
    before = runs(engine)
    answer = engine.invoke("echo", BODIES[what], kind)
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (400, "InvalidRequestContentException")
    assert answer.json["message"].startswith(
        "Could not parse request body into json: Could not parse payload into json: "
    )
    assert runs(engine) == before


@pytest.mark.parametrize(
    "data", [b"1" * 5_000, b"[" * 600 + b"]" * 600, b'"\\ud800"', b'{"a":1,"a":2}', b"1e999", b"-0"]
)
@pytest.mark.parametrize("kind", ["RequestResponse", "Event"])
def test_json_that_is_only_strange_is_no_engine_error(engine: Engine, data: bytes, kind: str) -> None:
    answer = engine.invoke("echo", data, kind)
    assert answer.status < 500, answer
    assert engine.invoke("echo", 1).json == 1


# -- sizes -------------------------------------------------------------------------------------------------------------


def text_of(size: int) -> bytes:
    return b'"' + b"x" * (size - 2) + b'"'


def test_six_megabytes_pass_and_one_byte_more_is_refused(engine: Engine) -> None:
    assert engine.invoke("echo", text_of(SYNCHRONOUS_MAX)).body == text_of(SYNCHRONOUS_MAX)
    refused = engine.invoke("echo", text_of(SYNCHRONOUS_MAX + 1))
    assert (refused.status, refused.headers["x-amzn-errortype"]) == (413, "RequestEntityTooLargeException")
    assert refused.json["message"] == "Request must be smaller than 6291456 bytes for the InvokeFunction operation"


def test_an_event_of_one_mebibyte_passes_and_one_byte_more_is_refused(engine: Engine) -> None:
    assert engine.invoke("echo", text_of(ASYNCHRONOUS_MAX), "Event").status == 202
    refused = engine.invoke("echo", text_of(ASYNCHRONOUS_MAX + 1), "Event")
    assert (refused.status, refused.headers["x-amzn-errortype"]) == (413, "RequestEntityTooLargeException")
    text = "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)"
    assert refused.json["message"] == text


def test_a_body_that_announces_too_much_is_refused_before_it_is_sent(engine: Engine) -> None:
    head = START + "Host: localhost\r\nContent-Length: 10000000000\r\n\r\n"
    answer = first_answer((engine.host, engine.port), head.encode())
    assert status_of(answer) == 413
    assert b"connection: close" in answer.lower()


def test_a_body_in_chunks_is_cut_off_at_the_limit(engine: Engine) -> None:
    chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    head = (START + "Host: localhost\r\nTransfer-Encoding: chunked\r\n\r\n").encode()
    answer = first_answer((engine.host, engine.port), head, *[chunk] * 400)  # 25 MB were meant
    assert status_of(answer) == 413
    assert b"connection: close" in answer.lower()


def test_a_body_in_chunks_is_a_body(engine: Engine) -> None:
    head = START + "Host: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    assert raw(engine, head.encode(), b"2\r\n[1\r\n", b"1\r\n]\r\n", b"0\r\n\r\n").endswith(b"\r\n\r\n[1]")


def test_the_monitors_own_calls_have_a_limit_too(engine: Engine) -> None:
    answer = engine.request("POST", "/_lamtop/page", text_of(8_000_000), {"Authorization": f"Bearer {engine.token}"})
    assert answer.status == 413


# -- time --------------------------------------------------------------------------------------------------------------


class Stub:
    """An engine that runs nothing."""

    functions = {"echo": Function("echo", "app.echo", "")}  # noqa: RUF012

    def new_request_id(self) -> str:
        return "r1"


def with_server(story: Callable[[tuple[str, int]], Awaitable[None]]) -> None:
    """Run a story beside a server in this process."""

    async def play() -> None:
        serving = Server(Stub(), "token")  # type: ignore[arg-type]
        await serving.start("127.0.0.1", 0)
        try:
            await story(("127.0.0.1", int(serving.url.rpartition(":")[2])))
        finally:
            await serving.stop()

    asyncio.run(asyncio.wait_for(play(), 20))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Deadlines that a test can wait for."""
    monkeypatch.setattr(connection, "HEADER_SECONDS", 0.15)
    monkeypatch.setattr(body, "BODY_SECONDS", 0.15)
    return SimpleNamespace(header=0.15, body=0.15)


@pytest.mark.parametrize("sent", [b"", b"GET", b"POST / HTTP/1.1\r\nHost: localhost\r\nX-"])
def test_headers_that_do_not_come_end_the_connection(impatient: SimpleNamespace, sent: bytes) -> None:
    async def story(address: tuple[str, int]) -> None:
        began = time.monotonic()
        assert await asyncio.to_thread(talk, address, sent) == b""
        assert time.monotonic() - began >= impatient.header

    with_server(story)


def test_headers_that_come_in_drops_end_the_connection_all_the_same(impatient: SimpleNamespace) -> None:
    def drip(address: tuple[str, int]) -> None:
        with socket.create_connection(address, timeout=5) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
            while True:
                connection.sendall(b"X: 1\r\n")
                time.sleep(0.01)

    async def story(address: tuple[str, int]) -> None:
        with pytest.raises(ConnectionError):
            await asyncio.to_thread(drip, address)

    with_server(story)


@pytest.mark.parametrize("head", ["Content-Length: 10\r\n\r\n{}", "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"])
def test_a_body_that_does_not_come_is_a_408(impatient: SimpleNamespace, head: str) -> None:
    async def story(address: tuple[str, int]) -> None:
        answer = await asyncio.to_thread(first_answer, address, f"{START}Host: localhost\r\n{head}".encode())
        assert status_of(answer) == 408
        assert b"RequestTimeoutException" in answer
        assert b"connection: close" in answer.lower()

    with_server(story)


def test_many_that_never_finish_do_not_keep_others_waiting(engine: Engine) -> None:
    half_open = [socket.create_connection((engine.host, engine.port)) for _ in range(300)]
    try:
        for connection in half_open:
            connection.sendall(b"POST / HTTP/1.1\r\nHost: loc")
        answer = engine.invoke("echo", "among them")
        assert (answer.status, answer.json) == (200, "among them")
    finally:
        for connection in half_open:
            connection.close()


def test_a_client_that_goes_away_does_not_stop_the_handler(engine: Engine) -> None:
    before = runs(engine)
    with socket.create_connection((engine.host, engine.port)) as connection:
        connection.sendall(request("POST", "/2015-03-31/functions/slow/invocations"))
        rows: list[Any] = until(lambda: engine.page("inflight"), "the handler at work")
    until(lambda: runs(engine) == before + 1, "the end of the handler")
    life = engine.ended(rows[0]["id"])
    assert (life["state"], life["kind"]) == ("succeeded", "synchronous")
    assert not engine.page("inflight")


def test_one_connection_carries_many_requests_and_survives_a_refusal(engine: Engine) -> None:
    once = request(data='"one"').replace(b"Connection: close\r\n", b"")
    bad = request(path="/nothing").replace(b"Connection: close\r\n", b"")
    answer = raw(engine, once + bad + once + request(data='"last"'))
    assert [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3})", answer)] == [200, 404, 200, 200]
    assert answer.endswith(b'"last"')


def test_every_answer_has_a_request_id_and_every_refusal_its_name(engine: Engine) -> None:
    answers: list[Answer] = [
        engine.invoke("echo", 1), engine.invoke("nobody", 1), engine.invoke("echo", b"{"),
        engine.request("GET", "/"), engine.request("GET", "/_lamtop/status"), engine.request("GET", INVOKE),
    ]  # fmt: skip
    assert [answer.status for answer in answers] == [200, 404, 400, 404, 401, 405]
    for answer in answers:
        assert re.fullmatch(r"[a-f0-9]{8}-([a-f0-9]{4}-){3}[a-f0-9]{12}", answer.request_id)
    for answer in answers[1:]:
        assert answer.headers["x-amzn-errortype"].endswith("Exception")
        assert answer.json.get("message") or answer.json.get("Message")
    assert len({answer.request_id for answer in answers}) == len(answers)
    assert json.loads(answers[1].body)["Type"] == "User"


def test_the_engine_writes_nothing_where_a_handler_or_another_user_could_read_it(engine: Engine) -> None:
    state: Path = engine.project.state
    assert state.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o077 for path in state.iterdir()} == {0}
