"""Commands that make time pass: lamtop speed, lamtop jump."""

from pathlib import Path

import click

from .meant import with_client
from .options import state_option
from .words import fail, say


@click.command()
@click.argument("factor", metavar="N", type=click.FloatRange(0, 100_000))
@state_option
def speed(factor: float, state: Path | None) -> None:
    """Let waits pass N times faster: retries, delays, ages, faults that end. 0 stops time, 1 is real time.

    \b
    lamtop speed 60     a minute in a second
    lamtop speed 0      nothing more comes due, until you say so
    """
    with_client(None, state, lambda client: client.set_speed(factor))
    say("time stands still" if not factor else f"time runs at {factor:g} times its speed", err=True)


@click.command()
@state_option
def jump(state: Path | None) -> None:
    """Go on from the moment at which something is due next. Prints the seconds left out; exit code 1 if nothing is due.

    \b
    lamtop jump && lamtop jump     both retries of an event that failed
    """
    seconds = with_client(None, state, lambda client: client.jump())["seconds"]
    if seconds is None:
        fail("nothing is due; time goes on as it did")
    say(f"{seconds:.1f}")
