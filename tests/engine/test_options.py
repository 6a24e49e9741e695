"""What a person gives the monitor reaches the engine that it starts."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lamtop.tui import cli, engines
from lamtop.tui.commands.options import settings_of

GIVEN = [
    "--env-file", ".env", "--parameter-overrides", "Stage=test Size=3", "--parameter-overrides", "Name='a b'",
    "--pass-credentials", "--debug", "orders",
]  # fmt: skip


def test_the_options_of_the_monitor_are_those_of_the_engine_that_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(subprocess, "Popen", lambda command, **_: commands.append(command))
    given = cli.monitor.make_context("monitor", list(GIVEN)).params
    engines.Door(None, tmp_path, None, given)
    [command] = commands
    handed_on = cli.serve.make_context("serve", command[command.index("serve") + 1 :]).params
    changed = {"state", "owned", "any_port", "supervised", "plain", "theme", "in_ascii"}  # not for the user to say
    assert {k: v for k, v in handed_on.items() if k not in changed} == {
        k: v for k, v in given.items() if k not in changed
    }


def test_the_options_become_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text("def handler(event, context): ...\n")
    options: dict[str, Any] = cli.serve.make_context("serve", list(GIVEN)).params
    settings = settings_of(None, options)
    assert settings.env_file == Path(".env")
    assert settings.parameters == {"Stage": "test", "Size": "3", "Name": "a b"}
    assert settings.pass_credentials
    assert settings.debug == "orders"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("Stage", "--parameter-overrides: 'Stage' has no '='; use KEY=VALUE"),
        ("Stage='a", "--parameter-overrides: No closing quotation; use KEY=VALUE"),
    ],
)
def test_a_parameter_without_a_value_is_refused(tmp_path: Path, given: str, message: str) -> None:
    (tmp_path / "app.py").write_text("def handler(event, context): ...\n")
    done = CliRunner().invoke(cli.main, ["serve", str(tmp_path), "--port", "0", "--parameter-overrides", given])
    assert done.exit_code == 1
    assert done.output == f"Error: {message}\n"
