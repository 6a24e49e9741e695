"""The Logs pane: follows at the bottom, and never moves while somebody reads."""

from collections.abc import Callable
from typing import Any

from rich.style import Style
from rich.text import Text
from textual import events
from textual.message import Message
from textual.strip import Strip

from .. import format as f
from ..keymap import bindings, key_for
from ..loglines import LogBuffer, LogLine
from .line_view import LineView, Part
from .whole_lines import Piece, unrolled

_REVERSE = Style(reverse=True)


class LogLines(LineView):
    """The newest lines of the model's buffer. Lines are counted from the first the monitor ever saw."""

    BINDINGS = bindings("logs")

    def __init__(self, buffer: LogBuffer, words: Callable[[], str], changed: Callable[[], None]) -> None:
        super().__init__(id="logs")
        self.buffer = buffer
        self.following = True
        self.cursor = 0  # absolute: dropped lines are counted
        self._words, self._changed = words, changed
        self._read_to = 0  # the line after the last one that was there when following stopped
        self._dropped = 0
        self._own_scroll = False
        self._title = ""
        self.wrapped = False
        self._right = 0  # cells that the text is moved to the left

    class Older(Message):
        """The reader is at the first line: what is older is wanted."""

    def take_older(self, raws: list[dict[str, Any]]) -> None:
        """Lines came in front; the reader stays on the same one."""
        count = self.buffer.take_older(raws)
        self._dropped = self.buffer.dropped
        self._own_scroll = True
        self.hold(len(self.buffer.lines))
        self.jump(self.scroll_offset.y + count)
        self._own_scroll = False
        self.redraw()

    def action_error(self, step: int) -> None:
        """Go to the next error (1), or the one before (-1)."""
        at = self.buffer.error(self.cursor - self.buffer.dropped, step)
        if at is None:
            self.post_message(self.NoError(step))
            return
        self._stop()
        self.cursor = at + self.buffer.dropped
        self._reveal()
        self._changed()
        self.redraw()

    class NoError(Message):
        """There is no error in that direction, of those lines that are here."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    def action_wrap(self) -> None:
        self.wrapped, self._right = not self.wrapped, 0
        self._changed()
        self.redraw()

    def action_sideways(self, step: int) -> None:
        """Move the text by half its width, to read the end of long lines."""
        self.wrapped = False
        half = max(10, self.room // 2)
        longest = max((len(line.text) for line in self._visible()), default=0)
        self._right = max(0, min(self._right + step * half, max(0, longest - half)))
        self._changed()
        self.redraw()

    def _visible(self) -> list[LogLine]:
        top = self.scroll_offset.y
        return self.buffer.lines[top : top + self.page]

    @property
    def new(self) -> int:
        """Lines that came since following stopped."""
        return 0 if self.following else max(0, self._end - self._read_to)

    @property
    def _end(self) -> int:
        return self.buffer.dropped + len(self.buffer.lines)

    def sync(self) -> None:
        """Take over the buffer: go to its end when following, else stay on the same lines."""
        gone, self._dropped = self.buffer.dropped - self._dropped, self.buffer.dropped
        if gone < 0 or not self.buffer.lines:  # the buffer started over
            self.following, gone = True, 0
        self._scroll_as_own(gone)
        self.redraw()

    def _scroll_as_own(self, gone: int) -> None:
        self._own_scroll = True
        try:
            self.hold(len(self.buffer.lines))
            if self.following:
                self.cursor = max(0, self._end - 1)
                self.jump(max(0, len(self.buffer.lines) - self.page))
            else:
                self.cursor = max(self.cursor, self.buffer.dropped)
                if gone:
                    self.jump(self.scroll_offset.y - gone)
        finally:
            self._own_scroll = False

    def name_it(self, follow: str, scope: str, more: str = "") -> None:
        """The words in the border."""
        news = f" +{f.number(self.new)} new" if self.new else ""
        state = follow if self.following else f"paused{news} · {key_for('row.end')} follows"
        footer = f"{f.number(self.buffer.total or len(self.buffer.lines))} lines"
        if self.buffer.left_out:
            footer += f" · {f.number(self.buffer.left_out)} left out"
        footer += more
        title = f"{key_for('pane.logs')} Logs · {state}{scope}"
        title += " · wrapped" if self.wrapped else f" · → {self._right}" if self._right else ""
        if title + footer != self._title:
            self._title = title + footer
            self.border_title, self.border_subtitle = Text(title), Text(footer)

    # what the user does

    def move(self, by: int) -> None:
        self.cursor = max(self.buffer.dropped, min(self.cursor + by, self._end - 1))
        if by < 0:
            self._stop()
            if self.cursor == self.buffer.dropped and not self.buffer.at_beginning:
                self.post_message(self.Older())
        self._reveal()
        if self.cursor >= self._end - 1 and by > 0:
            self._resume()
        self.redraw()

    def action_top(self) -> None:
        self.move(-len(self.buffer.lines))

    def action_end(self) -> None:
        self._resume()

    def line(self) -> LogLine | None:
        """The line under the cursor."""
        at = self.cursor - self.buffer.dropped
        return self.buffer.lines[at] if 0 <= at < len(self.buffer.lines) else None

    def _stop(self) -> None:
        if self.following:
            self.following, self._read_to = False, self._end
            self.buffer.reads = True
            self._changed()

    def _resume(self) -> None:
        if not self.following:
            self.following = True
            self.buffer.reads = False
            self._changed()
        self.sync()

    def _reveal(self) -> None:
        at, top = self.cursor - self.buffer.dropped, self.scroll_offset.y
        self._own_scroll = True
        if at < top:
            self.jump(at)
        elif at >= top + self.page:
            self.jump(at - self.page + 1)
        self._own_scroll = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if self._own_scroll or round(old_value) == round(new_value):
            return
        if self.following and round(new_value) >= self.max_scroll_y:  # the pane grew: nobody has scrolled
            return
        if self.wrapped:  # the page is built around the cursor
            at = self.cursor + round(new_value) - round(old_value)
            self.cursor = max(self.buffer.dropped, min(at, self._end - 1))
        if new_value < old_value:
            self._stop()
            if round(new_value) == 0 and not self.buffer.at_beginning:
                self.post_message(self.Older())
        elif round(new_value) >= self.max_scroll_y and not self.following:
            self._resume()

    def on_resize(self) -> None:
        self.sync()

    def on_click(self, event: events.Click) -> None:
        inside = event.get_content_offset(self)
        if inside is not None and inside.y + self.scroll_offset.y < len(self.buffer.lines):
            self.move(self._line_at(inside.y) + self.buffer.dropped - self.cursor)

    def _line_at(self, y: int) -> int:
        if not self.wrapped:
            return self.scroll_offset.y + y
        pieces = self._pieces(self.room)
        return pieces[min(y, len(pieces) - 1)].at

    # what is drawn

    def _draw_whole(self, y: int, width: int) -> Strip:
        """A row of the page on which no line is cut; all rows of the line under the cursor are one block."""
        pieces = self._pieces(width)
        if y >= len(pieces):
            return self.strip_of([], width)
        piece = pieces[y]
        line, here = self.buffer.lines[piece.at], self._is_here(piece.at)
        (head, style), (_, text_style) = log_parts(line, width, here)
        lead = head if piece.part == 0 else " " * len(head)
        if here:
            return self.strip_of([(lead + piece.text, "")], width, _REVERSE)
        return self.strip_of([(lead, style), (piece.text, text_style)], width)

    def _pieces(self, width: int) -> list[Piece]:
        at, top = self.cursor - self.buffer.dropped, self.scroll_offset.y
        return unrolled(self.buffer.lines, top, at, self.page, width - head_width(width))

    def _is_here(self, at: int) -> bool:
        return self.has_focus and at == self.cursor - self.buffer.dropped

    def draw(self, y: int, width: int) -> Strip:
        at = y + self.scroll_offset.y
        if not self.buffer.lines:
            return self.strip_of([("  " + self._words(), "dim")] if y == self.page // 2 else [], width)
        if self.wrapped:
            return self._draw_whole(y, width)
        if at >= len(self.buffer.lines):
            return self.strip_of([], width)
        here = self._is_here(at)
        parts = log_parts(self.buffer.lines[at], width, here, self._right)
        if here:
            return self.strip_of([("".join(text for text, _ in parts), "")], width, _REVERSE)
        return self.strip_of(parts, width)


def head_width(width: int) -> int:
    """Cells in front of a line's text: where, when, request and function."""
    return 1 + 5 + (12 + 1 + 17 if width >= 90 else 8 + 1 + 13)


def log_parts(line: LogLine, width: int, here: bool = False, right: int = 0) -> list[Part]:
    """One log line laid out: time, request, function, text. Lines after an event's first stand under its text."""
    name = 16 if width >= 90 else 12
    lead = f.CURSOR if here else " "
    if line.first:
        stamp = f.clock_ms(line.at) if width >= 90 else f.clock(line.at)
        head = f"{lead}{stamp} {f.short_id(line.request_id):4} {f.fit(line.function, name)} "
    else:
        head = lead.ljust(head_width(width))
    style = "error" if line.is_error else "dim" if line.kind == "platform" else ""
    return [(head, "dim"), (f.fit(line.text[right:], max(1, width - len(head))).rstrip(), style)]
