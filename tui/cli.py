"""The command line. What a command needs is imported when it runs: `lamtop --version` loads neither of the two."""

import asyncio
import gc
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

if TYPE_CHECKING:
    from lamtop.engine import Engine, Settings
    from lamtop.engine.registry import Entry

    from .client import Client, HttpClient

PORT = 4566
_STOP_SECONDS = 15.0
T = TypeVar("T")


class _DefaultToMonitor(click.Group):
    """`lamtop PATH` is `lamtop monitor PATH`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {"--help", "-h", "--version"}
        if not args or (args[0] not in self.commands and args[0] not in own):
            args = ["monitor", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_DefaultToMonitor, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lamtop", message="lamtop %(version)s")
def main() -> None:
    """See, break and rewind AWS Lambda invocations on your laptop.

    \b
    lamtop            open the monitor on ./template.yaml, ./handlers or the functions in this folder
    lamtop PATH       … on this template.yaml, folder or .py file
    """


_FILE = click.Path(path_type=Path, dir_okay=False)
_path = click.argument("path", required=False, type=click.Path(path_type=Path))
_state = click.option(
    "--state", type=click.Path(path_type=Path, file_okay=False), help="State folder.  [default: ./.lamtop]"
)


def _engine_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        _state,
        click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on."),
        click.option(
            "--port", type=click.IntRange(0, 65_535), default=None, help=f"Port; 0 picks a free one.  [default: {PORT}]"
        ),
        click.option(
            "--speed", type=click.FloatRange(0.01, 100_000), default=1.0, help="Let waits pass N times faster."
        ),
        click.option("--jitter", type=int, default=None, help="Seed: retries come some seconds late, as on AWS."),
        click.option("--python", default=None, help="Interpreter that runs the handlers."),
        click.option("--env-file", type=_FILE, default=None, help="KEY=VALUE lines: variables of all functions."),
        click.option(
            "--parameter-overrides", multiple=True, metavar="KEY=VALUE", help="Parameter of the template; repeatable."
        ),
        click.option(
            "--pass-credentials", is_flag=True, help="Handlers use your AWS credentials and reach the real services."
        ),
        click.option("--debug", metavar="NAME", default=None, help="Run function NAME under debugpy, no timeout."),
        click.option(
            "--keep-days",
            type=click.FloatRange(0, 36_500),
            default=7.0,
            help="Forget what ended N days ago.  [default: 7]",
        ),
        click.option("--spawn", is_flag=True, help="Start a new interpreter for every environment; fork none."),
        click.option("--allow-host", multiple=True, help="Another Host header to answer to."),
    ):
        command = option(command)
    return command


def _monitor_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option(
            "--theme",
            type=click.Choice(["dark", "light", "terminal"]),
            default=None,
            envvar="LAMTOP_THEME",
            help="Colours; 'terminal' takes the terminal's own 16.  [default: what fits]",
        ),
        click.option("--ascii", "in_ascii", is_flag=True, default=None, help="Draw with ASCII characters only."),
        click.option("--plain", is_flag=True, help="No screen: print one line for each change."),
    ):
        command = option(command)
    return command  # fmt: skip


@main.command()
@_path
@_engine_options
@_monitor_options
def monitor(path: Path | None, port: int | None, plain: bool, **options: Any) -> None:
    """Open the monitor; start an engine unless one runs for this folder."""
    from . import engines
    from .client import EngineUnreachable

    if path is not None and not path.exists():
        _fail(f"'{path}' is neither a command nor a file; 'lamtop --help' lists the commands")
    state = engines.state_folder(options["state"])
    try:
        started = engines.find_or_start(path, state, port, options)
    except EngineUnreachable as error:
        _fail(str(error))
    _watch(lambda: engines.connect(started, state), state, options, plain=plain)


@main.command()
@_path
@_engine_options
@click.option("--owned", is_flag=True, hidden=True, help="End with the last monitor.")
@click.option("--any-port", is_flag=True, hidden=True, help="If the port is taken, pick a free one.")
def serve(path: Path | None, port: int | None, owned: bool, any_port: bool, **options: Any) -> None:
    """Run an engine without a monitor, until Ctrl-C, SIGTERM or 'lamtop stop'."""
    os.umask(0o077)  # payloads are nobody else's business
    _check_host(options["host"])
    settings = _settings(path, options)
    failed = asyncio.run(_serve(settings, PORT if port is None else port, owned, any_port))
    sys.exit(1 if failed else 0)


@main.command()
@click.argument("target", required=False)
@_state
@_monitor_options
def attach(target: str | None, state: Path | None, plain: bool, **options: Any) -> None:
    """Open a monitor on an engine that runs already: TARGET is its URL or its project's path."""
    from . import engines

    entry = _find(target, state)

    async def connect() -> "HttpClient":
        return engines.client_of(entry)

    _watch(connect, Path(entry.state), options, plain=plain)


