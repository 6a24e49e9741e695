"""Paging through a view with a cursor, beyond a subscription's window. Rows that come or go do not shift a page."""

import base64
import json
from typing import Any

from .views import Row, View, Views


def page(views: Views, view: View, cursor: str | None) -> Row:
    """One page: {"rows", "total", "cursor"}; the cursor of the last page is None.

    Raises ValueError for a cursor that no page gave out. Reads the disk.
    """
    if view.kind == "logs":
        return _page_of_lines(views, view, _decode(cursor)[0] if cursor else None)
    window = view.window._replace(offset=0, after=_decode(cursor) if cursor else None)
    total, rows = views.rows(View(view.kind, window))
    more = len(rows) == window.limit
    return {"rows": rows, "total": total, "cursor": _encode(*views.position(view, rows[-1])) if more and rows else None}


def _page_of_lines(views: Views, view: View, before: int | None) -> Row:
    """Log lines, newest page first."""
    rows = views.lines(view, before=before)
    more = len(rows) == view.window.limit
    return {"rows": rows, "total": None, "cursor": _encode(rows[0]["id"], 0) if more and rows else None}


def _encode(value: Any, tie: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps([value, tie]).encode()).decode()


def _decode(cursor: str) -> tuple[Any, Any]:
    try:
        value, tie = json.loads(base64.urlsafe_b64decode(cursor))
    except (ValueError, TypeError) as error:
        raise ValueError(f"cursor: {cursor!r} is not a cursor; use the one that came with the page before") from error
    return value, tie
