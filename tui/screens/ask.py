"""A question that is answered by y or n."""

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from ..keymap import bindings, hints
from ..widgets.text_lines import TextLines


class AskScreen(ModalScreen[bool], inherit_bindings=False):
    BINDINGS = bindings("ask")
    PLACE = "ask"

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel") as panel:
            panel.border_subtitle = Text(" · ".join(f"{key} {does}" for key, does in hints(self.PLACE)))
            yield TextLines([[(self._question, "")]])

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)
