"""A panel over the panes with something to read, and its keys at its foot."""

from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from ..keymap import bindings, hints
from ..widgets.line_view import Part
from ..widgets.text_lines import TextLines

if TYPE_CHECKING:
    from ..app import Lamtop

Lines = list[list[Part]]


class Sheet(ModalScreen[None], inherit_bindings=False):
    """Subclasses give `title_words` and `lines`; `show_again` takes them over after a change."""

    BINDINGS = bindings("sheet")
    PLACE = "sheet"

    @property
    def lamtop(self) -> "Lamtop":
        return cast("Lamtop", self.app)

    def title_words(self) -> str:
        return ""

    def lines(self) -> Lines:
        return []

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel"):
            yield TextLines()

    def on_mount(self) -> None:
        panel = self.query_one(".panel")
        panel.border_subtitle = Text(" · ".join(f"{key} {does}" for key, does in hints(self.PLACE)))
        self.show_again()

    def show_again(self) -> None:
        """Draw what is true now."""
        self.query_one(".panel").border_title = Text(self.title_words())
        self.query_one(TextLines).show(self.lines())

    def action_close(self) -> None:
        self.dismiss()
