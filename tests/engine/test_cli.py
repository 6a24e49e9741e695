"""The command line: what each command prints, where, and with which exit code."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from engine.running import Engine, Project, Ran, quick_python, until

CODE = """
import sys

def echo(event, context):
    print("hello from the handler")
    return event

def boom(event, context):
    raise ValueError("no card")

def escape(event, context):
    print("\\x1b]0;owned\\x07 told")
    return "\\x1b[31mred"
"""
FUNCTIONS = {name: {"Handler": f"app.{name}"} for name in ("echo", "boom", "escape")}
FUNCTIONS["echo"]["AutoPublishAlias"] = "live"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose engine runs."""
    folder = tmp_path_factory.mktemp("cli")
    with Project(folder, FUNCTIONS, {"app.py": CODE}) as made:
        made.serve("--python", quick_python(folder))
        yield made


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Project]:
    """A project with one function and no engine."""
    with Project(tmp_path, {"echo": {"Handler": "app.echo"}}, {"app.py": CODE}) as made:
        yield made


def lamtop(project: Project, command: str, *arguments: str, stdin: bytes = b"") -> Ran:
    return project.command(command, *arguments, "--state", str(project.state), stdin=stdin)


def refused(project: Project, *arguments: str) -> str:
    """`lamtop serve` with these arguments ends at once, with one complaint and no traceback; returns it."""
    done = project.command("serve", "--state", str(project.state), "--port", "0", *arguments)
    assert (done.code, done.out) == (1, ""), done
    assert done.err.startswith("Error: ")
    assert "Traceback" not in done.err
    assert project.processes() == []
    return done.err.removeprefix("Error: ").strip()


def running(project: Project) -> Engine:
    return project.engines[0]


# -- serve -------------------------------------------------------------------------------------------------------------


def test_serve_prints_one_line_and_nothing_else(empty: Project) -> None:
    engine = empty.serve()
    assert re.fullmatch(r"lamtop: ready on http://127\.0\.0\.1:\d+ \(1 function\)", engine.ready)
    assert engine.invoke("echo", 1).json == 1
    assert engine.invoke("nobody", 1).status == 404
    engine.child.send_signal(signal.SIGTERM)
    assert engine.child.stdout
    assert engine.child.stdout.read() == ""
    assert engine.wait() == 0
    assert empty.errors.read_text() == ""


def test_serve_tells_on_standard_error_what_is_left_out(tmp_path: Path) -> None:
    with Project(
        tmp_path, {"echo": {"Handler": "app.echo", "Tracing": "Active", "Tmeout": 3}}, {"app.py": CODE}
    ) as made:
        assert made.serve().invoke("echo", 1).json == 1
        assert "lamtop: warning: template.yaml:" in made.errors.read_text()
        assert "did you mean 'Timeout'?" in made.errors.read_text()


def test_the_log_of_a_function_that_is_not_there_is_an_error(project: Project) -> None:
    done = lamtop(project, "logs", "nobody")
    assert (done.code, done.out) == (1, "")
    assert "there is no function 'nobody'" in done.err


def test_a_mistyped_command_opens_no_monitor(empty: Project) -> None:
    done = empty.command("frobnicate")
    assert (done.code, done.out) == (1, "")
    assert "'frobnicate' is neither a command nor a file" in done.err


def test_serve_answers_as_soon_as_it_says_so_and_counts_its_functions(project: Project) -> None:
    with Project(project.folder, {}, {}) as other:
        other.state = project.folder / "other"
        engine = other.serve()
        assert engine.ready.endswith("(3 functions)")
        assert engine.invoke("echo", 1).json == 1
        assert engine.stop() == 0


def test_a_taken_port_is_a_clear_error_and_exit_code_1(empty: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        shutil.rmtree(empty.state, ignore_errors=True)
        said = refused(empty, "--port", str(port))
    assert not empty.state.exists(), "what cannot start leaves nothing behind"
    assert said.startswith(
        f"cannot listen on 127.0.0.1 port {port}: Address already in use; choose another with --port"
    )
    assert list(empty.registry.glob("*.json")) == []


def test_the_sixth_version_of_the_loopback_address_is_served(empty: Project) -> None:
    engine = empty.serve("--host", "::1")
    assert engine.url.startswith("http://[::1]:")
    connection = http.client.HTTPConnection("::1", engine.port, timeout=10)
    connection.request("POST", "/2015-03-31/functions/echo/invocations", b"6")
    assert connection.getresponse().read() == b"6"
    connection.close()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "example.com", ""])
