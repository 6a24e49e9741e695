"""The whole program in a real terminal: engine, handlers and monitor, from the first paint to the last byte."""

import base64
import http.client
import json
import os
import re
import signal
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from control_sequences import foreign
from pictures import OURS
from stage import is_harmless
from terminal import SETTINGS_LEFT, Terminal

from engine.running import MARKER, linux_only, processes_with, until
from lamtop.tui.film.cast import read_cast

PORT = re.compile(r" :(\d+) ")
HOSTILE = r"\x1b]0;PWNED\x07\x1b[2J\x9b31m[/x][@click=app.quit]x[/]"

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.11, Timeout: 5, CodeUri: code, Environment: {Variables: {%s: "%s"}}}
Resources:
  Greets: {Type: AWS::Serverless::Function, Properties: {FunctionName: a-greets, Handler: app.handler}}
  Fails: {Type: AWS::Serverless::Function, Properties: {FunctionName: b-fails, Handler: app.fails}}
  Dies:
    Type: AWS::Serverless::Function
    Properties: {FunctionName: c-dies, Handler: app.fails, EventInvokeConfig: {MaximumRetryAttempts: 0}}
"""
CODE = f"""
def handler(event, context):
    print("{HOSTILE}")
    return {{"said": "hello from a real process", "hostile": "{HOSTILE}"}}

def fails(event, context):
    print("about to fail")
    raise RuntimeError("{HOSTILE} boom")
"""


@pytest.fixture
def marker() -> str:
    return uuid.uuid4().hex


@pytest.fixture
def terminal_in(tmp_path: Path, marker: str) -> Iterator[Callable[..., Terminal]]:
    """Starts lamtop in a terminal with these words behind it and these variables."""
    project = tmp_path / "project"
    (project / "code").mkdir(parents=True)
    (project / "template.yaml").write_text(TEMPLATE % (MARKER, marker))
    (project / "code" / "app.py").write_text(CODE)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environ = {**kept, "XDG_STATE_HOME": str(tmp_path / "state"), MARKER: marker}
    command = [sys.executable, "-m", "lamtop.tui.cli", "--port", "0", "--python", sys.executable]
    opened: list[Terminal] = []

    def start(*words: str, folder: Path = project, **variables: str) -> Terminal:
        called = [*command[:3], *words] if words else command
        opened.append(Terminal(called, folder, environ | variables, 140, 40))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()
    until(lambda: not processes_with(marker), "no process is left", seconds=20)


@pytest.fixture
def terminal(terminal_in: Callable[..., Terminal]) -> Terminal:
    return terminal_in()


@linux_only
def test_a_person_invokes_sends_resizes_and_quits(terminal: Terminal, marker: str) -> None:
    terminal.until(lambda s: "1 Queue" in s, "the first paint")
    terminal.until(lambda s: "a-greets" in s and "b-fails" in s, "the functions are there")
    assert processes_with(marker)

    terminal.press("i")
    terminal.until(lambda s: "200 after" in s and "hello from a real process" in s, "the result of i")
    terminal.press("\x1b")
    terminal.until(lambda s: "200 after" not in s.split("5 Logs")[0], "the result is closed")

    terminal.press("ja")
    terminal.until(lambda s: re.search(r"202 accepted", s) is not None, "a is answered")
    terminal.until(lambda s: "3 Retries 1" in s and "RuntimeError" in s, "the failed event counts down")

    terminal.resize(80, 24)
    terminal.until(lambda s: max(map(len, s.split("\n"))) == 80 and "[6 Functions]" in s, "the narrow layout")

    terminal.press("q")
    assert terminal.wait() == 0
    assert all(setting in terminal.written for setting in SETTINGS_LEFT)
    assert terminal.settings() == terminal.settings_before
    until(lambda: not processes_with(marker), "no process is left", seconds=20)


@linux_only
def test_a_monitor_that_is_stopped_and_goes_on_takes_keys_and_can_be_left(terminal: Terminal) -> None:
    terminal.until(lambda s: "a-greets" in s, "the functions are there")
    for times in (2, 3):
        os.kill(terminal.child.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, terminal.child.pid, os.WSTOPPED)
        os.kill(terminal.child.pid, signal.SIGCONT)
        terminal.until(
            lambda _, times=times: terminal.written.count(b"\x1b[?1049h") == times, "it has the terminal again"
        )
    terminal.press("?")
    terminal.until(lambda s: "Every pane" in s, "the help")
    terminal.press("q")
    terminal.until(lambda s: "Every pane" not in s, "the panes")
    terminal.press("q")
    assert terminal.wait() == 0
    assert terminal.settings() == terminal.settings_before


@linux_only
def test_a_recording_shows_what_was_seen_even_if_the_program_is_killed(terminal: Terminal, tmp_path: Path) -> None:
    terminal.until(lambda s: "a-greets" in s, "the functions are there")
    terminal.press("\x12")
    terminal.until(lambda s: "REC 0:" in s, "it records")
    terminal.press("i")
    terminal.until(lambda s: "200 after" in s and "hello from a real process" in s, "the result of i")
    terminal.press("\x12")
    terminal.until(lambda s: "REC 0:" not in s, "it records no more, which is seen beside the panel")
    terminal.press("\x1b")
    terminal.until(lambda s: "recorded lamtop-" in s, "it says what it has recorded")
    [first] = (tmp_path / "project").glob("lamtop-*.cast")

    terminal.press("4z:\x12")
    terminal.until(lambda s: "REC 0:" in s, "it records again, which is seen beside a list that stands still")
    terminal.press("\x1b")
    terminal.until(lambda s: "actions to look up" not in s, "the list is closed")
    terminal.press("4")
    terminal.until(lambda s: "1 Queue" in s, "all panes")
    terminal.until(lambda s: "REC 0:" in s and "REC 0:00" not in s, "what was seen a moment ago is in the file")
    terminal.child.kill()
    terminal.wait()
    [second] = {*(tmp_path / "project").glob("lamtop-*.cast")} - {first}

    seen = [shot.frame.text for shot in read_cast(first).shots]
    assert "1 Queue" in seen[0]
    assert "hello from a real process" in seen[-1]
    assert not any("REC 0:" in text for text in seen)
    events = [json.loads(one)[2] for one in first.read_text(encoding="utf-8").splitlines()[1:]]
    assert is_harmless(OURS.sub("", "".join(events)))
    assert "1 Queue" in read_cast(second).last.text


PAYLOADS = {
    "title": "\x1b]0;PWNED\x07",
    "clipboard": "\x1b]52;c;UFdORUQ=\x07",
    "screen": "\x1b[2J\x1b[?1049l\x1b[1;1HPWNED",
    "eight bit": "\x9b2J\x9d0;PWNED\x9c",
    "device": "\x1bP+q544e\x1b\\\x1b_G\x1b\\\x1bc",
    "markup": "[/x][@click=app.quit]x[/][red]",
    "direction": "a\u202etxt.exe\u2066b",
    "surrogate": "a\udcffb\ud83d",
    "nul": "a\x00b\x7f\x08\u200b\ufeff",
    "long": "x" * 70_000,
    "lines": "one\r\ntwo\rthree\n\n\x0bfour\u2028five",
    "emoji": "👩\u200d👩\u200d👧\u200d👦 🇩🇪 \ufdfd",
}
HOSTILE_CODE = f"""
import logging, os
TEXTS = {PAYLOADS!a}
fails = None

