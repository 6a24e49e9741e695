"""Which engine is meant, and how one is started when there is none."""

import asyncio
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamtop.engine import registry

from .client import EngineUnreachable

if TYPE_CHECKING:
    from .client import HttpClient


_ENDING = 15.0  # seconds: an engine that was there when `lamtop` came, and goes so soon, was on its way out


def state_folder(state: Path | None) -> Path:
    """The state folder that is meant; ./.lamtop unless another is named."""
    return (state or Path(".lamtop")).resolve()


def find(target: str | None, state: Path | None) -> registry.Entry:
    """The engine that runs at this URL or for this path, else the one of the state folder.

    Raises EngineUnreachable naming what does run.
    """
    everywhere = registry.running()
    if target is None:
        wanted = [entry for entry in everywhere if entry.state == str(state_folder(state))]
    elif target.startswith(("http://", "https://")):
        wanted = [entry for entry in everywhere if entry.url == target.rstrip("/")]
    else:
        wanted = [entry for entry in everywhere if _is_of(entry, Path(target))]
    if len(wanted) != 1:
        meant = f"'{target}'" if target else f"the state folder {state_folder(state)}"
        others = (f"  running: {entry.url}  {entry.source}  state {entry.state}" for entry in everywhere)
        none = f"no engine runs for {meant}; start one with 'lamtop' or 'lamtop serve'"
        raise EngineUnreachable("\n".join([none, *others]))
    return wanted[0]


class Door:
    """The way to the engine of one state folder, by which `lamtop` starts one if there is none."""

    def __init__(self, path: Path | None, state: Path, port: int | None, options: dict[str, Any]) -> None:
        """Raises EngineUnreachable if the engine that is there runs another project than `path`."""
        self._start = partial(_start, path, state, port, options)
        self._state = state
        self._ready = False
        self._met_until = time.monotonic() + _ENDING
        running = registry.find(state)
        if running is not None and path is not None and not _is_of(running, path):
            raise EngineUnreachable(
                f"the engine of this folder runs {running.source}, not {path}: stop it with 'lamtop stop', "
                "or give the other one a state folder of its own with --state"
            )
        if running is not None and options["simulate"] is not None:
            raise EngineUnreachable(
                "the engine of this folder runs already, and --simulate is for one that starts: open a monitor on it "
                "with 'lamtop attach', stop it with 'lamtop stop', or name another state folder with --state"
            )
        self._started = None if running else self._start()
        self.opening = "starting the engine…" if self._started else f"connecting to {running.url if running else ''}…"

    async def connect(self) -> "HttpClient":
        """A client of the engine; of one that was just started, once it is ready."""
        if self._started is not None and not self._ready:
            await self._until_ready(self._started)
        elif self._started is not None:
            self._started.poll()  # reaps it, so that it does not seem to live
        entry = registry.find(self._state)
        if entry is None and self._started is None and time.monotonic() < self._met_until:
            self._started = self._start()  # the one that was met was about to end
            await self._until_ready(self._started)
            entry = registry.find(self._state)
        if entry is None:
            raise EngineUnreachable(f"nobody has {self._state}")
        self._ready = True
        return client_of(entry)

    async def _until_ready(self, started: "subprocess.Popen[str]") -> None:
        if started.stdout is not None and started.poll() is None:
            await asyncio.to_thread(started.stdout.readline)
        if registry.find(self._state) is None:
            raise EngineUnreachable(_last_words(self._state))


async def connect(state: Path) -> "HttpClient":
    """A client of the engine that has this state folder now. Raises EngineUnreachable if none has."""
    entry = registry.find(state)
    if entry is None:
        raise EngineUnreachable(f"nobody has {state}")
    return client_of(entry)


def client_of(entry: registry.Entry) -> "HttpClient":
    from .client import HttpClient

    return HttpClient(entry.url, entry.token)


def _is_of(entry: registry.Entry, path: Path) -> bool:
    source, state = Path(entry.source), Path(entry.state)
    return path.resolve() in (source, source.parent, state, state.parent)


def _start(path: Path | None, state: Path, port: int | None, options: dict[str, Any]) -> "subprocess.Popen[str]":
    """An engine that ends with its last monitor. A session of its own: Ctrl-C here is not for the engine.

    Raises EngineUnreachable if the state folder cannot be written.
    """
    command = [sys.executable, "-m", "lamtop.tui.cli", "serve", "--owned", "--supervised", "--state", str(state)]
    command += ["--any-port"] if port is None else ["--port", str(port)]
    command += ["--host", options["host"], "--speed", str(options["speed"])]
    command += ["--jitter", str(options["jitter"])] if options["jitter"] is not None else []
    command += ["--simulate", str(options["simulate"])] if options["simulate"] is not None else []
    command += ["--keep-days", str(options["keep_days"])]
    command += ["--python", options["python"]] if options["python"] else []
    command += ["--spawn"] if options["spawn"] else []
    command += [part for host in options["allow_host"] for part in ("--allow-host", host)]
    command += ["--env-file", str(options["env_file"])] if options["env_file"] else []
    command += [part for pair in options["parameter_overrides"] for part in ("--parameter-overrides", pair)]
    command += ["--pass-credentials"] if options["pass_credentials"] else []
    command += ["--debug", options["debug"]] if options["debug"] else []
    command += [str(path)] if path else []
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        log = os.open(state / "engine.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        text = f"{error.filename}: {error.strerror}; the state folder must be writable, or name another with --state"
        raise EngineUnreachable(text) from None
    try:
        return subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True
        )
    finally:
        os.close(log)


def _last_words(state: Path) -> str:
    """Why an engine did not start. A folder in which there is nothing but this goes with it."""
    log = state / "engine.log"
    said = log.read_text(encoding="utf-8", errors="replace").strip()
    if [path.name for path in state.iterdir()] == [log.name]:
        log.unlink()
        state.rmdir()
    return said.removeprefix("Error: ") or "the engine ended; quit and start lamtop again"
