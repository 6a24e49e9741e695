"""How each pane is looked at: its filter and its order."""

from dataclasses import dataclass
from typing import Any

from .columns import sort_fields, sort_title

LOG_LINES = 500  # newest lines asked for at first


@dataclass
class View:
    """One pane's filter and order. `sort` is "" for the engine's own order."""

    pane: str
    filter: str = ""
    sort: str = ""
    descending: bool = False

    def next_sort(self) -> None:
        fields = sort_fields(self.pane)
        self.sort = fields[(fields.index(self.sort) + 1) % len(fields)]
        self.descending = False

    def wish(self, offset: int, limit: int) -> dict[str, Any]:
        """The view as the client interface wants it."""
        return {
            "view": self.pane,
            "filter": self.filter,
            "sort": self.sort,
            "descending": self.descending,
            "offset": offset,
            "limit": limit,
        }

    def words(self) -> str:
        """What a pane's title says about it."""
        words = f" · /{self.filter}" if self.filter else ""
        if self.sort or self.descending:
            words += f" · by {sort_title(self.pane, self.sort) or 'default'}{'↓' if self.descending else '↑'}"
        return words
