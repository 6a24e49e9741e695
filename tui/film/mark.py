"""The words in the header that say that the screen is recorded. They are left out of the recording itself."""

import re

from .frame import Frame, Row, Run, joined

_MARK = re.compile(r" ?[●#] REC [\d:]+ ?")  # in ASCII the dot is a #


def mark_of(length: str) -> str:
    """What the header says while the film gets longer: "● REC 0:12"."""
    return f"● REC {length}"


def without_mark(frame: Frame) -> Frame:
    """The picture without these words in its first line: a film is of what happens, not of how it was made."""
    return Frame(frame.columns, (_unmarked(frame.rows[0]), *frame.rows[1:])) if frame.rows else frame


def _unmarked(row: Row) -> Row:
    """The line with spaces there, which look as what follows them: as if nothing had been there."""
    for at, run in enumerate(row):
        found = _MARK.search(run.text)
        if found:
            next_look = row[at + 1].look if at + 1 < len(row) else run.look
            pieces = Run(run.text[: found.start()], run.look), Run(" " * len(found[0]), next_look)
            return joined((*row[:at], *pieces, Run(run.text[found.end() :], run.look), *row[at + 1 :]))
    return row
