"""lamtop beside other emulators that run Python handlers without containers, in one sitting, on the same work.

    peers.py --osls FOLDER        a folder with `npm install osls serverless-offline` done
    peers.py --ministack PROGRAM  the program of `pip install ministack`

A warm echo of 1 KB over 1 and 8 connections, and 1,000 asynchronous events over 8: accepted is the last 202, executed
the handler's own mark in a file. The same client, the same bytes, the same handler; rounds alternate. Only what both
sides do is compared: nobody else's events are on disk, retried or logged for a monitor.
"""

import argparse
import io
import os
import shutil
import signal
import subprocess
import tempfile
import time
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from harness import COUNTED, READY_SECONDS, Project, until
from table import Figure, Measured, median, run
from traffic import call, drive, invocation

ROUNDS, CALLS, EVENTS = 3, 500, 1_000
_CODE = COUNTED + "    return event\n"  # serverless-offline takes None for a timeout
_CONFIGURATION = """
service: peer
provider: {name: aws, runtime: python3.11, environment: {WITNESS_FILE: %s}}
plugins: [serverless-offline]
custom: {serverless-offline: {host: 127.0.0.1, httpPort: %d, lambdaPort: %d}}
functions: {counted: {handler: counted.handler, timeout: 30}}
"""


class Server(NamedTuple):
    """A server that answers Invoke for the function `counted`, and how many executions its handler has marked."""

    port: int
    path: str
    executed: Callable[[], int]

    def request(self, kind: str = "RequestResponse") -> bytes:
        return invocation(self.port, "counted", kind, path=self.path)


class Round(NamedTuple):
    """One round: p50 in ms and calls per second over 1 and over 8 connections; seconds of 1,000 events."""

    c1: float
    c8: float
    rate: float
    accepted: float
    executed: float


def measure(osls: Path | None, ministack: Path | None, rounds: int) -> Measured:
    with ExitStack() as stack:
        servers = {"lamtop": stack.enter_context(_lamtop())}
        if osls is not None:
            servers["serverless-offline"] = stack.enter_context(_serverless_offline(osls))
        if ministack is not None:
            servers["ministack"] = stack.enter_context(_ministack(ministack))
        for server in servers.values():
            drive(server.port, server.request(), 100, 8)
        taken: dict[str, list[Round]] = defaultdict(list)
        for _ in range(rounds):
            for name, server in servers.items():
                taken[name].append(_round(server, CALLS if name != "ministack" else CALLS // 10))
        return _figures(taken), []


def _round(server: Server, calls: int) -> Round:
    c1 = drive(server.port, server.request(), calls, 1)
    c8 = drive(server.port, server.request(), calls * 4, 8)
    before, started = server.executed(), time.perf_counter()
    drive(server.port, server.request("Event"), EVENTS, 8, status=202)
    accepted = time.perf_counter() - started
    until(lambda: server.executed() >= before + EVENTS, f"{EVENTS} executed")
    return Round(c1.p50, c8.p50, c8.rate, accepted, time.perf_counter() - started)


def _figures(taken: dict[str, list[Round]]) -> list[Figure]:
    what = {
        "c1": ("sync c1 p50", "ms", 3),
        "c8": ("sync c8 p50", "ms", 3),
        "rate": ("sync c8 throughput", "/s", 0),
        "accepted": (f"{EVENTS:,} events c8 accepted", "s", 2),
        "executed": (f"{EVENTS:,} events c8 executed", "s", 2),
    }
    medians = {name: Round(*(median(values) for values in zip(*r, strict=True))) for name, r in taken.items()}
    ours = medians.pop("lamtop")
    return [
        Figure(
            title,
            f"{getattr(ours, field):,.{digits}f} {unit}",
            f"{name} {getattr(other, field):,.{digits}f} {unit}",
            getattr(ours, field) / getattr(other, field),
        )
        for field, (title, unit, digits) in what.items()
        for name, other in medians.items()
    ]


# -- the servers -------------------------------------------------------------------------------------------------------


@contextmanager
def _lamtop() -> Iterator[Server]:
    with Project({"counted": {"Handler": "counted.handler", "Timeout": 30}}, {"counted.py": _CODE}) as project:
        engine = project.serve()
        yield Server(engine.port, "/2015-03-31/functions/counted/invocations", project.executed)


@contextmanager
def _serverless_offline(installed: Path) -> Iterator[Server]:
    with _folder() as folder:
        (folder / "node_modules").symlink_to(installed.resolve() / "node_modules")
        http_port, port = 13_003, 13_002
        (folder / "serverless.yml").write_text(_CONFIGURATION % (folder / "witness", http_port, port))
        (folder / "counted.py").write_text(_CODE)
        command = ["node", "node_modules/.bin/osls", "offline"]
        path = "/2015-03-31/functions/peer-dev-counted/invocations"
        with _running(command, folder, port):
            yield Server(port, path, lambda: (folder / "witness").stat().st_size)


@contextmanager
def _ministack(program: Path) -> Iterator[Server]:
    with _folder() as folder:
        port = 14_566
        environ = {"GATEWAY_PORT": str(port)}
        with _running([str(program.resolve())], folder, port, environ):
            _create_function(port, folder)
            path = "/2015-03-31/functions/counted/invocations"
            yield Server(port, path, lambda: (folder / "witness").stat().st_size)


def _create_function(port: int, folder: Path) -> None:
    import boto3

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("counted.py", _CODE)
    client = boto3.client(
        "lambda", endpoint_url=f"http://127.0.0.1:{port}", region_name="us-east-1",
        aws_access_key_id="test", aws_secret_access_key="test",
    )  # fmt: skip
    client.create_function(
        FunctionName="counted", Runtime="python3.11", Handler="counted.handler", Timeout=30,
        Role="arn:aws:iam::000000000000:role/peer", Code={"ZipFile": packed.getvalue()},
        Environment={"Variables": {"WITNESS_FILE": str(folder / "witness")}},
    )  # fmt: skip


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="lamtop-benchmark-"))
    (folder / "witness").touch()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(command: list[str], folder: Path, port: int, environ: dict[str, str] | None = None) -> Iterator[None]:
    """Run a server in a session of its own until it answers on `port`; end the session afterwards."""
    with (folder / "output").open("wb") as output:
        child = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **(environ or {})}, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip
    try:
        until(lambda: _answers(port), f"{command[0]} on port {port}", READY_SECONDS, 0.05)
        yield
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _answers(port: int) -> bool:
    try:
        call(port, "GET", "/", None, {})
    except OSError:
        return False
    return True


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--osls", type=Path, metavar="FOLDER")
    parser.add_argument("--ministack", type=Path, metavar="PROGRAM")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    chosen = parser.parse_args()
    if chosen.osls is None and chosen.ministack is None:
        parser.error("name at least one peer")
    return chosen


if __name__ == "__main__":
    chosen = _arguments()
    run(lambda: measure(chosen.osls, chosen.ministack, chosen.rounds))
