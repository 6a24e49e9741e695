"""The order of many rows, kept as long as nothing was written: who scrolls does not have them sorted again."""

import json
from array import array
from collections.abc import Callable
from typing import Any

_KEPT = 4  # orders: those of two panes, before and after a key


class Orders:
    """Row numbers in an order that no index has. `select` runs a statement of the connection that is looked through."""

    def __init__(self, select: Callable[[str, dict[str, Any]], list[Any]]) -> None:
        self._select = select
        self._version = -1
        self._kept: dict[str, array[int]] = {}

    def of(self, sql: str, values: dict[str, Any]) -> "array[int]":
        """The numbers that a statement gives, as of the last commit."""
        self._look_for_commits()
        key = json.dumps([sql, values])
        if key not in self._kept:
            while len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]
            # As one value: a row for each would take the interpreter's lock a hundred thousand times.
            told = self._select(f"SELECT json_group_array(seq) FROM ({sql})", values)[0][0]
            self._kept[key] = array("q", json.loads(told))
        return self._kept[key]

    def _look_for_commits(self) -> None:
        version = self._select("PRAGMA data_version", {})[0][0]
        if version != self._version:
            self._version = version
            self._kept.clear()
