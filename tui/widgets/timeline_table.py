"""The Timeline pane: a table whose last column is one moving axis for all its rows."""

from textual.geometry import Region
from textual.strip import Strip

from .. import timeline
from ..axis import Scale
from ..columns import Row
from ..keymap import bindings
from .line_table import LineTable
from .line_view import Part

_WORDS = 34  # cells of a row that the axis leaves to the columns in a narrow pane


class TimelineTable(LineTable):
    """The newest request stands first, and the cursor stays on it until it is moved from there."""

    BINDINGS = bindings("timeline")
    past: float | None = None
    """Seconds that the axis reaches back; None: as far as its rows need."""
    _step = 0
    _axis: tuple[float, Scale] | None = None

    def columns_room(self, width: int) -> int:
        return max(_WORDS, (width - 2) * 45 // 100) if width >= 110 else _WORDS

    def beside(self, row: Row | None, width: int) -> list[Part]:
        room = width - 2 - self.columns_room(width) - 1
        if room < 10:
            return []
        now, scale = self._axis_of(room)
        return timeline.drawn(row, scale, now) if row else [(timeline.ruler(scale, now), "dim")]

    def render_lines(self, crop: Region) -> list[Strip]:
        self._axis = None  # one time and one axis for all the lines of a picture, made once
        return super().render_lines(crop)

    def _axis_of(self, room: int) -> tuple[float, Scale]:
        if self._axis is None or self._axis[1].width != room:
            now = self._now()
            self._axis = now, self.scale(now, room)
        return self._axis

    def scale(self, now: float, width: int) -> Scale:
        """The axis of the rows that are visible."""
        first = self.scroll_offset.y
        rows = (self.rows.at(at) for at in range(first, min(first + self.page, self.rows.total)))
        found = [row for row in rows if row]
        try:
            return timeline.scale_of(found, now, width, self.past)
        except (TypeError, ValueError, KeyError):  # a row that cannot be drawn leaves the others alone
            return timeline.scale_of(filter(timeline.is_sound, found), now, width, self.past)

    def is_resting(self) -> bool:
        return self.cursor == 0

    def time_went_by(self) -> None:
        """Where all has ended the rows move only when a whole cell of the axis has passed."""
        now = self._now()
        cells = max(1, self.room - 3 - self.columns_room(self.room))
        scale = self.scale(now, cells)
        step = int(now * cells / (scale.end - scale.start))
        if step != self._step or any(row["state"] in timeline.LIVE for row in self.rows.window()):
            self._step = step
            self.redraw()

    def action_span(self, step: int) -> None:
        """Look further back (1) or less far (-1)."""
        scale = self.scale(self._now(), 100)
        now = self.past or self._now() - scale.start
        others = [past for past in timeline.PASTS if (past > now + 1 if step > 0 else past < now - 1)]
        if others:
            self.past = others[0] if step > 0 else others[-1]
            self.redraw()

    def action_span_own(self) -> None:
        """As far back as the rows need."""
        self.past = None
        self.redraw()
