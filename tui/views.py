"""How each pane is looked at: its filter and its order."""

from dataclasses import dataclass
from typing import Any

from .columns import sort_fields, sort_title
from .format import fit, one_line, short_id

LOG_LINES = 500  # newest lines asked for at first


@dataclass(frozen=True)
class Scope:
    """What everything on the screen is narrowed to: a function, or one request with its callers and calls."""

    function: str
    request_id: str = ""

    def filter_for(self, pane: str) -> str:
        """The words that a pane's filter begins with."""
        return f"family:{self.request_id}" if self.request_id and pane != "functions" else f"fn:{self.function}"

    def words(self) -> str:
        """Its name in the header."""
        return f"{short_id(self.request_id)} {self.function}".strip() if self.request_id else self.function


@dataclass
class View:
    """One pane's filter and order. `sort` is "" for the engine's own order."""

    pane: str
    filter: str = ""
    sort: str = ""
    descending: bool = False
    by_error: bool = False  # a row for each error; of dead letters
    error: str | None = None  # only those that ended with this one
    level: str = ""  # "WARN" or "ERROR" and worse; of log lines

    @property
    def shape(self) -> str:
        """Whose columns its rows have."""
        return "dlq by error" if self.by_error else self.pane

    def next_sort(self) -> None:
        fields = sort_fields(self.shape)
        self.sort = fields[(fields.index(self.sort) + 1) % len(fields)]
        self.descending = False

    def wish(self, offset: int, limit: int, scope: Scope | None = None) -> dict[str, Any]:
        """The view as the client interface wants it."""
        more = {"by_error": self.by_error, "error": self.error, "level": self.level}
        return {
            "view": self.pane,
            "filter": f"{scope.filter_for(self.pane)} {self.filter}".rstrip() if scope else self.filter,
            "sort": self.sort,
            "descending": self.descending,
            "offset": offset,
            "limit": limit,
            **{key: value for key, value in more.items() if value},
        }

    def words(self) -> str:
        """What a pane's title says about it."""
        words = f" · /{self.filter}" if self.filter else ""
        words += " · by error" if self.by_error else ""
        words += f" · {fit(one_line(self.error), 30).rstrip()}" if self.error is not None else ""
        words += f" · {self.level} and worse" if self.level else ""
        if self.sort or self.descending:
            words += f" · by {sort_title(self.shape, self.sort) or 'default'}{'↓' if self.descending else '↑'}"
        return words
