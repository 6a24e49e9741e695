"""The whole program in a real terminal: engine, handlers and monitor, from the first paint to the last byte."""

import os
import re
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from terminal import Terminal

from engine.running import MARKER, linux_only, processes_with, until

SETTINGS_LEFT = (b"\x1b[?1049l", b"\x1b[?25h", b"\x1b[?1000l")  # alternate screen, cursor, mouse: as they were
HOSTILE = r"\x1b]0;PWNED\x07\x1b[2J\x9b31m[/x][@click=app.quit]x[/]"

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.11, Timeout: 5, CodeUri: code, Environment: {Variables: {%s: "%s"}}}
Resources:
  Greets: {Type: AWS::Serverless::Function, Properties: {FunctionName: a-greets, Handler: app.handler}}
  Fails: {Type: AWS::Serverless::Function, Properties: {FunctionName: b-fails, Handler: app.fails}}
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
def terminal(tmp_path: Path, marker: str) -> Iterator[Terminal]:
    project = tmp_path / "project"
    (project / "code").mkdir(parents=True)
    (project / "template.yaml").write_text(TEMPLATE % (MARKER, marker))
    (project / "code" / "app.py").write_text(CODE)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environ = {**kept, "XDG_STATE_HOME": str(tmp_path / "state"), MARKER: marker}
    command = [sys.executable, "-m", "lamtop.tui.cli", "--port", "0", "--python", sys.executable]
    terminal = Terminal(command, project, environ, 140, 40)
    yield terminal
    terminal.close()
    until(lambda: not processes_with(marker), "no process is left", seconds=20)


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
def test_what_a_handler_prints_and_raises_does_not_reach_the_terminal_as_it_is(terminal: Terminal) -> None:
    terminal.until(lambda s: "a-greets" in s, "the functions are there")
    terminal.press("i")
    terminal.until(lambda s: "200 after" in s, "the result of i")
    terminal.press("\x1b")
    terminal.until(lambda s: "200 after" not in s.split("5 Logs")[0], "the result is closed")
    terminal.press("ja")
    terminal.until(lambda s: "3 Retries 1" in s, "the failed event counts down")
    terminal.press("3\r")
    terminal.until(lambda s: "boom" in s and "try 1" in s, "its life")
    terminal.press("qq")
    terminal.wait()
    assert b"PWNED" in terminal.written
    assert b"\x1b]0;PWNED" not in terminal.written
    assert "\x9b" not in terminal.written.decode(errors="ignore")


def test_an_engine_that_cannot_start_is_explained_on_the_screen(tmp_path: Path) -> None:
    template = "Resources: {F: {Type: AWS::Serverless::Function, Properties: {Handler: app.handler, Timeout: 4000}}}"
    (tmp_path / "template.yaml").write_text(template)
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    terminal = Terminal([sys.executable, "-m", "lamtop.tui.cli"], tmp_path, environ, 140, 40)
    try:
        terminal.until(lambda s: "template.yaml:1" in s and "4000" in s, "the configuration error")
        terminal.press("q")
        assert terminal.wait() == 1
    finally:
        terminal.close()
