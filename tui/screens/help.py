"""The help: the keys of the focused pane first, then those that work everywhere."""

from ..keymap import KEYS, PANE_KEYS, PANE_TITLES, Key, key_for, keys_of
from .sheet import Lines, Sheet

_ABOUT = {
    "queue": "Events that were accepted and wait: for their first try, for a place, or because a limit was reached.",
    "inflight": "What runs right now, and how much of its timeout is left. A cold start had to make its environment "
    "first. At the foot: how many run of how many that may, in the account and where concurrency is reserved.",
    "retries": "Events that failed and are tried again: about 1 minute after the first failure, 2 after the second.",
    "dlq": "Dead letters: events given up after all tries. A dropped one had no dead-letter queue to go to.",
    "logs": "What the handlers print. It follows while you are at its end; scroll up to read in peace.",
    "functions": "The functions of this project. The one under the cursor is the one that i and a act on. "
    "DLQ counts its dead letters that stand in pane 4 now; all that were ever given up are AsyncEventsDropped (enter).",
    "timeline": "All requests, the newest first, further down the whole history, on one axis that moves with the time: "
    "· queued, ‖ throttled, █ runs, ✗ failed, ▒ waits for its retry, ┄ until it is due, ✓ ended well, ■ dead.",
    "inspector": "The life of one request: who called, each wait with its reason, each attempt, the end.",
    "form": "What is typed is kept for its function when the form is left; i, a and b send it without the form.",
}
_COLUMNS = {
    "queue": (("TRY", "which attempt it waits for, and how many it has"),),
    "inflight": (
        ("TRY", "which attempt runs, of how many; sync: somebody waits for the answer"),
        ("TIMEOUT", "how much of it is used, and how long is left"),
        ("START", "cold: a new environment was started for it"),
        ("CODE", "the save of the code it runs: v1, v2, …"),
    ),
    "retries": (("TRY", "which attempt comes next, of how many"), ("WAIT", "how much of the wait is left")),
    "dlq": (("CONDITION", "the rule that ended it, as in the record on AWS"),),
    "functions": (
        ("CALLS ERR", "attempts that ran, and those that failed"),
        ("RATE", "calls in each of the last seconds"),
        ("P50 P99", "half of the calls, and 99 of 100, were no slower than this"),
        ("RUN", "executions now, of the reserved concurrency (∞: none is set)"),
        ("WAIT", "its events that wait: for a place, for a limit, for a retry"),
        ("COLD", "cold starts"),
        ("CODE", "how often it was loaded: v2 after the first save"),
        ("COST", "of all its calls at AWS's prices; PER 1M: of a million such calls"),
        ("WAITED", "part of the cost for which it only waited for another function"),
    ),
}
_OTHERS = {"inspector": "This request", "form": "Invoke form"}


_REPLAY = "Nothing runs and nothing is written. Narrowed to a request or function, and in the life of a request, \
previous, next and failure are its own."


class HelpScreen(Sheet):
    def __init__(self, place: str) -> None:
        super().__init__()
        self._place = place

    def title_words(self) -> str:
        return "keys"

    def lines(self) -> Lines:
        pane = PANE_TITLES.get(self._place) or _OTHERS[self._place]
        replay = self.lamtop.model.replay is not None
        lines: Lines = []
        if replay:
            lines += [[("This replay", "title")], [(_REPLAY, "dim")], *map(_line, KEYS["replay"]), [("", "")]]
        lines += [[(pane, "title")], [(_ABOUT[self._place], "dim")]]
        own, main = self._keys(self._place), self._keys("main")
        for key in own:
            if not key.id.startswith("inspector.call."):
                lines.append(_line(key))
        if self._place == "inspector":
            lines.append([("  1 to 9          ", "accent"), ("go to one of the calls that this request made", "")])
        lines += [[(f"  {title:16}", "title"), (words, "")] for title, words in _COLUMNS.get(self._place, ())]
        if self._place in PANE_KEYS:
            digits = next(at for at, key in enumerate(main) if key.id in _PANE_IDS)
            lines += [[("", "")], [("Every pane", "title")], *map(_line, main[:digits]), _panes()]
            lines += [_line(key) for key in main[digits:] if key.id not in _PANE_IDS]
        lines += map(_line, KEYS["everywhere"])
        return [*lines, [("", "")], [("Lists and texts", "title")], *map(_line, KEYS["rows"])]

    def _keys(self, place: str) -> list[Key]:
        """Without those of the replay, which stand by themselves."""
        replay = self.lamtop.model.replay is not None
        found = keys_of(place, replay=replay) if place in KEYS else []
        return [key for key in found if key not in KEYS["replay"]]


_PANE_IDS = {f"pane.{pane}" for pane in PANE_KEYS}


def _panes() -> list[tuple[str, str]]:
    keys = " ".join(key_for(f"pane.{pane}") for pane in PANE_KEYS)
    return [(f"  {keys:16}", "accent"), ("go to a pane; the same key again zooms it", "")]


def _line(key: Key) -> list[tuple[str, str]]:
    return [(f"  {key.shown:16}", "accent"), (key.does, "")]
