"""How the functions were configured at a moment."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..core.arn import queue_arn
from ..core.function import Function
from ..core.function_values import function_of
from ..store import Configuration

Row = dict[str, Any]
_UNKNOWN = (
    "how the functions were configured is not on record: AWS's defaults are shown for timeouts, memory and retries"
)


class Configured:
    """Every configuration that is on record. Where there is none, functions have AWS's defaults."""

    def __init__(self, known: Iterable[Configuration], seen: Callable[[], Mapping[str, str | None]]) -> None:
        """`seen` tells of the functions that requests were sent to, each with the queue of its dead letters."""
        self.remarks: list[str] = []
        self._since: list[float] = []
        self._functions: list[dict[str, Function]] = []
        self._projects: list[Row] = []
        for since, project in known:
            self._take(since, project)
        if not self._since:
            self.remarks.append(_UNKNOWN)
            self._since.append(0.0)
            self._projects.append({})
            self._functions.append({name: _unknown(name, queue) for name, queue in sorted(seen().items())})

    def _take(self, since: float, project: Row) -> None:
        try:
            functions = [function_of(values) for values in project["functions"]]
        except (ValueError, KeyError, TypeError) as error:
            self.remarks.append(f"a configuration on record cannot be read: {error}")
            return
        self._since.append(since)
        self._projects.append(project)
        self._functions.append({function.name: function for function in functions})

    @property
    def changes(self) -> list[float]:
        """When it became another."""
        return self._since[1:]

    def functions(self, at: float) -> dict[str, Function]:
        """By name."""
        return self._functions[self._index(at)]

    def function(self, name: str, at: float) -> Function:
        """As it was then; with AWS's defaults if it was not configured."""
        return self.functions(at).get(name) or _unknown(name, None)

    def project(self, at: float) -> Row:
        """Its "source", "interpreter", "python" version and "jitter", as far as they are on record."""
        return self._projects[self._index(at)]

    def _index(self, at: float) -> int:
        return max(0, bisect_right(self._since, at) - 1)


def _unknown(name: str, queue: str | None) -> Function:
    return Function(name, handler="", code="", dead_letter_queue=queue_arn(queue) if queue else None)
