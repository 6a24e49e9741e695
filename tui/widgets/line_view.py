"""The base of every live view: draws itself line by line from plain text, and never takes the program down."""

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.dom import DOMNode
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from ..alarm import ring
from ..format import clean, fit
from ..keymap import bindings

if TYPE_CHECKING:
    from ..app import Lamtop

Part = tuple[str, str]


class Styled(Widget):
    """Names for the styles of text; theme.tcss says what they look like."""

    def __init__(self, *children: Widget, **named: Any) -> None:
        self._known: dict[str, Style] = {}
        super().__init__(*children, **named)

    def style(self, name: str) -> Style:
        """The style of this name; of "" the widget's own. Kept, because Textual works it out anew for each picture.

        No component class of Textual's: it would work out all names for each view, at each change of a focus, and that
        took a fifth of the time of a start. Raises KeyError for a name that theme.tcss has not.
        """
        if name not in self._known:
            self._known[name] = self._from_theme(name) if name else self.rich_style
        return self._known[name]

    def _from_theme(self, name: str) -> Style:
        node = DOMNode(classes=f"line--{name}")
        node._attach(self)
        self.app.stylesheet.apply(node)
        if not node.styles.base.get_rules():
            raise KeyError(name)
        return node.rich_style

    def notify_style_update(self) -> None:
        self._known.clear()
        super().notify_style_update()

    def strip_of(self, parts: Iterable[Part], width: int, over: Style | None = None) -> Strip:
        """Parts of text as one line of exactly `width` cells, each in its style, `over` on top of all."""
        plain = self.style("")
        base = plain + over if over else plain
        styles = [(text, self.style(name)) for text, name in parts]
        segments = [Segment(text, style + over if over else style) for text, style in styles]
        return Strip(segments).adjust_cell_length(width, base)

    def broken(self, error: Exception, width: int) -> Strip:
        """What stands where a line could not be drawn."""
        said = clean(f"cannot draw this line: {type(error).__name__}: {error}").replace("\n", " ")
        return Strip([Segment(fit(said, width), self.rich_style)])


class OneLine(Styled):
    """A line of its own: something at the left, something at the right that is never cut."""

    def left(self) -> list[Part]:
        return []

    def right(self) -> list[Part]:
        return []

    def render_line(self, y: int) -> Strip:  # noqa: ARG002 - there is only one line
        width = self.size.width
        try:
            right = self.right()
            room = max(0, width - sum(cell_len(text) for text, _ in right))
            return Strip.join([self.strip_of(self.left(), room), self.strip_of(right, width - room)])
        except Exception as error:  # a line that cannot be drawn must not end the program
            return self.broken(error, width)


class LineView(ScrollView, Styled, can_focus=True, inherit_bindings=False):
    """A list of lines with the movement keys. Subclasses draw line `y` of what is visible in `draw`."""

    BINDINGS = bindings("rows")
    _leaving: asyncio.TimerHandle | None = None

    def draw(self, y: int, width: int) -> Strip:
        raise NotImplementedError

    @property
    def room(self) -> int:
        """Cells of a line, the scrollbar taken off."""
        return self.scrollable_content_region.width

    def render_line(self, y: int) -> Strip:
        width = self.room
        try:
            return self.draw(y, width)
        except Exception as error:  # one broken row must leave the others readable
            return self.broken(error, width)

    @property
    def page(self) -> int:
        """Lines that are visible at once."""
        return max(1, self.size.height)

    def hold(self, count: int) -> None:
        """There are so many lines now. A scrollbar is a layout of the whole screen: it comes when it is needed, but
        goes only when it has not been for a while, because some panes are full and empty ten times a second."""
        room, shown = self.container_size.height, self.show_vertical_scrollbar
        if not room or (count > room and not shown):
            self.virtual_size = Size(0, count)
        elif count != self.virtual_size.height:
            self._hold_quietly(count)
        if room and shown and count <= room and self._leaving is None:
            self._leaving = ring(self, cast("Lamtop", self.app).pace.bar, self._let_bar_go)
        elif count > room and self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None

    def _hold_quietly(self, count: int) -> None:
        self.set_reactive(ScrollView.virtual_size, Size(0, count))
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = count
        self.scroll_y = self.validate_scroll_y(self.scroll_y)

    def _let_bar_go(self) -> None:
        self._leaving = None
        size = self.virtual_size
        self.set_reactive(ScrollView.virtual_size, Size(0, 0))
        self.virtual_size = size

    def redraw(self) -> None:
        """Draw every line again, but not the border around them."""
        self.refresh(Region(0, 0, self.room, self.page))

    def move(self, by: int) -> None:
        """Go `by` lines down (negative: up)."""
        self.jump(self.scroll_offset.y + by)

    def jump(self, y: int) -> None:
        """Scroll so that line `y` is the first that is visible."""
        self.scroll_to(y=max(0, y), animate=False, immediate=True, force=True)

    def action_down(self) -> None:
        self.move(1)

    def action_up(self) -> None:
        self.move(-1)

    def action_page(self, direction: int) -> None:
        self.move(direction * max(1, self.page - 1))

    def action_half(self, direction: int) -> None:
        self.move(direction * max(1, self.page // 2))

    def action_top(self) -> None:
        self.jump(0)

    def action_end(self) -> None:
        self.jump(int(self.max_scroll_y))
