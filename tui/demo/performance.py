"""Puts a tape on: project, engine, monitor and player, in a folder that is gone afterwards."""

import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .company import Company
from .player import Camera, Player
from .props import Props, copy_project
from .stage import Stage
from .strip import ROWS
from .tape import Tape

_OF_THE_MACHINE = ("NO_COLOR", "LAMTOP_THEME")
"""Variables that would change the picture."""


@dataclass
class Report:
    """What a performance was."""

    seconds: float = 0.0  # of film
    pids: set[int] = field(default_factory=set)  # of the processes in which handlers ran


class StageHands:
    """What a tape does past the monitor: events from outside, files that somebody saves."""

    def __init__(self, company: Company, props: Props) -> None:
        self._company, self._props = company, props

    async def send(self, function: str, payload: str) -> None:
        """Queue an event, as boto3 does. Raises ValueError if there is no such function, or nobody to take it."""
        if not self._company.is_there:
            raise ValueError("no engine is there to take it; expected when it is back, which the screen says")
        engine = self._company.engine
        if function not in engine.functions:
            raise ValueError(f"there is no function {function!r}; there are {', '.join(sorted(engine.functions))}")
        request_id = engine.new_request_id()
        await engine.accept(engine.functions[function], payload.encode(), source="boto3", request_id=request_id)

    async def edit(self, file: str, old: str, new: str) -> None:
        """Change a file of the project and save it: the engine reloads it. Raises ValueError if it cannot be done."""
        path = (self._props.root / file).resolve()
        if not path.is_relative_to(self._props.folder) or not path.is_file():
            raise ValueError(f"there is no file {file!r} in {self._props.root.name}")
        try:
            text = path.read_bytes().decode()
        except (OSError, UnicodeError) as error:
            raise ValueError(f"{file} cannot be changed: {error}") from None
        if text.count(old) != 1:
            raise ValueError(f"{file} has {old!r} {text.count(old)} times; expected once")
        path.write_bytes(text.replace(old, new).encode())
        if self._company.is_there:
            self._company.engine.reloader.files_changed({path})


async def perform(tape: Tape, camera_on: Callable[[Stage], Camera], *, captions: bool = True) -> Report:
    """Play a tape without a terminal. `captions` takes lines of the picture for them.

    Raises TapeError if it does not come out as it says, ConfigurationError for a project that cannot be run.
    """
    async with staged(tape) as (stage, hands):
        rows = tape.rows - (ROWS if captions else 0)
        async with stage.app.run_test(size=(tape.columns, rows)):
            await stage.begin()
            player = Player(tape, stage, hands, camera_on(stage))
            await player.play()
    return Report(player.film, stage.company.pids)


@asynccontextmanager
async def staged(tape: Tape, *, for_a_film: bool = True) -> AsyncIterator[tuple[Stage, StageHands]]:
    """A stage with its engine, for the time of one tape. A film shows nothing of what this machine's user wishes."""
    with (
        tempfile.TemporaryDirectory(prefix="lamtop-") as place,
        _same_everywhere(_OF_THE_MACHINE if for_a_film else ()),
    ):
        props = copy_project(tape.project, Path(place))
        company = Company(props, tape.seed)
        await company.open()
        try:
            yield Stage(company, props.costume(for_a_film=for_a_film), tape.theme), StageHands(company, props)
        finally:
            await company.close()


@contextmanager
def _same_everywhere(without: tuple[str, ...]) -> Iterator[None]:
    """Times of day in UTC, and these variables away."""
    before = {name: os.environ.get(name) for name in ("TZ", *without)}
    for name in without:
        os.environ.pop(name, None)
    os.environ["TZ"] = "UTC"
    time.tzset()
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
        time.tzset()
