"""A table that draws only what is visible, from the model's window of rows. The cursor follows a row, not a place."""

from collections.abc import Callable

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from ..columns import COLUMNS, Column, Row, is_group, laid_out
from ..format import CURSOR, MARK, fit, wrap
from ..keymap import bindings
from ..model import PaneRows
from .line_view import LineView, Part

_MARGIN = 20  # rows asked for above and below what is visible, so that scrolling does not show holes
_MOST = 500  # rows an engine gives at once
REVERSE = Style(reverse=True)


class LineTable(LineView):
    """One pane of rows. `words` says what an empty pane tells, `now` is engine time. `moved` is called at once when
    the user goes to another row: the next key may already be waiting, and must act on that row."""

    class Scrolled(Message):
        """Other rows are visible: the window may have to move."""

    class Opened(Message):
        """A row was double-clicked."""

    def __init__(
        self,
        pane: str,
        rows: PaneRows,
        now: Callable[[], float],
        words: Callable[[], str],
        moved: Callable[[], None],
    ) -> None:
        super().__init__(id=pane)
        self._moved = moved
        self.pane, self.rows = pane, rows
        self._now, self._words = now, words
        self.cursor = 0
        self.cursor_id: str | None = None
        self.marks: set[str] = set()
        self._layout: list[tuple[Column, int]] = []
        self._layout_width = -1
        self._columns: tuple[Column, ...] = ()
        self._header: str | None = None
        self._footer: str | None = None

    # what the model says

    def sync(self, changed: set[str] | None) -> None:
        """Take over the model's rows: repaint the changed ones, or all if the order changed (None)."""
        if changed is None:
            self._follow()
            self.hold(self.rows.total + 1)
            self.redraw()
            return
        first = self.scroll_offset.y - 1
        for row_id in changed:
            index = self.rows.index_of(row_id)
            if index is not None and 1 <= index - first <= self.page:
                self.refresh(Region(0, index - first, self.room, 1))

    def _follow(self) -> None:
        index = None if self.is_resting() or self.cursor_id is None else self.rows.index_of(self.cursor_id)
        visible = 0 <= self.cursor - self.scroll_offset.y < self.page - 1
        self.cursor = self.cursor if index is None else index
        self.cursor = max(0, min(self.cursor, self.rows.total - 1))
        row = self.rows.at(self.cursor)
        if row is not None:
            self.cursor_id = row["id"]
        elif not self.rows.total:
            self.cursor_id = None
        if self.marks:
            self.marks &= set(self.rows.known)
        if visible and index is not None:
            self.call_after_refresh(self._reveal)

    def is_resting(self) -> bool:
        """Whether the cursor stays at the top although rows come in there."""
        return self.cursor == 0 and not self.has_focus

    def time_went_by(self) -> None:
        """Draw what changes by itself."""
        self.redraw()

    def row(self) -> Row | None:
        """The row under the cursor."""
        return self.rows.at(self.cursor)

    def point_at(self, row_id: str) -> None:
        """Put the cursor on a row, if it is in the window."""
        index = self.rows.index_of(row_id)
        if index is not None and row_id != self.cursor_id:
            self.cursor, self.cursor_id = index, row_id
            self._reveal()
            self.redraw()

    def window(self) -> tuple[int, int]:
        """Offset and limit that cover what is visible and a margin."""
        offset = max(0, self.scroll_offset.y - _MARGIN)
        offset -= offset % 10  # a window moves in steps: not every line scrolled is a new subscription
        return offset, min(_MOST, self.page + 2 * _MARGIN + 10)

    def name_it(self, title: list[Part], footer: str) -> None:
        """The words in the border, above and below."""
        header = "".join(text for text, _ in title)
        if header != self._header:
            self._header = header
            self.border_title = Text.assemble(*title)
        if footer != self._footer:
            self._footer = footer
            self.border_subtitle = Text(footer)

    # what the user does

    def move(self, by: int) -> None:
        self.go_to(self.cursor + by)

    def go_to(self, index: int) -> None:
        """Put the cursor on the row at a position of the whole list."""
        self.cursor = max(0, min(index, self.rows.total - 1))
        row = self.row()
        self.cursor_id = row["id"] if row else None
        self._reveal()
        self.redraw()
        self._moved()

    def action_top(self) -> None:
        self.go_to(0)

    def action_end(self) -> None:
        self.go_to(self.rows.total - 1)

    def toggle_mark(self) -> None:
        """Mark the row under the cursor, or take its mark away, and go on to the next."""
        row = self.row()
        if row is not None:
            self.marks ^= {row["id"]}
            self.move(1)

    def _reveal(self) -> None:
        top, rows = self.scroll_offset.y, max(1, self.page - 1)
        if self.cursor < top:
            self.jump(self.cursor)
        elif self.cursor >= top + rows:
            self.jump(self.cursor - rows + 1)

    def on_click(self, event: events.Click) -> None:
        if event.y >= 1:
            inside = event.get_content_offset(self)
            index = self.scroll_offset.y + (inside.y if inside else 0) - 1
            if 0 <= index < self.rows.total:
                self.go_to(index)
                if event.chain == 2:
                    self.post_message(self.Opened())

    def on_resize(self) -> None:
        self.post_message(self.Scrolled())

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self.post_message(self.Scrolled())

    # what is drawn

    def columns(self) -> tuple[Column, ...]:
        """The columns of the rows that are there now."""
        return COLUMNS[self.pane]

    def _lay_out(self, width: int) -> None:
        columns = self.columns()
        if (width, columns) != (self._layout_width, self._columns):
            self._layout = laid_out(columns, self.columns_room(width))
            self._layout_width, self._columns = width, columns

    def draw(self, y: int, width: int) -> Strip:
        self._lay_out(width)
        if y == 0:
            titles = "  " + self._join([c.title for c, _ in self._layout])
            return self.strip_of([(titles + " ", "dim"), *self.beside(None, width)], width)
        if not self.rows.total:
            return self._draw_words(y, width)
        index = self.scroll_offset.y + y - 1
        row = self.rows.at(index)
        if row is None:
            return self.strip_of([("  …", "dim")] if index < self.rows.total else [], width)
        here = index == self.cursor
        parts, beside = [self._lead(row, here), *self._cells(row)], self.beside(row, width)
        if here and self.has_focus:  # one block: a bar of many colours is hard to read
            words = "".join(text for text, _ in parts)
            room = cell_len(words) if beside else width
            bar = self.strip_of([(words, "")], room, REVERSE)
            return Strip.join([bar, self.strip_of(beside, width - room)])
        return self.strip_of([*parts, *beside], width)

    def columns_room(self, width: int) -> int:
        """Cells of a line that the columns have."""
        return width - 2

    def beside(self, row: Row | None, width: int) -> list[Part]:  # noqa: ARG002 - for tables with more than columns
        """What stands behind the columns of a row, or (None) of the titles."""
        return []

    def _lead(self, row: Row, here: bool) -> Part:
        if row["id"] in self.marks:
            return f"{MARK} ", "accent"
        return (f"{CURSOR} " if here and (self.has_focus or self.pane == "functions") else "  "), ""

    def _cells(self, row: Row) -> list[Part]:
        now = self._now()
        parts: list[Part] = []
        for column, width in self._layout:
            text, style = column.show(row, now, width)
            parts.append((self._pad(column, text, width) + " ", style))
        return parts

    def _join(self, titles: list[str]) -> str:
        cells = zip(self._layout, titles, strict=True)
        return " ".join(self._pad(column, title, width) for (column, width), title in cells)

    def _pad(self, column: Column, text: str, width: int) -> str:
        return text.rjust(width) if column.right and len(text) <= width else fit(text, width)

    def _draw_words(self, y: int, width: int) -> Strip:
        lines = _wrapped_words(self._words(), width - 4)
        at = y - max(1, (self.page - len(lines)) // 2)
        return self.strip_of([("  " + lines[at], "dim")] if 0 <= at < len(lines) else [], width)


class DeadLetterTable(LineTable):
    """The pane of the dead letters has keys of its own."""

    BINDINGS = bindings("dlq")

    def columns(self) -> tuple[Column, ...]:
        first = next(iter(self.rows.window()), None)
        return COLUMNS["dlq by error" if first and is_group(first) else "dlq"]


def _wrapped_words(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] += (" " if lines[-1] else "") + word
    return [piece for line in lines for piece in wrap(line, width)]
