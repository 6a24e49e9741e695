"""What a new engine has to say: what was mended, what is not as the project expects, what was lost."""

from collections.abc import Iterable, Iterator

from . import interpreter
from .interpreter import Interpreter
from .project import Project, missing_packages
from .settings import Settings

_REAL_AWS = (
    "--pass-credentials: handlers reach the real services with your own AWS credentials, only Lambda is here; "
    "the region is us-east-1 unless AWS_REGION says otherwise"
)
_SIMULATED = (
    "simulated time, seed {seed}, {speed:g} times as fast as real: handlers see it too, and it stands still while "
    "one computes"
)
_LOST_MANY = ("attempts were", "they cost no retry and start")


def greeting(
    settings: Settings,
    project: Project,
    chosen: Interpreter,
    *,
    mended: Iterable[str | None],
    attach: Iterable[str],
    lost: int,
) -> Iterator[tuple[str, str]]:
    """Level and text of each notice. `lost` is how many attempts ended with the last engine. Reads the disk."""
    if settings.copied:
        yield "info", f"there were no functions here: the examples were copied to {project.root}"
    yield from (("error", text) for text in mended if text)
    yield from (("warning", text) for text in project.warnings)
    runtimes = {f.name: f.runtime for f in project.functions.values() if f.python is None}
    if text := interpreter.mismatch(chosen, runtimes):
        yield "warning", text
    for text in missing_packages(project.functions.values(), chosen.path, interpreter.search_path):
        yield "warning", text
    yield from (("info", text) for text in attach)
    if settings.simulate is not None and settings.paced:
        yield "warning", _SIMULATED.format(seed=settings.simulate, speed=settings.speed)
    if settings.pass_credentials:
        yield "warning", _REAL_AWS
    if lost:
        were, start = ("attempt was", "it costs no retry and starts") if lost == 1 else _LOST_MANY
        yield "info", f"{lost} {were} lost with the last engine; {start} again"
