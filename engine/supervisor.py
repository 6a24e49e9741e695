"""Brings an engine back that was killed: the parent of every `lamtop serve --supervised`.

Each life of the engine is a fork of a process that has loaded nothing of it yet. So the same command line, environment,
folder and terminal are its own without being passed on, and whoever started the command goes on having one child: what
Ctrl-C, SIGTERM or a closed terminal mean for the engine reaches it, and its exit status is the supervisor's.
"""

import contextlib
import os
import signal
import sys
import tempfile

from .lifeline import Lifeline, Note

_PASSED_ON = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
_AWAITED = _PASSED_ON | {signal.SIGCHLD}


def supervise() -> Lifeline:
    """Returns in a new process, once for each life of the engine; in the calling one never: it exits as the last did.

    An engine is brought back if a signal ended it after it was ready, and nobody had asked for its end.
    """
    note = Note(tempfile.TemporaryFile())  # noqa: SIM115  # has no name, and goes with the last who has it open
    watched, held = os.pipe()  # nothing is ever sent: its end is the supervisor's
    before = signal.signal(signal.SIGCHLD, lambda *_: None)  # where the default is to ignore it nobody can wait for it
    signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
    while True:
        child = os.fork()
        if child == 0:
            os.close(held)
            signal.signal(signal.SIGCHLD, before)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _AWAITED)
            return Lifeline(note, watched)
        status, told_to_end = _wait(child)
        if not os.WIFSIGNALED(status):
            os._exit(os.WEXITSTATUS(status))
        number = os.WTERMSIG(status)
        if told_to_end or note.read().get("pid") != child:
            os._exit(128 + number)
        said = f"lamtop: the engine was ended by {signal.Signals(number).name}; it is started again\n"
        with contextlib.suppress(OSError):
            os.write(sys.stderr.fileno(), said.encode())


def _wait(child: int) -> tuple[int, bool]:
    """How it ended, and whether it was told to. What asks for the end is passed on to it."""
    told_to_end = False
    while True:
        number = signal.sigwait(_AWAITED)
        if number != signal.SIGCHLD:
            told_to_end = True
            os.kill(child, number)  # it is there, if only as an exit status that nobody has asked for yet
            continue
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status, told_to_end
