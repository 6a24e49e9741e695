"""Runs one piece of code twice: under AWS's own runtime, awslambdaric, and in our execution environments.

awslambdaric speaks HTTP to a small Runtime API that hands it one invocation after the other. Its log goes through the
framed descriptor that it has on AWS, into the same pipe as standard output and standard error, so that the order holds.
"""

import asyncio
import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from lamtop.engine.clock import SystemClock
from lamtop.engine.core.event import Ended, Outcome
from lamtop.engine.core.function import Function, LoggingConfig
from lamtop.engine.core.invocation import Invocation
from lamtop.engine.edges.environments import Environments, failures
from lamtop.engine.edges.environments.variables import variables

_FRAME = b"\xa5\x5a\x00"
_LEVELS = ["", "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]
_SECONDS = 60.0
_DISPATCH = "\ndef handler(event, context):\n    return globals()[event](event, context)\n"


@dataclass(frozen=True)
class Case:
    """A handler, and the events that one process gets. Without `events`, each function of the code is called once."""

    name: str
    code: str
    events: tuple[Any, ...] = ()
    handler: str = "app.handler"
    level: str = ""  # of a JSON log; "": the text format
    runtime: str = "python3.13"
    client_context: str | None = None
    trace_id: str = ""
    files: Mapping[str, str] = field(default_factory=dict)

    def function(self, folder: Path) -> Function:
        logging = LoggingConfig("JSON", self.level) if self.level else LoggingConfig()
        code = str(folder / self.name)
        return Function(self.name, self.handler, code, self.runtime, timeout=_SECONDS, logging=logging)

    def write(self, folder: Path) -> None:
        calls = not self.events
        for name, text in {"app.py": self.code + (_DISPATCH if calls else ""), **self.files}.items():
            path = folder / self.name / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def invocations(self) -> "list[tuple[str, Any]]":
        """Request ids and events."""
        events = self.events or re.findall(r"^(?:async )?def (\w+)\(event, context", self.code, re.M)
        return [(f"{self.name}-{number}", event) for number, event in enumerate(events, 1)]


class Turn(NamedTuple):
    """What became of one invocation."""

    kind: str  # "result", "error" or "exit"
    payload: bytes
    log: list[str]


# -- ours --------------------------------------------------------------------------------------------------------------


class _Lines:
    """A log sink: what handlers printed, by request, as far as the first report of an init."""

    def __init__(self) -> None:
        self.next_number = 1
        self.of: dict[str, list[str]] = {}
        self._closed: set[str] = set()

    def line(
        self, function: str, request_id: str, attempt: int, at: float, kind: str, text: str, stream: str = ""
    ) -> int:
        if text.startswith("INIT_REPORT") or '"platform.initReport"' in text:
            self._closed.add(request_id)
        elif kind == "output" and request_id not in self._closed:
            self.of.setdefault(request_id, []).append(text)
        self.next_number += 1
        return self.next_number - 1


async def ours(cases: list[Case], folder: Path, *, spawn: bool = False) -> dict[str, list[Turn]]:
    """What each case does in our environments, forked or spawned."""
    lines = _Lines()
    environments = Environments(
        clock=SystemClock(), log=lines, interpreter=sys.executable, processes=folder / "processes", environ=dict,
        on_idle=lambda name: None, spawn=spawn,
    )  # fmt: skip
    limit = asyncio.Semaphore(2)

    async def turn(case: Case, function: Function, request_id: str, event: Any) -> Turn:
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        payload = json.dumps(event).encode()
        invocation = Invocation(request_id, function, payload, lambda: True, outcome.set_result)
        invocation.client_context, invocation.trace_id = case.client_context, case.trace_id
        environments.run(invocation)
        found = await asyncio.wait_for(outcome, _SECONDS)
        log = lines.of.get(request_id, [])
        if found.error_type == "Runtime.ExitError":
            return Turn("exit", (found.error_message or "").partition(" Error: ")[2].encode(), log)
        return Turn("result" if found.ended is Ended.RETURNED else "error", found.payload, log)

    async def run(case: Case) -> list[Turn]:
        function = case.function(folder)
        async with limit:
            return [await turn(case, function, *invocation) for invocation in case.invocations()]

    try:
        turns = await asyncio.gather(*map(run, cases))
    finally:
        await environments.stop(0)
    return {case.name: found for case, found in zip(cases, turns, strict=True)}


# -- theirs ------------------------------------------------------------------------------------------------------------


class _RuntimeApi:
    """The Runtime API of one process: next, response, error, init error."""

    def __init__(self, case: Case, arn: str, logs: int) -> None:
        self.turns: list[Turn] = []
        self.ended = asyncio.get_running_loop().create_future()
        self._case = case
        self._arn = arn
        self._logs = logs
        self._waiting = case.invocations()
        self._answer: tuple[str, bytes] | None = None

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := (await reader.readline()).decode().split():
                headers: dict[str, str] = {}
                while line := (await reader.readline()).decode().strip():
                    name, _, value = line.partition(":")
                    headers[name.lower()] = value.strip()
                if "expect" in headers:
                    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                body = await reader.readexactly(int(headers.get("content-length") or 0))
                if request[1].endswith("/invocation/next"):
                    self._next(writer)
                else:
                    kind = "result" if request[1].endswith("/response") else "error"
                    self._answer = (kind, body)
                    writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        finally:
            writer.close()

    def _next(self, writer: asyncio.StreamWriter) -> None:
        if self._answer is not None:
            self.close(0)
        if not self._waiting:
            self.ended.done() or self.ended.set_result(None)
            return
        request_id, event = self._waiting.pop(0)
        body = json.dumps(event).encode()
        headers = {
            "Content-Type": "application/json",
            "Content-Length": len(body),
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": int((SystemClock().now() + _SECONDS) * 1000),
            "Lambda-Runtime-Invoked-Function-Arn": self._arn,
            "Lambda-Runtime-Trace-Id": self._case.trace_id,
            "Lambda-Runtime-Client-Context": self._case.client_context or "",
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value != "")
        writer.write(b"HTTP/1.1 200 OK\r\n" + head.encode() + b"\r\n" + body)

    def close(self, code: int) -> None:
        """An invocation has ended, by its answer or with the process: what was printed until now was its own."""
        printed = b""
        while data := _read(self._logs):
            printed += data
        kind, payload = self._answer or ("exit", failures.exited(code).message.encode())
        self.turns.append(Turn(kind, payload, events(printed, self._case.level)))
        self._answer = None


async def theirs(cases: list[Case], folder: Path) -> dict[str, list[Turn]]:
    """What each case does under awslambdaric. A process that ends is the end of its case."""
    limit = asyncio.Semaphore(2)

    async def run(case: Case) -> list[Turn]:
        async with limit:
            return await _run_awslambdaric(case, case.function(folder))

    turns = await asyncio.gather(*map(run, cases))
    return {case.name: found for case, found in zip(cases, turns, strict=True)}


async def _run_awslambdaric(case: Case, function: Function) -> list[Turn]:
    logs, far = os.pipe()
    os.set_blocking(logs, False)
    api = _RuntimeApi(case, function.arn, logs)
    server = await asyncio.start_server(api.talk, "127.0.0.1", 0, limit=4 << 20)  # an X-Ray header is long
    port = server.sockets[0].getsockname()[1]
    environ = variables(function, "2026/01/01/[$LATEST]" + "0" * 32, {}, "/var/runtime")
    environ |= {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{port}", "_LAMBDA_TELEMETRY_LOG_FD": str(far)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-B", "-m", "awslambdaric", function.handler, cwd=function.code, env=environ,
        stdin=asyncio.subprocess.DEVNULL, stdout=far, stderr=far, pass_fds=[far],
    )  # fmt: skip
    # The pipe is larger than anything that a case prints, so nobody has to read while it runs.
    exit_code = asyncio.ensure_future(process.wait())
    try:
        await asyncio.wait([api.ended, exit_code], timeout=_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        if exit_code.done():
            api.close(exit_code.result())
    finally:
        if process.returncode is None:
            process.kill()
        await exit_code
        server.close()
        os.close(far)
        os.close(logs)
    return api.turns


def events(data: bytes, level: str = "") -> list[str]:
    """Log events as the platform makes them: a frame is one, and so is a line of what was printed between frames.

    A frame says its level, and those below the function's own level are not kept.
    """
    lowest = _LEVELS.index(level) if level else 0
    found = []
    while data:
        if data.startswith(_FRAME):
            size = 16 + int.from_bytes(data[4:8], "big")
            if not 0 < data[3] >> 2 < lowest:
                found.append(data[16:size].decode().rstrip("\n"))
        else:
            size = (data.find(_FRAME) + len(data) + 1) % (len(data) + 1)
            found += data[:size].decode(errors="replace").removesuffix("\n").split("\n")
        data = data[size:]
    return [event.rstrip("\r").replace("\r\n", "\n").replace("\r", "\n") for event in found]


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 20)
    except BlockingIOError:
        return b""