def test_an_address_that_others_can_reach_is_refused(empty: Project, host: str) -> None:
    said = refused(empty, "--host", host)
    assert said.startswith(f"--host: '{host}' is ")
    assert len(said.splitlines()) == 1
    assert not empty.state.exists()


def test_a_path_that_does_not_exist_is_named(empty: Project) -> None:
    assert "nowhere.yaml" in refused(empty, "nowhere.yaml")


def test_a_folder_without_functions_is_named(empty: Project) -> None:
    (empty.folder / "bare").mkdir()
    assert "bare" in refused(empty, "bare")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Resources: [", "template.yaml:"),
        ("Resources:\n  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      Timeout: soon\n", "Timeout"),
        ("Resources: {}\n", "there is no function that lamtop can run"),
        ("\x00\xff", "template.yaml"),
    ],
)
def test_a_template_with_a_mistake_is_told_with_its_place(empty: Project, text: str, complaint: str) -> None:
    (empty.folder / "template.yaml").write_text(text, encoding="latin-1")
    assert complaint in refused(empty)


@pytest.mark.parametrize("python", ["/nowhere/python", "nonsense-python-9", "/bin/false", "/etc/passwd", "."])
def test_an_interpreter_that_is_none_is_refused(empty: Project, python: str) -> None:
    assert python in refused(empty, "--python", python)


@pytest.mark.parametrize("arguments", [["--port", "70000"], ["--speed", "0"], ["--speed", "-1"], ["--no-such-option"]])
def test_an_option_that_makes_no_sense_is_a_usage_error(empty: Project, arguments: list[str]) -> None:
    done = empty.command("serve", *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Usage: ")


def test_a_single_file_and_a_folder_can_be_served(empty: Project) -> None:
    (empty.folder / "template.yaml").unlink()
    (empty.folder / "orders.py").write_text("def lambda_handler(event, context):\n    return 'orders'\n")
    engine = empty.serve("orders.py")
    assert engine.invoke("orders").json == "orders"
    assert engine.stop() == 0
    assert empty.serve(".").invoke("orders").json == "orders"


# -- what it leaves on disk --------------------------------------------------------------------------------------------


def test_state_and_registry_are_private_even_under_a_loose_umask(empty: Project) -> None:
    before = os.umask(0)
    try:
        engine = empty.serve()
    finally:
        os.umask(before)
    assert engine.invoke("echo", 1).json == 1
    engine.send("echo", 2)
    assert stat.S_IMODE(empty.state.stat().st_mode) == 0o700
    assert {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in empty.state.iterdir()} == {
        path.name: "0o600" for path in empty.state.iterdir()
    }
    assert stat.S_IMODE(empty.registry.stat().st_mode) == 0o700
    entries = list(empty.registry.iterdir())
    assert [stat.S_IMODE(path.stat().st_mode) for path in entries] == [0o600]
    entry = json.loads(entries[0].read_text())
    assert (entry["pid"], entry["url"], entry["state"]) == (engine.pid, engine.url, str(empty.state))
    assert (empty.state / ".gitignore").read_text() == "*\n"
    assert engine.stop() == 0
    assert list(empty.registry.iterdir()) == []


def test_a_folder_that_was_open_to_all_is_closed(empty: Project) -> None:
    empty.state.mkdir(mode=0o755)
    empty.serve()
    assert stat.S_IMODE(empty.state.stat().st_mode) == 0o700


# -- invoke ------------------------------------------------------------------------------------------------------------


def test_invoke_prints_the_payload_and_nothing_else(project: Project) -> None:
    assert lamtop(project, "invoke", "echo", "--event", '{"a": "ü"}') == Ran(0, '{"a": "\\u00fc"}\n', "")
    assert lamtop(project, "invoke", "echo") == Ran(0, "{}\n", "")


def test_invoke_says_by_its_exit_code_that_the_function_failed(project: Project) -> None:
    done = lamtop(project, "invoke", "boom")
    assert (done.code, done.err) == (1, "")
    assert json.loads(done.out)["errorMessage"] == "no card"


def test_invoke_prints_the_log_on_standard_error_when_asked(project: Project) -> None:
    done = lamtop(project, "invoke", "echo", "--logs")
    assert (done.code, done.out) == (0, "{}\n")
    lines = done.err.splitlines()
    assert "hello from the handler" in lines
    assert lines[-1].startswith("REPORT RequestId: ")


def test_invoke_can_queue_an_event(project: Project) -> None:
    done = lamtop(project, "invoke", "echo", "--event", "7", "--async")
    assert (done.code, done.out) == (0, "")
    found = re.fullmatch(r"202 accepted, request id ([a-f0-9-]{36})\n", done.err)
    assert found
    engine = running(project)
    assert engine.ended(found[1])["state"] == "succeeded"


def test_invoke_takes_a_version_or_an_alias(project: Project) -> None:
    assert lamtop(project, "invoke", "echo", "--event", "7", "--qualifier", "live") == Ran(0, "7\n", "")
    done = lamtop(project, "invoke", "echo", "--qualifier", "missing")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("Error: ResourceNotFoundException: Function not found: ")
    assert done.err.endswith(":function:echo:missing\n")


def test_a_dry_run_invokes_nothing(project: Project) -> None:
    said = "204: boom is there and would take this; nothing ran\n"
    assert lamtop(project, "invoke", "boom", "--dry-run") == Ran(0, "", said)
    said = "Error: --dry-run and --async exclude each other; give one of them\n"
    assert lamtop(project, "invoke", "boom", "--dry-run", "--async") == Ran(1, "", said)


def test_invoke_takes_its_event_from_a_file_or_from_standard_input(project: Project) -> None:
    (project.folder / "event.json").write_text("[1,2]")
    assert lamtop(project, "invoke", "echo", "--event", "@event.json").out == "[1, 2]\n"
    assert lamtop(project, "invoke", "echo", "--event", "-", stdin=b"[3]").out == "[3]\n"


@pytest.mark.parametrize(
    ("event", "stdin", "complaint"),
    [
        ("{a:1}", b"", "--event: this is not JSON: "),
        ("@nowhere.json", b"", "--event: 'nowhere.json' cannot be read: No such file or directory"),
        ("@.", b"", "--event: '.' cannot be read: Is a directory"),
        ("-", b"", "--event: this is not JSON: "),
        ("-", b'"\xff"', "--event: this is not JSON: "),
        ("", b"", "--event: this is not JSON: "),
        ("[" * 5_000 + "]" * 5_000, b"", "--event: "),
    ],
)
def test_an_event_that_is_none_is_refused_before_anything_runs(
    project: Project, event: str, stdin: bytes, complaint: str
) -> None:
    done = lamtop(project, "invoke", "echo", "--event", event, stdin=stdin)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"Error: {complaint}")
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "words",
    [["nobody"], ["nobody", "--async"], ["my function!"], ["../../etc/passwd", "--async"], ["echo?a=1"], ["a/b"]],
)
def test_invoking_what_does_not_exist_says_so(project: Project, words: list[str]) -> None:
    done = lamtop(project, "invoke", *words)
    assert (done.code, done.out) == (1, "")
    assert re.match(r"Error: (ResourceNotFoundException|ValidationException): ", done.err), done.err
    assert "Traceback" not in done.err


