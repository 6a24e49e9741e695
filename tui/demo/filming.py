"""Makes a film of a tape."""

from collections.abc import Callable
from pathlib import Path

from ..film.reel import Film
from .cameras import FilmCamera
from .performance import Report, perform
from .stage import Stage
from .steps import Step
from .tape import Tape


async def film_of(
    tape: Tape,
    *,
    captions: bool = True,
    speed: float = 1.0,
    stills: Path | None = None,
    progress: Callable[[Step], None] = lambda _step: None,
) -> tuple[Film, Report]:
    """Play it before a camera. `speed`: how many times as fast the film is played; `stills`: the folder for them;
    `progress` is told of each step. Raises what `perform` does."""
    cameras: list[FilmCamera] = []

    def camera_on(stage: Stage) -> FilmCamera:
        cameras.append(FilmCamera(tape, stage, captions=captions, speed=speed, stills=stills, progress=progress))
        return cameras[0]

    report = await perform(tape, camera_on, captions=captions)
    return cameras[0].ended(), report
