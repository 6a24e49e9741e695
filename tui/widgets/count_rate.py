"""How many events, and how many a second: two small fields on one line."""

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input

from ..burst import count_trouble
from .choice import LABEL
from .line_view import OneLine, Part

ALLOWED = "1 to 10,000 · per second 0.1 to 1,000, or empty"


class Label(OneLine):
    """Words before a field; as wide as they are."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words
        self.styles.width = len(words)

    def left(self) -> list[Part]:
        return [(self._words, "dim")]


class CountRate(Horizontal):
    """The texts are checked when they are used: `trouble` says what is wrong with them."""

    def __init__(self, count: str, rate: str) -> None:
        super().__init__()
        self._given = count, rate

    def compose(self) -> ComposeResult:
        count, rate = self._given
        yield Label(f"  {'events':{LABEL}}")
        yield Input(count, compact=True, restrict="[0-9]*", max_length=5, id="count")
        yield Label("  per second ")
        yield Input(rate, compact=True, restrict="[0-9.]*", max_length=5, id="rate", placeholder="max")

    @property
    def count(self) -> str:
        return self.query_one("#count", Input).value

    @property
    def rate(self) -> str:
        return self.query_one("#rate", Input).value

    def show(self, count: str, rate: str) -> None:
        self.query_one("#count", Input).value = count
        self.query_one("#rate", Input).value = rate

    def trouble(self) -> str:
        """What is wrong with the fields; "" if nothing is."""
        return count_trouble(self.count, self.rate)

    def numbers(self) -> tuple[int, float | None]:
        """How many, and how many a second (None: as fast as it goes). Only if there is no trouble."""
        return int(self.count), float(self.rate) if self.rate else None
