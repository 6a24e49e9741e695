"""Text to read: styled lines, wrapped to the width, with the movement keys."""

from rich.cells import cell_len
from textual.geometry import Size
from textual.strip import Strip

from ..format import wrap
from .line_view import LineView, Part

Line = list[Part]


class TextLines(LineView):
    """A list of lines. What does not fit is wrapped: of a line of several parts the last one, under its own start."""

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
            self._drawn += wrapped(line, self._width) if self._width > 0 else [line]  # no width yet: about as many
        self.virtual_size = Size(0, len(self._drawn))
        self.refresh()

    def draw(self, y: int, width: int) -> Strip:
        at = y + self.scroll_offset.y
        return self.strip_of(self._drawn[at] if at < len(self._drawn) else [], width)


def wrapped(line: Line, width: int) -> list[Line]:
    """The line, or its last part in pieces, each as wide as there is room."""
    *head, (text, style) = line
    indent = sum(cell_len(part) for part, _ in head)
    if indent and indent + cell_len(text) <= width:
        return [line]
    pieces = wrap(text, max(10, width - indent))
    return [[*head, (pieces[0], style)], *([(" " * indent, ""), (piece, style)] for piece in pieces[1:])]
