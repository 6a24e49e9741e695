"""An engine that a fault kills is back at once: the same one, with all that it had promised."""

import contextlib
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import mortal
from engine.running import READY, Engine, Project, linux_only, quick_python, until
from lamtop.engine.testing import Lamtop

pytestmark = linux_only

CODE = """
import os

def work(event, context):
    with open(os.environ["WITNESS"], "a") as file:
        print(context.aws_request_id, file=file)
    return event
"""


class Supervised(Engine):
    """An engine whose process changes, and whose parent stays."""

    def ready_again(self) -> None:
        """Wait for the next life, and look at that from now on."""
        assert self.child.stdout
        readable, _, _ = select.select([self.child.stdout], [], [], 20)
        assert readable, self.project.errors.read_text()
        ready = self.child.stdout.readline().rstrip("\n")
        assert ready == self.ready, self.project.errors.read_text()  # the same port, and as many functions

    @property
    def pid(self) -> int:
        (entry,) = [json.loads(path.read_text()) for path in self.project.registry.glob("*.json")]
        return int(entry["pid"])

    @property
    def token(self) -> str:  # type: ignore[override]
        (entry,) = [json.loads(path.read_text()) for path in self.project.registry.glob("*.json")]
        return str(entry["token"])


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    works = {"Handler": "app.work", "Timeout": 30}
    with Project(tmp_path, {"works": works}, {"app.py": CODE}, variables={"WITNESS": str(tmp_path / "runs")}) as made:
        yield made


def serve(project: Project, faults: str = "", *arguments: str) -> Supervised:
    command = [sys.executable, mortal.__file__, "serve", "--supervised", "--port", "0", "--state", str(project.state),
               "--python", quick_python(project.folder), *arguments]  # fmt: skip
    with project.errors.open("a") as errors:
        child = subprocess.Popen(
            command, cwd=project.folder, env={**project.environ, "FAULTS": faults}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=errors, text=True,
        )  # fmt: skip
    project._children.append(child)
    assert child.stdout
    line = child.stdout.readline().rstrip("\n")
    assert line.startswith(READY), project.errors.read_text()
    return Supervised(project, child, line)


def test_an_engine_that_a_fault_kills_is_back_with_its_port_token_faults_and_events(project: Project) -> None:
    engine = serve(project, "all engine 2x\nworks duplicate 1x", "--speed", "50")
    first, token = engine.pid, engine.token
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        engine.invoke("works", 1)  # a caller that waits loses its connection
    engine.ready_again()
    request_id = engine.send("works", {"n": 1})
    engine.ready_again()
    assert engine.pid != first
    assert engine.token == token
    life = engine.ended(request_id)
    assert (life["condition"], life["errors"], life["losses"]) == ("Success", 0, 1)
    assert [(a["ended"], a["injected"]) for a in life["attempts"]] == [
        ("lost", "engine (fault 1)"),
        ("returned", "duplicate (fault 2)"),  # not used up before, and armed still
        ("returned", ""),
    ]
    said = project.errors.read_text()
    assert said.count("ended by SIGKILL; it is started again") == 2
    assert "the engine was killed, injected: engine (fault 1), and is back" in said
    assert engine.child.poll() is None
    done = project.command("stop", "--state", str(project.state))
    assert (done.code, engine.wait(), project.processes()) == (0, 0, [])
    assert not list(project.registry.glob("*.json"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_ends_the_supervisor_ends_the_engine(project: Project, number: signal.Signals) -> None:
    engine = serve(project)
    os.kill(engine.pid, signal.SIGKILL)  # whoever does it
    engine.ready_again()
    engine.child.send_signal(number)
    assert engine.wait() == (0 if number != signal.SIGKILL else -signal.SIGKILL)
    until(lambda: not project.processes(), "the end of the engine")
    assert not list(project.registry.glob("*.json"))  # it was no sudden end
    with contextlib.closing(socket.socket()) as probe:
        assert probe.connect_ex((engine.host, engine.port)) != 0


def test_an_engine_that_cannot_start_is_not_started_again(project: Project) -> None:
    (project.folder / "template.yaml").write_text("Resources: 7")
    done = project.command("serve", "--supervised", "--port", "0", "--state", str(project.state))
    assert done.code == 1
    assert len(done.err.splitlines()) == 1


def test_an_engine_that_nobody_would_start_again_refuses_to_be_killed(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("def handler(event, context): ...")
    lab = Lamtop(tmp_path / "app.py", tmp_path / "state")
    try:
        with pytest.raises(ValueError, match="'all engine 1x': nobody would start this engine again; start it with"):
            lab.inject("all engine 1x")
    finally:
        lab.close()
