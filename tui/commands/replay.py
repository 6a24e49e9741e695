"""Looking back: `lamtop replay` opens a recording, `lamtop export` writes one."""

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import monitor_options
from .words import fail, say

if TYPE_CHECKING:
    from lamtop.engine import Replay

    from ..replay_client import ReplayClient

_PATH = click.argument("path", required=False, type=click.Path(path_type=Path))


@click.command()
@_PATH
@click.option("--at", "place", metavar="M:SS", help="Begin so far into it, or at its 'end', and stand still.")
@click.option("--speed", type=click.FloatRange(0, 100_000), default=1.0, help="Play N times as fast; 0 stands still.")
@click.option(
    "--idle",
    type=click.FloatRange(0, 1e9),
    default=3.0,
    help="Cut short what nothing happens in for N seconds; 0 cuts nothing.  [default: 3]",
)
@monitor_options
def replay(path: Path | None, place: str | None, speed: float, idle: float, plain: bool, **options: Any) -> None:
    """Open what has happened: nothing runs, nothing is written.

    PATH is a state folder, a project, or a file that 'lamtop export' wrote; without it ./.lamtop. An engine may go on
    running there: what it does from now on is not shown.

    \b
    lamtop replay                     from the first event of this folder on
    lamtop replay --at end            as it was left
    lamtop replay monday.jsonl        what somebody else has sent you
    """
    from ..bounds import seconds_of
    from ..key_file import KeysError, key_files, use_keys

    at = None if place in (None, "end") else seconds_of(str(place))
    if place not in (None, "end") and at is None:
        fail(f"--at: '{place}' is no place in a recording; use minutes and seconds as in 2:13, or 'end'")
    opened = _opened(path, idle)
    if plain:
        fail("--plain: a replay has a screen only; 'lamtop export -o -' prints all that is on record")
    try:
        use_keys(key_files(Path(".lamtop").absolute()))
    except KeysError as error:
        fail(str(error))
    from ..app import Lamtop

    app = Lamtop(_connect(opened, place, at, speed), options["theme"], "opening…", in_ascii=options["in_ascii"])
    try:
        app.run()
    finally:
        opened.close()
    sys.exit(app.return_code or 0)


@click.command()
@_PATH
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    help="The file to write; - for standard output.  [default: ./lamtop-recording.jsonl]",
)
def export(path: Path | None, output: Path | None) -> None:
    """Write everything on record to a file that 'lamtop replay' opens anywhere: JSON, one object a line.

    PATH is a state folder or a project; without it ./.lamtop. An engine may run there. The file holds payloads, results
    and logs; you alone may read it.
    """
    from lamtop.engine import RecordingError, StoreError, open_recording, write_lines
    from lamtop.engine import export as write_file

    target = output or Path("lamtop-recording.jsonl")
    try:
        recording = open_recording(path, Path.cwd())
        try:
            count = write_lines(recording, sys.stdout) if str(target) == "-" else write_file(recording, target)
        finally:
            recording.close()
    except (RecordingError, StoreError) as error:
        fail(str(error))
    except FileExistsError:
        fail(f"{target} is there already; name another file with -o")
    except OSError as error:
        fail(f"{target} cannot be written: {error.strerror}")
    for remark in recording.remarks:
        say(f"Warning: {remark}", err=True)
    if str(target) != "-":
        say(f"wrote {count:,} lines to {target}: 'lamtop replay {target}' opens it", err=True)


def _opened(path: Path | None, idle: float) -> "Replay":
    """The recording that is meant. What cannot be opened is an error message."""
    from lamtop.engine import RecordingError, Replay, StoreError, open_recording

    try:
        recording = open_recording(path, Path.cwd())
        if sys.stderr.isatty():
            say(f"reading {recording.path}…", err=True)
        return Replay(recording, idle=idle)
    except (RecordingError, StoreError) as error:
        fail(str(error))


def _connect(
    opened: "Replay", place: str | None, at: float | None, speed: float
) -> "Callable[[], Awaitable[ReplayClient]]":
    """What makes a client of it, and first brings it where it is to begin."""

    async def connect() -> "ReplayClient":
        from ..replay_client import ReplayClient

        opened.start()
        if place is None:
            await opened.set_speed(speed)
        elif at is not None:
            await opened.wind("second", at)
        else:
            await opened.wind("moment", opened.clock.last)
        return ReplayClient(opened)

    return connect
