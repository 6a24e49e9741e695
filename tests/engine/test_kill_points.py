"""Killed at any system call that writes, an engine has lost nothing that it promised."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from engine import kill_points
from engine.kill_points import LATE
from engine.running import linux_only

EVERY = int(os.environ.get("LAMTOP_EVERY", "37"))  # how many calls lie between two that kill; 1 takes 40 s
STEPS = {"pwrite64": EVERY, "fdatasync": min(EVERY, 6), "unlink": 1}


@linux_only
@pytest.mark.skipif(not shutil.which("strace"), reason="strace kills at a system call")
@pytest.mark.parametrize("call", STEPS)
def test_at_whichever_call_an_engine_is_killed_nothing_accepted_is_lost(call: str) -> None:
    in_memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=in_memory if in_memory.is_dir() else None) as folder:
        command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}",
                   "-e", f"inject={call}:signal=SIGKILL:when={LATE}",
                   sys.executable, kill_points.__file__, call, folder, str(STEPS[call])]  # fmt: skip
        environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=300, check=False)
    points = done.stdout.count("point ")
    again = sum(int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("again"))
    print(f"{points} kill points at {call}, {done.stdout.count('violation')} violations, {again} extra executions")
    assert done.stdout.endswith(f"over {call}\n"), done.stdout + done.stderr
    assert "violation" not in done.stdout, done.stdout + done.stderr
    assert points * STEPS[call] >= {"pwrite64": 200, "fdatasync": 20, "unlink": 4}[call]
