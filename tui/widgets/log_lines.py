"""The Logs pane: follows at the bottom, and never moves while somebody reads."""

from collections.abc import Callable

from rich.style import Style
from rich.text import Text
from textual import events
from textual.geometry import Size
from textual.strip import Strip

from .. import format as f
from ..keymap import key_for
from ..loglines import LogBuffer, LogLine
from .line_view import LineView, Part

_REVERSE = Style(reverse=True)


class LogLines(LineView):
    """The newest lines of the model's buffer. Lines are counted from the first the monitor ever saw."""

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
        self.refresh()

    def _scroll_as_own(self, gone: int) -> None:
        self._own_scroll = True
        try:
            self.virtual_size = Size(0, len(self.buffer.lines))
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
        state = follow if self.following else f"paused +{f.number(self.new)} new · {key_for('row.end')} follows"
        footer = f"{f.number(self.buffer.total or len(self.buffer.lines))} lines"
        if self.buffer.left_out:
            footer += f" · {f.number(self.buffer.left_out)} left out"
        footer += more
        title = f"{key_for('pane.logs')} Logs · {state}{scope}"
        if title + footer != self._title:
            self._title = title + footer
            self.border_title, self.border_subtitle = Text(title), Text(footer)

    # what the user does

    def move(self, by: int) -> None:
        self.cursor = max(self.buffer.dropped, min(self.cursor + by, self._end - 1))
        if by < 0:
            self._stop()
        self._reveal()
        if self.cursor >= self._end - 1 and by > 0:
            self._resume()
        self.refresh()

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
            self._changed()

    def _resume(self) -> None:
        if not self.following:
            self.following = True
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
        if new_value < old_value:
            self._stop()
        elif round(new_value) >= self.max_scroll_y and not self.following:
            self._resume()

    def on_resize(self) -> None:
        self.sync()

    def on_click(self, event: events.Click) -> None:
        inside = event.get_content_offset(self)
        if inside is not None and inside.y + self.scroll_offset.y < len(self.buffer.lines):
            at = self.buffer.dropped + self.scroll_offset.y + inside.y
            self.move(at - self.cursor)

    # what is drawn

    def draw(self, y: int, width: int) -> Strip:
        at = y + self.scroll_offset.y
        if not self.buffer.lines:
            return self.strip_of([("  " + self._words(), "dim")] if y == self.page // 2 else [], width)
        if at >= len(self.buffer.lines):
            return self.strip_of([], width)
        here = self.has_focus and at == self.cursor - self.buffer.dropped
        parts = log_parts(self.buffer.lines[at], width, here)
        if here:
            return self.strip_of([("".join(text for text, _ in parts), "")], width, _REVERSE)
        return self.strip_of(parts, width)


def log_parts(line: LogLine, width: int, here: bool = False) -> list[Part]:
    """One log line laid out: time, request, function, text. Lines after an event's first stand under its text."""
    name = 16 if width >= 90 else 12
    lead = f.CURSOR if here else " "
    if line.first:
        stamp = f.clock_ms(line.at) if width >= 90 else f.clock(line.at)
        head = f"{lead}{stamp} {f.short_id(line.request_id):4} {f.fit(line.function, name)} "
    else:
        head = f"{lead}{'':{(12 if width >= 90 else 8) + 1 + 5 + name}} "
    style = "error" if line.is_error else "dim" if line.kind == "platform" else ""
    return [(head, "dim"), (f.fit(line.text, max(1, width - len(head))).rstrip(), style)]
