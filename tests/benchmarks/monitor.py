"""The monitor under load: from a key to the picture, and the share of a core it takes.

A child in a real terminal of 140 x 40 is fed frames as an engine sends them: ten a second, every row of every window
changed and 200 log lines in each, which is what is left of any number of changes a second. The key is `y` on the next
function, the picture the words "copied NAME". Beside it the same monitor with an engine that has nothing to say.
"""

import os
import sys
import time
from pathlib import Path

from table import Figure, Measured, arguments, at_most, run
from terminal import Terminal

KEYS = 40
_FED = Path(__file__).with_name("fed_monitor.py")


def measure(keys: int = KEYS) -> Measured:
    busy_keys, busy = _watched("busy", keys)
    idle_keys, idle = _watched("idle", keys)
    return [
        Figure("key to picture, busy, p95", f"{busy_keys:.0f} ms", f"idle {idle_keys:.0f} ms", busy_keys / idle_keys,
               at_most(50, busy_keys, "ms", 0)),
        Figure("share of a core, busy", f"{busy:.1f} %", f"idle {idle:.1f} %", busy / max(0.1, idle),
               at_most(30, busy, "%", 0)),
        Figure("share of a core, idle", f"{idle:.1f} %", "nothing 0 %", 1.0, at_most(1, idle, "%", 1)),
    ], [f"{keys} keys each, 10 frames a second of 5 panes and 200 log lines"]  # fmt: skip


def _watched(how: str, keys: int) -> tuple[float, float]:
    environ = {**os.environ, "COLORTERM": "truecolor"}
    with Terminal([sys.executable, str(_FED), how], Path.cwd(), environ) as terminal:
        terminal.seconds_until("function-0")
        share = _share(terminal, 4.0)
        waits = sorted(_key(terminal, number) for number in range(1, keys + 1))
        terminal.press("q")
        terminal.wait()
    return waits[int(len(waits) * 0.95) - 1] * 1000, share


def _key(terminal: Terminal, number: int) -> float:
    _drain(terminal, 0.13)  # not in step with the frames
    terminal.press("j")
    _drain(terminal, 0.13)
    began = time.perf_counter()
    terminal.press("y")
    return terminal.seconds_until(f"copied function-{number}") - (began - terminal.started)


def _share(terminal: Terminal, seconds: float) -> float:
    """Per cent of one core, after a second to settle."""
    _drain(terminal, 1.0)
    before, began = _cpu(terminal.pid), time.perf_counter()
    _drain(terminal, seconds)
    return (_cpu(terminal.pid) - before) / (time.perf_counter() - began) * 100


def _drain(terminal: Terminal, seconds: float) -> None:
    end = time.perf_counter() + seconds
    while (left := end - time.perf_counter()) > 0:
        terminal.read(left)


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    chosen = arguments(__doc__, keys=(KEYS, "keys that are pressed"))
    run(lambda: measure(chosen.keys))
