"""A list to pick from, with headings in between that the cursor passes over."""

from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.strip import Strip

from ..format import CURSOR, clean_line, fit
from .line_table import REVERSE
from .line_view import LineView


class PickList(LineView):
    """Entries are (words, key); an entry without a key is a heading."""

    class Moved(Message):
        """Another entry is under the cursor."""

    class Picked(Message):
        """An entry was double-clicked."""

    def __init__(self, entries: list[tuple[str, str]]) -> None:
        super().__init__()
        self._entries = entries
        self.cursor = next((at for at, (_, key) in enumerate(entries) if key), 0)

    @property
    def key(self) -> str:
        """The key of the entry under the cursor; "" if there is none."""
        return self._entries[self.cursor][1] if self.cursor < len(self._entries) else ""

    def offer(self, entries: list[tuple[str, str]]) -> None:
        """Show other entries; the cursor stays with its own, or near it."""
        key, self._entries = self.key, entries
        places = [at for at, (_, one) in enumerate(entries) if one]
        same = [at for at in places if entries[at][1] == key]
        self.cursor = (same or [at for at in places if at >= self.cursor] or places[-1:] or [0])[0]
        self.virtual_size = Size(0, len(entries))
        self.refresh()

    def on_mount(self) -> None:
        self.virtual_size = Size(0, len(self._entries))
        self.post_message(self.Moved())

    def move(self, by: int) -> None:
        self._go_to(self.cursor + by, 1 if by > 0 else -1)

    def action_top(self) -> None:
        self._go_to(0, 1)

    def action_end(self) -> None:
        self._go_to(len(self._entries) - 1, -1)

    def _go_to(self, wanted: int, way: int) -> None:
        places = [at for at, (_, key) in enumerate(self._entries) if key]
        beyond = [at for at in places if (at >= wanted if way > 0 else at <= wanted)]
        if places:
            self.cursor = (beyond[0] if way > 0 else beyond[-1]) if beyond else places[-1 if way > 0 else 0]
            self._reveal()
            self.refresh()
            self.post_message(self.Moved())

    def _reveal(self) -> None:
        top = self.scroll_offset.y
        heading = self.cursor - 1 if self.cursor == 1 else self.cursor
        if heading < top:
            self.jump(heading)
        elif self.cursor >= top + self.page:
            self.jump(self.cursor - self.page + 1)

    def on_click(self, event: events.Click) -> None:
        at = self.scroll_offset.y + event.y
        if at < len(self._entries) and self._entries[at][1]:
            self._go_to(at, 1)
            if event.chain == 2:
                self.post_message(self.Picked())

    def draw(self, y: int, width: int) -> Strip:
        at = y + self.scroll_offset.y
        if at >= len(self._entries):
            return self.strip_of([], width)
        words, key = self._entries[at]
        words = clean_line(words)
        if not key:
            return self.strip_of([(fit(words, width), "title")], width)
        here = at == self.cursor
        return self.strip_of([(fit(f"{CURSOR if here else ' '} {words}", width), "")], width, REVERSE if here else None)
