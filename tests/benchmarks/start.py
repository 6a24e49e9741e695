"""From the command to the first paint and to the first result: `lamtop` in a real terminal of 140 x 40, a fresh folder.

First paint: the word "Queue" is in what the terminal got. First result: `i` is pressed as soon as the function's name
is there, and the status 200 has appeared: that includes the engine's start, the first environment and the handler.
`lamtop serve` beside it is the same without a monitor: to its ready line, and to the answer of a first Invoke.

Floors: `python -c pass`, `python -c "import textual.app"`, and the first paint of a Textual app with one word.
"""

import subprocess
import sys
import time
from contextlib import ExitStack

from harness import ECHO, Project, until
from table import Figure, Measured, arguments, at_most, median, run
from terminal import Terminal
from traffic import drive, invocation

ROUNDS = 5
_FUNCTION = "first-lesson"
_BARE = """
from textual.app import App
from textual.widgets import Static

class Bare(App):
    def compose(self):
        yield Static("Queue")

Bare().run()
"""


def measure(rounds: int = ROUNDS) -> Measured:
    taken: dict[str, list[float]] = {}
    for number in range(rounds + 1):  # the first one warms the disk and compiles
        figures = {**_monitor(), **_serve(), **_floors()}
        for what, seconds in figures.items() if number else ():
            taken.setdefault(what, []).append(seconds)
    found = {what: median(seconds) for what, seconds in taken.items()}
    return _figures(found), [f"{rounds} starts, each in a fresh folder, after one that does not count"]


def _project() -> Project:
    return Project({_FUNCTION: {"Handler": "echo.handler"}}, {"echo.py": ECHO})


def _monitor() -> dict[str, float]:
    with ExitStack() as stack:
        project = stack.enter_context(_project())
        terminal = Terminal(project.command("monitor", "--port", "0"), project.code, project.environ)
        stack.enter_context(terminal)
        painted = terminal.seconds_until("Queue")
        ready = terminal.seconds_until(_FUNCTION)
        terminal.press("i")
        answered = terminal.seconds_until("200")
        terminal.press("\x1b")
        time.sleep(0.3)  # an escape alone is the key only if nothing follows
        terminal.press("q")
        terminal.wait()
        until(lambda: not project.processes(), "the monitor and its engine have ended", 20)
        return {"painted": painted, "connected": ready, "answered": answered}


def _serve() -> dict[str, float]:
    with _project() as project:
        started = time.perf_counter()
        engine = project.serve()
        ready = time.perf_counter() - started
        drive(engine.port, invocation(engine.port, _FUNCTION), 1, 1)
        return {"ready": ready, "invoked": time.perf_counter() - started}


def _floors() -> dict[str, float]:
    with ExitStack() as stack:
        project = stack.enter_context(_project())
        terminal = Terminal([sys.executable, "-c", _BARE], project.code, project.environ)
        bare = stack.enter_context(terminal).seconds_until("Queue")
    return {"bare": bare, "pass": _python("pass"), "import": _python("import textual.app")}


def _python(code: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - started


def _figures(of: dict[str, float]) -> list[Figure]:
    def line(what: str, value: float, floor: str, beside: float, goal: str = "") -> Figure:
        return Figure(what, f"{value:.3f} s", f"{floor} {beside:.3f} s", value / beside, goal)

    bare = "bare Textual app"
    return [
        line("lamtop, first paint", of["painted"], bare, of["bare"], at_most(0.3, of["painted"], "s", 3)),
        line("lamtop, function shown", of["connected"], bare, of["bare"]),
        line("lamtop, first result", of["answered"], bare, of["bare"], at_most(0.6, of["answered"], "s", 3)),
        line("lamtop serve, ready", of["ready"], "python -c pass", of["pass"]),
        line("lamtop serve, first result", of["invoked"], "python -c pass", of["pass"]),
        line("(import textual.app)", of["import"], "python -c pass", of["pass"]),
    ]


if __name__ == "__main__":
    chosen = arguments(__doc__, rounds=(ROUNDS, "starts that count"))
    run(lambda: measure(chosen.rounds))
