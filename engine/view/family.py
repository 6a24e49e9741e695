"""The requests that belong to one: those that led to it, and all that it has led to."""

from typing import Any

from .calls import Sources, calls_of, request_of

Row = dict[str, Any]

_ABOVE_MAX = 16  # AWS stops a chain of calls there
_BELOW_MAX = 100


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