@main.command()
@click.argument("name")
@click.option("--event", default="{}", help="The event: JSON, @file, or - for standard input.")
@click.option("--async", "asynchronous", is_flag=True, help="Put it in the queue and return.")
@click.option("--dry-run", is_flag=True, help="Only ask whether it would be taken.")
@click.option("--qualifier", default="", help="A version or an alias of it.")
@click.option("--logs", is_flag=True, help="Print the log to standard error.")
@_state
def invoke(
    name: str, event: str, asynchronous: bool, dry_run: bool, qualifier: str, logs: bool, state: Path | None
) -> None:
    """Invoke function NAME. Exit code 1 if the function fails."""
    if asynchronous and dry_run:
        _fail("--dry-run and --async exclude each other; give one of them")
    payload = _payload(event)
    target = f"{name}:{qualifier}" if qualifier else name
    answer = _with_client(None, state, lambda c: c.invoke(target, payload, asynchronous=asynchronous, dry_run=dry_run))
    if logs and answer["log"]:
        click.echo(_for_terminal(answer["log"], sys.stderr.isatty()), err=True, nl=False)
    if asynchronous and answer["status"] == 202:
        click.echo(f"202 accepted, request id {answer['request_id']}", err=True)
        return
    if answer["status"] == 204:
        click.echo(f"204: {target} is there and would take this; nothing ran", err=True)
        return
    if answer["status"] >= 400:
        _fail(answer["error"])
    click.echo(_for_terminal(answer["payload"], sys.stdout.isatty()))
    sys.exit(1 if answer["error"] else 0)


@main.command()
@click.argument("name", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on as lines come in.")
@click.option(
    "-n", "--lines", default=100, show_default=True, type=click.IntRange(1, 500), help="How many to begin with."
)
@_state
def logs(name: str | None, follow: bool, lines: int, state: Path | None) -> None:
    """Print the log of function NAME, or of all."""
    view = {"view": "logs", "limit": lines, "filter": f"fn:{name}" if name else ""}

    async def run(client: "Client") -> None:
        if name and name not in {row["id"] for row in (await client.status())["functions"]}:
            _fail(f"there is no function '{name}'; 'lamtop status' lists them")
        if not follow:
            for line in (await client.page(view))["rows"]:
                _print_line(line)
            return
        await client.subscribe({"logs": view})
        async for frame in client.frames():
            shown = frame["logs"].get("logs", {"lines": [], "left_out": 0})
            if shown["left_out"]:
                click.echo(f"… {shown['left_out']} lines left out", err=True)
            for line in shown["lines"]:
                _print_line(line)

    _with_client(None, state, run)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="All of it, as JSON.")
@_state
def status(as_json: bool, state: Path | None) -> None:
    """Print what the engine of this folder does."""
    found = _with_client(None, state, lambda c: c.status())
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    totals = found["totals"]
    click.echo(f"{found['url']}  {found['project']}  pid {found['pid']}  Python {found['python']}")
    click.echo("  ".join(f"{label} {totals[key]}" for key, label in _TOTALS))
    for row in found["functions"]:
        click.echo(
            f"  {row['id']:<24} v{row['version']}  {row['invocations']} invocations, {row['errors']} errors, "
            f"{row['throttles']} throttles, {row['in_flight']} in flight, {row['queued']} queued"
        )
    for name, number in found["queues"].items():
        click.echo(f"  queue {name}: {number} messages")


_TOTALS = (
    ("waiting", "waiting"), ("throttled", "throttled"), ("in_flight", "in flight"), ("retrying", "retrying"),
    ("succeeded", "succeeded"), ("discarded", "discarded"), ("dead_letters", "dead letters"),
)  # fmt: skip


@main.command()
@click.argument("target", required=False)
@_state
def stop(target: str | None, state: Path | None) -> None:
    """Stop the engine of this folder."""
    from .client import wait_until_gone

    async def run(client: "Client") -> bool:
        await client.stop()
        return await wait_until_gone(client, _STOP_SECONDS)

    if not _with_client(target, state, run):
        _fail(f"the engine was told to stop, and still answers after {_STOP_SECONDS:.0f} s")
    click.echo("stopped")


# -- engines -----------------------------------------------------------------------------------------------------------


async def _serve(settings: "Settings", port: int, owned: bool, any_port: bool) -> bool:
    from dataclasses import replace

    from lamtop.engine import ConfigurationError, Engine, InterpreterError, StoreError

    settings = replace(settings, port=port, owned=owned)
    try:
        engine = Engine(settings)
        await _listen(engine, settings, any_port)
    except (ConfigurationError, InterpreterError, StoreError) as error:
        _fail(str(error))
    gc.freeze()  # what is loaded stays: the collector need not look at it again and again
    stopping = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        stopping.add_signal_handler(number, engine.end, number.name)
    count = len(engine.functions)
    print(f"lamtop: ready on {engine.server.url} ({count} function{'s' if count != 1 else ''})", flush=True)  # noqa: T201
    for line in engine.attach_lines():
        print(line, flush=True)  # noqa: T201
    if not owned:  # a monitor shows them itself
        for notice in engine.notices.since(0):
            if notice["level"] != "info":
                click.echo(f"lamtop: {notice['level']}: {_for_terminal(notice['text'], sys.stderr.isatty())}", err=True)
    await engine.ended
    await engine.stop()
    if engine.failure:
        click.echo(f"lamtop: {engine.failure}", err=True)
    return engine.failure is not None


