"""The log of one execution environment: what its process prints and what the platform says of it, in order."""

import json
from typing import Protocol

from ....clock import Clock
from ....core.function import Function
from ....core.invocation import Invocation
from ..failures import Failure
from .lines import Report, platform_lines
from .output import Output

_LEVELS = {"TRACE": 0, "DEBUG": 1, "INFO": 2, "WARN": 3, "WARNING": 3, "ERROR": 4, "FATAL": 5, "CRITICAL": 5}


class LogSink(Protocol):
    """Where log lines go."""

    @property
    def next_number(self) -> int:
        """The number that the next line will get."""
        ...

    def line(
        self, function: str, request_id: str, attempt: int, at: float, kind: str, text: str, stream: str = ""
    ) -> int:
        """Keep one log event and return its number. `kind`: "platform" (START, END, REPORT …) or "output".

        `stream` comes with lines outside of an invocation; the stream of the others is their attempt's.
        """
        ...


class Log:
    """Everything that is logged of one environment. What comes before the first invocation is kept back for it."""

    def __init__(self, sink: LogSink, clock: Clock, function: Function, stream: str) -> None:
        self._sink = sink
        self._stream = stream
        self._clock = clock
        self._function = function
        self._platform = platform_lines(function)
        self._lowest = _LEVELS[function.logging.application_level] if function.logging.format == "JSON" else 0
        self._output = Output()
        self._early: list[tuple[float, str, str]] = []  # (time, kind, text), for the next invocation's log
        self._init_started: float | None = None
        self._invocation: Invocation | None = None
        self.first_line = 0  # of the invocation that runs, or ran last
        self.last_line = 0

    def init_started(self) -> None:
        self._init_started = self._clock.now()

    def init_ended(self, python: str, phase: str, seconds: float, failure: Failure | None = None) -> None:
        """`python` is the version that the process has told, or "". `phase` and `seconds` as in an INIT_REPORT."""
        self._begin_with_init_start(python)
        now = self._clock.now()
        self._take_early(now)
        self._early += [(now, "platform", text) for text in self._platform.init_end(now, phase, seconds, failure)]

    def begin(self, invocation: Invocation) -> None:
        """An invocation starts. What was printed since the last one belongs to it too."""
        now = self._clock.now()
        self._take_early(now)
        self._invocation = invocation
        self.first_line = self._sink.next_number
        self._write_early()
        self._write("platform", now, *self._platform.start(now, invocation.request_id, invocation.executed_version))

    def take(self, data: bytes) -> None:
        """The process has printed something."""
        now = self._clock.now()
        events = self._output.feed(now, data)
        if self._invocation is None:
            self._early += [(at, "output", text) for at, text in events if self._passes(text)]
            return
        for at, text in events:
            if self._passes(text):
                self._write("output", at, text)

    def end(self, report: Report) -> None:
        """The invocation has ended, and all its output is taken."""
        now = self._clock.now()
        if not self._output.nothing_yet:
            for at, text in self._output.finish(now):
                if self._passes(text):
                    self._write("output", at, text)
        self._write("platform", now, *self._platform.end(now, report))
        self.last_line = self._sink.next_number - 1
        self._invocation = None

    def close(self) -> None:
        """Nothing more will come: what was kept back belongs to no invocation."""
        self._begin_with_init_start("")
        self._take_early(self._clock.now())
        self._write_early()

    def _begin_with_init_start(self, python: str) -> None:
        """The line is the first, but which Python it is shows only later."""
        at, self._init_started = self._init_started, None
        if at is not None:
            texts = self._platform.init_start(at, python or self._function.runtime.removeprefix("python"))
            self._early[:0] = [(at, "platform", text) for text in texts]

    def _take_early(self, now: float) -> None:
        if self._output.nothing_yet:
            return
        self._early += [(at, "output", text) for at, text in self._output.finish(now) if self._passes(text)]

    def _write_early(self) -> None:
        early, self._early = self._early, []
        for at, kind, text in early:
            self._write(kind, at, text)

    def _write(self, kind: str, at: float, *texts: str) -> None:
        invocation = self._invocation
        for text in texts:
            if invocation is None:
                self._sink.line(self._function.name, "", 0, at, kind, text, self._stream)
            else:
                invocation.tail.append(text)
                self._sink.line(self._function.name, invocation.request_id, invocation.attempt, at, kind, text)

    def _passes(self, text: str) -> bool:
        """Does the application log level let it through? Only JSON objects have a level, INFO unless they say."""
        return not self._lowest or not text.startswith("{") or _level(text) >= self._lowest


def _level(text: str) -> int:
    try:
        level = json.loads(text).get("level")
    except (ValueError, RecursionError, AttributeError):
        return max(_LEVELS.values())  # no object: text like any other
    return _LEVELS.get(level.upper(), _LEVELS["INFO"]) if isinstance(level, str) else _LEVELS["INFO"]
