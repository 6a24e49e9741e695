"""Lines of a file as a recording; `format` says what they hold. Nothing in them is believed: each value is checked."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, NoReturn

from ..core.event import Condition, Ended, Reason, State
from ..core.log import LogLine
from ..store import Absence, Configuration
from ..store.recording import Column, Recording
from .format import FORMAT, HEAD, INVOCATION, KINDS, LINE, PARTS, TABLES, as_bytes

Row = dict[str, Any]
_LINE_MAX = 64 * 1024 * 1024  # characters: a payload and some results of 6 MB, escaped
_FILE_MAX = 4 * 1024 * 1024 * 1024  # bytes
_LARGEST = 1e15  # of any number that is not whole
_LATEST = 250e9  # seconds since the epoch: some way into the year 9892
_TIMES = frozenset({"at", "time", "since", "until", "start", "end"})
_AT_ONCE = 500  # lines and invocations that are put away together
_CLOSE = "; 'lamtop export -o FILE.jsonl' writes a recording"
_WORDS: Mapping[tuple[str, str], frozenset[str | None]] = {
    ("event", "state"): frozenset(State),
    ("event", "reason"): frozenset(Reason),
    ("event", "condition"): frozenset([*Condition, None]),
    ("attempt", "ended"): frozenset(Ended),
    ("pruned", "state"): frozenset(State),
}
_EXPECTED = {"INTEGER": "a whole number", "REAL": "a number", "TEXT": "a text", "BLOB": "a text"}


class RecordingError(ValueError):
    """What was to be opened is no recording; the text says why and what to do."""


def parse(path: Path) -> Recording:
    """Read a file. Raises RecordingError naming file, line and what was expected, or OSError."""
    if path.stat().st_size > _FILE_MAX:
        raise RecordingError(f"{path} is larger than {_FILE_MAX >> 30} GB")
    recording = Recording.empty(path)
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            _Parser(recording, path).take_all(file)
    except BaseException:
        recording.close()
        raise
    return recording


class _Parser:
    def __init__(self, recording: Recording, path: Path) -> None:
        self._recording, self._path = recording, path
        self._number = 0
        tables = {*TABLES.values(), *PARTS.values()}
        self._columns = {table: recording.columns(table) for table in tables}
        self._lines: list[LogLine] = []
        self._calls: list[Row] = []
        self._last_line = 0
        self._takes: Mapping[str, Callable[[Row], None]] = {
            "configuration": self._configuration, "absence": self._absence, "forgotten": self._forgotten,
            "event": self._event, "letter": self._letter, "purged": self._purged, "invocation": self._invocation,
            "line": self._line,
        }  # fmt: skip

    def take_all(self, file: IO[str]) -> None:
        try:
            rows = self._rows(file)
            self._head(next(rows, {}))
            self._recording.queue.execute("BEGIN")
            for row in rows:
                kind = row.get("kind")
                if kind not in KINDS:
                    raise ValueError(f"'kind': {_shown(kind)} is not known; use one of {', '.join(KINDS)}")
                self._takes[str(kind)](row)
            self._put_away()
            self._recording.queue.execute("COMMIT")
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise RecordingError(f"{self._path}:{max(1, self._number)}: {error}") from None

    def _rows(self, file: IO[str]) -> Iterator[Row]:
        while text := file.readline(_LINE_MAX + 1):
            self._number += 1
            if len(text) > _LINE_MAX:
                raise ValueError(f"this line is longer than {_LINE_MAX >> 20} MB")
            if not text.strip():
                continue
            try:
                row = json.loads(text, parse_constant=_refuse)
            except (ValueError, RecursionError) as error:
                raise ValueError(f"this is not JSON: {error}; each line must be one object{_CLOSE}") from None
            if not isinstance(row, dict):
                raise ValueError(f"{_shown(row)} is not an object; each line must be one{_CLOSE}")
            yield row

    def _head(self, row: Row) -> None:
        if "kind" not in row and {"request_id", "queue", "payload"} <= row.keys():
            raise ValueError(f"these are dead letters, exported from their pane, and no recording{_CLOSE}")
        if "version" in row and {"width", "term"} & row.keys():
            raise ValueError(f"this is an asciicast, a film of a screen, and no recording of what ran{_CLOSE}")
        if row.get("kind") != HEAD:
            raise ValueError(f'a recording begins with {{"kind": "{HEAD}", "format": {FORMAT}, …}}{_CLOSE}')
        found = _checked("format", row.get("format"), "INTEGER")
        if not 1 <= found <= FORMAT:
            raise ValueError(
                f"'format': {found} was written by a newer lamtop, this one knows {FORMAT}: upgrade lamtop"
            )
        self._recording.set_time(_checked("time", row.get("time", 0.0), "REAL"))

    # -- one kind each -----------------------------------------------------------------------------------------------

    def _configuration(self, row: Row) -> None:
        project = row.get("project")
        if not isinstance(project, dict):
            raise ValueError(f"'project': {_shown(project)} is not allowed; an object is expected")
        self._recording.configurations.append(Configuration(_checked("since", row.get("since"), "REAL"), project))

    def _absence(self, row: Row) -> None:
        start, end = (_checked(name, row.get(name), "REAL") for name in ("start", "end"))
        self._recording.absences.append(Absence(start, end, bool(row.get("exact"))))

    def _forgotten(self, row: Row) -> None:
        self._recording.add("pruned", [self._of_table("pruned", row)])

    def _event(self, row: Row) -> None:
        event = self._of_table("event", row)
        self._recording.add("event", [event])
        attempts = [self._of_table("attempt", {**one, "event": event["seq"]}) for one in _part(row, "tries")]
        numbers = [attempt["number"] for attempt in attempts]
        if numbers != list(range(1, len(numbers) + 1)):
            raise ValueError(f"'tries': their numbers are {numbers}; 1, 2, 3 … are expected")
        self._recording.add("attempt", attempts)
        owes = [{**one, "event": event["seq"], "request_id": event["id"]} for one in _part(row, "owes")]
        self._recording.add("delivery", [self._of_table("delivery", _flat(one)) for one in owes])

    def _letter(self, row: Row) -> None:
        self._recording.add("message", [self._of_table("message", _flat(row))])

    def _purged(self, row: Row) -> None:
        self._recording.add("tombstone", [self._of_table("tombstone", _flat(row) if "attributes" in row else row)])

    def _invocation(self, row: Row) -> None:
        call: Row = {}
        for field in INVOCATION:
            value = row.get(field.name, field.default)
            is_nothing = value is None and field.may_be_null
            call[field.name] = None if is_nothing else _checked(field.name, value, field.type)
        _one_of("ended", call["ended"], frozenset(Ended))
        self._calls.append(call)
        if len(self._calls) >= _AT_ONCE:
            self._put_away()

    def _line(self, row: Row) -> None:
        types = ("INTEGER", "REAL", "TEXT", "TEXT", "INTEGER", "TEXT", "TEXT", "TEXT")
        line = LogLine(*(_checked(name, row.get(name), kind) for name, kind in zip(LINE, types, strict=True)))
        if line.number <= self._last_line:
            raise ValueError(f"'number': {line.number} is not above {self._last_line}, that of the line before")
        self._last_line = line.number
        self._lines.append(line)
        if len(self._lines) >= _AT_ONCE:
            self._put_away()

    def _put_away(self) -> None:
        self._recording.add_lines(self._lines)
        self._recording.add_calls(self._calls)
        self._lines, self._calls = [], []

    def _of_table(self, table: str, row: Row) -> Row:
        """What a table's columns hold of a row."""
        found: Row = {}
        for column in self._columns[table]:
            if column.name in row or not (column.may_be_null or column.has_default):
                found[column.name] = _of_column(column, row.get(column.name))
            if (table, column.name) in _WORDS:
                _one_of(column.name, found.get(column.name), _WORDS[table, column.name])
        return found