async def _listen(engine: "Engine", settings: "Settings", any_port: bool) -> None:
    try:
        await engine.start(any_port=any_port)
    except OSError as error:
        _fail(
            f"cannot listen on {settings.host} port {settings.port}: {os.strerror(error.errno or 0)}; "
            "choose another with --port, or --port 0 for a free one"
        )


def _settings(path: Path | None, options: dict[str, Any]) -> "Settings":
    from lamtop.engine import ConfigurationError, Retention, Settings, find

    from . import engines

    try:
        found = find(path, Path.cwd())
    except ConfigurationError as error:
        _fail(str(error))
    return Settings(
        source=found.path,
        copied=found.copied,
        state=engines.state_folder(options["state"]),
        host=options["host"],
        speed=options["speed"],
        jitter=options["jitter"],
        python=options["python"],
        spawn=options["spawn"],
        allowed_hosts=frozenset(options["allow_host"]),
        env_file=options["env_file"],
        parameters=_parameters(options["parameter_overrides"]),
        pass_credentials=options["pass_credentials"],
        debug=options["debug"],
        retention=Retention(days=options["keep_days"]),
    )


def _parameters(given: tuple[str, ...]) -> dict[str, str]:
    """Pairs as `sam` takes them: one or, in quotes, several in one text."""
    import shlex

    try:
        pairs = [pair for text in given for pair in shlex.split(text)]
    except ValueError as error:
        _fail(f"--parameter-overrides: {error}; use KEY=VALUE")
    for pair in pairs:
        if "=" not in pair:
            _fail(f"--parameter-overrides: '{pair}' has no '='; use KEY=VALUE")
    return dict(pair.split("=", 1) for pair in pairs)


def _check_host(host: str) -> None:
    import ipaddress

    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        _fail(f"--host: '{host}' is not an address; use 127.0.0.1 or ::1")
    if not is_loopback:
        _fail(f"--host: '{host}' is no loopback address; lamtop runs code for whoever reaches it, so it stays local")


def _watch(
    connect: "Callable[[], Awaitable[HttpClient]]", state: Path, options: dict[str, Any], *, plain: bool
) -> NoReturn:
    """Show what the engine does until the user has seen enough, or, line by line, until it ends."""
    if plain:
        from .plain import print_changes

        try:
            sys.exit(asyncio.run(print_changes(connect)))
        except KeyboardInterrupt:
            sys.exit(130)
    from .key_file import KeysError, key_files, use_keys

    try:
        use_keys(key_files(state))
    except KeysError as error:
        _fail(str(error))
    from .app import Lamtop

    app = Lamtop(connect, options["theme"], in_ascii=options["in_ascii"])
    app.run()
    sys.exit(app.return_code or 0)


def _find(target: str | None, state: Path | None) -> "Entry":
    from . import engines
    from .client import EngineUnreachable

    try:
        return engines.find(target, state)
    except EngineUnreachable as error:
        _fail(str(error))


def _with_client(target: str | None, state: Path | None, use: "Callable[[HttpClient], Awaitable[T]]") -> T:
    """Use a client of the engine that is meant, and close it. A missing engine is an error message."""
    from . import engines
    from .client import EngineUnreachable

    entry = _find(target, state)

    async def run() -> T:
        client = engines.client_of(entry)
        try:
            return await use(client)
        finally:
            await client.close()

    try:
        return asyncio.run(run())
    except EngineUnreachable as error:
        _fail(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


# -- words -------------------------------------------------------------------------------------------------------------


def _payload(event: str) -> bytes:
    if event == "-":
        text = sys.stdin.buffer.read()
    elif event.startswith("@"):
        try:
            text = Path(event[1:]).read_bytes()
        except OSError as error:
            _fail(f"--event: '{event[1:]}' cannot be read: {error.strerror}")
    else:
        text = event.encode()
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        _fail(f"--event: this is not JSON: {error}; give JSON, @file or - for standard input")
    return text


def _print_line(line: dict[str, Any]) -> None:
    from datetime import datetime

    at = datetime.fromtimestamp(line["at"]).astimezone().strftime("%H:%M:%S.%f")[:-3]
    text = f"{at} {line['function']} {line['request_id'][:8]:<8} {line['text']}"
    click.echo(_for_terminal(text, sys.stdout.isatty()))


def _for_terminal(text: str, terminal: bool) -> str:
    """What a handler printed must not command the terminal; a pipe gets it as it is."""
    from .format import clean

    return clean(text) if terminal else text


def _fail(message: str) -> NoReturn:
    click.echo(f"Error: {message}", err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
