"""What the panes say about themselves: titles, borders, and what an empty one tells to do next."""

from typing import TYPE_CHECKING, Any

from .. import format as f
from ..gauges import gauge_words
from ..keymap import PANE_TITLES, key_for

if TYPE_CHECKING:
    from .main import MainScreen

_EMPTY = {
    "queue": "Nothing queued. Press {key[invoke.async]} to send an event to {name}, {key[invoke.burst]} to send many.",
    "inflight": "Nothing running. Press {key[invoke.sync]} to invoke {name}.",
    "retries": "No retries. An asynchronous event that fails waits here, about 1 minute, then 2.",
    "dlq": "No dead letters. An event that fails 3 times ends here.",
    "logs": "No log lines yet. Press {key[invoke.sync]} to invoke {name}.",
    "timeline": "No requests yet. Press {key[invoke.sync]} to invoke {name}, {key[invoke.async]} to send it an event.",
    "functions": "No functions. Name a template.yaml, a folder or a .py file: lamtop PATH",
}

_EMPTY_IN_REPLAY = {
    "queue": "Nothing was queued.",
    "inflight": "Nothing was running.",
    "retries": "Nothing waited for a retry.",
    "dlq": "There was no dead letter.",
    "logs": "No line was printed yet. {key[replay.next]} goes to what happens next.",
    "timeline": "No request had come yet. {key[replay.next]} goes to the first.",
    "functions": "No function is on record.",
}


class _Keys:
    def __getitem__(self, key_id: str) -> str:
        return key_for(key_id)


def empty_words(screen: "MainScreen", pane: str) -> str:
    """What stands in a pane without rows."""
    if not screen.model.connected:
        return screen.model.link if pane == screen.focused_pane else ""
    if screen.views[pane].filter:
        return f"Nothing matches /{screen.views[pane].filter}. Press {key_for('back')} to clear the filter."
    if screen.scope:
        return f"Nothing of {screen.scope.words()} here. Press {key_for('scope')} to see all again."
    if pane == "queue" and screen.model.totals.get("paused_since"):
        return f"PAUSED: events wait here and none begins. Press {key_for('pause')} to resume."
    words = _EMPTY if screen.model.replay is None else _EMPTY_IN_REPLAY
    return words[pane].format(name=screen.selected or "a function", key=_Keys())


def pane_title(screen: "MainScreen", pane: str) -> list[tuple[str, str]]:
    """The words in the upper border: number, name, how many, what matters most."""
    total = screen.model.rows[pane].total
    title = f"{key_for(f'pane.{pane}')} {PANE_TITLES[pane]}" + (f" {f.number(total)}" if total else "")
    soonest = screen.model.totals.get("soonest_retry")
    if pane == "retries" and total and soonest:
        title += f" · next {f.until(soonest - screen.model.time.now())}"
    if pane == "queue" and screen.model.totals.get("paused_since"):
        title += " · PAUSED"
    if pane == "dlq" and screen.badge.new:
        title += f" · {f.number(screen.badge.new)} new"
    marked = len(screen.tables[pane].marks)
    if marked:
        title += f" · {marked} marked"
    return [(title + screen.views[pane].words(), "")]


def pane_footer(screen: "MainScreen", pane: str) -> str:
    """The words in the lower border."""
    totals, rows = screen.model.totals, screen.model.rows[pane]
    if pane == "queue" and rows.total and totals.get("oldest_queued"):
        return f"oldest {f.age(screen.model.time.now() - totals['oldest_queued'])}"
    if pane == "inflight":
        return gauge_words(totals.get("concurrency") or [], screen.tables[pane].room - 4)
    if pane == "dlq" and rows.total:
        by_error = screen.views["dlq"].by_error
        if screen.model.replay is not None:
            return f"{key_for('row.inspect')} opens" if by_error else f"{key_for('dlq.group')} by error"
        redrive = f"{key_for('dlq.redrive')} redrive · "
        if by_error:
            return f"{key_for('row.inspect')} opens · {redrive}{key_for('dlq.purge')} purge"
        return f"{redrive}{key_for('dlq.redrive_all')} all shown"
    if pane == "timeline":
        logs = f" · {key_for('pane.logs')} logs" if screen.has_class("normal") else ""
        return f"newest first · {key_for('timeline.wider')} {key_for('timeline.closer')} time{logs}"
    if pane == "functions":
        return _function_footer(screen)
    return ""


def _function_footer(screen: "MainScreen") -> str:
    if screen.zoomed:
        return _bill(screen.model.totals)
    chosen = screen.model.rows["functions"].known.get(screen.selected)
    return str(chosen.get("handler") or "") if chosen else ""


def _bill(totals: dict[str, Any]) -> str:
    """What everything so far would have cost on AWS."""
    cost = float(totals.get("cost") or 0)
    words = f"on AWS {f.money(cost)} since the start"
    waited = float(totals.get("waited_cost") or 0)
    return words + (f", {f.share(waited / cost)} of it waiting for others" if waited else "")
