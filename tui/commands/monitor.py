"""Commands that open a monitor: `lamtop`, on an engine of its own, and `lamtop attach`."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from .meant import find
from .options import EngineCommand, check_simulation, engine_options, monitor_options, path_argument, state_option
from .words import fail

if TYPE_CHECKING:
    from ..client import HttpClient


@click.command(cls=EngineCommand)
@path_argument
@engine_options
@monitor_options
def monitor(path: Path | None, port: int | None, plain: bool, **options: Any) -> None:
    """Open the monitor; start an engine unless one runs for this folder."""
    from .. import engines
    from ..client import EngineUnreachable

    if path is not None and not path.exists():
        fail(f"'{path}' is neither a command nor a file; 'lamtop --help' lists the commands")
    check_simulation(options)
    state = engines.state_folder(options["state"])
    try:
        door = engines.Door(path, state, port, options)
    except EngineUnreachable as error:
        fail(str(error))
    _watch(door.connect, state, options, door.opening, plain=plain)


@click.command()
@click.argument("target", required=False)
@state_option
@monitor_options
def attach(target: str | None, state: Path | None, plain: bool, **options: Any) -> None:
    """Open a monitor on an engine that runs already: TARGET is its URL or its project's path."""
    from .. import engines

    entry = find(target, state)
    there = Path(entry.state)  # its successor, on another port, has it too
    _watch(lambda: engines.connect(there), there, options, f"connecting to {entry.url}…", plain=plain)


def _watch(
    connect: "Callable[[], Awaitable[HttpClient]]", state: Path, options: dict[str, Any], opening: str, *, plain: bool
) -> NoReturn:
    """Show what the engine does until the user has seen enough, or, line by line, until it ends."""
    if plain:
        from ..plain import print_changes

        try:
            sys.exit(asyncio.run(print_changes(connect)))
        except KeyboardInterrupt:
            sys.exit(130)
    from ..key_file import KeysError, key_files, use_keys

    try:
        use_keys(key_files(state))
    except KeysError as error:
        fail(str(error))
    from ..app import Lamtop

    app = Lamtop(connect, options["theme"], opening, in_ascii=options["in_ascii"])
    app.run()
    sys.exit(app.return_code or 0)
