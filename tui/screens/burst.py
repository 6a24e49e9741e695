"""Asks how many events to send."""

from functools import partial
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from .. import format as f
from ..keymap import bindings
from ..widgets.count_rate import ALLOWED, CountRate
from ..widgets.text_lines import TextLines

if TYPE_CHECKING:
    from ..app import Lamtop

_USUAL = "10"


class BurstScreen(ModalScreen[None], inherit_bindings=False):
    BINDINGS = bindings("burst")
    PLACE = "burst"
    AUTO_FOCUS = "#count"

    def __init__(self, function: str) -> None:
        super().__init__()
        self._function = function

    def compose(self) -> ComposeResult:
        payload = f.one_line(f.clean(cast("Lamtop", self.app).wishes.payload(self._function)))
        with Vertical(classes="panel") as panel:
            panel.border_title = Text(f"burst of asynchronous events to {self._function}")
            panel.border_subtitle = Text(ALLOWED)
            yield CountRate(_USUAL, "")
            yield TextLines([[("  payload    ", "dim"), (f.fit(payload, 60).rstrip(), "")]], id="said")

    def on_mount(self) -> None:
        self.query_one("#said", TextLines).can_focus = False

    def on_input_submitted(self) -> None:
        self.action_send()

    def action_send(self) -> None:
        numbers = self.query_one(CountRate)
        wrong = numbers.trouble()
        if wrong:
            self.query_one("#said", TextLines).show([[(f"✗ {wrong}", "error")]])
            return
        lamtop = cast("Lamtop", self.app)
        lamtop.begin(partial(lamtop.wishes.send_many, self._function, *numbers.numbers()))
        self.dismiss()

    def action_close(self) -> None:
        self.dismiss()
