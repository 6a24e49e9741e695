"""Real engines for tests: `lamtop serve` as a child process, in a project, a state folder and a registry of its own.

Everything that a project starts carries a marker in its environment, so that a test can look through all processes of
this machine and say that none is left.
"""

import base64
import functools
import http.client
import json
import os
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, TypeAlias, TypeVar

import pytest

from engine import preloaded
from engine.preloaded import MARKER

READY = "lamtop: ready on "
_READY_SECONDS = 30.0
_GONE_SECONDS = 10.0
LAMTOP = (sys.executable, "-m", "lamtop.tui.cli")
Child: TypeAlias = "subprocess.Popen[str] | preloaded.Child"
T = TypeVar("T")

linux_only = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found by /proc")


class Process(NamedTuple):
    """A living process that carries a marker."""

    pid: int
    parent: int
    started: int  # clock ticks since the machine started
    command: str


class Answer(NamedTuple):
    """An answer of the engine over HTTP."""

    status: int
    headers: Mapping[str, str]  # lower case
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def request_id(self) -> str:
        return self.headers["x-amzn-requestid"]


class Ran(NamedTuple):
    """A command that has ended."""

    code: int
    out: str
    err: str


def until(found: Callable[[], T | None], what: str, seconds: float = 20.0, *, pause: float = 0.005) -> T:
    """Ask again and again until the answer is a true one, and return it. Fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < deadline, f"after {seconds:.0f} s still not: {what}"
        time.sleep(pause)
    return answer


def quick_python(folder: Path) -> str:
    """An interpreter that starts in a third of the time: without the site-packages, which no handler here needs."""
    path = folder / "python"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -E "$@"\n')
    path.chmod(0o755)
    return str(path)


def processes_with(marker: str) -> list[Process]:
    """Every living process of this machine whose environment holds the marker."""
    wanted = f"{MARKER}={marker}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                stat = (folder / "stat").read_bytes().rpartition(b")")[2].split()
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                found.append(Process(int(folder.name), int(stat[1]), int(stat[19]), command.strip()))
        except OSError:
            continue  # it has ended meanwhile, or belongs to somebody else
    return found


class Engine:
    """A running `lamtop serve`."""

    def __init__(self, project: "Project", child: Child, ready: str) -> None:
        self.project = project
        self.child = child
        self.ready = ready
        self.url = ready.removeprefix(READY).partition(" ")[0]
        self.host, _, port = self.url.removeprefix("http://").rpartition(":")
        self.port = int(port)

    @property
    def pid(self) -> int:
        return self.child.pid

    @property
    def started(self) -> int:
        """When it was started, as in `Process.started`."""
        return int(Path(f"/proc/{self.pid}/stat").read_bytes().rpartition(b")")[2].split()[19])

    @functools.cached_property
    def token(self) -> str:
        entries = [json.loads(path.read_text()) for path in self.project.registry.glob("*.json")]
        tokens: list[str] = [entry["token"] for entry in entries if entry["pid"] == self.pid]
        assert len(tokens) == 1, entries
        return tokens[0]

    # -- calls -------------------------------------------------------------------------------------------------------

    def request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None, seconds: float = 30
    ) -> Answer:
        connection = http.client.HTTPConnection(self.host.strip("[]"), self.port, timeout=seconds)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def invoke(self, name: str, event: Any = None, kind: str = "RequestResponse", **headers: str) -> Answer:
        """Invoke a function; `event` is JSON-encoded unless it is bytes."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        named = {"X-Amz-Invocation-Type": kind, **{k.replace("_", "-"): v for k, v in headers.items()}}
        return self.request("POST", f"/2015-03-31/functions/{name}/invocations", body, named)

    def send(self, name: str, event: Any = None) -> str:
        """Queue an event; return its request id."""
        answer = self.invoke(name, event, "Event")
        assert (answer.status, answer.body) == (202, b""), answer
        return answer.request_id

    def control(self, method: str, verb: str, body: Any = None) -> Any:
        """One of the monitor's own calls, with the token."""
        answer = self.request(
            method,
            f"/_lamtop/{verb}",
            json.dumps(body).encode() if body is not None else b"",
            {"Authorization": f"Bearer {self.token}"},
        )
        assert answer.status in (200, 404), answer
        return answer.json

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.control("GET", "status")
        return found

    def life(self, request_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.control("GET", f"life/{request_id}")
        return found

    def page(self, view: str, **wish: Any) -> list[dict[str, Any]]:
        """The rows of a view, of all its pages."""
        rows: list[dict[str, Any]] = []
        cursor = None
        while True:
            found = self.control("POST", "page", {"view": view, "limit": 500, "cursor": cursor, **wish})
            rows = found["rows"] + rows if view == "logs" else rows + found["rows"]
            cursor = found["cursor"]
            if cursor is None:
                return rows

    def ended(self, request_id: str, seconds: float = 20.0) -> dict[str, Any]:
        """The life of a request, once it has ended."""

        def life() -> dict[str, Any] | None:
            found = self.life(request_id)
            return found if found and found["ended_at"] is not None and not found["running"] else None

        found = until(life, f"the end of {request_id}", seconds)
        assert found
        return found

    # -- the end -----------------------------------------------------------------------------------------------------

    def kill9(self) -> None:
        """End it without a warning."""
        os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; return its exit code."""
        self.child.send_signal(number)
        return self.wait()

    def wait(self, seconds: float = 20.0) -> int:
        code = self.child.wait(seconds)
        if self.child.stdout:
            self.child.stdout.close()
        return code


class Project:
    """A folder with a template and code, whose engines are started and stopped by a test. A context manager."""

    def __init__(
        self,
        folder: Path,
        functions: Mapping[str, Mapping[str, Any]],
        code: Mapping[str, str],
        *,
        queues: Sequence[str] = (),
        variables: Mapping[str, str] | None = None,
        fresh: bool = sys.platform != "linux",
    ) -> None:
        """`functions` are SAM properties by name; `code` is the text of files; `variables` every function gets.

        With `fresh`, each command is a new interpreter and loads all that it needs, as from a shell.
        """
        self.folder = folder
        self.fresh = fresh
        self.state = folder / "state"
        self.home = folder / "home"
        self.registry = self.home / "lamtop" / "engines"
        self.errors = folder / "stderr.txt"
        self.marker = uuid.uuid4().hex
        self.variables = {MARKER: self.marker, **(variables or {})}
        self.engines: list[Engine] = []
        self._children: list[Child] = []
        for name, text in code.items():
            (folder / name).write_text(text)
        if functions:
            template = template_of(functions, queues, self.variables)
            (folder / "template.yaml").write_text(json.dumps(template, indent=1))

    @property
    def environ(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if k != "VIRTUAL_ENV" and not k.startswith(("AWS_", "LAMTOP_"))}
        self.home.mkdir(exist_ok=True)  # temporary folders of a killed engine stay until the next one starts
        return {**kept, "XDG_STATE_HOME": str(self.home), "TMPDIR": str(self.home), MARKER: self.marker}

    def start(self, *arguments: str, state: Path | None = None, before: Sequence[str] = ()) -> "Child":
        """Start `lamtop serve`, with the words of another command `before` it, and return at once."""
        words = ["serve", "--state", str(state or self.state), *arguments]
        child: Child
        with self.errors.open("a") as errors:
            if self.fresh or before:
                child = subprocess.Popen(
                    [*before, *LAMTOP, *words], cwd=self.folder, env=self.environ, stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=errors, text=True,
                )  # fmt: skip
            else:
                child = preloaded.start(words, self.folder, self.environ, errors.fileno())
        self._children.append(child)
        return child

    def serve(self, *arguments: str, state: Path | None = None, before: Sequence[str] = ()) -> Engine:
        """Start `lamtop serve --port 0` and wait until it is ready."""
        child = self.start("--port", "0", *arguments, state=state, before=before)
        assert child.stdout
        readable, _, _ = select.select([child.stdout], [], [], _READY_SECONDS)
        line = child.stdout.readline() if readable else ""
        assert line.startswith(READY), f"{line!r} instead of the ready line; standard error:\n{self.errors.read_text()}"
        engine = Engine(self, child, line.rstrip("\n"))
        self.engines.append(engine)
        return engine

    def command(self, *arguments: str, stdin: bytes = b"", seconds: float = 30.0) -> Ran:
        """Run one `lamtop` command to its end, on this project's state folder unless it names another."""
        if self.fresh:
            done = subprocess.run(
                [*LAMTOP, *arguments], cwd=self.folder, env=self.environ, input=stdin, capture_output=True,
                timeout=seconds, check=False,
            )  # fmt: skip
            return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())
        code, out, err = preloaded.run(arguments, self.folder, self.environ, stdin, seconds)
        return Ran(code, out.decode(), err.decode())

    def query(self, sql: str, *values: Any) -> list[Any]:
        """Read the queue's file, without the engine's help."""
        connection = sqlite3.connect(f"{(self.state / 'queue.sqlite3').as_uri()}?mode=ro", uri=True)
        try:
            connection.row_factory = sqlite3.Row
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def processes(self) -> list[Process]:
        """What lives of everything that was started here."""
        return processes_with(self.marker)

    def __enter__(self) -> "Project":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self._children:
            if child.poll() is None:
                child.kill()
            child.wait(_GONE_SECONDS)
            if child.stdout:
                child.stdout.close()
        deadline = time.monotonic() + _GONE_SECONDS
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.005)
        for process in left:
            os.kill(process.pid, signal.SIGKILL)
        shutil.rmtree(self.state, ignore_errors=True)
        if error is None:
            assert not left, f"these outlived their engine by {_GONE_SECONDS:.0f} s: {left}"


