"""The editor of an event: keeps the indentation, and takes nothing in that would hide or steer a terminal."""

from textual import events
from textual.widgets import TextArea

from ..json_text import visible


class JsonEditor(TextArea):
    """Tab goes to the next field: JSON has no use for it, and every field must be reached without a mouse."""

    def __init__(self, text: str) -> None:
        super().__init__(text, tab_behavior="focus", show_line_numbers=True)
        self.cursor_blink = False

    def on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.prevent_default()
            event.stop()
            row, column = self.cursor_location
            before = self.document.get_line(row)[:column]
            deeper = "  " if before.rstrip().endswith(("{", "[")) else ""
            self.insert("\n" + before[: len(before) - len(before.lstrip())] + deeper)

    def on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.replace(visible(event.text), *self.selection)

    def take(self, text: str) -> None:
        """Put another text in; undo brings the old one back."""
        self.replace(text, self.document.start, self.document.end)
        self.move_cursor((0, 0))
