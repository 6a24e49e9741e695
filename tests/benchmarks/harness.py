"""Real engines to measure: `lamtop serve` in a project, a state folder, a registry and a temporary folder of its own.

Everything that is started carries a marker in its environment, so that what is left afterwards can be counted, and only
that is ended. Linux only: memory, CPU time and processes are read from /proc.
"""

import json
import os
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from traffic import call

MARKER = "LAMTOP_BENCHMARK"
WITNESS = "WITNESS_FILE"
READY = "lamtop: ready on "
READY_SECONDS = 60.0
_END_SECONDS = 20.0
_DISK = Path("/var/tmp")  # kept over a restart, so never in memory: a commit must reach a disk
T = TypeVar("T")

ECHO = """
def handler(event, context):
    print("line of", context.aws_request_id)
    return event
"""

#: Prints, and leaves one byte in a file: counting the executions asks nothing of the engine.
COUNTED = """
import os, time

witness = os.open(os.environ["WITNESS_FILE"], os.O_WRONLY | os.O_APPEND)

def handler(event, context):
    if event["seconds"]:
        time.sleep(event["seconds"])
    print("line of", context.aws_request_id)
    os.write(witness, b".")
"""


class Project:
    """A folder with a template, code and all else that an engine needs. A context manager: ends what it started."""

    def __init__(self, functions: Mapping[str, Mapping[str, Any]], code: Mapping[str, str]) -> None:
        """`functions` are SAM properties by name, `code` is the text of files."""
        self.folder = Path(tempfile.mkdtemp(prefix="lamtop-benchmark-", dir=_DISK if _DISK.is_dir() else None))
        self.code = self.folder / "project"
        self.state = self.code / ".lamtop"
        self.temporary = self.folder / "tmp"
        self.registry = self.folder / "home" / "lamtop" / "engines"
        self.marker = uuid.uuid4().hex
        self.witness = self.folder / "witness"
        self._children: list[subprocess.Popen[bytes]] = []
        self.temporary.mkdir()
        self.code.mkdir()
        self.witness.touch()
        for name, text in code.items():
            (self.code / name).write_text(text)
        (self.code / "template.yaml").write_text(json.dumps(self._template(functions)))

    def _template(self, functions: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """A SAM template; JSON is YAML too."""
        variables = {MARKER: self.marker, WITNESS: str(self.witness)}
        common = {
            "Runtime": f"python{sys.version_info.major}.{sys.version_info.minor}",
            "CodeUri": ".",
            "Environment": {"Variables": variables},
        }
        resources = {
            f"Function{number}": {
                "Type": "AWS::Serverless::Function",
                "Properties": {"FunctionName": name, **common, **properties},
            }
            for number, (name, properties) in enumerate(functions.items())
        }
        return {"Transform": "AWS::Serverless-2016-10-31", "Resources": resources}

    @property
    def environ(self) -> dict[str, str]:
        dropped = ("AWS_", "LAMTOP_", "PYTHONDONTWRITEBYTECODE")  # an installed lamtop is compiled
        kept = {k: v for k, v in os.environ.items() if not k.startswith(dropped)}
        own = {"XDG_STATE_HOME": str(self.folder / "home"), "TMPDIR": str(self.temporary), MARKER: self.marker}
        return {**kept, **own}

    def command(self, *arguments: str) -> list[str]:
        """The command line of `lamtop ARGUMENTS`, to be run in the project's folder."""
        return [sys.executable, "-m", "lamtop.tui.cli", *arguments, "--python", sys.executable]

    def serve(self, *arguments: str) -> "Engine":
        """Start `lamtop serve` on a free port and wait until it is ready."""
        errors = self.folder / "stderr.txt"
        with errors.open("a") as log:
            child = subprocess.Popen(
                self.command("serve", "--port", "0", *arguments), cwd=self.code, env=self.environ,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        self._children.append(child)
        line = _first_line(child)
        if not line.startswith(READY):
            raise RuntimeError(f"the engine is not ready but said {line!r}; {errors.read_text()}")
        return Engine(self, child, line.removeprefix(READY).partition(" ")[0])

    def processes(self) -> list[int]:
        """Every living process of this machine that carries this project's marker."""
        return _processes_with(f"{MARKER}={self.marker}".encode())

    def executed(self) -> int:
        """How many executions the witness file has seen."""
        return self.witness.stat().st_size

    def query(self, file: str, sql: str) -> list[Any]:
        """Read a file of the state folder, without the engine's help and without touching it."""
        with closing(sqlite3.connect(f"{(self.state / file).as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute(sql).fetchall()

    def __enter__(self) -> "Project":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self._children:
            if child.poll() is None:
                child.terminate()
                with suppress(subprocess.TimeoutExpired):
                    child.wait(_END_SECONDS)
            if child.stdout:
                child.stdout.close()
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


class Engine:
    """A running `lamtop serve`."""

    def __init__(self, project: Project, child: "subprocess.Popen[bytes]", url: str) -> None:
        self.project = project
        self.pid = child.pid
        self.url = url
        self.port = int(url.rpartition(":")[2])
        self.token = token(project, self.pid)
        self._child = child

    def control(self, method: str, verb: str, body: Any = None) -> Any:
        """One of the monitor's own calls."""
        status, _, answer = call(self.port, method, f"/_lamtop/{verb}", body, {"Authorization": f"Bearer {self.token}"})
        if status != 200:
            raise RuntimeError(f"{method} {verb}: {status} {answer!r}")
        return json.loads(answer)

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = self.control("GET", "status")
        return found

    def lines(self) -> list[dict[str, Any]]:
        """Every log line, page by page, oldest first."""
        pages: list[list[dict[str, Any]]] = []
        cursor = None
        while not pages or cursor is not None:
            found = self.control("POST", "page", {"view": "logs", "limit": 500, "cursor": cursor})
            pages.append(found["rows"])
            cursor = found["cursor"]
        return [row for page in reversed(pages) for row in page]

    def durability(self) -> str:
        """What its running connection to the queue says of itself, in words."""
        status = self.status()
        level = {0: "OFF", 1: "NORMAL", 2: "FULL", 3: "EXTRA"}[status["synchronous"]]
        return f"synchronous={level}, journal_mode={status['journal_mode']}, read back from the running connection"

    def environments(self, function: str) -> int:
        return next(int(row["environments"]) for row in self.status()["functions"] if row["id"] == function)

    def cpu(self) -> float:
        return cpu_seconds(self.pid)

    def stop(self) -> None:
        """End it and wait for its end."""
        self._child.terminate()
        self._child.wait(_END_SECONDS)


def token(project: Project, pid: int) -> str:
    """The token of the engine with this pid, from the registry's file."""
    entries = [json.loads(path.read_text()) for path in project.registry.glob("*.json")]
    return next(str(entry["token"]) for entry in entries if entry["pid"] == pid)


def until(found: Callable[[], T], what: str, seconds: float = 60.0, pause: float = 0.001) -> T:
    """Ask again and again until the answer is a true one; return it. TimeoutError after `seconds`."""
    deadline = time.perf_counter() + seconds
    while not (answer := found()):
        if time.perf_counter() > deadline:
            raise TimeoutError(f"after {seconds:.0f} s still not: {what}")
        time.sleep(pause)
    return answer


# -- /proc -------------------------------------------------------------------------------------------------------------


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far, to 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pids: list[int], what: str = "Pss") -> float:
    """Memory of these processes together, in MB: "Pss" shares what is shared, "Rss" counts it for each."""
    total = 0
    for pid in pids:
        with suppress(OSError):
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith(f"{what}:"))
    return total / 1024


def available_memory() -> float:
    """What the machine still has, in MB."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")) / 1024


def _processes_with(variable: bytes) -> list[int]:
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            if folder.name.isdigit() and variable in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def _first_line(child: "subprocess.Popen[bytes]") -> str:
    assert child.stdout
    readable, _, _ = select.select([child.stdout], [], [], READY_SECONDS)
    return child.stdout.readline().decode() if readable else ""
