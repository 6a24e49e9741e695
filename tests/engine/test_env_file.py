"""A file of variables is read line by line; what is wrong is told with its line and without its value."""

from pathlib import Path

import pytest

from lamtop.engine.project import load
from lamtop.engine.project.env_file import read_env_file
from lamtop.engine.project.errors import ConfigurationError

HANDLER = "def handler(event, context): ...\n"
TEMPLATE = """\
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      Handler: app.handler
      Runtime: python3.13
      Environment: {Variables: {STAGE: test, LEVEL: info}}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(HANDLER)
    return tmp_path


def read(text: str) -> dict[str, str]:
    Path(".env").write_text(text, encoding="utf-8", newline="")
    return read_env_file(Path(".env"))


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("KEY=value", "value"),
        ("  export KEY = a b  ", "a b"),
        ("KEY=", ""),
        ("KEY=a=b", "a=b"),
        ("KEY=a # told", "a"),
        ("KEY=# nothing", ""),
        ("KEY=a#b", "a#b"),
        ("KEY=' a # b '", " a # b "),
        ('KEY=" a # b "  # told', " a # b "),
        (r"""KEY="a\n\"b\"\\" """, 'a\n"b"\\'),
        (r"KEY='a\n'", r"a\n"),
        ("KEY=$HOME", "$HOME"),
        ("KEY=one\nKEY=two", "two"),
        ("# told\n\nKEY=a\r\n", "a"),
        ("\ufeffKEY=ü", "ü"),
    ],
)
def test_a_line_is_a_variable(line: str, value: str) -> None:
    assert read(line) == {"KEY": value}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A=1\nsecret", "2: there is no '='; use KEY=VALUE"),
        ("1A=x", "1: '1A' is not allowed as a name; use letters, digits and '_', no digit first"),
        ("A='secret", "1: A: the quotes do not match; use KEY=VALUE"),
        ('A="secret" more', "1: A: the quotes do not match; use KEY=VALUE"),
        ("A=sec\0ret", "1: A: the value holds a zero byte, which no variable can; remove it"),
    ],
)
def test_a_wrong_line_is_told_without_its_value(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read(text)
    assert str(caught.value).startswith(f".env:{message}")
    assert "secret" not in str(caught.value)


def test_a_file_that_is_not_there_or_not_text_is_told(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"^--env-file: gone cannot be read: No such file or directory$"):
        read_env_file(Path("gone"))
    (folder / ".env").write_bytes(b"A=1\nB=\xff\n")
    with pytest.raises(ConfigurationError, match=r"^\.env:2: is not UTF-8 text; save it as UTF-8$"):
        read_env_file(folder / ".env")


def test_its_variables_go_to_every_function_on_top_of_the_template_and_may_be_reserved_ones(folder: Path) -> None:
    (folder / "template.yaml").write_text(TEMPLATE)
    (folder / "local.env").write_text("LEVEL=debug\nAWS_REGION=eu-west-1\n")
    project = load(folder, Path("local.env"))
    assert project.functions["Orders"].environment == {"STAGE": "test", "LEVEL": "debug", "AWS_REGION": "eu-west-1"}
    assert load(folder / "app.py", Path("local.env")).functions["app"].environment["LEVEL"] == "debug"


def test_it_is_watched_and_read_again(folder: Path) -> None:
    (folder / "template.yaml").write_text(TEMPLATE)
    (folder / ".env").write_text("LEVEL=debug\n")
    project = load(folder, Path(".env"))
    assert project.watched == (folder / "template.yaml", folder, folder / ".env")
    (folder / ".env").write_text("LEVEL=error\n")
    assert project.again().functions["Orders"].environment["LEVEL"] == "error"
