"""What a fork of a process that has loaded lamtop has to do with a new interpreter: all that others see is the same."""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.running import Engine, Project, Ran, linux_only, quick_python

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
    """Those that stay open, by their numbers."""
    found = {}
    for path in Path(f"/proc/{engine.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            if (link := str(path.readlink())).startswith(("/dev/null", str(engine.project.folder))):
                found[int(path.name)] = link
    return found


def test_an_engine_in_a_fork_is_what_a_new_interpreter_is(project: Project) -> None:
    forked = seen(project)
    project.fresh = True
    assert seen(project) == forked


def test_commands_that_no_test_runs_in_a_terminal_load_what_they_need(project: Project) -> None:
    project.fresh = True
    project.serve("--simulate", "--python", quick_python(project.folder))
    for words, ran in (
        (("fault", "list"), Ran(0, "", "no fault is armed; 'lamtop fault add --help' says how\n")),
        (("speed", "0"), Ran(0, "", "time stands still\n")),
        (("jump",), Ran(1, "", "Error: nothing is due; time goes on as it did\n")),
        (("stop",), Ran(0, "stopped\n", "")),
    ):
        assert project.command(*words, "--state", str(project.state)) == ran
