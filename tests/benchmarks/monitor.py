"""The monitor under load: from a key to the picture, and the share of a core it takes.

Fed: a child in a real terminal of 140 x 40 is fed frames as an engine sends them: ten a second, every row of every
window changed and 200 log lines in each, which is what is left of any number of changes a second. Only two processes
run, so this is the monitor's own part. Its floor is the same monitor with an engine that has nothing to say.

Real: `lamtop attach` to an engine that is sent asynchronous events as quickly as it takes them, each with its own
invocation. Seven changes are counted for an event: accepted, begun, ended and four log lines. The feeder, the engine,
the environment and the monitor share this machine's cores, so the key also waits for its turn on one of them.

The key is `y` on the next function, the picture the words "copied NAME".
"""

import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from harness import COUNTED, Engine, Project, cpu_seconds
from table import Figure, Measured, arguments, at_least, at_most, run
from terminal import Terminal

KEYS = 40
_FUNCTIONS = 70
_CHANGES = 3  # of an event, beside its log lines
_FED = Path(__file__).with_name("fed_monitor.py")
_FEEDER = """
import sys
from traffic import drive, invocation

while True:
    drive(int(sys.argv[1]), invocation(int(sys.argv[1]), "function-00", "Event"), 2_000, 32, status=202)
"""


def measure(keys: int = KEYS) -> Measured:
    busy_keys, busy = _fed("busy", keys)
    idle_keys, idle = _fed("idle", keys)
    real_keys, real, changes = _real(keys)
    return [
        Figure("key to picture, fed, p95", f"{busy_keys:.0f} ms", f"idle {idle_keys:.0f} ms", busy_keys / idle_keys,
               at_most(50, busy_keys, "ms", 0)),
        Figure("share of a core, fed", f"{busy:.1f} %", f"idle {idle:.1f} %", busy / max(0.1, idle),
               at_most(30, busy, "%", 0)),
        Figure("share of a core, idle", f"{idle:.1f} %", "nothing 0 %", 1.0, at_most(1, idle, "%", 1)),
        Figure("changes of a real engine", f"{changes:,.0f} /s", "", None, at_least(20_000, changes, "/s")),
        Figure("key to picture, real engine, p95", f"{real_keys:.0f} ms", f"idle {idle_keys:.0f} ms",
               real_keys / idle_keys, at_most(50, real_keys, "ms", 0)),
        Figure("share of a core, real engine", f"{real:.1f} %", f"idle {idle:.1f} %", real / max(0.1, idle),
               at_most(30, real, "%", 0)),
    ], [f"{keys} keys each; fed 10 frames a second of 5 panes and 200 log lines"]  # fmt: skip


def _fed(how: str, keys: int) -> tuple[float, float]:
    environ = {**os.environ, "COLORTERM": "truecolor"}
    with Terminal([sys.executable, str(_FED), how], Path.cwd(), environ) as terminal:
        terminal.seconds_until("function-00")
        found = _watched(terminal, keys)
        _quit(terminal)
    return found


def _real(keys: int) -> tuple[float, float, float]:
    """Milliseconds, per cent, and changes a second while the monitor's keys were pressed."""
    with ExitStack() as stack:
        functions = {f"function-{n:02}": {"Handler": "counted.handler"} for n in range(_FUNCTIONS)}
        project = stack.enter_context(Project(functions, {"counted.py": COUNTED}))
        engine = project.serve()
        feeder = subprocess.Popen([sys.executable, "-c", _FEEDER, str(engine.port)], cwd=Path(__file__).parent)
        stack.callback(feeder.wait)
        stack.callback(feeder.kill)
        environ = {**project.environ, "COLORTERM": "truecolor"}
        attach = [sys.executable, "-m", "lamtop.tui.cli", "attach", engine.url]
        terminal = stack.enter_context(Terminal(attach, project.code, environ))
        terminal.seconds_until("function-00")
        before, began = _done(engine), time.perf_counter()
        found = _watched(terminal, keys)
        changes = (_done(engine) - before) / (time.perf_counter() - began)
        feeder.kill()
        _quit(terminal)
    return *found, changes


def _done(engine: Engine) -> float:
    """How many events the engine has ended, and lines it has taken in."""
    function = next(row for row in engine.status()["functions"] if row["id"] == "function-00")
    newest = engine.control("POST", "page", {"view": "logs", "limit": 1})["rows"]
    return float(_CHANGES * function["invocations"] + (newest[0]["id"] if newest else 0))


def _watched(terminal: Terminal, keys: int) -> tuple[float, float]:
    """From a key to its picture (p95, ms), and the share of a core (per cent)."""
    share = _share(terminal, 4.0)
    waits = sorted(_key(terminal, number) for number in range(1, keys + 1))
    return waits[int(len(waits) * 0.95) - 1] * 1000, share


def _quit(terminal: Terminal) -> None:
    terminal.press("q")
    terminal.wait()


def _key(terminal: Terminal, number: int) -> float:
    terminal.drain(0.13)  # not in step with the frames
    terminal.press("j")
    terminal.drain(0.13)
    began = time.perf_counter()
    terminal.press("y")
    return terminal.seconds_until(f"copied function-{number:02}") - (began - terminal.started)


def _share(terminal: Terminal, seconds: float) -> float:
    """Per cent of one core, after a second to settle."""
    terminal.drain(1.0)
    before, began = cpu_seconds(terminal.pid), time.perf_counter()
    terminal.drain(seconds)
    return (cpu_seconds(terminal.pid) - before) / (time.perf_counter() - began) * 100


if __name__ == "__main__":
    chosen = arguments(__doc__, keys=(KEYS, f"keys that are pressed, {_FUNCTIONS - 1} at most"))
    run(lambda: measure(chosen.keys))
