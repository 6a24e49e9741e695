"""How often, how long, for whom: the small fields of a fault, on two lines."""

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from ..fault_draft import FaultDraft
from ..fault_kinds import takes
from .count_rate import Label

ALLOWED = {
    "percent": "how many of 100 it hits; empty: all of them",
    "count": "hits until it is over; empty: no limit",
    "lasts": "until it is over: 20s, 500ms, 5m, 1h; empty: until it is cleared",
    "delay": "how long: 2s, or 2s..5s for one in between each time",
    "payload": 'JSON that a payload has to contain, such as {"id": 13}; empty: any',
    "seed": "a number: the same one hits the same",
}
"""What may stand in each, in the order of the screen."""


class FaultFields(Vertical):
    """The texts are checked by the grammar, in the sentence that they make."""

    def __init__(self, draft: FaultDraft) -> None:
        super().__init__()
        self._given = draft

    def compose(self) -> ComposeResult:
        draft = self._given
        with Horizontal(classes="row"):
            yield Label("  percent    ")
            yield Input(draft.percent, compact=True, restrict="[0-9.%]*", max_length=6, id="percent", placeholder="100")
            yield Label("  count ")
            yield Input(draft.count, compact=True, restrict="[0-9x]*", max_length=7, id="count", placeholder="any")
            yield Label("  for ")
            yield Input(draft.lasts, compact=True, restrict="[0-9.hms]*", max_length=8, id="lasts", placeholder="ever")
            yield Label("  delay ")
            yield Input(draft.delay, compact=True, restrict="[0-9.hms+]*", max_length=16, id="delay", placeholder="–")
        with Horizontal(classes="row"):
            yield Label("  payload    ")
            yield Input(draft.payload, compact=True, max_length=1000, id="payload", placeholder="any")
            yield Label("  seed ")
            yield Input(draft.seed, compact=True, restrict="[0-9]*", max_length=9, id="seed", placeholder="0")

    def texts(self) -> dict[str, str]:
        """What stands in each field."""
        return {name: self.query_one(f"#{name}", Input).value for name in ALLOWED}

    def show(self, draft: FaultDraft) -> None:
        for name in ALLOWED:
            field = self.query_one(f"#{name}", Input)
            if field.value != getattr(draft, name):
                field.value = getattr(draft, name)
        self.fit_to(draft.kind)

    def fit_to(self, kind: str) -> None:
        """Let only those be filled in that mean something for this kind."""
        for name in ALLOWED:
            self.query_one(f"#{name}", Input).disabled = not takes(kind, name)

    def fields(self) -> list[Input]:
        """Those that take something, as they stand on the screen."""
        return [field for field in self.query(Input) if not field.disabled]
