"""A small editor for the payload a function is sent."""

import json

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import TextArea

from ..keymap import bindings
from ..widgets.text_lines import TextLines
from ..wishes import Wishes, pretty


class PayloadScreen(ModalScreen[None], inherit_bindings=False):
    """Saves only what is JSON; an error is told by line and column, and the cursor goes there."""

    BINDINGS = bindings("payload")
    PLACE = "payload"

    def __init__(self, function: str, wishes: Wishes) -> None:
        super().__init__()
        self._function, self._wishes = function, wishes

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel") as panel:
            panel.border_title = Text(f"payload of {self._function}")
            panel.border_subtitle = Text("ctrl+s save · esc discard")
            yield TextArea(pretty(self._wishes.payload(self._function)), tab_behavior="indent", show_line_numbers=True)
            yield TextLines(id="trouble")

    def on_mount(self) -> None:
        area = self.query_one(TextArea)
        area.cursor_blink = False
        area.focus()

    def action_save(self) -> None:
        area = self.query_one(TextArea)
        try:
            json.loads(area.text)
        except json.JSONDecodeError as error:
            area.move_cursor((error.lineno - 1, error.colno - 1))
            said = f"not JSON: line {error.lineno}, column {error.colno}: {error.msg}"
            self.query_one(TextLines).show([[(said, "error")]])
            return
        self._wishes.payloads[self._function] = area.text
        self._wishes.say("info", f"{self._function} gets this payload from now on: i invokes, a sends it")
        self.dismiss()

    def on_paste(self) -> None:
        self.query_one(TextLines).show([])

    def action_close(self) -> None:
        self.dismiss()
