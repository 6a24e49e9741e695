"""Options that several commands have, and what is made of them."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .words import fail

if TYPE_CHECKING:
    from lamtop.engine import Settings

PORT = 4566
_FILE = click.Path(path_type=Path, dir_okay=False)
path_argument = click.argument("path", required=False, type=click.Path(path_type=Path))
state_option = click.option(
    "--state", type=click.Path(path_type=Path, file_okay=False), help="State folder.  [default: ./.lamtop]"
)


def engine_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        state_option,
        click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on."),
        click.option(
            "--port", type=click.IntRange(0, 65_535), default=None, help=f"Port; 0 picks a free one.  [default: {PORT}]"
        ),
        click.option(
            "--speed", type=click.FloatRange(0.01, 100_000), default=1.0, help="Let waits pass N times faster."
        ),
        click.option(
            "--simulate",
            type=click.IntRange(min=0),
            default=None,
            metavar="[SEED]",
            help="Simulate time, in handlers too: waits cost nothing, the same seed is the same history.",
        ),
        click.option("--jitter", type=int, default=None, help="Seed: retries come some seconds late, as on AWS."),
        click.option("--python", default=None, help="Interpreter that runs the handlers."),
        click.option("--env-file", type=_FILE, default=None, help="KEY=VALUE lines: variables of all functions."),
        click.option(
            "--parameter-overrides", multiple=True, metavar="KEY=VALUE", help="Parameter of the template; repeatable."
        ),
        click.option(
            "--pass-credentials", is_flag=True, help="Handlers use your AWS credentials and reach the real services."
        ),
        click.option("--debug", metavar="NAME", default=None, help="Run function NAME under debugpy, no timeout."),
        click.option(
            "--keep-days",
            type=click.FloatRange(0, 36_500),
            default=7.0,
            help="Forget what ended N days ago.  [default: 7]",
        ),
        click.option("--spawn", is_flag=True, help="Start a new interpreter for every environment; fork none."),
        click.option("--allow-host", multiple=True, help="Another Host header to answer to."),
    ):
        command = option(command)
    return command


def monitor_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option(
            "--theme",
            type=click.Choice(["dark", "light", "terminal"]),
            default=None,
            envvar="LAMTOP_THEME",
            help="Colours; 'terminal' takes the terminal's own 16.  [default: what fits]",
        ),
        click.option("--ascii", "in_ascii", is_flag=True, default=None, help="Draw with ASCII characters only."),
        click.option("--plain", is_flag=True, help="No screen: print one line for each change."),
    ):
        command = option(command)
    return command  # fmt: skip


class EngineCommand(click.Command):
    """A command whose --simulate may go without its seed, whatever comes next: `lamtop --simulate template.yaml`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        for at, word in enumerate(args):
            following = args[at + 1] if at + 1 < len(args) else ""
            if word == "--simulate" and not following.isdigit():
                args = [*args[:at], "--simulate=0", *args[at + 1 :]]
        return super().parse_args(ctx, args)


def check_simulation(options: dict[str, Any]) -> None:
    """What cannot go with --simulate, named."""
    if options["simulate"] is not None and options["debug"]:
        fail("--simulate and --debug exclude each other: a debugger waits in real time; give one of them")


def settings_of(path: Path | None, options: dict[str, Any]) -> "Settings":
    from lamtop.engine import ConfigurationError, Retention, Settings, find

    from .. import engines

    check_simulation(options)
    try:
        found = find(path, Path.cwd())
    except ConfigurationError as error:
        fail(str(error))
    return Settings(
        source=found.path,
        copied=found.copied,
        state=engines.state_folder(options["state"]),
        host=options["host"],
        speed=options["speed"],
        jitter=options["jitter"],
        simulate=options["simulate"],
        paced=options["simulate"] is not None,
        python=options["python"],
        spawn=options["spawn"],
        allowed_hosts=frozenset(options["allow_host"]),
        env_file=options["env_file"],
        parameters=_parameters(options["parameter_overrides"]),
        pass_credentials=options["pass_credentials"],
        debug=options["debug"],
        retention=Retention(days=options["keep_days"]),
    )


def _parameters(given: tuple[str, ...]) -> dict[str, str]:
    """Pairs as `sam` takes them: one or, in quotes, several in one text."""
    import shlex

    try:
        pairs = [pair for text in given for pair in shlex.split(text)]
    except ValueError as error:
        fail(f"--parameter-overrides: {error}; use KEY=VALUE")
    for pair in pairs:
        if "=" not in pair:
            fail(f"--parameter-overrides: '{pair}' has no '='; use KEY=VALUE")
    return dict(pair.split("=", 1) for pair in pairs)


def check_host(host: str) -> None:
    import ipaddress

    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        fail(f"--host: '{host}' is not an address; use 127.0.0.1 or ::1")
    if not is_loopback:
        fail(f"--host: '{host}' is no loopback address; lamtop runs code for whoever reaches it, so it stays local")
