"""Log lines: what the platform writes, and how a process's output becomes lines.

Source: records made on AWS, and the Lambda guide, "Working with Lambda function logs". The tab at the end of a REPORT
line is AWS's.
"""

import hashlib
from collections.abc import Iterator

from ...core.arn import REGION
from ...core.cost import billed_ms

LINE_MAX = 64 * 1024  # bytes; a longer line is split
OUTPUT_MAX = 1024 * 1024  # bytes of output kept from one invocation
LINES_MAX = 10_000


def init_start(runtime: str) -> str:
    version = runtime.removeprefix("python")
    digest = hashlib.sha256(runtime.encode()).hexdigest()
    return (
        f"INIT_START Runtime Version: python:{version}\tRuntime Version ARN: arn:aws:lambda:{REGION}::runtime:{digest}"
    )


def init_report(seconds: float, status: str) -> str:
    return f"INIT_REPORT Init Duration: {seconds * 1000:.2f} ms\tPhase: init\t{status}"


def report(
    request_id: str, duration: float, init_duration: float | None, memory: int, memory_used: int, status: str
) -> str:
    """The REPORT line. Durations in seconds, memory in MB."""
    billed = billed_ms(duration, init_duration)
    line = (
        f"REPORT RequestId: {request_id}\tDuration: {duration * 1000:.2f} ms\tBilled Duration: {billed} ms\t"
        f"Memory Size: {memory} MB\tMax Memory Used: {memory_used} MB\t"
    )
    if init_duration is not None:
        line += f"Init Duration: {init_duration * 1000:.2f} ms\t"
    return line + status


class Output:
    """Turns what a process prints into log events, up to a limit for each invocation.

    One line is one event. A carriage return inside a line is a line break inside the event: that is how the runtime
    sends a traceback.
    """

    __slots__ = ("_bytes", "_lines", "_partial", "left_out")

    def __init__(self) -> None:
        self._partial = b""
        self.start()

    def start(self) -> None:
        """A new invocation begins: count from nothing."""
        self._bytes = 0
        self._lines = 0
        self.left_out = 0

    def feed(self, data: bytes) -> Iterator[str]:
        """The events that `data` completes."""
        lines = (self._partial + data).split(b"\n")
        self._partial = lines.pop()
        while len(self._partial) >= LINE_MAX:
            lines.append(self._partial[:LINE_MAX])
            self._partial = self._partial[LINE_MAX:]
        for line in lines:
            yield from self._event(line)

    def finish(self) -> Iterator[str]:
        """What is left without a line break at the end of an invocation, and how much was left out."""
        if self._partial:
            partial, self._partial = self._partial, b""
            yield from self._event(partial)
        if self.left_out:
            yield f"[lamtop] {self.left_out} more lines were not kept"
            self.left_out = 0

    def _event(self, line: bytes) -> Iterator[str]:
        for start in range(0, len(line) or 1, LINE_MAX):
            piece = line[start : start + LINE_MAX]
            if self._lines >= LINES_MAX or self._bytes + len(piece) > OUTPUT_MAX:
                self.left_out += 1
                continue
            self._lines += 1
            self._bytes += len(piece)
            yield piece.decode(errors="replace").rstrip("\r").replace("\r", "\n")
