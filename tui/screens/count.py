"""A question that is answered by typing a number: for what cannot be taken back for long."""

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from ..keymap import bindings, hints
from ..widgets.text_lines import TextLines


class CountScreen(ModalScreen[bool], inherit_bindings=False):
    """True if the number was typed, False if the reader went away."""

    BINDINGS = bindings("count")
    PLACE = "count"

    def __init__(self, question: str, count: int) -> None:
        super().__init__()
        self._question, self._count = question, count

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel") as panel:
            panel.border_subtitle = Text(" · ".join(f"{key} {does}" for key, does in hints(self.PLACE)))
            yield TextLines([[(self._question, "")]])
            yield Input(compact=True, max_length=9)
            yield TextLines(id="trouble")

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.query_one("#trouble", TextLines).show([])

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter, in its turn behind the digits: a priority binding would overtake them."""
        event.stop()
        self.action_confirm()

    def action_confirm(self) -> None:
        if self.query_one(Input).value.replace(",", "").strip() == str(self._count):
            self.dismiss(True)
        else:
            said = f"type {self._count} and press enter, or esc to keep them"
            self.query_one("#trouble", TextLines).show([[(said, "warning")]])

    def action_close(self) -> None:
        self.dismiss(False)