def handler(event, context):
    text = TEXTS[event["which"]]
    readable = text.encode("utf-8", "replace").decode()
    print(readable)
    os.write(1, text.encode("utf-8", "surrogatepass") + b"\\n")
    logging.getLogger().error("%s", readable)
    if event.get("raise"):
        raise type("E" + readable[:200].replace(chr(0), ""), (Exception,), {{}})(text)
    return {{"said": text, text[:100]: 1}}
"""
HOSTILE_NAME = "\x1b]0;PWNED\x07\x9b2J\u202e[@click=app.quit]"


def hostile_project(folder: Path) -> Path:
    """A project whose folder is called so."""
    project = (folder / "project").rename(folder / HOSTILE_NAME)
    (project / "code" / "app.py").write_text(HOSTILE_CODE)
    return project


@linux_only
def test_nothing_a_handler_prints_raises_or_is_called_commands_the_terminal(
    terminal_in: Callable[..., Terminal], tmp_path: Path
) -> None:
    project = hostile_project(tmp_path)
    terminal = terminal_in(folder=project)
    screen = terminal.until(lambda s: "a-greets" in s and PORT.search(s), "the functions and the port are there")
    port = port_in(screen)
    plain = terminal_in("attach", "--plain", folder=project)
    plain.until(lambda s: "connected to" in s, "the plain monitor")
    for which in PAYLOADS:
        for event in ({"which": which}, {"which": which, "raise": True}):
            send(port, event)
    terminal.until(lambda s: re.search("3 Retries 1[2-4]", s) is not None, "all that were raised count down")
    terminal.press("3")
    for number in range(len(PAYLOADS)):
        terminal.press("\r")
        terminal.until(lambda s: "try 1" in s, f"the life of {number}")
        terminal.press("]]")
        terminal.until(lambda s: "[Log]" in s, "its log")
        terminal.press("q")
        terminal.until(lambda s: "1 Queue" in s, "the panes")
        terminal.press("j")
    terminal.press("5zgG")
    terminal.until(lambda s: "1 Queue" not in s, "the logs alone")
    terminal.press("z/")
    terminal.until(lambda s: "filter Logs" in s, "the line for a filter")
    terminal.press("PWNED")
    terminal.until(lambda s: "follow · /PWNED" in s, "the typed filter")
    terminal.press("\r")
    terminal.until(lambda s: "follow · /PWNED" in s and "filter Logs" not in s, "the filter")
    (project / "code" / "app.py").write_text(f"raise RuntimeError({PAYLOADS['title'] + 'is broken'!a})")
    terminal.press("6?")
    terminal.until(lambda s: "Every pane" in s, "the help")
    terminal.press("\x1b")
    terminal.until(lambda s: "Every pane" not in s and "this help" not in s, "the panes again")
    terminal.press("n")
    terminal.until(lambda s: "is broken" in s and "notices" in s, "what the engine has said")
    terminal.press("q7y")
    copied = terminal.until(lambda s: "copied " in s, "a request id is copied")
    for words in (["status"], ["logs"], ["invoke", "a-greets"], ["serve", f"{HOSTILE_NAME}.yaml"]):
        command = terminal_in(*words, folder=project)
        command.wait()
        assert b"PWNED" in command.written
        assert foreign(command.written) == [], words
    plain.child.send_signal(signal.SIGINT)
    plain.wait()
    assert b"PWNED" in plain.written
    assert foreign(plain.written) == []
    terminal.press("q")
    assert terminal.wait() == 0
    assert b"PWNED" in terminal.written
    own = base64.b64encode(re.findall(r"copied ([0-9a-f-]{36})", copied)[0].encode()).decode()
    assert foreign(terminal.written) == [f"\x1b]52;c;{own}\x07"]


@linux_only
def test_keys_that_come_in_one_burst_act_as_if_they_were_pressed_one_by_one(terminal: Terminal) -> None:
    screen = terminal.until(lambda s: "c-dies" in s and PORT.search(s), "the functions and the port are there")
    for _ in range(2):
        send(port_in(screen), {}, "c-dies")
    terminal.until(lambda s: "4 DLQ 2" in s, "two dead letters")

    terminal.press("5/err\r6")
    terminal.until(lambda s: "/err" in s.split("5 Logs")[-1] and "filter Logs" not in s, "the filter is kept, in Logs")
    terminal.press("4/two wo\x7f\x7f\x7frds\r5/\x1b")
    terminal.until(lambda s: "4 DLQ · /twords" in s, "another, with a letter taken back")
    terminal.until(lambda s: "/err" not in s.split("5 Logs")[-1], "the first is cleared")
    terminal.press("4/\x1b")
    terminal.until(lambda s: "4 DLQ 2" in s, "all dead letters are shown")

    terminal.press(":zoom this\r")
    terminal.until(lambda s: "1 Queue" not in s and "4 DLQ 2" in s, "the pane alone, by the palette")
    terminal.press("z6e[7, 8]")
    terminal.until(lambda s: "╔═ invoke" in s and "[7, 8]{}" in s, "the form took what was typed")
    terminal.press("\x1b")
    terminal.until(lambda s: "╔═ invoke" not in s, "the form is closed")
    terminal.press("4D1\r2\r")
    terminal.until(lambda s: "type 2 and press enter" in s and "12" in s, "a wrong count keeps them")
    terminal.press("\x7f\x7f2\r")
    terminal.until(lambda s: "purged 2 dead letters" in s, "the right count")
    terminal.press("u")
    terminal.until(lambda s: "4 DLQ 2" in s, "they are back")
    terminal.press("q")
    assert terminal.wait() == 0


def port_in(screen: str) -> int:
    return int(PORT.findall(screen)[0])


def send(port: int, event: dict[str, object], function: str = "a-greets") -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"X-Amz-Invocation-Type": "Event"}
    connection.request("POST", f"/2015-03-31/functions/{function}/invocations", json.dumps(event), headers)
    assert connection.getresponse().status == 202
    connection.close()


@linux_only
def test_a_terminal_without_utf_8_gets_ascii_only(terminal_in: Callable[..., Terminal]) -> None:
    terminal = terminal_in(LANG="C", NO_COLOR="1")
    terminal.until(lambda s: "a-greets" in s, "the functions are there")
    terminal.press("i")
    terminal.until(lambda s: "200 after" in s, "the result of i")
    terminal.press("\x1b")
    terminal.until(lambda s: "200 after" not in s.split("5 Logs")[0], "the result is closed")
    terminal.press("q")
    assert terminal.wait() == 0
    assert terminal.written.isascii()
    assert not re.search(rb"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7])(?:;\d+)*m", terminal.written), "a colour"


def test_an_engine_that_cannot_start_is_explained_on_the_screen(tmp_path: Path) -> None:
    template = "Resources: {F: {Type: AWS::Serverless::Function, Properties: {Handler: app.handler, Timeout: 4000}}}"
    (tmp_path / "template.yaml").write_text(template)
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    terminal = Terminal([sys.executable, "-m", "lamtop.tui.cli"], tmp_path, environ, 140, 40)
    try:
        terminal.until(lambda s: "template.yaml:1" in s and "4000" in s, "the configuration error")
        terminal.press("q")
        assert terminal.wait() == 1
        assert not (tmp_path / ".lamtop").exists(), "what cannot start leaves nothing behind"
    finally:
        terminal.close()
