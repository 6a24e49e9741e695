"""Paging through a view with a cursor, beyond a subscription's window. Rows that come or go do not shift a page."""

import base64
import json
from typing import Any

from .rows import Row
from .views import Views
from .wishes import View


def page(views: Views, view: View, cursor: str | None, before: int | None = None) -> Row:
    """One page: {"rows", "total", "cursor"}; the cursor of the last page is None.

    `before` is the number of a log line that somebody has: the page ends in front of it.

    Raises ValueError for a cursor that no page of this view gave out. Reads the disk.
    """
    after = _decode(view, cursor) if cursor else None
    if view.kind == "logs":
        return _page_of_lines(views, view, after[0] if after else before)
    total, rows = views.rows(View(view.kind, view.window._replace(offset=0, after=after)))
    more = rows and len(rows) == view.window.limit
    return {"rows": rows, "total": total, "cursor": _encode(view, *views.position(view, rows[-1])) if more else None}


def _page_of_lines(views: Views, view: View, before: int | None) -> Row:
    """Log lines, newest page first."""
    rows = views.lines(view, before=before)
    more = rows and len(rows) == view.window.limit
    return {"rows": rows, "total": None, "cursor": _encode(view, rows[0]["id"], 0) if more else None}


def _encode(view: View, value: Any, tie: Any) -> str:
    told = [view.kind, view.window.sort, view.window.descending, value, tie]
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode()


def _decode(view: View, cursor: Any) -> tuple[Any, Any]:
    try:
        kind, sort, descending, value, tie = json.loads(base64.urlsafe_b64decode(cursor))
        known = isinstance(value, int | float | str | None) and isinstance(tie, int | str)
        if not known or (kind, sort, descending) != (view.kind, view.window.sort, view.window.descending):
            raise ValueError
        if view.kind == "logs" and not isinstance(value, int):
            raise ValueError
    except (ValueError, TypeError):
        text = f"cursor: {cursor!r} is not a cursor of this view; use the one that came with the page before"
        raise ValueError(text) from None
    return value, tie
