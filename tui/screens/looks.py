"""Two ways to look at the main screen: at one request or function only, and at a picture that stands still."""

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from ..columns import is_group
from ..views import Scope
from ..widgets.line_view import Part

if TYPE_CHECKING:
    from .main import MainScreen


class Looks:
    """The keys `o` and `p`. Nothing here changes the model: a scope is part of what the engine is asked for."""

    @property
    def _screen(self) -> "MainScreen":
        return cast("MainScreen", self)

    # scope

    def action_scope(self) -> None:
        screen = self._screen
        if screen.scope is not None:
            self.look_at(None)
            return
        request_id = screen.request_id()
        function = self._function_here() or screen.selected
        if function:
            self.look_at(Scope(function, request_id))

    def _function_here(self) -> str:
        screen = self._screen
        if screen.focused_pane == "logs":
            line = screen.logs.line()
            return line.function if line else ""
        row = screen.tables[screen.focused_pane].row()
        if row is None or is_group(row):
            return ""
        return str(row["id"] if screen.focused_pane == "functions" else row["function"])

    def look_at(self, scope: Scope | None) -> None:
        """Narrow every pane to this, or (None) to nothing."""
        screen = self._screen
        if scope == screen.scope:
            return
        self.thaw()
        screen.scope = scope
        screen.model.logs.forget()
        screen.logs.sync()
        screen.watch_windows()
        screen.paint_soon()

    # freeze

    def action_freeze(self) -> None:
        if self._screen.frozen_at is None:
            self._freeze()
        else:
            self.thaw()

    def now(self) -> float:
        """Engine time as it is drawn: that of the moment when the picture was frozen."""
        frozen_at = self._screen.frozen_at
        return self._screen.model.time.now() if frozen_at is None else frozen_at

    def _freeze(self) -> None:
        """The tables and the log keep copies of what they show; the model goes on without them."""
        screen = self._screen
        screen.frozen_at = screen.model.time.now()
        for pane, table in screen.tables.items():
            rows = screen.model.rows[pane]
            table.rows = replace(rows, ids=list(rows.ids), known=dict(rows.known))
        buffer = copy(screen.model.logs)
        buffer.lines = list(buffer.lines)
        screen.logs.buffer = buffer
        screen.refresh_bars()

    def thaw(self) -> None:
        """Show the model again; whoever asks for other rows wants to see them."""
        screen = self._screen
        if screen.frozen_at is None:
            return
        screen.frozen_at = None
        for pane, table in screen.tables.items():
            table.rows = screen.model.rows[pane]
        screen.logs.buffer = screen.model.logs
        screen.model_changed(None)

    def view_words(self) -> list[Part]:
        """What the header says about the way of looking."""
        screen = self._screen
        words: list[Part] = [(" FROZEN ", "warning")] if screen.frozen_at is not None else []
        return [*words, (f" only {screen.scope.words()} ", "accent")] if screen.scope else words
