"""Enter on a traceback opens the line in the user's editor."""

import contextlib
import json
from pathlib import Path

import pytest
from fake_engine import FakeEngine, life, request_id, retry
from stage import Stage, play

from lamtop.tui.source import editor_command, newest_frame


def test_the_innermost_line_of_the_users_own_code_is_chosen(tmp_path: Path) -> None:
    own, library = tmp_path / "app.py", tmp_path / "site-packages" / "dep.py"
    library.parent.mkdir()
    own.write_text("1\n")
    library.write_text("1\n")
    trace = [f'  File "{own}", line 3, in handler\n    call()\n', f'  File "{own}", line 7, in call\n']
    assert newest_frame([*trace, f'  File "{library}", line 9, in dep\n']) == (own, 7)
    assert newest_frame([f'  File "{library}", line 9, in dep\n']) == (library, 9)


@pytest.mark.parametrize("file", ["/no/such/file.py", "relative.py", "-c", "/", "<string>"])
def test_what_is_no_file_is_never_opened(file: str) -> None:
    assert newest_frame([f'  File "{file}", line 1, in x\n']) is None


@pytest.mark.parametrize(
    ("editor", "command"),
    [
        ("vim", ["vim", "+7", "/a.py"]),
        ("emacs -nw", ["emacs", "-nw", "+7", "/a.py"]),
        ("/usr/bin/code --wait", ["/usr/bin/code", "--wait", "--goto", "/a.py:7"]),
        ("hx", ["hx", "/a.py:7"]),
        ("", None),
    ],
)
def test_each_editor_is_told_the_line_in_its_way(
    editor: str, command: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", editor)
    assert editor_command(Path("/a.py"), 7) == command


def test_enter_in_the_inspector_runs_the_editor_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handler, told, editor = tmp_path / "app.py", tmp_path / "told", tmp_path / "editor"
    handler.write_text("1\n")
    editor.write_text(f'#!/bin/sh\necho "$@" > {told}\n')
    editor.chmod(0o700)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "")
    engine = FakeEngine()
    engine.rows["retries"] = [retry(1)]
    known = life(1)
    known["attempts"][0]["result"] = json.dumps({"stackTrace": [f'  File "{handler}", line 1, in handler\n']})
    engine.lives[request_id(1)] = known

    async def story(stage: Stage) -> None:
        monkeypatch.setattr(stage.app, "suspend", contextlib.nullcontext)
        await stage.press("3", "enter")
        await stage.shows("Traceback")
        await stage.press("enter")
        await stage.shows("set EDITOR to open")
        monkeypatch.setenv("EDITOR", str(editor))
        await stage.press("enter")
        await stage.until(told.exists)
        await stage.shows("Traceback")

    play(story, engine)
    assert told.read_text() == f"+1 {handler}\n"