def _of_column(column: Column, value: Any) -> Any:
    if value is None and column.may_be_null and column.name != "seq":
        return None
    return _checked(column.name, value, column.type)


def _checked(name: str, value: Any, kind: str) -> Any:
    """The value as a table holds it. Raises ValueError with what is expected."""
    wrong = ValueError(f"'{name}': {_shown(value)} is not allowed; {_EXPECTED[kind]} is expected")
    match kind:
        case "INTEGER":
            if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**63:
                raise wrong
            return value
        case "REAL":
            if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < _LARGEST:
                raise wrong
            if (name in _TIMES or name.endswith("_at")) and not 0 <= value < _LATEST:
                raise ValueError(f"'{name}': {_shown(value)} is not allowed; seconds since the epoch are expected")
            return float(value)
    if not isinstance(value, str):
        raise wrong
    return as_bytes(value) if kind == "BLOB" else value.encode(errors="replace").decode()


def _one_of(name: str, value: Any, allowed: frozenset[str | None]) -> None:
    if value not in allowed:
        known = ", ".join(sorted(str(one) for one in allowed if one is not None))
        raise ValueError(f"'{name}': {_shown(value)} is not allowed; use one of {known}")


def _part(row: Row, name: str) -> list[Row]:
    found = row.get(name, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError(f"'{name}': {_shown(found)} is not allowed; a list of objects is expected")
    return found


def _flat(row: Row) -> Row:
    """With its attributes as the text that a table holds."""
    attributes = row.get("attributes", {})
    if not isinstance(attributes, dict) or not all(isinstance(value, str) for value in attributes.values()):
        raise ValueError(f"'attributes': {_shown(attributes)} is not allowed; an object of texts is expected")
    return {**row, "attributes": json.dumps(attributes)}


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def _shown(value: Any) -> str:
    """The beginning of what stands there instead."""
    text = "nothing" if value is None else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