# -- looking -----------------------------------------------------------------------------------------------------------


def test_logs_prints_the_lines_of_all_or_of_one_function(project: Project) -> None:
    lamtop(project, "invoke", "echo")
    lamtop(project, "invoke", "boom")
    everything = lamtop(project, "logs")
    assert (everything.code, everything.err) == (0, "")
    assert " echo " in everything.out
    assert " boom " in everything.out
    assert re.match(r"\d\d:\d\d:\d\d\.\d{3} \S+ [0-9a-f]{8} ", everything.out)
    one = lamtop(project, "logs", "boom").out
    assert "[ERROR] ValueError: no card" in one
    assert " echo " not in one
    assert lamtop(project, "logs", "nobody").out == ""
    assert len(lamtop(project, "logs", "-n", "2").out.splitlines()) == 2


def test_logs_follow_prints_what_comes(project: Project) -> None:
    command = [sys.executable, "-m", "lamtop.tui.cli", "logs", "-f", "echo", "--state", str(project.state)]
    out_file = project.home / "followed.txt"
    with out_file.open("w") as out:
        following = subprocess.Popen(command, env=project.environ, stdout=out, stderr=subprocess.STDOUT)
    try:
        ids: list[str] = []

        def shown() -> bool:
            ids.append(running(project).invoke("echo", 1).request_id)  # until one comes after it has subscribed
            return f"START RequestId: {ids[-2]}" in out_file.read_text() if len(ids) > 1 else False

        until(shown, "a line that came while it followed", pause=0.2)
        following.send_signal(signal.SIGINT)
        assert following.wait(10) == 130
    finally:
        following.kill()
        following.wait()


