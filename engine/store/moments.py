"""When something happened in a recording: the next time, and the one before."""

from typing import Any, ClassVar, NamedTuple


class Moment(NamedTuple):
    """A column of engine times: where it stands, and which of its rows count."""

    column: str
    table: str  # "FROM …"
    where: str


class Moments:
    """A subclass says what has happened when, and runs queries by names. `of` narrows it to a request or function."""

    CHANGES: ClassVar[tuple[Moment, ...]]
    FAILURES: ClassVar[tuple[Moment, ...]]

    def _all(self, sql: str, values: dict[str, Any]) -> list[Any]:
        raise NotImplementedError

    def next_change(self, at: float, of: str = "") -> float | None:
        """When something happens next, to this request or function ("": to any)."""
        return self._nearest(self.CHANGES, ">", at, of)

    def last_change(self, at: float, of: str = "") -> float | None:
        """When something happened before, the latest."""
        return self._nearest(self.CHANGES, "<", at, of)

    def next_failure(self, at: float, of: str = "") -> float | None:
        return self._nearest(self.FAILURES, ">", at, of)

    def last_failure(self, at: float, of: str = "") -> float | None:
        return self._nearest(self.FAILURES, "<", at, of)

    def _nearest(self, moments: tuple[Moment, ...], beyond: str, at: float, of: str) -> float | None:
        order, nearest = ("ASC", min) if beyond == ">" else ("DESC", max)
        found: list[float] = []
        for column, table, where in moments:
            sql = f"SELECT {column} {table} WHERE {column} {beyond} :at AND {where} ORDER BY {column} {order} LIMIT 1"
            found += [moment for (moment,) in self._all(sql, {"at": at, "of": of})]
        return nearest(found, default=None)
