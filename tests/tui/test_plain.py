"""`lamtop --plain`: the story of a real engine through a pipe."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_engine import NOW, life

from engine.running import Engine, Project, linux_only
from lamtop.tui.story import facts

CODE = """
def handler(event, context):
    if event.get("fails"):
        raise ValueError("no \\x1b]0;luck\\nat all")
    return "fine"
"""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    functions = {"pays": {"Handler": "app.handler", "EventInvokeConfig": {"MaximumRetryAttempts": 1}}}
    with Project(tmp_path, functions, {"app.py": CODE}) as project:
        yield project.serve("--speed", "60")


class Pipe:
    def __init__(self, engine: Engine) -> None:
        command = [sys.executable, "-m", "lamtop.tui.cli", "attach", "--plain", "--state", str(engine.project.state)]
        self.child = subprocess.Popen(
            command, cwd=engine.project.folder, env=engine.project.environ, stdout=subprocess.PIPE, bufsize=0
        )
        self.text = ""

    def until(self, pattern: str) -> str:
        """Read until the text so far matches: each line has to come by itself, not when a buffer is full."""
        assert self.child.stdout
        deadline = time.monotonic() + 30
        while not re.search(pattern, self.text, re.DOTALL):
            assert time.monotonic() < deadline, f"no {pattern!r} in\n{self.text}"
            if select.select([self.child.stdout], [], [], 0.2)[0]:
                data = os.read(self.child.stdout.fileno(), 65_536)
                assert data, f"it has ended without {pattern!r}:\n{self.text}"
                self.text += data.decode()
        return self.text

    def end(self) -> None:
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        assert self.child.stdout
        self.child.stdout.close()


@pytest.fixture
def pipe(engine: Engine) -> Iterator[Pipe]:
    pipe = Pipe(engine)
    yield pipe
    pipe.end()


@linux_only
def test_each_change_is_one_line_from_acceptance_to_the_dead_letter(engine: Engine, pipe: Pipe) -> None:
    pipe.until("connected to http.*0 queued, 0 running, 0 waiting for a retry, 0 dead letters")
    request = engine.send("pays", b"{}")
    story = "accepted, asynchronous, from .*running, attempt 1 of 2, cold start.*succeeded, .* after it was accepted"
    pipe.until(rf"pays {request[:4]} {story}")

    before = len(pipe.text)
    dead = engine.send("pays", b'{"fails": true}')[:4]
    pipe.until(f"pays {dead} dead letter, RetriesExhausted → dropped: no dead-letter queue\n")
    lines = [line[13:] for line in pipe.text[before:].splitlines() if f"pays {dead}" in line]
    assert [line.split(" ")[2].rstrip(",") for line in lines] == [
        "accepted", "running", "failed", "running", "failed", "dead"
    ]  # fmt: skip
    assert re.search(r"attempt 1 of 2: ValueError: no ␛\]0;luck␤at all; next try at \d\d:\d\d:\d\d, \S+ \S+", lines[2])
    assert "\x1b" not in pipe.text

    engine.stop()
    pipe.until("the engine has ended")
    assert pipe.child.wait(20) == 0


@linux_only
def test_ctrl_c_ends_it_and_not_the_engine(engine: Engine, pipe: Pipe) -> None:
    pipe.until("0 queued")
    pipe.child.send_signal(signal.SIGINT)
    assert pipe.child.wait(20) == 130
    assert engine.status()["totals"]["queued"] == 0


@linux_only
def test_a_reader_that_goes_away_ends_it_quietly(engine: Engine) -> None:
    command = [sys.executable, "-m", "lamtop.tui.cli", "attach", "--plain", "--state", str(engine.project.state)]
    with engine.project.errors.open("a") as errors:
        first = subprocess.Popen(command, env=engine.project.environ, stdout=subprocess.PIPE, stderr=errors)
    assert first.stdout
    first.stdout.readline()
    first.stdout.readline()
    first.stdout.close()
    engine.send("pays", b"{}")
    assert first.wait(20) == 0
    assert "Traceback" not in engine.project.errors.read_text()


def test_a_life_is_told_the_same_way_each_time_it_is_looked_at() -> None:
    one = life(1) | {"state": "queued", "ended_at": None, "condition": None, "due_at": NOW + 60, "reason": "retry"}
    early, late = facts(one), facts(one | {"reason": "throttled", "throttles": 1})
    assert [fact.key for fact in late][: len(early)] == [fact.key for fact in early]
    assert "throttled; next try at" in late[-1].words
