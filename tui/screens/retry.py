"""Edit and retry: a dead letter's payload in the editor; what is saved is redriven."""

import json
from functools import partial
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from .. import format as f
from ..json_text import trouble
from ..keymap import bindings, hints
from ..widgets.json_editor import JsonEditor
from ..widgets.text_lines import TextLines

if TYPE_CHECKING:
    from ..app import Lamtop


class RetryScreen(ModalScreen[None], inherit_bindings=False):
    """A payload that was not changed goes round byte for byte."""

    BINDINGS = bindings("retry")
    PLACE = "retry"

    def __init__(self, letter_id: str, request_id: str, function: str, payload: str) -> None:
        super().__init__()
        self._letter, self._heading = letter_id, f"edit and retry {f.short_id(request_id)} of {function}"
        self._shown = editable(payload)

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel") as panel:
            panel.border_title = Text(self._heading)
            panel.border_subtitle = Text(" · ".join(f"{key} {does}" for key, does in hints(self.PLACE)))
            yield JsonEditor(self._shown)
            yield TextLines(id="trouble")

    def on_mount(self) -> None:
        self.query_one("#trouble", TextLines).can_focus = False
        self.query_one(JsonEditor).focus()

    def action_redrive(self) -> None:
        editor = self.query_one(JsonEditor)
        wrong = trouble(editor.text)
        if wrong:
            editor.move_cursor((wrong.line - 1, wrong.column - 1))
            self.query_one("#trouble", TextLines).show([[(f"not JSON: {wrong}", "error")]])
            return
        payloads = {} if editor.text == self._shown else {self._letter: editor.text if editor.text.strip() else "{}"}
        lamtop = cast("Lamtop", self.app)
        lamtop.begin(partial(lamtop.wishes.dead_letters.redrive, [self._letter], payloads))
        self.dismiss()

    def action_close(self) -> None:
        self.dismiss()


def editable(payload: str) -> str:
    """A payload indented, for an editor. What must not reach a terminal stands there as JSON's escapes."""
    try:
        value = json.loads(payload)
    except ValueError:
        return f.clean(payload)
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return text if f.clean(text) == text else json.dumps(value, indent=2)
