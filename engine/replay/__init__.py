"""A project's past, looked at as if an engine ran it.

`opening` finds a recording: a state folder, or a file as `format` describes it, which `writing` writes and `parsing`
reads. `reading` goes through it once and works out what each event was at which time. `rewound` sets it to a moment and
shows it by the views of a running engine, `stand_ins` and `on_its_way` being what those look at instead; `tallies` and
`configured` know what had been counted and configured then. `replay` has the verbs, `player` lets time pass on the
recording's own `clock`, `happenings` finds what comes next.
"""

from .opening import open_recording
from .parsing import RecordingError
from .replay import NotInAReplay, Replay
from .writing import export, write_lines

__all__ = [
    "NotInAReplay",
    "RecordingError",
    "Replay",
    "export",
    "open_recording",
    "write_lines",
]
