"""Commands that play tapes: lamtop demo and lamtop record."""

import asyncio
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .words import fail, say

if TYPE_CHECKING:
    from ..demo.performance import Report
    from ..demo.tape import Tape
    from ..film.reel import Film

_OUTPUT = click.Path(path_type=Path, dir_okay=False)
_FOLDER = click.Path(path_type=Path, file_okay=False)


def _film_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--size", metavar="COLUMNSxROWS", default=None, help="Another size, as in 140x40."),
        click.option("--theme", type=click.Choice(["dark", "light", "terminal"]), default=None, help="Other colours."),
        click.option("--speed", type=click.FloatRange(0.1, 20), default=1.0, help="Play it N times as fast."),
        click.option("--fps", type=click.IntRange(1, 30), default=None, help="Pictures in a second of film."),
        click.option("--no-captions", is_flag=True, help="The monitor alone, without captions and keys under it."),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("tapes", metavar="[TAPE]...", nargs=-1)
@click.option("--check", is_flag=True, help="No pictures: see whether everything comes out as the tape says.")
@_film_options
def demo(tapes: tuple[str, ...], check: bool, **options: Any) -> None:
    """Play a tape in this terminal; without one, list those that come with lamtop.

    \b
    lamtop demo retries              space pauses, . steps, all keys of the monitor work
    lamtop demo --check              each tape as a test; exit code 1 if one fails
    lamtop demo --check my.tape
    """
    if check:
        sys.exit(0 if _check(tapes, options) else 1)
    if not tapes:
        _list()
    elif len(tapes) > 1:
        fail("one tape at a time can be watched; --check takes several")
    else:
        with _told():
            _watch(_tape(tapes[0], options), options)


@click.command()
@click.argument("tape", metavar="TAPE|CAST")
@click.option(
    "-o", "--output", "outputs", type=_OUTPUT, multiple=True, help="FILE.cast, .gif, .mp4, .svg or .txt; repeatable."
)
@click.option("--stills", type=_FOLDER, default=None, help="Folder for the tape's stills.  [default: that of -o]")
@_film_options
def record(tape: str, outputs: tuple[Path, ...], stills: Path | None, **options: Any) -> None:
    """Make a film of a tape. The same tape is the same film, wherever and however often it is recorded.

    \b
    lamtop record retries -o retries.gif
    lamtop record my.tape -o my.cast -o my.mp4 --size 140x40 --theme light
    lamtop record session.cast -o session.gif    a recording of yours (ctrl+r in the monitor)
    """
    if not outputs:
        fail("where to? Give -o FILE, with .cast, .gif, .mp4, .svg (the last picture) or .txt at its end")
    with _told():
        from ..film.files import check_file

        for path in outputs:
            check_file(path)
        if tape.endswith(".cast"):
            from ..film.cast import read_cast

            film = read_cast(Path(tape))
        else:
            folder = stills or outputs[0].parent
            folder.mkdir(parents=True, exist_ok=True)
            film = _film(_tape(tape, options), folder, options)
        for path in outputs:
            _keep(film, path)


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong with a tape, its project or its film is an error message."""
    from lamtop.engine import ConfigurationError, InterpreterError, StoreError

    from ..demo.tape import TapeError
    from ..film.reel import FilmError

    try:
        yield
    except TapeError as error:
        if error.screen:
            say(f"{error.screen}\n", err=True)
        fail(str(error))
    except (FilmError, ConfigurationError, InterpreterError, StoreError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


def _tape(name: str, options: dict[str, Any]) -> "Tape":
    """A tape with the wishes of the command line in place of its own."""
    from ..demo.shelf import find_tape
    from ..demo.tape import parse_size

    tape = find_tape(name)
    wishes = {key: options[key] for key in ("theme", "fps") if options[key] is not None}
    if options["size"]:
        try:
            wishes["columns"], wishes["rows"] = parse_size(options["size"])
        except ValueError as error:
            fail(f"--size: {error}")
    return replace(tape, **wishes)


def _list() -> None:
    from ..demo.shelf import NAMES, find_tape

    for name in NAMES:
        say(f"{name:<18} {find_tape(name).title}")
    say("\n'lamtop demo NAME' plays one here; README, \"Tapes\", says how to write your own", err=True)


def _check(names: tuple[str, ...], options: dict[str, Any]) -> bool:
    """Play tapes as tests. True if all come out as they say."""
    from ..demo import shelf

    good = True
    for name in names or shelf.NAMES:
        try:
            with _told():
                _check_one(name, options)
        except SystemExit as ended:
            if ended.code == 130:
                raise
            good = False
    return good


def _check_one(name: str, options: dict[str, Any]) -> None:
    import time

    from ..demo.cameras import Check
    from ..demo.performance import perform

    began = time.monotonic()
    report = asyncio.run(perform(_tape(name, options), lambda _stage: Check(), captions=not options["no_captions"]))
    say(f"{name:<18} ok in {time.monotonic() - began:.1f} s: {_words(report)}")


def _words(report: "Report") -> str:
    pids = sorted(report.pids)
    shown = " ".join(map(str, pids[:12])) + (" …" if len(pids) > 12 else "")
    processes = f"{len(pids)} handler process{'es' if len(pids) != 1 else ''}"
    return f"{report.seconds:.1f} s of film, {processes} (pid {shown or 'none'})"


def _watch(tape: "Tape", options: dict[str, Any]) -> None:
    from ..demo.theatre import watch

    if not sys.stdout.isatty() or not sys.stdin.isatty():
        fail("a tape is watched in a terminal; 'lamtop record' makes a film of it, 'lamtop demo --check' a test")
    trouble = asyncio.run(watch(tape, speed=options["speed"], captions=not options["no_captions"]))
    if trouble:
        fail(trouble)


def _film(tape: "Tape", stills: Path, options: dict[str, Any]) -> "Film":
    from ..demo.filming import film_of

    with _bar(f"playing {tape.file}", len(tape.steps)) as bar:
        film, report = asyncio.run(
            film_of(
                tape,
                captions=not options["no_captions"],
                speed=options["speed"],
                stills=stills,
                progress=lambda _step: bar.update(1),
            )
        )
    say(_words(report), err=True)
    return film


def _keep(film: "Film", path: Path) -> None:
    from ..film.files import write_film

    path.parent.mkdir(parents=True, exist_ok=True)
    with _bar(f"drawing {path.name}", 100) as bar:
        write_film(film, path, lambda done, total: bar.update(round(100 * done / max(1, total)) - bar.pos))
        bar.update(bar.length - bar.pos)
    say(f"{path}: {path.stat().st_size / 1000:,.0f} kB, {film.seconds:.1f} s", err=True)


def _bar(label: str, length: int) -> Any:
    """Where there is a terminal to draw it on."""
    return click.progressbar(length=length, label=label, file=sys.stderr, hidden=not sys.stderr.isatty())
