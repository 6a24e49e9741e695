"""The command line. What a command needs is imported when it runs: `lamtop --version` loads neither of the two."""

import click

from .commands.asking import invoke, logs, status, stop
from .commands.faults import fault
from .commands.monitor import attach, monitor
from .commands.replay import export, replay
from .commands.serve import serve
from .commands.tapes import demo, record
from .commands.time import jump, speed


class _DefaultToMonitor(click.Group):
    """`lamtop PATH` is `lamtop monitor PATH`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {"--help", "-h", "--version"}
        if not args or (args[0] not in self.commands and args[0] not in own):
            args = ["monitor", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_DefaultToMonitor, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lamtop", message="lamtop %(version)s")
def main() -> None:
    """See, break and rewind AWS Lambda invocations on your laptop.

    \b
    lamtop            open the monitor on ./template.yaml, ./handlers or the functions in this folder
    lamtop PATH       … on this template.yaml, folder or .py file
    """


for _command in (
    monitor, serve, attach, invoke, logs, status, fault, speed, jump, replay, export, stop, demo, record,
):  # fmt: skip
    main.add_command(_command)


if __name__ == "__main__":
    main()
