"""The life of a project on which an engine is killed again and again: what is done to it, and what must be true then.

Events that succeed, that fail at first and that fail for good, dead letters, code that is saved, a redrive, a purge and
its undo. Each step can be begun anew with another engine. What the client was promised and what the handlers did is
noted outside of the state folder.
"""

import contextlib
import http.client
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from engine.live import write
from engine.running import Engine, Project, dead_letters_to, quick_python, until

SPEED = "1000"  # a retry after a minute comes after 60 ms
CODE = """
import os

FILE = os.open(os.environ["WITNESS"], os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
MENDED = False

def tell(what, context):
    os.write(FILE, f"{what} {context.aws_request_id}\\n".encode())

def works(event, context):
    tell("begun", context)
    print("at work")

def flaky(event, context):
    tell("begun", context)
    with open(os.environ["WITNESS"]) as told:
        if told.read().count(f"error {context.aws_request_id}") < 2:
            tell("error", context)
            raise OSError("not yet")

def fails(event, context):
    tell("begun", context)
    if not MENDED:
        tell("error", context)
        raise ValueError("as always")
"""
FUNCTIONS: dict[str, dict[str, Any]] = {
    name: {"Handler": f"app.{name}", "Timeout": 30, **dead_letters_to("dead")} for name in ("works", "flaky", "fails")
}
_GONE = (OSError, http.client.HTTPException)


class Scenario:
    """Plays on engines that `serve` starts, the first and every later one."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.witness = folder / "witness"
        self.witness.touch()
        home = folder / "project"
        home.mkdir()
        self.project = Project(
            home, FUNCTIONS, {"app.py": CODE}, queues=["dead"], variables={"WITNESS": str(self.witness)}
        )
        self.python = quick_python(home)
        self.ledger: dict[str, str] = {}  # request id, told by a 202: function
        self.letters: list[str] = []  # ids in the DLQ, before one is redriven and the other purged
        self.redriven = ""
        self.lives = 0
        self.ended_well = False  # False too if the kill came while it stopped
        self.engine: Engine | None = None

    def play(self, serve: Callable[..., Engine]) -> None:
        """To the end, whatever happens to the engine. `serve` starts one."""
        steps: Sequence[Callable[[Engine], None]] = (
            self._send, self._wait, self._note_letters, self._mend, self._redrive, self._purge_and_undo, self._wait,
        )  # fmt: skip
        for step in steps:
            self._do(step, serve)
        assert self.engine
        self.ended_well = self.engine.stop() == 0
        if not self.ended_well:
            self.engine = None
            self._do(self._wait, serve)
            assert self.engine.stop() == 0

    def _do(self, step: Callable[[Engine], None], serve: Callable[..., Engine]) -> None:
        for _ in range(4):
            try:
                if self.engine is None:
                    self.lives += 1
                    self.engine = serve("--speed", SPEED, "--python", self.python)
                return step(self.engine)
            except (*_GONE, AssertionError):
                if self.engine is not None and self.engine.child.poll() is None and not self._dies():
                    raise
                self.engine = None
        raise AssertionError(f"{step.__name__}: three engines did not get through it")

    def _dies(self) -> bool:
        """Whether the engine is just being reaped."""
        assert self.engine
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.engine.child.wait(1)
        return self.engine.child.poll() is not None

    # -- the steps ---------------------------------------------------------------------------------------------------

    def _send(self, engine: Engine) -> None:
        wanted = Counter({"works": 2, "flaky": 2, "fails": 2})
        for name in (wanted - Counter(self.ledger.values())).elements():
            self.ledger[engine.send(name, {"to": name})] = name

    def _wait(self, engine: Engine) -> None:
        for request_id in self.ledger:
            engine.ended(request_id)
        until(lambda: engine.status()["totals"]["in_flight"] == 0, "the end of all")

    def _note_letters(self, engine: Engine) -> None:
        """Each `fails` has one dead letter; events that nobody was promised may have one too."""
        promised = {id_ for id_, name in self.ledger.items() if name == "fails"}

        def there() -> list[str]:
            return [row["id"] for row in engine.page("dlq") if row["request_id"] in promised]

        self.letters = sorted(until(lambda: found if len(found := there()) == 2 else None, "two dead letters"))

    def _mend(self, engine: Engine) -> None:
        text = CODE.replace("MENDED = False", "MENDED = True")
        write(self.project.folder, {"app.py": text})
        engine.control("POST", "reload")

        def version() -> bool:
            rows = {row["id"]: row for row in engine.status()["functions"]}
            return self.lives > 1 or int(rows["fails"]["version"]) > 1

        until(version, "the new code")

    def _redrive(self, engine: Engine) -> None:
        """Once, as the client sees it: it asks again only if the letter is there still."""
        first = self.letters[0]
        if any(row["id"] == first for row in engine.page("dlq")):
            engine.control("POST", "redrive", {"ids": [first]})
        new = self.project.query("SELECT id FROM event WHERE redriven_from != ''")
        assert len(new) == 1, "redriven not once"
        self.redriven = new[0]["id"]
        self.ledger[self.redriven] = "redriven"
        engine.ended(self.redriven)

    def _purge_and_undo(self, engine: Engine) -> None:
        second = self.letters[1]

        def is_there() -> bool:
            return any(row["id"] == second for row in engine.page("dlq"))

        if not self.redriven or is_there():
            engine.control("POST", "purge", {"ids": [second]})
        if not is_there():
            engine.control("POST", "undo", {"purge": ""})
        assert is_there(), "a purge was not undone"

    # -- what must be true -------------------------------------------------------------------------------------------

    def check(self) -> None:
        told = Counter(self.witness.read_text().splitlines())
        rows = {row["id"]: row for row in self.project.query("SELECT * FROM event")}
        letters = Counter(row["request_id"] for row in self.project.query("SELECT request_id FROM message"))
        returned = Counter(
            row[0]
            for row in self.project.query(
                "SELECT e.id FROM attempt a JOIN event e ON e.seq = a.event WHERE a.ended = 'returned'"
            )
        )
        assert not set(self.ledger) - set(rows), "accepted and lost"
        for id_, row in rows.items():
            assert row["attempts"] == row["errors"] + row["losses"] + returned[id_], dict(row)
            assert told[f"begun {id_}"] <= row["attempts"], "an execution that is not on record"
            assert told[f"error {id_}"] - row["losses"] <= row["errors"] <= 3
            assert row["losses"] < self.lives
            name = "redriven" if row["redriven_from"] else row["function"]
            if name == "fails":
                assert (row["state"], row["condition"], row["errors"]) == ("discarded", "RetriesExhausted", 3), dict(
                    row
                )
                assert letters[id_] == (not row["redriven_as"])
            else:
                assert (row["state"], row["condition"], letters[id_]) == ("succeeded", "Success", 0), dict(row)
                assert returned[id_] == 1
                assert row["errors"] == {"works": 0, "redriven": 0, "flaky": 2}[name] or (
                    row["losses"] and row["errors"] < 2
                )
        assert self.project.query("SELECT count(*) FROM delivery")[0][0] == 0
        assert self.project.query("SELECT count(*) FROM tombstone")[0][0] == 0
        for file in ("queue.sqlite3", "history.sqlite3"):
            with contextlib.closing(sqlite3.connect(self.project.state / file)) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert self.project.processes() == [], "something has outlived its engine"
