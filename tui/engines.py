"""Which engine is meant, and how one is started when there is none."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lamtop.engine import registry

from .client import EngineUnreachable

if TYPE_CHECKING:
    from .client import HttpClient


def state_folder(state: Path | None) -> Path:
    """The state folder that is meant; ./.lamtop unless another is named."""
    return (state or Path(".lamtop")).absolute()


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


def find_or_start(
    path: Path | None, state: Path, port: int | None, options: dict[str, Any]
) -> "subprocess.Popen[str] | None":
    """Start an engine unless one has this state folder.

    Raises EngineUnreachable if that one runs another project than `path`.
    """
    running = registry.find(state)
    if running is None:
        return _start(path, state, port, options)
    if path is not None and not _is_of(running, path):
        raise EngineUnreachable(
            f"the engine of this folder runs {running.source}, not {path}: stop it with 'lamtop stop', "
            "or give the other one a state folder of its own with --state"
        )
    return None


async def connect(started: "subprocess.Popen[str] | None", state: Path) -> "HttpClient":
    """A client of the engine that has this state folder; if one was just started, once it is ready."""
    ended = started.poll() if started is not None else None  # reaps it, so that it does not seem to live
    entry = registry.find(state)
    if entry is None and started is not None and started.stdout is not None:
        if ended is None:
            await asyncio.to_thread(started.stdout.readline)
        entry = registry.find(state)
        if entry is None:
            raise EngineUnreachable(_last_words(state))
    if entry is None:
        raise EngineUnreachable("no engine runs any more; quit and start lamtop again")
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
    command = [sys.executable, "-m", "lamtop.tui.cli", "serve", "--owned", "--state", str(state)]
    command += ["--any-port"] if port is None else ["--port", str(port)]
    command += ["--host", options["host"], "--speed", str(options["speed"])]
    command += ["--jitter", str(options["jitter"])] if options["jitter"] is not None else []
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
    log = (state / "engine.log").read_text(encoding="utf-8", errors="replace").strip()
    return log.removeprefix("Error: ") or "the engine ended; quit and start lamtop again"
