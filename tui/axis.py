"""An axis of time: engine seconds to cells, and the labels above it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Engine seconds to cells. Anything that lasted gets one cell at least."""

    start: float
    end: float
    width: int

    def cell(self, when: float) -> int:
        part = (when - self.start) / max(1e-9, self.end - self.start)
        return max(0, min(self.width - 1, int(part * self.width)))

    def cells(self, start: float, end: float) -> tuple[int, int]:
        """First cell and the one after the last."""
        first = self.cell(start)
        last = round((end - self.start) / max(1e-9, self.end - self.start) * self.width)
        return first, max(first + 1, min(self.width, last))


STEPS = (
    *(1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800),
    *(3600, 7200, 21600, 43200, 86400, 172800, 604800),
)
"""Seconds between two labels."""
_APART, _EVERY = 2, 8  # cells: free ones between two labels, and from the start of one to the next at least


def ruler(scale: Scale) -> str:
    """The axis' labels: seconds since its start, as many as can be read; two at least, in a dozen cells too."""
    length, line = scale.end - scale.start, [" "] * scale.width
    step = next((one for one in STEPS if _can_be_read(one, length, scale.width)), length)
    for count in range(int(length / step * 1.0001) + 1):
        text, cell = tick(count * step), scale.cell(scale.start + count * step) if count else 0
        if count == 1:
            cell = min(cell, scale.width - len(text))  # the one that must be there
        if cell + len(text) <= scale.width:
            line[cell : cell + len(text)] = text
    return "".join(line)


def _can_be_read(step: float, length: float, width: int) -> bool:
    count = int(length / step)
    if not 1 <= count <= width:
        return False
    longest = max(len(tick(one * step)) for one in range(1, count + 1))
    return step / length * width >= max(_EVERY, longest + _APART)


def tick(seconds: float) -> str:
    if not seconds:
        return "0"
    if seconds < 1:
        return f"{seconds * 1000:.3g}ms"
    if seconds < 60:
        return f"{seconds:.3g}s"
    return f"{int(seconds // 60)}:{int(seconds % 60):02}" if seconds < 3600 else f"{seconds / 3600:.3g}h"