def template_of(
    functions: Mapping[str, Mapping[str, Any]], queues: Sequence[str], variables: Mapping[str, str]
) -> dict[str, Any]:
    """A SAM template; JSON is YAML too."""
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    resources: dict[str, Any] = {}
    for number, (name, properties) in enumerate(functions.items()):
        own = {**variables, **properties.get("Environment", {}).get("Variables", {})}
        resources[f"Function{number}"] = {
            "Type": "AWS::Serverless::Function",
            "Properties": {
                "FunctionName": name,
                "Runtime": runtime,
                "CodeUri": ".",
                **properties,
                "Environment": {"Variables": own},
            },
        }
    for queue in queues:
        resources[queue.title().replace("-", "")] = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": queue}}
    return {"Transform": "AWS::Serverless-2016-10-31", "Resources": resources}


def dead_letters_to(queue: str) -> dict[str, Any]:
    """The property that makes a queue a function's dead-letter queue."""
    return {"DeadLetterQueue": {"Type": "SQS", "TargetArn": {"Fn::GetAtt": [queue.title().replace("-", ""), "Arn"]}}}


def destination(queue: str) -> dict[str, Any]:
    """One side of a DestinationConfig."""
    return {"Type": "SQS", "Destination": {"Fn::GetAtt": [queue.title().replace("-", ""), "Arn"]}}


def log_of(answer: Answer) -> str:
    """The log tail that came with an answer."""
    return base64.b64decode(answer.headers["x-amz-log-result"]).decode()
