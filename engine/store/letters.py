"""Dead letters to look at: whole, or one row for all that ended with the same error."""

import json
from collections.abc import Callable
from typing import Any

Select = Callable[[str, dict[str, Any]], list[Any]]

#: The error of a row of dead letters without what differs each time: a timeout's message names the request.
ERROR = """
  replace(replace(coalesce(nullif(error, ''), condition), 'RequestId: ' || request_id || ' ', ''), request_id, '…')
"""
GROUP_SORTS = ("error", "count", "first_at", "dead_at", "function")
_GROUPS = """
  SELECT {error} AS id, {error} AS error, count(*) AS count, min(dead_at) AS first_at, max(dead_at) AS dead_at,
         iif(count(DISTINCT function) = 1, max(function), count(DISTINCT function) || ' functions') AS function
  FROM ({rows}) GROUP BY 1
"""
_GROUP_COLUMNS = ("id", "error", "count", "first_at", "dead_at", "function")

_COLUMNS = (
    "id", "request_id", "function", "qualifier", "queue", "condition", "error", "accepted_at", "dead_at",
    "redriven_from", "payload", "seq",
)  # fmt: skip
_WHOLE = """
  SELECT m.id, m.request_id, coalesce(e.function, ''), coalesce(e.qualifier, ''), m.queue, e.condition, e.error,
         e.accepted_at, m.sent_at, e.redriven_from, coalesce(e.payload, m.body), e.seq
  FROM message m LEFT JOIN event e ON e.id = m.request_id
  WHERE m.id IN (SELECT value FROM json_each(:ids))
  UNION ALL
  SELECT 'dropped:' || id, id, function, qualifier, NULL, condition, error, accepted_at, ended_at, redriven_from,
         payload, seq
  FROM event WHERE dropped = 1 AND redriven_as IS NULL
    AND id IN (SELECT substr(value, 9) FROM json_each(:ids) WHERE value LIKE 'dropped:%')
"""
_TRIES = """
  SELECT number, started_at, ended_at, ended, error_type, error_message FROM attempt WHERE event = :seq ORDER BY number
"""
_TRY_COLUMNS = ("number", "started_at", "ended_at", "ended", "error_type", "error_message")


def grouped(select: Select, rows: str, order: str, values: dict[str, Any]) -> tuple[int, list[dict[str, Any]]]:
    """How many different errors these rows have, and a window of them."""
    groups = _GROUPS.format(error=ERROR, rows=rows)
    total = select(f"SELECT count(*) FROM ({groups})", values)[0][0]
    found = select(f"SELECT * FROM ({groups}) WHERE 1{order}", values)
    return total, [dict(zip(_GROUP_COLUMNS, row, strict=True)) for row in found]


def whole(select: Select, ids: list[str]) -> list[dict[str, Any]]:
    """The dead letters with these ids that are there, in this order, each with its payload and its attempts."""
    found = {row[0]: dict(zip(_COLUMNS, row, strict=True)) for row in select(_WHOLE, {"ids": json.dumps(ids)})}
    letters = [found[id_] for id_ in dict.fromkeys(ids) if id_ in found]
    for letter in letters:
        tries = select(_TRIES, {"seq": letter.pop("seq")})
        letter["attempts"] = [dict(zip(_TRY_COLUMNS, row, strict=True)) for row in tries]
        letter["payload"] = letter["payload"].decode(errors="replace")
    return letters
