"""How a process's output becomes log events, and how much of a flood is kept."""

from collections import deque
from collections.abc import Iterator

LINE_MAX = 64 * 1024  # bytes; a longer line is split
FIRST_LINES = 8_000  # of one invocation, written as they come …
FIRST_BYTES = 768 * 1024
LAST_LINES = 1_500  # … and of what comes after them, written at the end
LAST_BYTES = 256 * 1024

#: Time and text of one event.
Event = tuple[float, str]


class Output:
    """Turns what a process prints into log events: of a flood, the first and the last ones.

    One line is one event. A carriage return inside a line is a line break inside the event: that is how the runtime
    sends a traceback. Once an invocation has printed its share, what follows is not looked at, only held, and the
    oldest of it is dropped: a handler that prints 100 MB is not slowed down, and costs no more memory than one that
    prints 1 MB.
    """

    __slots__ = ("_bytes", "_held", "_held_bytes", "_left_out", "_lines", "_open_bytes", "_partial")

    def __init__(self) -> None:
        self._partial = b""
        self.start()

    def start(self) -> None:
        """A new invocation begins: count from nothing."""
        self._bytes = 0
        self._lines = 0
        self._held: deque[tuple[float, bytes]] | None = None  # None as long as there is room among the first
        self._held_bytes = 0
        self._left_out = 0
        self._open_bytes = 0  # of a line without end that is being left out

    @property
    def nothing_yet(self) -> bool:
        """Has nothing come since the invocation began?"""
        return not self._lines and not self._partial and self._held is None

    def feed(self, at: float, data: bytes) -> Iterator[Event]:
        """The events that `data` completes."""
        if self._held is not None:
            self._hold(at, data)
            return
        lines = (self._partial + data).split(b"\n")
        self._partial = lines.pop()
        while len(self._partial) >= LINE_MAX:
            lines.append(self._partial[:LINE_MAX])
            self._partial = self._partial[LINE_MAX:]
        for number, line in enumerate(lines):
            if self._lines >= FIRST_LINES or self._bytes >= FIRST_BYTES:
                self._hold(at, b"\n".join([*lines[number:], self._partial]))
                self._partial = b""
                return
            self._lines += 1
            self._bytes += len(line)
            yield from _events(at, line)

    def finish(self, at: float) -> Iterator[Event]:
        """What has no line break at the end of an invocation, and of a flood the last part."""
        partial, self._partial = self._partial, b""
        if partial:
            yield from _events(at, partial)
        if self._held is not None:
            last = self._last()
            if self._left_out:
                yield at, f"[lamtop] {self._left_out} more lines were not kept"
            for when, line in last:
                yield from _events(when, line)
        self.start()

    def _hold(self, at: float, data: bytes) -> None:
        if self._held is None:
            self._held = deque()
        self._held.append((at, data))
        self._held_bytes += len(data)
        while self._held_bytes - len(self._held[0][1]) >= LAST_BYTES:
            dropped = self._held.popleft()[1]
            self._held_bytes -= len(dropped)
            self._count(dropped)

    def _count(self, dropped: bytes) -> None:
        ends = dropped.count(b"\n")
        self._left_out += ends
        self._open_bytes = len(dropped) - dropped.rfind(b"\n") - 1 if ends else self._open_bytes + len(dropped)
        self._left_out += self._open_bytes // LINE_MAX
        self._open_bytes %= LINE_MAX

    def _last(self) -> list[tuple[float, bytes]]:
        """The last lines that are held, each with the time when it was read. The others are counted."""
        found: list[tuple[float, bytes]] = []
        partial = b""
        for at, data in self._held or ():
            lines = (partial + data).split(b"\n")
            partial = lines.pop()
            found += [(at, line) for line in lines]
        if partial:
            found.append((at, partial))
        begun = self._left_out and len(found) > 1  # the beginning of the first was dropped
        kept = found[-min(LAST_LINES, len(found) - bool(begun)) :]
        self._left_out += len(found) - len(kept)
        return kept


def _events(at: float, line: bytes) -> Iterator[Event]:
    for start in range(0, len(line) or 1, LINE_MAX):
        piece = line[start : start + LINE_MAX]
        yield at, piece.decode(errors="replace").rstrip("\r").replace("\r", "\n")
