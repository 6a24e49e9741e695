"""Counts the dead letters that came while nobody looked at their pane."""


class DeadLetterBadge:
    """`new` is how many there are to be seen."""

    def __init__(self) -> None:
        self.new = 0
        self._before: int | None = None  # None: what was there at first is nothing new

    def look(self, total: int, *, is_seen: bool) -> bool:
        """Take over how many there are. True if the first new one has come: that rings."""
        before, self._before = self._before, total
        had = self.new
        self.new = 0 if is_seen or before is None else max(0, self.new + total - before)
        return self.new > had == 0
