"""The line a filter is typed into. The pane follows each letter; the engine does the filtering."""

from typing import TYPE_CHECKING, cast

from textual.containers import Horizontal
from textual.widgets import Input

from ..keymap import PANE_TITLES, bindings
from .line_view import OneLine, Part

if TYPE_CHECKING:
    from ..screens.main import MainScreen


class _Prompt(OneLine):
    def __init__(self, pane: str) -> None:
        super().__init__()
        self._text = f" filter {PANE_TITLES[pane]} /"
        self.styles.width = len(self._text)

    def left(self) -> list[Part]:
        return [(self._text, "accent")]


class FilterLine(Horizontal):
    """Enter keeps the filter, escape clears it."""

    BINDINGS = bindings("filter")

    def __init__(self, pane: str, text: str) -> None:
        super().__init__()
        self._pane, self._text = pane, text

    def compose(self):  # type: ignore[no-untyped-def]
        yield _Prompt(self._pane)
        yield Input(self._text, compact=True, select_on_focus=False)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    @property
    def _main(self) -> "MainScreen":
        return cast("MainScreen", self.screen)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._main.set_filter(self._pane, event.value)

    def action_keep(self) -> None:
        self._close()

    def action_clear(self) -> None:
        self._main.set_filter(self._pane, "")
        self._close()

    def _close(self) -> None:
        self._main.focus_pane(self._pane)
        self.remove()
