"""What a command says."""

import sys
from typing import NoReturn

import click


def say(text: str, *, err: bool = False, end: str = "\n") -> None:
    """Print text that may hold a handler's or a template's own: it must not command a terminal.

    A pipe gets it as it is.
    """
    stream = sys.stderr if err else sys.stdout
    if stream.isatty():
        from ..format import clean

        text = clean(text)
    click.echo(text + end, err=err, nl=False)


def fail(message: str) -> NoReturn:
    """Say what went wrong and what to do, and end with exit code 1."""
    say(f"Error: {message}", err=True)
    sys.exit(1)
