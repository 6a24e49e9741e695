"""A monitor that was stopped by a signal, and goes on: it takes the terminal again, as it is by then."""

import os
import signal
from typing import Any

from textual.driver import Driver


def stoppable_driver(driver: type[Driver]) -> type[Driver]:
    """The same driver, but it can be stopped by SIGSTOP, of which no program is told.

    Textual's begins anew whenever it goes on. Unless a SIGTSTP came before, what was there goes on too: two threads
    read the keys, and the program never ends.
    """
    if not hasattr(driver, "_sigcont_application"):
        return driver

    class StoppableDriver(driver):  # type: ignore[misc,valid-type]
        def _sigcont_application(self, *signalled: Any) -> None:
            if self._auto_restart and not self._must_signal_resume:
                if _is_in_background(self.fileno):
                    os.kill(os.getpid(), signal.SIGSTOP)  # until it has the terminal again
                    return
                self.suspend_application_mode()
            super()._sigcont_application(*signalled)

    return StoppableDriver


def _is_in_background(terminal: int) -> bool:
    try:
        return os.tcgetpgrp(terminal) != os.getpgrp()
    except OSError:  # a terminal that controls no jobs
        return False
