"""Does something a little later.

Textual's own one-shot timers never ring if the machine is busy, between two lines of theirs, for longer than they are
to wait: a picture that waits for such a timer is never drawn.
"""

import asyncio
from collections.abc import Callable

from textual.message_pump import MessagePump


def ring(whom: MessagePump, seconds: float, act: Callable[[], object]) -> asyncio.TimerHandle:
    """Call `act` after so long, where `whom` handles its messages; not at all if that is closed by then."""
    return asyncio.get_running_loop().call_later(seconds, whom.call_next, act)
