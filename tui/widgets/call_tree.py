"""The requests that belong to one, as a tree to walk in: who called whom, how it went, who waited for others."""

from typing import Any

from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip

from .. import format as f
from .line_view import LineView, Part
from .text_lines import Line, wrapped

Row = dict[str, Any]
_STATE, _TOOK, _WAITED, _BAR = 11, 9, 18, 8  # cells
_NAME_MOST = 60
_REVERSE = Style(reverse=True)


class CallTree(LineView):
    """Rows with a cursor, and lines to read below them."""

    def __init__(self, id: str) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self._rows: list[Row] = []
        self._given: list[Line] = []
        self._below: list[Line] = []
        self._here, self._now, self._cursor_id = "", 0.0, ""

    def show(self, rows: list[Row], here: str, below: list[Line], now: float) -> None:
        """Show a family as it is at this engine time; `here` is the request that it was asked of."""
        if here != self._here or not any(row["id"] == self._cursor_id for row in rows):
            self._cursor_id = _first_choice(rows, here)
        self._rows, self._here, self._now = rows, here, now
        self._given = [*([[("", "")]] if rows else []), *below]
        self._lay_out()

    def on_resize(self) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        room = self.room  # none yet while it is hidden
        self._below = [piece for line in self._given for piece in wrapped(line, room)] if room > 0 else self._given
        self.virtual_size = Size(0, len(self._rows) + bool(self._rows) + len(self._below))
        self.refresh()

    def chosen(self) -> str:
        """The request under the cursor; "" if there is none."""
        return self._cursor_id

    @property
    def _cursor(self) -> int:
        return next((at for at, row in enumerate(self._rows) if row["id"] == self._cursor_id), 0)

    def move(self, by: int) -> None:
        """The cursor goes first; where it can go no further the text does."""
        at = max(0, min(self._cursor + by, len(self._rows) - 1))
        if not self._rows or at == self._cursor:
            super().move(by)
            return
        self._cursor_id = str(self._rows[at]["id"])
        line, top = at + 1, self.scroll_offset.y
        if line - 1 < top:
            self.jump(line - 1)
        elif line >= top + self.page:
            self.jump(line - self.page + 1)
        self.refresh()

    def draw(self, y: int, width: int) -> Strip:
        at = y + self.scroll_offset.y
        head = bool(self._rows)
        if head and at == 0:
            return self.strip_of([(_titles(width), "dim")], width)
        if at - head < len(self._rows):
            return self._draw_row(self._rows[at - head], width)
        at -= head + len(self._rows)
        return self.strip_of(self._below[at] if at < len(self._below) else [], width)

    def _draw_row(self, row: Row, width: int) -> Strip:
        here = row["id"] == self._cursor_id
        parts = row_parts(row, self._here, self._now, width)
        if not here:
            return self.strip_of([("  ", ""), *parts], width)
        return self.strip_of([(f.CURSOR + " " + "".join(text for text, _ in parts), "")], width, _REVERSE)


def _first_choice(rows: list[Row], here: str) -> str:
    """Where somebody wants to go: the first call of the request, else its caller."""
    at = next((at for at, row in enumerate(rows) if row["id"] == here), 0)
    if not rows:
        return ""
    is_below = at + 1 < len(rows) and rows[at + 1]["deep"] > rows[at]["deep"]
    return str(rows[at + 1 if is_below else max(0, at - 1)]["id"])


def _name_room(width: int) -> int:
    return max(16, min(_NAME_MOST, width - 2 - _STATE - _TOOK - _WAITED - 3))


def _titles(width: int) -> str:
    return f"  {f.fit('WHO CALLED WHOM', _name_room(width))} {'STATE':{_STATE}} {'TOOK':>{_TOOK}} WAITED FOR OTHERS"


def row_parts(row: Row, here: str, now: float, width: int) -> list[Part]:
    """One request of the tree, in columns."""
    lead = "   " * (int(row["deep"]) - 1) + "└─ " if row["deep"] else ""
    sent = "sent an event" if row["kind"] == "event" and row["deep"] else ""
    name = f"{lead}{row['function'] or '?'} {f.short_id(str(row['id']))}"
    words = " · ".join(
        [
            *([sent] if sent else []),
            *(["this one"] if row["id"] == here else []),
            *(["calls left out"] if row["more"] else []),
        ]
    )
    room, state = _name_room(width), _state(row)
    return [
        (f.fit(name, room) if not words else f.fit(f"{name} · {words}", room), "title" if row["id"] == here else ""),
        (f" {f.fit(state[0], _STATE)}", state[1]),
        (f" {f.short_span(_took(row, now)):>{_TOOK}}", ""),
        _waited(row, now),
    ]


def _state(row: Row) -> Part:
    if row["state"] == "discarded":
        return (f"{f.DEAD} dead", "error") if row["kind"] == "event" else (f"{f.FAILED} failed", "error")
    words = {
        "succeeded": (f"{f.OK} ok", "ok"),
        "running": (f"{f.RUNNING} running", "ok"),
        "queued": (f"{f.QUEUED} queued", "warning"),
        "refused": (f"{f.THROTTLED} throttled", "warning"),
    }
    return words.get(str(row["state"]), (str(row["state"]), ""))


def _took(row: Row, now: float) -> float:
    return max(0.0, float(row["ended_at"] if row.get("ended_at") is not None else now) - float(row["accepted_at"]))


def _waited(row: Row, now: float) -> Part:
    """What part of its own time it was only waiting for those it called: billed twice."""
    waited, ran = float(row.get("waited") or 0), float(row.get("ran") or 0) or _took(row, now)
    if not waited or not ran:
        return " ·", "dim"
    part = min(1.0, waited / ran)
    return f" {f.bar(part, _BAR)} {f.share(part)}", "warning"
