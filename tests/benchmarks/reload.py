"""Saving a handler: how long until new code answers, as a caller sees it; the median of 20 saves.

A handler and the module it imports are written one after the other, as an editor's "save all" does; then the function
is invoked without a pause until both new versions answer. Callers beside it (--callers) keep some invocations in
flight at each switch. An answer that mixes an old with a new file is counted, and a call that fails.

Floor: a new Python process that imports the same two files and says their versions.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from harness import Engine, Project
from table import Figure, Measured, arguments, at_most, median, run
from traffic import call

SAVES = 20
CALLERS = 0
_PAUSE = 0.2  # seconds between two saves, so that each is a burst of its own
_PATIENCE = 10.0
_HANDLER = """
import part, time

def handler(event, context):
    print("line of", context.aws_request_id)
    time.sleep(event["seconds"])
    return [{version}, part.VERSION]
"""
Answer = tuple[int, int]
_FAILED = (-1, -2)


def measure(saves: int = SAVES, callers: int = CALLERS) -> Measured:
    with Project({"saved": {"Handler": "saved.handler"}}, _files(0)) as project:
        engine = project.serve()
        _answer(engine)
        taken, answers = [], []
        with _callers(engine, callers) as beside:
            for version in range(1, saves + 1):
                time.sleep(_PAUSE)
                _save(project, version)
                seconds, answered = _until_new(engine, version)
                taken.append(seconds * 1_000)
                answers += answered
        answers += beside
        floor = median(_fresh(project) * 1_000 for _ in range(10))
    failed = answers.count(_FAILED)
    mixed = sum(first != second for first, second in answers) - failed
    middle, slow = median(taken), sorted(taken)[int(len(taken) * 0.95)]
    figures = [
        Figure("save → new code answers", f"{middle:.1f} ms", f"new Python process {floor:.1f} ms", middle / floor,
               at_most(25, middle, "ms", 1)),
        Figure("save → new code answers, p95", f"{slow:.1f} ms"),
        Figure("calls that failed", f"{failed} of {len(answers)}", "", None, at_most(0, failed, "calls", 0)),
        Figure("calls on mixed code", f"{mixed} of {len(answers)}", "", None, at_most(0, mixed, "calls", 0)),
    ]  # fmt: skip
    return figures, [f"{saves} saves of two files each, {_PAUSE:.1f} s apart, with {callers} callers beside"]


def _files(version: int) -> dict[str, str]:
    return {"saved.py": _HANDLER.format(version=version), "part.py": f"VERSION = {version}\n"}


def _save(project: Project, version: int) -> None:
    for name, text in _files(version).items():
        (project.code / name).write_text(text)


@contextmanager
def _callers(engine: Engine, count: int) -> Iterator[list[Answer]]:
    """So many callers, each with one call of 5 ms after the other, until the end; gives their answers."""
    answers: list[Answer] = []
    over = threading.Event()

    def go_on() -> None:
        while not over.is_set():
            answers.append(_answer(engine, 0.005))

    threads = [threading.Thread(target=go_on) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _answer(engine: Engine, seconds: float = 0.0) -> Answer:
    status, _, body = call(engine.port, "POST", "/2015-03-31/functions/saved/invocations", {"seconds": seconds})
    answer = json.loads(body)
    return (answer[0], answer[1]) if status == 200 and isinstance(answer, list) else _FAILED


def _until_new(engine: Engine, version: int) -> tuple[float, list[Answer]]:
    """Seconds until the new version answered, and every answer on the way."""
    answers: list[Answer] = []
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
    chosen = arguments(__doc__, saves=(SAVES, "saves"), callers=(CALLERS, "callers beside"))
    run(lambda: measure(chosen.saves, chosen.callers))