def test_status_is_for_people_or_for_programs(project: Project) -> None:
    shown = lamtop(project, "status")
    engine = running(project)
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.startswith(f"{engine.url}  {project.folder / 'template.yaml'}  pid {engine.pid}  Python 3.")
    assert re.search(r"^  echo +v\d+  \d+ invocations, ", shown.out, re.M)
    found = json.loads(lamtop(project, "status", "--json").out)
    assert (found["pid"], found["url"], found["version"]) == (engine.pid, engine.url, version("lamtop"))
    assert {row["id"] for row in found["functions"]} == set(FUNCTIONS)


def test_a_pipe_gets_what_a_handler_printed_and_a_terminal_never_gets_its_commands(project: Project) -> None:
    piped = lamtop(project, "invoke", "escape", "--logs")
    assert json.loads(piped.out) == "\x1b[31mred"
    assert "\x1b]0;owned\x07 told" in piped.err
    master, terminal = os.openpty()
    command = [sys.executable, "-m", "lamtop.tui.cli"]
    for arguments in (["invoke", "escape", "--logs"], ["logs", "escape"]):
        subprocess.run(
            [*command, *arguments, "--state", str(project.state)], env=project.environ, stdout=terminal,
            stderr=terminal, stdin=subprocess.DEVNULL, timeout=30, check=True,
        )  # fmt: skip
        shown = os.read(master, 100_000)
        assert b"told" in shown
        assert b"\x1b" not in shown
        assert b"\x07" not in shown
    os.close(master)
    os.close(terminal)


def test_version_is_one_line_and_needs_neither_engine_nor_monitor(project: Project) -> None:
    assert project.command("--version") == Ran(0, f"lamtop {version('lamtop')}\n", "")
    heavy = ("textual", "aiohttp", "lamtop.engine")
    code = f"import sys, lamtop.tui.cli; print([m for m in sys.modules if m.startswith({heavy})])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# -- nothing runs, or something else does ------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["invoke", "echo"], ["logs"], ["status"], ["stop"], ["attach"]])
def test_a_command_without_an_engine_says_what_to_start_and_what_runs(empty: Project, command: list[str]) -> None:
    nothing = lamtop(empty, *command)
    assert (nothing.code, nothing.out) == (1, "")
    meant = f"Error: no engine runs for the state folder {empty.state}; start one with 'lamtop' or 'lamtop serve'\n"
    assert nothing.err == meant
    assert not empty.state.exists()
    if command == ["attach"]:
        engine = empty.serve(state=empty.folder / "elsewhere")
        other = lamtop(empty, *command)
        running_one = f"  running: {engine.url}  {empty.folder / 'template.yaml'}  state {empty.folder / 'elsewhere'}\n"
        assert (other.code, other.err) == (1, meant + running_one)


@pytest.mark.parametrize("target", ["http://127.0.0.1:1", "nowhere", "/"])
def test_attach_to_what_does_not_run_names_it(project: Project, target: str) -> None:
    done = project.command("attach", target)
    assert done.code == 1
    assert done.err.startswith(f"Error: no engine runs for '{target}'")
    assert f"running: {running(project).url}" in done.err


def test_stop_ends_the_engine_of_the_folder_or_of_a_url_and_no_other(empty: Project) -> None:
    engines = [empty.serve(state=empty.folder / name) for name in ("one", "two", "three")]
    assert empty.command("stop", "--state", str(empty.folder / "one")) == Ran(0, "stopped\n", "")
    assert engines[0].wait() == 0
    assert empty.command("stop", engines[1].url) == Ran(0, "stopped\n", "")
    assert engines[1].wait() == 0
    assert engines[2].invoke("echo", 1).json == 1
    again = empty.command("stop", "--state", str(empty.folder / "one"))
    assert again.code == 1


def test_the_entry_of_a_killed_engine_fools_nobody(empty: Project) -> None:
    engine = empty.serve()
    engine.kill9()
    (name,) = empty.registry.glob("*.json")
    done = lamtop(empty, "status")
    assert (done.code, done.err.partition(";")[0]) == (1, f"Error: no engine runs for the state folder {empty.state}")
    entry = {"url": engine.url, "pid": os.getpid(), "token": "x", "state": str(empty.state), "source": "x"}
    name.write_text(json.dumps(entry))  # its number belongs to somebody else by now
    done = lamtop(empty, "status")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"Error: {engine.url} does not answer")
