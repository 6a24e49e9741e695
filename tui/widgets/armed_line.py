"""The banner of what is armed."""

from rich.cells import cell_len

from .. import armed
from .. import format as f
from ..keymap import key_for
from ..model import Model
from .line_view import OneLine, Part


class Armed(OneLine):
    """The faults that are armed, for as long as one is: nobody forgets them. Else no line at all."""

    def __init__(self, model: Model) -> None:
        super().__init__(id="armed")
        self._model = model

    def look(self) -> None:
        """Come or go, and say what is true now."""
        self.display = bool(self._model.faults)
        self.refresh()

    def left(self) -> list[Part]:
        faults = self._model.faults
        if not faults:
            return []
        facts = f" · {armed.facts(faults[0], self._model.time.now())}"
        room = self.size.width - sum(cell_len(text) for text, _ in self.right()) - len(facts) - 3
        return [(f" {f.INJECTED} {f.fit(f.one_line(armed.brief(faults[0])), room).rstrip()}", "error"), (facts, "")]

    def right(self) -> list[Part]:
        more = len(self._model.faults) - 1
        count = (
            [(f" +{more} more ", "error"), (key_for("fault.panel"), "accent"), (" lists · ", "")] if more > 0 else []
        )
        return [*count, (f" {key_for('fault.clear_all')}", "accent"), (" clears all ", "")]
