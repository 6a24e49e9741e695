"""The kinds of fault in two columns; a letter takes one."""

from textual import events
from textual.message import Message
from textual.strip import Strip

from ..fault_kinds import KINDS
from ..format import CURSOR, fit
from ..keymap import bindings
from .line_view import Part, Styled

_ROWS = (len(KINDS) + 1) // 2
_WORD = 12


class KindGrid(Styled, can_focus=True, inherit_bindings=False):
    """`at` is the place of the kind that is taken."""

    BINDINGS = bindings("kinds")

    class Changed(Message):
        """Another kind was taken."""

    class Preset(Message):
        """A digit was pressed."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.at = next(at for at, one in enumerate(KINDS) if one.word == kind)

    @property
    def kind(self) -> str:
        return KINDS[self.at].word

    def show(self, kind: str) -> None:
        """Take a kind without a word to anybody."""
        self.at = next(at for at, one in enumerate(KINDS) if one.word == kind)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        half = width // 2
        return Strip.join([self._cell(y, half), self._cell(y + _ROWS, width - half)])

    def _cell(self, at: int, width: int) -> Strip:
        if at >= len(KINDS):
            return self.strip_of([], width)
        one, here = KINDS[at], at == self.at
        lead = f"{CURSOR if here else ' '} "
        word = "title" if here else ""
        parts: list[Part] = [(lead, "accent"), (f"{one.letter} ", "accent"), (f"{one.word:{_WORD}}", word)]
        return self.strip_of([*parts, (fit(one.brief, max(0, width - _WORD - 5)), word or "dim")], width)

    def on_key(self, event: events.Key) -> None:
        if event.character and event.character.isdigit():
            event.stop()
            self.post_message(self.Preset(int(event.character)))
            return
        found = [at for at, one in enumerate(KINDS) if one.letter == event.character]
        if found:
            event.stop()
            self._take(found[0])

    def on_click(self, event: events.Click) -> None:
        at = event.y + (_ROWS if event.x >= self.size.width // 2 else 0)
        if at < len(KINDS):
            self._take(at)

    def action_step(self, by: int) -> None:
        self._take((self.at + by) % len(KINDS))

    def action_across(self, by: int) -> None:
        self._take((self.at + by * _ROWS) % len(KINDS))

    def _take(self, at: int) -> None:
        if at != self.at:
            self.at = at
            self.refresh()
            self.post_message(self.Changed())
