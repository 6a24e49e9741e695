"""Dead letters that were purged a moment ago: gone for everybody, and kept aside until the purge cannot be undone."""

import json
from collections.abc import Sequence

from .transactions import Transactions

_NAMED = "SELECT value FROM json_each(?)"
_THERE = f"""
  SELECT id FROM message WHERE id IN ({_NAMED})
  UNION ALL SELECT 'dropped:' || id FROM event
  WHERE dropped = 1 AND redriven_as IS NULL
    AND id IN (SELECT substr(value, 9) FROM json_each(?) WHERE value LIKE 'dropped:%')
"""
_BURY_MESSAGES = f"""
  INSERT INTO tombstone SELECT id, ?, ?, queue, body, attributes, sent_at, request_id
  FROM message WHERE id IN ({_NAMED})
"""
_BURY_DROPPED = """
  INSERT INTO tombstone SELECT value, ?, ?, NULL, NULL, NULL, NULL, substr(value, 9)
  FROM json_each(?) WHERE value LIKE 'dropped:%'
"""
_OF_PURGE = "SELECT request_id FROM tombstone WHERE purge = ? AND queue IS NULL"
# What was sent round by another of its letters meanwhile stays gone.
_BACK = """
  FROM tombstone t WHERE purge = ? AND NOT EXISTS (
    SELECT 1 FROM event e WHERE e.id = t.request_id AND e.redriven_as IS NOT NULL)
"""


class Tombstones(Transactions):
    """Moves dead letters out of the way and back. Its methods run inside `begin` … `commit`."""

    def dead_letters_among(self, ids: Sequence[str]) -> list[str]:
        """Which of these are there, in this order. An id is a message's, or "dropped:" and a request id."""
        named = json.dumps(ids)
        there = {id_ for (id_,) in self._select(_THERE, named, named)}
        return [id_ for id_ in dict.fromkeys(ids) if id_ in there]

    def bury(self, ids: Sequence[str], purge: str, until: float) -> None:
        """Take these dead letters away, to be brought back until then."""
        named = json.dumps(ids)
        self._write(_BURY_MESSAGES, [(purge, until, named)])
        self._write(f"DELETE FROM message WHERE id IN ({_NAMED})", [(named,)])
        self._write(_BURY_DROPPED, [(purge, until, named)])
        self._write(f"UPDATE event SET dropped = 0 WHERE id IN ({_OF_PURGE})", [(purge,)])

    def newest_purge(self, after: float) -> str | None:
        """The newest purge that can be taken back after this moment."""
        sql = "SELECT purge FROM tombstone WHERE until > ? ORDER BY until DESC, rowid DESC LIMIT 1"
        found = self._select(sql, after)
        return str(found[0][0]) if found else None

    def buried(self, purge: str, after: float) -> int:
        """How many dead letters of a purge can be brought back after this moment."""
        return int(self._select(f"SELECT count(*) {_BACK} AND until > ?", purge, after)[0][0])

    def bring_back(self, purge: str) -> None:
        """Undo a purge."""
        messages = f"SELECT id, queue, body, attributes, sent_at, request_id {_BACK} AND queue IS NOT NULL"
        self._write(f"INSERT INTO message {messages}", [(purge,)])
        self._write(f"UPDATE event SET dropped = 1 WHERE id IN ({_OF_PURGE})", [(purge,)])
        self._write("DELETE FROM tombstone WHERE purge = ?", [(purge,)])

    def first_tombstone(self) -> float | None:
        """Until when the oldest purge can be taken back; None if there is none."""
        until: float | None = self._select("SELECT min(until) FROM tombstone")[0][0]
        return until

    def forget_buried(self, now: float) -> None:
        """What can no longer be brought back goes for good."""
        self._write("DELETE FROM tombstone WHERE until <= ?", [(now,)])
