"""`lamtop serve`: an engine without a monitor."""

import asyncio
import gc
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .options import PORT, EngineCommand, check_host, engine_options, path_argument, settings_of
from .words import fail, say

if TYPE_CHECKING:
    from lamtop.engine import Engine, Settings
    from lamtop.engine.lifeline import Lifeline


@click.command(cls=EngineCommand)
@path_argument
@engine_options
@click.option("--owned", is_flag=True, hidden=True, help="End with the last monitor.")
@click.option("--any-port", is_flag=True, hidden=True, help="If the port is taken, pick a free one.")
@click.option("--supervised", is_flag=True, help="Start the engine again whenever it is killed.")
def serve(path: Path | None, port: int | None, owned: bool, any_port: bool, supervised: bool, **options: Any) -> None:
    """Run an engine without a monitor, until Ctrl-C, SIGTERM or 'lamtop stop'."""
    os.umask(0o077)  # payloads are nobody else's business
    check_host(options["host"])
    lifeline = _supervised() if supervised else None
    settings = replace(settings_of(path, options), lifeline=lifeline)
    failed = asyncio.run(_serve(settings, PORT if port is None else port, owned, any_port))
    sys.exit(1 if failed else 0)


async def _serve(settings: "Settings", port: int, owned: bool, any_port: bool) -> bool:
    from lamtop.engine import ConfigurationError, Engine, InterpreterError, StoreError

    settings = replace(settings, port=port, owned=owned)
    try:
        engine = Engine(settings)
        await _listen(engine, settings, any_port)
    except (ConfigurationError, InterpreterError, StoreError) as error:
        fail(str(error))
    gc.freeze()  # what is loaded stays: the collector need not look at it again and again
    stopping = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        stopping.add_signal_handler(number, engine.end, number.name)
    if settings.lifeline:
        settings.lifeline.watch(lambda: engine.end("its supervisor has gone"))
    count = len(engine.functions)
    print(f"lamtop: ready on {engine.server.url} ({count} function{'s' if count != 1 else ''})", flush=True)  # noqa: T201
    for line in engine.attach_lines():
        print(line, flush=True)  # noqa: T201
    if not owned:  # a monitor shows them itself
        for notice in engine.notices.since(0):
            if notice["level"] != "info":
                say(f"lamtop: {notice['level']}: {notice['text']}", err=True)
    await engine.ended
    await engine.stop()
    if engine.failure:
        say(f"lamtop: {engine.failure}", err=True)
    return engine.failure is not None


def _supervised() -> "Lifeline":
    """From here on in a process of its own, in each life of the engine; the one that was started waits for them."""
    from lamtop.engine.supervisor import supervise

    return supervise()


async def _listen(engine: "Engine", settings: "Settings", any_port: bool) -> None:
    try:
        await engine.start(any_port=any_port)
    except OSError as error:
        fail(
            f"cannot listen on {settings.host} port {settings.port}: {os.strerror(error.errno or 0)}; "
            "choose another with --port, or --port 0 for a free one"
        )
