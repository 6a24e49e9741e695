"""Events to begin with: the last ones sent, the project's own files, examples of AWS's sources."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from .. import format as f
from ..json_text import indented, one_line, trouble, visible
from ..keymap import bindings
from ..sample_events import SAMPLES
from ..saved_events import read_event, saved_events
from ..widgets.pick_list import PickList
from ..widgets.text_lines import TextLines

if TYPE_CHECKING:
    from ..app import Lamtop

_PREVIEW = 200  # lines


class EventsScreen(ModalScreen[str | None], inherit_bindings=False):
    """Enter gives the event under the cursor back; what it looks like stands below the list."""

    BINDINGS = bindings("events")
    PLACE = "events"

    def __init__(self, function: str) -> None:
        super().__init__()
        self._function = function
        self._texts: dict[str, Callable[[], str]] = {}

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel") as panel:
            panel.border_title = Text("events")
            yield PickList(self._entries())
            yield TextLines(id="preview")

    def _entries(self) -> list[tuple[str, str]]:
        lamtop = cast("Lamtop", self.app)
        sent = lamtop.wishes.drafts.history.entries
        own = [entry for entry in sent if entry.function == self._function]
        recent = [(entry.function, entry.payload) for entry in [*own, *(one for one in sent if one not in own)]]
        files = saved_events(str(lamtop.model.hello.get("project", "")), lamtop.model.function_names())
        return [
            *self._section("Sent before", [(_brief(*one), partial(_pretty, one[1])) for one in recent]),
            *self._section("Files beside the template", [(_named(path), partial(read_event, path)) for path in files]),
            *self._section("Examples", [(name, partial(str, text)) for name, text in SAMPLES.items()]),
        ]

    def _section(self, title: str, offered: list[tuple[str, Callable[[], str]]]) -> list[tuple[str, str]]:
        entries = [(title, "")] if offered else []
        for words, text in offered:
            key = str(len(self._texts))
            self._texts[key] = text
            entries.append((words, key))
        return entries

    def on_mount(self) -> None:
        self.query_one("#preview", TextLines).can_focus = False
        cast("Lamtop", self.app).main.refresh_bars()

    def on_pick_list_moved(self) -> None:
        text, error = self._text()
        lines = f.clean(error or text).split("\n")[:_PREVIEW]
        preview = self.query_one("#preview", TextLines)
        preview.show([[(line, "error" if error else "dim")] for line in lines])
        preview.jump(0)

    def _text(self) -> tuple[str, str]:
        """The event under the cursor, or what is wrong with it."""
        try:
            return self._texts[self.query_one(PickList).key](), ""
        except ValueError as error:
            return "", str(error)

    def on_pick_list_picked(self) -> None:
        self.action_take()

    def action_take(self) -> None:
        text, error = self._text()
        if not error:
            self.dismiss(text)

    def action_close(self) -> None:
        self.dismiss(None)


def _brief(function: str, payload: str) -> str:
    text = payload[:400]
    return f"{f.fit(function, 18)} {one_line(text) if trouble(text) is None else text}"


def _pretty(payload: str) -> str:
    return visible(indented(payload)) if trouble(payload) is None else visible(payload)


def _named(path: Path) -> str:
    return f"{path.parent.name}/{path.name}" if path.parent.name == "events" else path.name
