"""The requests that belong to one: those that led to it, and all that it has led to."""

from collections.abc import Callable, Mapping
from typing import Any

from ..core.log import LogLine
from ..store import Window
from .calls import Sources, calls_of, request_of

Row = dict[str, Any]

_ABOVE_MAX = 16  # AWS stops a chain of calls there
_BELOW_MAX = 100
_FAMILIES_MAX = 20  # that are remembered


def family_of(request_id: str, sources: Sources) -> list[Row]:
    """Its callers from the first one on, the request, then what it called, depth first. Reads the disk.

    Each row says how `deep` it stands below the first and whether `more` of its calls were left out. Empty if
    nothing is known of the request.
    """
    here = request_of(request_id, sources)
    if here is None:
        return []
    above = _above(here, sources)
    rows = [{**row, "deep": deep, "more": False} for deep, row in enumerate(above)]
    return rows + _below(here, len(above), sources)


def _above(row: Row, sources: Sources) -> list[Row]:
    """The chain of callers, the first one first."""
    chain: list[Row] = []
    seen = {row["id"]}
    while row["caller"] and row["caller"] not in seen and len(chain) < _ABOVE_MAX:
        found = request_of(row["caller"], sources)
        if found is None:
            break
        row = found
        seen.add(row["id"])
        chain.append(row)
    return chain[::-1]


def _below(root: Row, deep: int, sources: Sources) -> list[Row]:
    """The request and what it led to, at most some hundred."""
    rows: list[Row] = []
    stack = [(root, deep)]
    seen: set[str] = set()
    while stack:
        row, deep = stack.pop()
        if row["id"] in seen:
            continue
        seen.add(row["id"])
        is_full = len(rows) + len(stack) >= _BELOW_MAX
        calls = [] if is_full else calls_of(row["id"], sources)
        stack += [(call, deep + 1) for call in reversed(calls)]
        rows.append({**row, "deep": deep, "more": is_full})
    return rows


class Families:
    """Which requests belong to the one that a view is narrowed to. They are looked up again when something changed."""

    def __init__(self, sources: Callable[[], Sources], changes: Mapping[str, int]) -> None:
        """`changes` are numbers that go up whenever something changes."""
        self._sources, self._changes = sources, changes
        self._known: dict[str, tuple[int, set[str]]] = {}

    def resolved(self, window: Window) -> Window:
        """The window with the ids of its family. Reads the disk."""
        if not window.family:
            return window
        change = sum(dict(self._changes).values())
        known = self._known.get(window.family)
        if known is None or known[0] != change:
            sources = self._sources()
            sources.history.wait()
            found = {row["id"] for row in family_of(window.family, sources)} | {window.family}
            if len(self._known) > _FAMILIES_MAX:
                self._known.clear()
            known = self._known[window.family] = (change, found)
        return window._replace(requests=frozenset(known[1]))

    def has(self, window: Window, line: LogLine) -> bool:
        """Is a new log line of the family, as far as that is known without the disk? For the event loop."""
        if not window.family:
            return True
        known = self._known.get(window.family, (0, {window.family}))[1]
        running = self._sources().executing.get(line.request_id)
        if running is not None and running.caller in known:
            known.add(line.request_id)  # it has just been called
        return line.request_id in known
