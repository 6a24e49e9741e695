"""What the keys of the main screen do."""

from functools import partial
from typing import TYPE_CHECKING, cast

from ..columns import is_group
from ..keymap import PANE_KEYS
from ..timeline import LIVE
from ..wishes import Outcome
from .dead_letter_keys import DeadLetterKeys
from .log_keys import LogKeys

if TYPE_CHECKING:
    from ..app import Lamtop
    from .main import MainScreen

_UNDER_WAY = ("queue", "inflight", "retries", "timeline")
_ORDER = sorted(PANE_KEYS, key=lambda pane: PANE_KEYS[pane])


class MainKeys(DeadLetterKeys, LogKeys):
    """The actions, apart from the layout and drawing they act on."""

    @property
    def _main(self) -> "MainScreen":
        return cast("MainScreen", self)

    @property
    def _app(self) -> "Lamtop":
        return self._main.lamtop

    # panes

    def action_pane(self, pane: str) -> None:
        if self._main.focused_pane == pane:
            self.action_zoom()
        else:
            self._main.focus_pane(pane)

    def action_next_pane(self, step: int) -> None:
        at = _ORDER.index(self._main.focused_pane)
        self._main.focus_pane(_ORDER[(at + step) % len(_ORDER)])

    def action_zoom(self) -> None:
        self._main.zoomed = not self._main.zoomed
        self._main.rearrange()

    def action_overview(self) -> None:
        self._main.zoomed = False
        self._main.look_at(None)
        for pane, view in self._main.views.items():
            self._main.set_filter(pane, "")
            view.by_error, view.error = False, None
        self.set_level("")
        self._main.rearrange()

    def action_back(self) -> None:
        main = self._main
        table = main.tables.get(main.focused_pane)
        if table is not None and table.marks:
            table.marks.clear()
            table.refresh()
        elif self.close_group() or (main.focused_pane == "logs" and self.set_level("")):
            return
        elif main.views[main.focused_pane].filter:
            main.set_filter(main.focused_pane, "")
        elif main.scope:
            main.look_at(None)
        elif main.zoomed:
            self.action_zoom()
        main.paint_soon()

    # order and filter

    def action_sort(self) -> None:
        if self._main.focused_pane != "logs":
            self._main.views[self._main.focused_pane].next_sort()
            self._reordered()

    def action_reverse(self) -> None:
        if self._main.focused_pane != "logs":
            view = self._main.views[self._main.focused_pane]
            view.descending = not view.descending
            self._reordered()

    def _reordered(self) -> None:
        self._main.thaw()
        self._main.watch_windows()
        self._main.paint_soon()

    async def action_filter(self) -> None:
        from ..widgets.filter_line import FilterLine

        if not self._main.query("FilterLine"):
            line = FilterLine(self._main.focused_pane, self._main.views[self._main.focused_pane].filter)
            await self._main.mount(line, before="#status")

    # functions

    def action_invoke(self) -> None:
        from .result import ResultScreen

        function = self._wanted()
        if function:
            outcome = Outcome(function, self._app.wishes.payload(function))
            self._app.begin(partial(self._app.wishes.invoke, outcome))
            self._app.push_screen(ResultScreen(outcome))

    def action_send(self) -> None:
        function = self._wanted()
        if function:
            self._app.begin(partial(self._app.wishes.send, function))

    def action_form(self) -> None:
        if self.edit_dead_letter():
            return
        from .invoke import InvokeScreen

        function = self._wanted()
        if function:
            self._app.push_screen(InvokeScreen(function))

    def action_burst(self) -> None:
        from .ask import AskScreen
        from .burst import BurstScreen

        burst, function = self._app.wishes.burst, self._wanted()

        def answered(yes: bool | None) -> None:
            if yes and burst is not None:
                burst.stop()

        if burst is not None:
            self._app.push_screen(AskScreen(f"Stop the burst of {burst.count:,} to {burst.target}?"), answered)
        elif function:
            self._app.push_screen(BurstScreen(function))

    def _wanted(self) -> str:
        if not self._main.selected:
            self._app.wishes.say("warning", "no function is selected")
        return self._main.selected

    def action_reload(self) -> None:
        self._app.begin(self._app.wishes.reload)

    def action_pause(self) -> None:
        self._app.begin(self._app.wishes.pause_or_resume)

    # rows

    def request_id(self) -> str:
        """The request of the row under the cursor; "" where there is none."""
        main = self._main
        if main.focused_pane == "logs":
            line = main.logs.line()
            return line.request_id if line else ""
        row = main.tables[main.focused_pane].row()
        if row is None or main.focused_pane == "functions" or is_group(row):
            return ""
        return str(row.get("request_id") or row["id"])

    def aim(self) -> tuple[str, str]:
        """What a fault would be aimed at: the selected function, and the request under the cursor if it goes on."""
        main = self._main
        row = main.tables[main.focused_pane].row() if main.focused_pane in _UNDER_WAY else None
        goes_on = row is not None and row.get("state", "queued") in LIVE
        return main.selected, self.request_id() if goes_on else ""

    def action_inspect(self) -> None:
        if self.open_group():
            return
        request_id = self.request_id()
        if request_id:
            from .inspector import InspectorScreen

            self._app.push_screen(InspectorScreen(request_id))
        elif self._main.focused_pane == "functions" and self._main.selected:
            from .function import FunctionScreen

            self._app.push_screen(FunctionScreen(self._main.selected))

    def action_copy(self) -> None:
        text = self.request_id() or (self._main.selected if self._main.focused_pane == "functions" else "")
        if text:
            self._app.copy_to_clipboard(text)
            self._app.wishes.say("info", f"copied {text}")

    def action_notices(self) -> None:
        from .notices import NoticesScreen

        self._app.push_screen(NoticesScreen())

    def action_palette(self) -> None:
        from .palette import open_palette

        open_palette(self._app, self._main, self._main.focused_pane)

    def action_theme(self) -> None:
        self._app.next_theme()

    def action_help(self) -> None:
        from .help import HelpScreen

        self._app.push_screen(HelpScreen(self._main.focused_pane))

    def action_quit(self) -> None:
        self._app.leave()
