"""Text to read: styled lines, wrapped to the width, with the movement keys."""

from textual.geometry import Size
from textual.strip import Strip

from ..format import wrap
from .line_view import LineView, Part

Line = list[Part]


class TextLines(LineView):
    """A list of lines. A line of one part is wrapped; a line of several is laid out by whoever made it."""

    def __init__(self, lines: list[Line] | None = None, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._given: list[Line] = lines or []
        self._drawn: list[Line] = []
        self._width = 0

    def show(self, lines: list[Line]) -> None:
        """Show other lines; the reader stays where it is."""
        if lines != self._given:
            self._given = lines
            self._lay_out()

    def text(self) -> str:
        return "\n".join("".join(text for text, _ in line) for line in self._given)

    def on_resize(self) -> None:
        if self.room != self._width:
            self._lay_out()

    def _lay_out(self) -> None:
        self._width = self.room
        self._drawn = []
        for line in self._given:
            if len(line) == 1:
                self._drawn += [[(piece, line[0][1])] for piece in wrap(line[0][0], self._width)]
            else:
                self._drawn.append(line)
        self.virtual_size = Size(0, len(self._drawn))
        self.refresh()

    def draw(self, y: int, width: int) -> Strip:
        at = y + self.scroll_offset.y
        return self.strip_of(self._drawn[at] if at < len(self._drawn) else [], width)
