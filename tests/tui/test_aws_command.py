"""The copied AWS CLI command is what a shell takes it for."""

import json
import shlex
import subprocess

import pytest

from lamtop.tui.aws_command import LONGEST, aws_command

URL = "http://127.0.0.1:4566"
HARD = ["it's", '"', "$HOME `id` $(id) !x", "a\\b", "ü 日本", "--help", "; rm -rf *", "\n\t", "%s {}"]


def argument(command: str, name: str) -> str:
    words = shlex.split(command)
    return words[words.index(name) + 1]


def test_a_synchronous_invocation_prints_its_result() -> None:
    assert aws_command("orders", '{\n  "n": 1\n}', url=URL) == (
        "aws lambda invoke --function-name orders --cli-binary-format raw-in-base64-out --payload '{\"n\":1}' "
        f"--endpoint-url {URL} /dev/stdout"
    )


def test_mode_and_version_are_named_only_when_they_are_not_the_usual_ones() -> None:
    command = aws_command("orders", "", url=URL, kind="Event", qualifier="live")
    assert "--qualifier live --invocation-type Event" in command
    assert argument(command, "--payload") == "{}"
    assert command.endswith("/dev/null")
    assert "--invocation-type DryRun" in aws_command("orders", "{}", url=URL, kind="DryRun")


@pytest.mark.parametrize("text", HARD)
def test_a_shell_gives_the_payload_on_as_it_was_typed(text: str) -> None:
    command = aws_command("orders", json.dumps({"a": text}, ensure_ascii=False), url=URL)
    shown = "aws() { printf '%s\\0' \"$@\"; }; " + command
    done = subprocess.run(["bash", "-c", shown], capture_output=True, check=True)
    words = done.stdout.decode().split("\0")
    assert json.loads(words[words.index("--payload") + 1]) == {"a": text}
    assert words[-2] == "/dev/stdout"


@pytest.mark.parametrize("name", ["a b", "x'; id; '", "$(id)"])
def test_names_are_quoted_too(name: str) -> None:
    command = aws_command(name, "{}", url=URL, qualifier=name)
    assert argument(command, "--function-name") == name
    assert argument(command, "--qualifier") == name


def test_a_number_below_zero_is_no_option() -> None:
    assert argument(aws_command("orders", "-5", url=URL), "--payload") == " -5"


def test_a_burst_is_a_loop() -> None:
    command = aws_command("orders", "{}", url=URL, kind="Event", count=100)
    assert command.startswith("for i in $(seq 100); do aws lambda invoke ")
    assert command.endswith(" /dev/null; done")


def test_a_payload_that_no_command_line_takes_is_refused() -> None:
    with pytest.raises(ValueError, match="a command line takes 100,000 characters of payload"):
        aws_command("orders", json.dumps("x" * LONGEST), url=URL)
