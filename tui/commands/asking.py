"""Commands that ask a running engine for something: invoke, logs, status, stop."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .meant import with_client
from .options import state_option
from .words import fail, say

if TYPE_CHECKING:
    from ..client import Client

_STOP_SECONDS = 15.0


@click.command()
@click.argument("name")
@click.option("--event", default="{}", help="The event: JSON, @file, or - for standard input.")
@click.option("--async", "asynchronous", is_flag=True, help="Put it in the queue and return.")
@click.option("--dry-run", is_flag=True, help="Only ask whether it would be taken.")
@click.option("--qualifier", default="", help="A version or an alias of it.")
@click.option("--logs", is_flag=True, help="Print the log to standard error.")
@state_option
def invoke(
    name: str, event: str, asynchronous: bool, dry_run: bool, qualifier: str, logs: bool, state: Path | None
) -> None:
    """Invoke function NAME. Exit code 1 if the function fails."""
    if asynchronous and dry_run:
        fail("--dry-run and --async exclude each other; give one of them")
    payload = _payload(event)
    target = f"{name}:{qualifier}" if qualifier else name
    answer = with_client(None, state, lambda c: c.invoke(target, payload, asynchronous=asynchronous, dry_run=dry_run))
    if logs and answer["log"]:
        say(answer["log"], err=True, end="")
    if asynchronous and answer["status"] == 202:
        say(f"202 accepted, request id {answer['request_id']}", err=True)
        return
    if answer["status"] == 204:
        say(f"204: {target} is there and would take this; nothing ran", err=True)
        return
    if answer["status"] >= 400:
        fail(answer["error"])
    say(answer["payload"])
    sys.exit(1 if answer["error"] else 0)


@click.command()
@click.argument("name", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on as lines come in.")
@click.option(
    "-n", "--lines", default=100, show_default=True, type=click.IntRange(1, 500), help="How many to begin with."
)
@state_option
def logs(name: str | None, follow: bool, lines: int, state: Path | None) -> None:
    """Print the log of function NAME, or of all."""
    view = {"view": "logs", "limit": lines, "filter": f"fn:{name}" if name else ""}

    async def run(client: "Client") -> None:
        if name and name not in {row["id"] for row in (await client.status())["functions"]}:
            fail(f"there is no function '{name}'; 'lamtop status' lists them")
        if not follow:
            for line in (await client.page(view))["rows"]:
                _print_line(line)
            return
        await client.subscribe({"logs": view})
        async for frame in client.frames():
            shown = frame["logs"].get("logs", {"lines": [], "left_out": 0})
            if shown["left_out"]:
                say(f"… {shown['left_out']} lines left out", err=True)
            for line in shown["lines"]:
                _print_line(line)

    with_client(None, state, run)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="All of it, as JSON.")
@state_option
def status(as_json: bool, state: Path | None) -> None:
    """Print what the engine of this folder does."""
    found = with_client(None, state, lambda c: c.status())
    if as_json:
        say(json.dumps(found, indent=2))
        return
    totals = found["totals"]
    say(f"{found['url']}  {found['project']}  pid {found['pid']}  Python {found['python']}")
    if found["time"]["mode"] != "real":
        say(f"{found['time']['mode']} time, {found['time']['rate']:g} times as fast")
    say("  ".join(f"{label} {totals[key]}" for key, label in _TOTALS))
    for row in found["functions"]:
        say(
            f"  {row['id']:<24} v{row['version']}  {row['invocations']} invocations, {row['errors']} errors, "
            f"{row['throttles']} throttles, {row['in_flight']} in flight, {row['queued']} queued"
        )
    for name, number in found["queues"].items():
        say(f"  queue {name}: {number} messages")


_TOTALS = (
    ("waiting", "waiting"), ("throttled", "throttled"), ("in_flight", "in flight"), ("retrying", "retrying"),
    ("succeeded", "succeeded"), ("discarded", "discarded"), ("dead_letters", "dead letters"),
)  # fmt: skip


@click.command()
@click.argument("target", required=False)
@state_option
def stop(target: str | None, state: Path | None) -> None:
    """Stop the engine of this folder."""
    from ..client import wait_until_gone

    async def run(client: "Client") -> bool:
        await client.stop()
        return await wait_until_gone(client, _STOP_SECONDS)

    if not with_client(target, state, run):
        fail(f"the engine was told to stop, and still answers after {_STOP_SECONDS:.0f} s")
    say("stopped")


def _payload(event: str) -> bytes:
    if event == "-":
        text = sys.stdin.buffer.read()
    elif event.startswith("@"):
        try:
            text = Path(event[1:]).read_bytes()
        except OSError as error:
            fail(f"--event: '{event[1:]}' cannot be read: {error.strerror}")
    else:
        text = event.encode()
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        fail(f"--event: this is not JSON: {error}; give JSON, @file or - for standard input")
    return text


def _print_line(line: dict[str, Any]) -> None:
    from datetime import datetime

    at = datetime.fromtimestamp(line["at"]).astimezone().strftime("%H:%M:%S.%f")[:-3]
    text = f"{at} {line['function']} {line['request_id'][:8]:<8} {line['text']}"
    say(text)
