"""The keys of faults and of time, the same on the main screen and on the life of a request."""

from functools import partial
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from ..app import Lamtop


class _Aimed(Protocol):
    """A screen that knows what a fault would be aimed at."""

    @property
    def lamtop(self) -> "Lamtop": ...
    def aim(self) -> tuple[str, str]: ...


class LabKeys:
    """The actions. A screen says in `aim` which function is meant, and which request ("": none)."""

    @property
    def _aimed(self) -> _Aimed:
        return cast("_Aimed", self)

    def action_faults(self) -> None:
        from .fault import FaultScreen

        self._aimed.lamtop.push_screen(FaultScreen(*self._aimed.aim()))

    def action_fault_again(self) -> None:
        lamtop = self._aimed.lamtop
        lamtop.begin(lamtop.wishes.lab.again)

    def action_clear_faults(self) -> None:
        lamtop = self._aimed.lamtop
        lamtop.begin(lamtop.wishes.lab.clear)

    def action_speed(self, step: int) -> None:
        lamtop = self._aimed.lamtop
        lamtop.begin(partial(lamtop.wishes.lab.step_speed, step))

    def action_jump(self) -> None:
        lamtop = self._aimed.lamtop
        lamtop.begin(lamtop.wishes.lab.jump)
