"""What requirements.txt names and nobody has installed is told, with the command that helps."""

import shlex
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lamtop.engine import interpreter
from lamtop.engine.core.function import Function
from lamtop.engine.project import load, missing_packages

HANDLER = "def handler(event, context): ...\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "src").mkdir()
    (tmp_path / "src/app.py").write_text(HANDLER)
    (tmp_path / "site").mkdir()
    return tmp_path


def function(folder: Path, requirements: str) -> Function:
    (folder / "src/requirements.txt").write_text(requirements)
    (folder / "template.yaml").write_text(
        "Resources: {F: {Type: 'AWS::Serverless::Function', "
        "Properties: {Handler: app.handler, Runtime: python3.13, CodeUri: src}}}"
    )
    return load(folder).functions["F"]


def missing(folder: Path, *functions: Function) -> list[str]:
    return missing_packages(functions, "/usr/bin/py thon", lambda python: [folder / "site"])


def install(folder: Path, *names: str) -> None:
    for name in names:
        (folder / f"{name}-1.0.dist-info").mkdir(parents=True)


def test_what_is_missing_is_told_with_the_command_that_installs_it(folder: Path) -> None:
    found = function(folder, "requests>=2\n")
    assert missing(folder, found) == [
        "src/requirements.txt: requests is not installed for /usr/bin/py thon; run: "
        "'/usr/bin/py thon' -m pip install -r src/requirements.txt -t .lamtop/packages/src"
    ]
    assert found.packages == (str(folder / ".lamtop/packages/src"),)


@pytest.mark.parametrize("where", ["site", "src", ".lamtop/packages/src", "layer/python"])
def test_what_is_installed_anywhere_on_the_path_is_not_missing(folder: Path, where: str) -> None:
    install(folder / where, "Foo_Bar.baz", "other")
    found = replace(function(folder, "foo-bar_baz[extra] == 1.0  # told\nOTHER\n"), layers=(str(folder / "layer"),))
    assert missing(folder, found) == []


def test_names_are_read_from_every_form_of_a_requirement_that_is_certain(folder: Path) -> None:
    text = """\
    # told
    one
    two[extra]>=1,<2
    three @ https://example.org/three.whl
    four~=1
    old; python_version < "3.8"
    -r more.txt
    --only-binary :all:
    https://example.org/wheel.whl
    ./local
    """
    [told] = missing(folder, function(folder, text))
    assert told.startswith("src/requirements.txt: one, two, three and 1 more are not installed for ")


def test_functions_that_share_their_code_are_told_once_for_each_interpreter(folder: Path) -> None:
    found = function(folder, "one\n")
    assert len(missing(folder, found, replace(found, name="G"))) == 1
    assert len(missing(folder, found, replace(found, name="G", python="/usr/bin/python3.9"))) == 2


def test_without_requirements_and_without_packages_nothing_is_added_to_the_path(folder: Path) -> None:
    found = load(folder / "src").functions["app"]
    assert found.packages == ()
    assert missing(folder, found) == []
    (folder / "src/.lamtop/packages/src").mkdir(parents=True)
    assert load(folder / "src").functions["app"].packages == (str(folder / "src/.lamtop/packages/src"),)


def test_what_sam_has_built_comes_behind_what_was_installed_for_this_machine(folder: Path) -> None:
    (folder / ".aws-sam/build/F").mkdir(parents=True)
    assert function(folder, "one\n").packages == (
        str(folder / ".lamtop/packages/src"),
        str(folder / ".aws-sam/build/F"),
    )


def test_an_interpreter_says_where_it_searches(folder: Path) -> None:
    assert Path(pytest.__file__).parent.parent in interpreter.search_path(sys.executable)
    other = folder / "python"
    other.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    other.chmod(0o755)
    assert Path(pytest.__file__).parent.parent in interpreter.search_path(str(other))
    assert interpreter.search_path(str(folder / "gone")) == []
