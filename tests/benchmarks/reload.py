"""Saving a handler: how long until new code answers, as a caller sees it; the median of 20 saves.

A handler and the module it imports are written one after the other, as an editor's "save all" does; then the function
is invoked without a pause until both new versions answer. An answer that mixes an old with a new file is counted.

Floor: a new Python process that imports the same two files and says their versions.
"""

import json
import subprocess
import sys
import time

from harness import Engine, Project
from table import Figure, Measured, arguments, at_most, median, run
from traffic import call

SAVES = 20
_PAUSE = 0.3  # seconds between two saves, so that each is a burst of its own
_PATIENCE = 10.0
_HANDLER = """
import part

def handler(event, context):
    print("line of", context.aws_request_id)
    return [{version}, part.VERSION]
"""


def measure(saves: int = SAVES) -> Measured:
    with Project({"saved": {"Handler": "saved.handler"}}, _files(0)) as project:
        engine = project.serve()
        _answer(engine)
        taken, mixed, calls = [], 0, 0
        for version in range(1, saves + 1):
            time.sleep(_PAUSE)
            _save(project, version)
            seconds, answers = _until_new(engine, version)
            taken.append(seconds * 1_000)
            calls += len(answers)
            mixed += sum(first != second for first, second in answers)
        floor = median(_fresh(project) * 1_000 for _ in range(10))
    middle = median(taken)
    figures = [
        Figure("save → new code answers", f"{middle:.1f} ms", f"new Python process {floor:.1f} ms", middle / floor,
               at_most(25, middle, "ms", 1)),
        Figure("save → new code answers, slowest", f"{max(taken):.1f} ms"),
        Figure("calls on mixed code", f"{mixed} of {calls}", "", None, at_most(0, mixed, "calls", 0)),
    ]  # fmt: skip
    return figures, [f"{saves} saves of two files each, {_PAUSE:.1f} s apart"]


def _files(version: int) -> dict[str, str]:
    return {"saved.py": _HANDLER.format(version=version), "part.py": f"VERSION = {version}\n"}


def _save(project: Project, version: int) -> None:
    for name, text in _files(version).items():
        (project.code / name).write_text(text)


def _answer(engine: Engine) -> tuple[int, int]:
    status, _, body = call(engine.port, "POST", "/2015-03-31/functions/saved/invocations", {})
    if status != 200:
        raise RuntimeError(f"{status} {body!r}")
    first, second = json.loads(body)
    return first, second


def _until_new(engine: Engine, version: int) -> tuple[float, list[tuple[int, int]]]:
    """Seconds until the new version answered, and every answer on the way."""
    answers: list[tuple[int, int]] = []
    started = time.perf_counter()
    while not answers or answers[-1] != (version, version):
        if time.perf_counter() - started > _PATIENCE:
            raise TimeoutError(f"version {version} does not answer: {answers[-1]}")
        answers.append(_answer(engine))
    return time.perf_counter() - started, answers


def _fresh(project: Project) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-B", "-c", "import saved"], cwd=project.code, check=True)
    return time.perf_counter() - started


if __name__ == "__main__":
    chosen = arguments(__doc__, saves=(SAVES, "saves"))
    run(lambda: measure(chosen.saves))
