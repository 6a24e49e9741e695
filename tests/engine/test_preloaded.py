"""What a fork of a process that has loaded lamtop has to do with a new interpreter: all that others see is the same."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.running import Engine, Project, linux_only, quick_python

pytestmark = linux_only

CODE = "def echo(event, context):\n    return event\n"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project(tmp_path, {"echo": {"Handler": "app.echo"}}, {"app.py": CODE}) as made:
        yield made


def seen(project: Project) -> dict[str, Any]:
    """What the kernel says of an engine, from its start to its end."""
    engine = project.serve("--python", quick_python(project.folder))
    assert engine.pid in {process.pid for process in project.processes()}
    assert engine.invoke("echo", 1).json == 1
    found = {"folder": Path(f"/proc/{engine.pid}/cwd").readlink(), "files": files(engine)}
    status = Path(f"/proc/{engine.pid}/status").read_text()
    found |= re.findall(r"^(Umask|NSpgid|NSsid|Sig(?:Blk|Ign|Cgt)):\s*(.*)$", status, re.M)
    return found | {"code": engine.stop(), "said": project.errors.read_text()}


def files(engine: Engine) -> dict[int, str]:
    """Open files by their numbers; pipes and what the watcher waits for come and go."""
    links = {int(path.name): str(path.readlink()) for path in Path(f"/proc/{engine.pid}/fd").iterdir()}
    return {number: link for number, link in links.items() if link.startswith("/")}


def test_an_engine_in_a_fork_is_what_a_new_interpreter_is(project: Project) -> None:
    forked = seen(project)
    project.fresh = True
    assert seen(project) == forked


def test_every_command_loads_what_it_needs(project: Project) -> None:
    project.fresh = True
    project.serve("--simulate", "--python", quick_python(project.folder))
    for words in (["status"], ["logs"], ["invoke", "echo"], ["fault", "list"], ["speed", "0"], ["jump"], ["stop"]):
        done = project.command(*words, "--state", str(project.state))
        assert (done.code, "Error" in done.err) == (0, False), done
