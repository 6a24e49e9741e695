"""One line to choose from: all options side by side, or one at a time with how many there are."""

from textual import events
from textual.message import Message

from ..format import fit
from ..keymap import bindings
from .line_view import OneLine, Part

Options = list[tuple[str, str]]
LABEL = 11


class Choice(OneLine, can_focus=True, inherit_bindings=False):
    """The arrow keys go through the options (value, words); a letter goes to the next that begins with it."""

    BINDINGS = bindings("choice")

    class Changed(Message):
        """Somebody chose something else."""

    class Submitted(Message):
        """Enter was pressed."""

    def __init__(self, label: str, options: Options, value: str, *, spread: bool = False, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._label, self._options, self._spread = label, options, spread
        self.value = value

    def offer(self, options: Options, value: str) -> None:
        """Offer other options; the first if the value is not among them."""
        self._options = options
        self.value = value if value in [one for one, _ in options] else options[0][0]
        self.refresh()

    def left(self) -> list[Part]:
        mark = "> " if self.has_focus else "  "
        label: list[Part] = [(mark, "accent"), (f"{self._label:{LABEL}}", "title" if self.has_focus else "dim")]
        return [*label, *(self._all() if self._spread else self._one())]

    def _all(self) -> list[Part]:
        parts: list[Part] = []
        for value, words in self._options:
            here = value == self.value
            parts.append((f"[{words}]" if here else f" {words} ", "title" if here else "dim"))
        return parts

    def _one(self) -> list[Part]:
        count = f" {self._at() + 1} of {len(self._options)}" if len(self._options) > 1 else ""
        words = fit(dict(self._options)[self.value], max(8, self.size.width - LABEL - len(count) - 8)).rstrip()
        return [("‹ ", "dim"), (words, "title"), (" ›", "dim"), (count, "dim")]

    def _at(self) -> int:
        return [value for value, _ in self._options].index(self.value)

    def action_step(self, by: int) -> None:
        self._take((self._at() + by) % len(self._options))

    def action_submit(self) -> None:
        self.post_message(self.Submitted())

    def on_click(self) -> None:
        self.action_step(1)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def on_key(self, event: events.Key) -> None:
        if event.is_printable and event.character:
            event.stop()
            at, count = self._at(), len(self._options)
            ways = [(at + step) % count for step in range(1, count + 1)]
            wanted = event.character.lower()
            self._take(next((way for way in ways if self._options[way][1].lower().startswith(wanted)), at))

    def _take(self, at: int) -> None:
        if self._options[at][0] != self.value:
            self.value = self._options[at][0]
            self.refresh()
            self.post_message(self.Changed())
