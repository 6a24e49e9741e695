"""A function under a debugger: no timeout, one environment, and how to attach; without debugpy a clear word."""

import contextlib
import json
import os
import shutil
import socket
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from engine.running import Engine, Project, quick_python, until
from lamtop.engine import debugger

CODE = """
import os
import pathlib

def orders(event, context):
    pathlib.Path("started").touch()
    if event == "wait":
        open("go").close()
    left = context.get_remaining_time_in_millis()
    with open("ran", "a") as file:
        print(os.getpid(), left > 80_000_000, [name for name in os.environ if "LAMTOP_DEBUG" in name], file=file)

def other(event, context):
    return event
"""
FAKE = "def listen(address):\n    open('listened', 'a').write(repr(address))\n"
FUNCTIONS = {name: {"Handler": f"app.{name}", "Timeout": 1} for name in ("orders", "other")}


def attach_lines(engine: Engine) -> list[str]:
    assert engine.child.stdout
    return [engine.child.stdout.readline().rstrip() for _ in range(3)]


def test_a_debugged_function_has_no_timeout_and_one_environment(tmp_path: Path) -> None:
    with Project(tmp_path, FUNCTIONS, {"app.py": CODE, "debugpy.py": FAKE}) as project:
        shutil.move(tmp_path / "debugpy.py", install(tmp_path) / "debugpy/__init__.py")
        engine = project.serve("--python", quick_python(tmp_path), "--debug", "orders")
        told, code, charm = attach_lines(engine)
        port = int(told.partition("127.0.0.1:")[2].partition(",")[0])
        assert told == f"debugger: orders waits at 127.0.0.1:{port}, without a timeout, one invocation at a time"
        assert json.loads(code.partition("launch.json: ")[2])["connect"] == {"host": "127.0.0.1", "port": port}
        assert charm.endswith(f"127.0.0.1:{port}")
        listened = tmp_path / "listened"
        until(lambda: listened.exists() and listened.read_text(), "an environment before there is work for it")
        assert listened.read_text() == repr(("127.0.0.1", port))

        os.mkfifo(tmp_path / "go")
        requests = [engine.send("orders", "wait")]
        until((tmp_path / "started").exists, "the first invocation")
        requests.append(engine.send("orders", 1))
        assert engine.invoke("other", 1).json == 1  # another process has started meanwhile: there was time for one here
        (tmp_path / "go").write_text("")
        for request in requests:
            assert engine.ended(request)["state"] == "succeeded"
        ran = (tmp_path / "ran").read_text().splitlines()
        assert len(ran) == 2
        assert [ran[0].partition(" ")[2], len(set(ran))] == ["True []", 1]
        assert listened.read_text().count("127.0.0.1") == 1


def install(folder: Path) -> Path:
    """The folder of packages that lamtop searches for code in `folder`."""
    packages = folder / ".lamtop" / "packages" / folder.name
    (packages / "debugpy").mkdir(parents=True)
    return packages


@pytest.mark.parametrize("name", ["orders", "gone"])
def test_what_is_missing_for_a_debugger_is_told_at_the_start(tmp_path: Path, name: str) -> None:
    with Project(tmp_path, FUNCTIONS, {"app.py": CODE}) as project:
        python = quick_python(tmp_path)
        done = project.command("serve", "--state", "state", "--port", "0", "--python", python, "--debug", name)
    assert (done.code, done.out) == (1, "")
    assert (
        done.err
        == {
            "orders": f"Error: --debug: debugpy is not installed for {python}, which runs orders; "
            f"run: {python} -m pip install debugpy\n",
            "gone": "Error: --debug: there is no function 'gone'; use one of 'orders', 'other'\n",
        }[name]
    )


def test_a_port_that_somebody_has_is_passed_over() -> None:
    with socket.socket() as taken:
        with contextlib.suppress(OSError):
            taken.bind((debugger.HOST, 5678))
            taken.listen()
        port = debugger.choose_port()
        assert port != 5678
        assert port > 0


# with the real debugpy, where it is installed


class Editor:
    """The little of an editor that a breakpoint needs."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection((debugger.HOST, port), timeout=20)
        self._file = self._socket.makefile("rb")
        self._number = 0

    def ask(self, command: str, **arguments: Any) -> None:
        self._number += 1
        request = {"seq": self._number, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(request).encode()
        self._socket.sendall(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    def hear(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            length = int(self._file.readline().split(b":")[1])
            self._file.readline()
            message: dict[str, Any] = json.loads(self._file.read(length))
            if wanted(message):
                return message

    def close(self) -> None:
        self._file.close()
        self._socket.close()


def editor_on(port: int) -> Editor:
    def connected() -> Editor | None:
        with contextlib.suppress(OSError):
            return Editor(port)
        return None

    editor = until(connected, f"somebody at port {port}")
    assert editor
    return editor


@pytest.mark.skipif(find_spec("debugpy") is None, reason="debugpy is not installed")
def test_a_breakpoint_stops_a_handler(tmp_path: Path) -> None:
    spec = find_spec("debugpy")
    assert spec
    assert spec.origin
    with Project(tmp_path, FUNCTIONS, {"app.py": CODE}) as project:
        shutil.copytree(Path(spec.origin).parent, install(tmp_path) / "debugpy", dirs_exist_ok=True)
        engine = project.serve("--python", sys.executable, "--debug", "orders")
        port = int(attach_lines(engine)[0].partition("127.0.0.1:")[2].partition(",")[0])
        with contextlib.closing(editor_on(port)) as editor:
            editor.ask("initialize", adapterID="x", clientID="x", linesStartAt1=True, pathFormat="path")
            editor.ask("attach", justMyCode=True)
            editor.hear(lambda m: m.get("event") == "initialized")
            line = CODE.splitlines().index("    left = context.get_remaining_time_in_millis()") + 1
            source = {"path": os.fspath(tmp_path / "app.py")}
            editor.ask("setBreakpoints", source=source, breakpoints=[{"line": line}])
            editor.ask("configurationDone")
            editor.hear(lambda m: m.get("command") == "attach")
            request_id = engine.send("orders", 1)
            stopped = editor.hear(lambda m: m.get("event") == "stopped")
            assert stopped["body"]["reason"] == "breakpoint"
            editor.ask("continue", threadId=stopped["body"]["threadId"])
            assert engine.ended(request_id)["state"] == "succeeded"
