"""A film to be read: what the screen showed at the end of each scene, with the keys that led there.

Not every picture: most differ from the one before by a clock. A film without marks is one scene.
"""

from typing import NamedTuple

from .frame import Frame
from .reel import Film


class _Scene(NamedTuple):
    start: float
    end: float
    label: str


def film_text(film: Film) -> str:
    """A heading for each scene, the keys that were pressed in it, and its last picture."""
    pieces = [f"{film.title or 'a film of the terminal'}, {film.columns}x{film.rows}, {_clock(film.seconds)}\n"]
    for scene in _scenes(film):
        frame = _last(film, scene)
        if frame is None:
            continue
        keys = " ".join(key.text for key in film.keys if scene.start <= key.at < scene.end)
        head = f"{_clock(scene.start)}-{_clock(min(scene.end, film.seconds))} {scene.label}".rstrip()
        line = "─" * max(3, film.columns - len(head) - 4)
        pieces.append(f"── {head} {line}\n" + (f"keys: {keys}\n" if keys else "") + f"\n{frame.text}\n")
    return "\n".join(pieces)


def _scenes(film: Film) -> list[_Scene]:
    marks = sorted(film.marks)
    starts = [(mark.at, mark.label) for mark in marks]
    if not starts or starts[0][0] > 0:
        starts.insert(0, (0.0, ""))
    ends = [*(at for at, _ in starts[1:]), float("inf")]
    return [_Scene(at, end, label) for (at, label), end in zip(starts, ends, strict=True)]


def _last(film: Film, scene: _Scene) -> Frame | None:
    """What stood on the screen before the next scene began; None if nothing was shown in this one."""
    shown = [shot.frame for shot in film.shots if shot.at < scene.end]
    return shown[-1] if shown and scene.end > scene.start else None


def _clock(seconds: float) -> str:
    """ "0:04.2": minutes, seconds and tenths."""
    tenths = round(seconds * 10)
    return f"{tenths // 600}:{tenths // 10 % 60:02}.{tenths % 10}"
