"""The AWS CLI command that does what the form does, ready to be pasted into a shell."""

from shlex import quote

from .json_text import one_line

LONGEST = 100_000
"""Characters of a payload that a command line takes: Linux allows 128 KiB for one argument."""


def aws_command(
    function: str, payload: str, *, url: str, kind: str = "RequestResponse", qualifier: str = "", count: int = 1
) -> str:
    """One line for bash or zsh. `kind` is Lambda's invocation type; `payload` is JSON.

    Raises ValueError for a payload that is too long for a command line.
    """
    event = one_line(payload) or "{}"
    if len(event) > LONGEST:
        raise ValueError(f"a command line takes {LONGEST:,} characters of payload, this one has {len(event):,}")
    words = ["aws", "lambda", "invoke", "--function-name", quote(function)]
    words += ["--qualifier", quote(qualifier)] if qualifier else []
    words += ["--invocation-type", kind] if kind != "RequestResponse" else []
    words += ["--cli-binary-format", "raw-in-base64-out", "--payload", quote(_no_option(event))]
    words += ["--endpoint-url", quote(url), "/dev/stdout" if kind == "RequestResponse" else "/dev/null"]
    command = " ".join(words)
    return f"for i in $(seq {count}); do {command}; done" if count > 1 else command


def _no_option(event: str) -> str:
    """A number below zero must not look like an option; JSON allows a space before it."""
    return f" {event}" if event.startswith("-") else event
