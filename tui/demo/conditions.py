"""What a tape can wait for or assert: a sentence about rows, counts, the log or the screen."""

import operator
import re
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

PANES = ("queue", "inflight", "retries", "dlq", "functions", "timeline")
COUNT = "count"

_CLAUSE = re.compile(
    r"(?P<what>[a-z]+)(?:\[(?P<row>[^\]]+)\])?(?:\.(?P<field>\w+))?\s*(?P<sign>==|!=|>=|<=|!~|>|<|~)\s*(?P<value>.+)"
)
_OUTSIDE_QUOTES = r"(?=(?:[^\"]*\"[^\"]*\")*[^\"]*$)"
_AND = re.compile(rf"\s+and\s+{_OUTSIDE_QUOTES}")
_OR = re.compile(rf"\s+or\s+{_OUTSIDE_QUOTES}")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq, "!=": operator.ne, ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt,
}  # fmt: skip
HOW = (
    'PANE >= 3, PANE[0].field == value, functions[NAME].errors == 2, totals.errors == 1, log ~ "words" or screen ~ '
    f'"words"; PANE is {", ".join(PANES)}; signs are == != >= <= > < ~ (contains) !~; several with "and"'
)


class Sight(Protocol):
    """What can be seen of an engine and of its monitor."""

    async def rows(self, pane: str) -> tuple[int, list[dict[str, Any]]]:
        """How many there are, and some hundred of them."""
        ...

    async def lines(self, function: str) -> list[str]:
        """The last log lines of a function; of all: ""."""
        ...

    def totals(self) -> dict[str, Any]:
        """By name; none while no engine is there."""
        ...

    async def screen(self) -> str: ...


class Clause(NamedTuple):
    """One comparison. `what` is a pane, "totals", "log" or "screen"; `row` a number, a name, "*" (any) or ""."""

    what: str
    row: str
    field: str
    sign: str
    value: str

    async def differs(self, sight: Sight) -> str:
        """What is there instead; "" if it holds. Raises ValueError for a field that rows of this kind do not have."""
        found = await self._found(sight)
        if any(self._holds(one) for one in found) != (self.sign == "!~"):
            return ""
        told = "nothing there" if not found else " | ".join(_short(one) for one in found[:3])
        return f"{self.subject}: {told}"

    @property
    def subject(self) -> str:
        return self.what + (f"[{self.row}]" if self.row else "") + (f".{self.field}" if self.field else "")

    async def _found(self, sight: Sight) -> list[Any]:
        match self.what:
            case "screen":
                return [await sight.screen()]
            case "log":
                return list(await sight.lines("" if self.row == "*" else self.row))
            case "totals":
                totals = sight.totals()
                return [self._field(totals)] if totals else []
        total, rows = await sight.rows(self.what)
        if self.field in ("", COUNT) and not self.row:
            return [total]
        return [self._field(row) for row in self._rows(rows)]

    def _rows(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if self.row == "*":
            return rows
        if self.row.isdigit():
            return rows[int(self.row) : int(self.row) + 1]
        return [row for row in rows if self.row in (row.get("function"), row["id"])]

    def _field(self, row: dict[str, Any]) -> Any:
        if self.field not in row:
            raise ValueError(f"{self.what} has no {self.field!r}; it has {', '.join(sorted(row))}")
        return row[self.field]

    def _holds(self, found: Any) -> bool:
        if self.sign in ("~", "!~"):
            return self.value.lower() in str(found).lower()
        if isinstance(found, int | float) and not isinstance(found, bool) and _is_number(self.value):
            return _COMPARE[self.sign](found, float(self.value))
        if self.sign not in ("==", "!="):
            return False  # only numbers are larger or smaller
        return _COMPARE[self.sign]("none" if found is None else str(found).lower(), self.value.lower())


class Condition(NamedTuple):
    """All of its clauses hold at once. `text` is how the tape says it."""

    text: str
    clauses: tuple[Clause, ...]

    async def differs(self, sight: Sight) -> str:
        """What is there instead; "" if it holds."""
        for clause in self.clauses:
            if told := await clause.differs(sight):
                return told
        return ""


def parse_condition(text: str) -> Condition:
    """Read a condition. Raises ValueError, saying what was expected."""
    return Condition(text, tuple(_clause(part) for part in _AND.split(text.strip())))


def _clause(text: str) -> Clause:
    found = _CLAUSE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no condition; expected: {HOW}")
    if any(_CLAUSE.fullmatch(part) for part in _OR.split(text)[1:]):
        raise ValueError(
            f'{text!r}: conditions are joined with "and" only; for the word itself, put the value in quotes'
        )
    what, row, field, sign, value = (found[name] or "" for name in ("what", "row", "field", "sign", "value"))
    if what not in (*PANES, "totals", "log", "screen"):
        raise ValueError(f"{what!r} cannot be looked at; expected: {HOW}")
    value = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
    clause = Clause(what, row, field, sign, value)
    if problem := _problem(clause):
        raise ValueError(f"{text!r}: {problem}")
    return clause


def _problem(clause: Clause) -> str:
    if clause.what in ("screen", "log", "totals"):
        problem = _problem_of_a_whole(clause)
    elif clause.row:
        problem = "" if clause.field else f"which field of the row? {clause.subject}.error, {clause.subject}.function …"
    else:
        problem = _problem_of_a_count(clause)
    if not problem and clause.sign in (">", "<", ">=", "<=") and not _is_number(clause.value):
        return f"{clause.value!r} is no number, and only numbers are larger or smaller"
    return problem


def _problem_of_a_whole(clause: Clause) -> str:
    if clause.what == "totals":
        if clause.row:
            return f"the totals have no rows; expected totals.{clause.field or 'errors'}"
        return "" if clause.field else "which of the totals? totals.errors, totals.in_flight, totals.dead_letters …"
    if clause.what == "screen" and (clause.row or clause.field):
        return "the screen has no rows and no fields; expected screen"
    if clause.field:
        return "the log has no fields; expected log or log[FUNCTION]"
    return "" if clause.sign in ("~", "!~") else f"the {clause.what} can only be compared with ~ or !~"


def _problem_of_a_count(clause: Clause) -> str:
    if clause.field not in ("", COUNT):
        return f"of which row? {clause.what}[0].{clause.field}, or {clause.what}[*].{clause.field} for any"
    if clause.sign not in _COMPARE:
        return f"how many rows can be compared with {' '.join(_COMPARE)}"
    return "" if _is_number(clause.value) else f"{clause.value!r} is no number: how many rows?"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _short(found: Any) -> str:
    text = str(found)
    return text if len(text) <= 80 else f"{text[:79]}…"
