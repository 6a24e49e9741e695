"""The main screen: seven panes, and the keys that work on all of them."""

from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.screen import Screen

from .. import format as f
from ..badge import DeadLetterBadge
from ..columns import LIVE, is_group
from ..keymap import PANE_KEYS, bindings, hints, key_for
from ..layout import LAYOUTS, NARROW, NORMAL, TINY, layout_for
from ..model import Change
from ..views import LOG_LINES, Scope, View
from ..widgets.armed_line import Armed
from ..widgets.line_table import DeadLetterTable, LineTable
from ..widgets.lines import Footer, Header, Standing, Status, Tabs
from ..widgets.log_lines import LogLines
from ..widgets.text_lines import TextLines
from ..widgets.timeline_table import TimelineTable
from ..widgets.transport import Transport
from .lab_keys import LabKeys
from .looks import Looks
from .main_keys import MainKeys
from .paint import Paint
from .words import empty_words, pane_footer, pane_title

if TYPE_CHECKING:
    from ..app import Lamtop

_ORDER = sorted(PANE_KEYS, key=lambda pane: PANE_KEYS[pane])


class MainScreen(MainKeys, LabKeys, Looks, Screen[None], inherit_bindings=False):
    """Header, panes, status line and footer. Draws from the model, and tells the link which rows it needs."""

    BINDINGS = bindings("main")
    AUTO_FOCUS = "#functions"

    def __init__(self, app: "Lamtop") -> None:
        super().__init__()
        self.model = app.model
        self.selected = ""
        self.views = {pane: View(pane) for pane in PANE_KEYS}
        self.tables = {
            pane: self._table(pane) for pane in ("queue", "inflight", "retries", "functions", "dlq", "timeline")
        }
        self.logs = LogLines(self.model.logs, lambda: empty_words(self, "logs"), self.paint_soon)
        self.scope: Scope | None = None
        self.frozen_at: float | None = None
        self.zoomed = False
        self.focused_pane = "functions"
        self.list_pane = "functions"
        self.story_pane = "logs"  # which of Logs and Timeline is shown where there is room for one
        self.badge = DeadLetterBadge()
        self._change = Change()
        self._flows = False  # whether any function was called in the last seconds
        self._sought = ""  # the request that the cursor goes to when it is shown
        self._paint = Paint(self, self._draw, self._pace)

    @property
    def lamtop(self) -> "Lamtop":
        return cast("Lamtop", self.app)

    def _table(self, pane: str) -> LineTable:
        kind = {"dlq": DeadLetterTable, "timeline": TimelineTable}.get(pane, LineTable)
        return kind(pane, self.model.rows[pane], self.now, lambda: empty_words(self, pane), self.take_selection)

    def compose(self) -> ComposeResult:
        self.add_class(layout_for(*self.app.size))  # at once: a class that comes later styles everything again
        yield Header(self.model, self.view_words)
        yield Tabs(self.model, lambda: self.focused_pane)
        with Container(id="panes"):
            yield from self.tables.values()
            yield self.logs
        yield TextLines(id="trouble")
        yield TextLines([[("lamtop needs at least 60x15: please enlarge the terminal", "warning")]], id="small")
        yield Armed(self.model)
        yield Standing(self.model)
        yield Transport(self.model, self.lamtop.go_to_part)
        yield Status(self.model, lambda: self.selected)
        yield Footer(self._hints)

    def _hints(self) -> list[tuple[str, str]]:
        replay = self.model.replay is not None
        if self.has_class("trouble"):
            return hints("main")[-2:]
        place = getattr(self.app.screen, "PLACE", "") or ("filter" if self.query("FilterLine") else "")
        if place:
            return hints(place)
        if replay:
            return hints("main", replay=True)
        return (hints(self.focused_pane) if self.focused_pane in ("dlq", "logs") else []) + hints("main")

    def on_screen_suspend(self) -> None:
        self.refresh_bars()

    def on_screen_resume(self) -> None:
        self.refresh_bars()

    # layout

    def on_resize(self, event: events.Resize) -> None:
        self.lay_out(layout_for(event.size.width, event.size.height))

    def lay_out(self, layout: str) -> None:
        """Put the panes where they belong in this layout."""
        was_tiny = self.has_class(TINY)
        classes = self.classes - {*LAYOUTS, "zoomed"} | {layout} | ({"zoomed"} if self.zoomed else set())
        if classes != self.classes:
            self.set_classes(classes)
        panes = self.query_one("#panes")
        first, second = ("dlq", "functions") if layout == NORMAL else ("functions", "dlq")
        panes.move_child(self.tables[first], before=self.tables[second])
        for pane in PANE_KEYS:
            self.query_one(f"#{pane}").display = self._is_shown(pane, layout)
        if was_tiny and layout != TINY:
            self.call_after_refresh(self.query_one(f"#{self.focused_pane}").focus)
        self.paint_soon()

    def _is_shown(self, pane: str, layout: str) -> bool:
        if self.zoomed:
            return pane == self.focused_pane
        if layout == NARROW:
            return pane in (self.list_pane, "logs")
        return layout != NORMAL or pane not in ("logs", "timeline") or pane == self.story_pane

    def rearrange(self) -> None:
        self.lay_out(layout_for(self.size.width, self.size.height))

    def focus_pane(self, pane: str) -> None:
        """Give a pane the keys; in a narrow terminal it takes the place of the list that was shown."""
        self.focused_pane = pane
        self.list_pane = self.list_pane if pane == "logs" else pane
        self.story_pane = pane if pane in ("logs", "timeline") else self.story_pane
        self.rearrange()
        self.query_one(f"#{pane}").focus()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if self.has_class(TINY):  # a pane that is not shown loses the focus to any other; nobody chose that one
            return
        if event.widget.id in PANE_KEYS and event.widget.id != self.focused_pane:
            self.focus_pane(str(event.widget.id))
        self.take_selection()
        self.refresh_bars()

    # the selected function

    def take_selection(self) -> None:
        """The function of the row somebody just went to becomes the selected one. Rows that move by
        themselves do not change it: a key must act on what its finger was aimed at."""
        before = self.selected
        row = self.tables[self.focused_pane].row() if self.focused_pane in self.tables else None
        line = None if self.logs.following else self.logs.line()
        if row is not None and not is_group(row):
            self.selected = str(row["id"] if self.focused_pane == "functions" else row["function"])
        elif self.focused_pane == "logs" and line is not None and line.function:
            self.selected = line.function
        self.tables["functions"].point_at(self.selected)
        if self.selected != before and self.frozen_at is None:
            self._draw_borders()
        self.refresh_bars()
        for table in self.tables.values():
            if not table.rows.total:
                table.refresh()  # its words name the selected function

    def _keep_selection(self) -> None:
        names = self.model.function_names()
        if not self.selected and names:
            self.selected = names[0]
        self.tables["functions"].point_at(self.selected)

    def look_for(self, request_id: str) -> None:
        """Put the cursor on a request's row as soon as it is there: in the focused pane, and in the timeline."""
        self._sought = request_id
        self.paint_soon()

    def _point_at_sought(self) -> None:
        for pane in {self.focused_pane, "timeline"} & self.tables.keys() if self._sought else ():
            for row_id in self.model.rows[pane].ids:
                row = self.model.rows[pane].known.get(row_id, {})
                if self._sought in (row_id, row.get("request_id")):
                    self.tables[pane].point_at(row_id)
        self._sought = ""

    def on_line_table_opened(self) -> None:
        self.action_inspect()

    def on_log_lines_older(self) -> None:
        self.read_older()

    def on_log_lines_no_error(self, message: LogLines.NoError) -> None:
        self.no_error(message.step)

    def on_line_table_scrolled(self) -> None:
        self.watch_windows()

    # drawing

    def model_changed(self, change: Change | None) -> None:
        """A frame came in, or (None) the connection changed."""
        if change is None:
            for pane in self.views:
                self._change.panes[pane] = None
        else:
            self._merge(change)
        if not self.selected:  # a key may follow the first row at once
            self._keep_selection()
        self.paint_soon()

    def _merge(self, change: Change) -> None:
        for pane, ids in change.panes.items():
            before = self._change.panes.get(pane, set())
            self._change.panes[pane] = None if ids is None or before is None else before | ids

    def paint_soon(self) -> None:
        self._paint.soon()

    def _draw(self) -> None:
        if self.frozen_at is not None:
            self.refresh_bars()
            return
        change, self._change = self._change, Change()
        with self.app.batch_update():
            for pane, ids in change.panes.items():
                try:
                    self._sync(pane, ids)
                except Exception as error:  # one pane must not keep the others from being drawn
                    self.lamtop.failed(error)
            self._keep_selection()
            if change.panes:
                self._point_at_sought()
            self._draw_live()
            self._draw_badge()
            self._draw_borders()
            self._draw_trouble()
            self.refresh_bars()
        self.watch_windows()

    def _sync(self, pane: str, ids: set[str] | None) -> None:
        if pane in self.tables:
            self.tables[pane].sync(ids)
        elif pane == "logs":
            self.logs.sync()

    def _draw_live(self) -> None:
        for pane in LIVE:
            if self.tables[pane].display and self.model.rows[pane].total:
                self.tables[pane].time_went_by()
        flowed, self._flows = self._flows, self.model.calls_flow()
        if flowed or self._flows:
            self.tables["functions"].time_went_by()

    def _draw_badge(self) -> None:
        """Dead letters that nobody has looked at yet; the first one rings."""
        if self.model.time.engine and self.badge.look(
            int(self.model.totals["dead_letters"]), is_seen=self.focused_pane == "dlq" or self.model.replay is not None
        ):
            self.app.bell()
        self.tables["dlq"].set_class(self.badge.new > 0, "news")

    def _draw_borders(self) -> None:
        for pane, table in self.tables.items():
            table.name_it(pane_title(self, pane), pane_footer(self, pane))
        other = f" · {key_for('pane.timeline')} timeline" if self.has_class(NORMAL) else ""
        self.logs.name_it("follow", self.views["logs"].words(), other)

    def _draw_trouble(self) -> None:
        failure = self.lamtop.link.failure
        if failure and not self.has_class("trouble"):
            self.add_class("trouble")
            head: list[list[tuple[str, str]]] = [[("The engine could not be started.", "error")], [("", "")]]
            told = [[(line, "")] for line in f.clean(failure).splitlines()]
            self.query_one("#trouble", TextLines).show(
                [*head, *told, [("", "")], [(f"Press {key_for('quit')} to quit.", "dim")]]
            )

    def refresh_bars(self) -> None:
        self.query_one(Armed).look()
        self.query_one(Standing).look()
        self.query_one(Transport).look()
        for line in ("#header", "#tabs", "#status", "#footer"):
            self.query_one(line).refresh()

    def _pace(self) -> float | None:
        """Seconds until the picture is out of date by itself; None when it never is."""
        time = self.model.time
        if not time.passes:
            return None
        if self.model.rows["inflight"].total or time.rate > 1 or self.model.replay:
            return 0.1
        soonest = self.model.totals.get("soonest_retry")
        return 0.1 if soonest and 0 < soonest - time.now() < 10 else 1.0

    # the rows that are asked for

    def watch_windows(self) -> None:
        """Tell the link which rows are visible."""
        if self.frozen_at is not None:
            return
        wishes = {pane: self.views[pane].wish(*table.window(), self.scope) for pane, table in self.tables.items()}
        wishes["logs"] = self.views["logs"].wish(0, LOG_LINES, self.scope)
        self.lamtop.link.watch(wishes)

    def set_filter(self, pane: str, text: str) -> None:
        """Look at a pane through another filter."""
        if self.views[pane].filter == text:
            return
        self.thaw()
        self.views[pane].filter = text
        if pane == "logs":
            self.model.logs.forget()
            self.logs.sync()
        else:
            self.tables[pane].action_top()
        self.watch_windows()
        self.paint_soon()
