"""What the pools of all functions share."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ....clock import Clock, Turns
from ....core.fault import Fault
from ....core.function import Function
from ....core.invocation import Invocation
from ..environment import INIT_MAX, Owner
from ..logs.log import LogSink
from ..processes.capacity import Capacity
from ..processes.scratch import Scratch
from ..processes.starters import Starters


@dataclass(slots=True, eq=False)
class Setting:
    """The one engine around them, and what it wants to be told."""

    clock: Clock
    log: LogSink
    interpreter: str
    environ: Callable[[], dict[str, str]]
    on_idle: Callable[[str], None]
    on_gone: Callable[[], None]
    make_room: Callable[[Owner], None]  # for this pool, by ending an idle environment of another
    starters: Starters
    scratch: Scratch
    watch: Callable[[], None]
    capacity: Capacity
    is_being_saved: Callable[[Function], bool]
    new_id: Callable[[], str]  # 32 hexadecimal digits
    init_fault: Callable[[str], Fault | None] = lambda _: None  # what goes wrong with the next init of a function
    kill_engine: Callable[[str], None] = lambda _: None  # told which fault says so
    turns: Turns | None = None  # time is simulated
    executing: dict[str, Invocation] = field(default_factory=dict)
    cold_starts: dict[str, int] = field(default_factory=dict)
    stopping: bool = False
    init_max: float = INIT_MAX
