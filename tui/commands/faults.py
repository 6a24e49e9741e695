"""Commands that make something go wrong on purpose: lamtop fault add, list, clear."""

import json
from pathlib import Path

import click

from .meant import with_client
from .options import state_option
from .words import fail, say


@click.group()
def fault() -> None:
    """Let something go wrong, on purpose.

    \b
    lamtop fault add orders timeout 50% 25x     half of the next events time out, until 25 have
    lamtop fault add all delay +2s..5s 10m      every handler starts 2 to 5 s late, for ten minutes
    lamtop fault add orders error if '{"card": "declined"}'
    lamtop fault list                           what is armed, and what it has hit
    lamtop fault clear 2                        disarm fault 2; without a number, all
    """


@fault.command(context_settings={"ignore_unknown_options": True})
@click.argument("sentence", nargs=-1, required=True)
@state_option
def add(sentence: tuple[str, ...], state: Path | None) -> None:
    """Arm a fault: FUNCTION|all KIND and, in any order, what narrows it down. Prints its number.

    \b
    Instead of the handler, or after it:  error  error-after  timeout  exit  kill  memory
    In its way:                           delay  corrupt  oversize  logs  duplicate
    Before it:                            throttle  service  stall  init-error  init-delay
    To a queue or destination, by name:   dlq  denied
    To the engine itself (--supervised):  engine
    \b
    50%            of those that it might hit             100% unless you say
    25x            hits, then it is over                  no end unless you say
    20s  10m  2h   from now, then it is over              no end unless you say
    +2s  +2s..5s   how long a delay is                    +1s unless you say
    seed=7         other hits; the same seed, the same ones
    request=ID     requests whose id begins so
    if JSON        payloads that contain this object

    \b
    Exit code 1, and nothing armed, if it makes no sense.
    """
    armed = with_client(None, state, lambda client: client.arm(" ".join(sentence)))
    say(f"fault {armed['number']} armed: {armed['sentence']}", err=True)
    say(str(armed["number"]))


@fault.command("list")
@click.option("--json", "as_json", is_flag=True, help="All of it, as JSON.")
@state_option
def list_(as_json: bool, state: Path | None) -> None:
    """Print what is armed: number, hits of candidates, sentence."""
    found = with_client(None, state, lambda client: client.faults())
    if as_json:
        say(json.dumps(found, indent=2))
        return
    for armed in found:
        hits = f"{armed['hits']} of {armed['candidates']} hit"
        say(f"{armed['number']:>3}  {hits:<16}  {armed['sentence']}")
    if not found:
        say("no fault is armed; 'lamtop fault add --help' says how", err=True)


@fault.command()
@click.argument("number", required=False, type=click.IntRange(min=1))
@state_option
def clear(number: int | None, state: Path | None) -> None:
    """Disarm fault NUMBER, or all. Exit code 1 if there is no fault of that number."""
    cleared = with_client(None, state, lambda client: client.disarm(number))["cleared"]
    if number is not None and not cleared:
        fail(f"no fault {number} is armed; 'lamtop fault list' lists them")
    say(f"{cleared} fault{'s' if cleared != 1 else ''} cleared", err=True)
