"""One picture of the screen: rows of text, each piece in its look. Nothing in it can command a terminal."""

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, split_graphemes
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import SVG_EXPORT_THEME
from textual._context import active_app, visible_screen_stack

from ..ascii_output import in_ascii
from ..format import clean

if TYPE_CHECKING:
    from ..app import Lamtop


_NO_STYLE = Style.null()
_DIM = 0.6  # of its difference from the ground is left of a colour that is dim


class Look(NamedTuple):
    """How letters look: colours as "#rrggbb", and what else every terminal does the same with them."""

    front: str
    ground: str
    bold: bool = False
    italic: bool = False
    underline: bool = False
    strike: bool = False


class Run(NamedTuple):
    """Text in one look; a control character in it is drawn as what stands for it."""

    text: str
    look: Look

    @property
    def width(self) -> int:
        """Cells."""
        return cell_len(self.text)

    @property
    def letters(self) -> list[tuple[str, int]]:
        """What stands in its cells, one by one, with how many cells it takes: a letter and the accents over it."""
        if self.text.isascii():
            return [(char, 1) for char in self.text]
        return [(self.text[start:end], width) for start, end, width in split_graphemes(self.text)[0]]


Row = tuple[Run, ...]
"""A line of the screen from its first cell to its last: the widths of its runs add up to the screen's."""


class Frame(NamedTuple):
    """What a screen shows at one moment."""

    columns: int
    rows: tuple[Row, ...]

    @property
    def text(self) -> str:
        """Its words, a line for each row."""
        return "\n".join("".join(run.text for run in row).rstrip() for row in self.rows)

    @property
    def ground(self) -> str:
        """The colour that is behind most of it."""
        cells: Counter[str] = Counter()
        for row in self.rows:
            for run in row:
                cells[run.look.ground] += run.width
        return max(sorted(cells), key=lambda colour: cells[colour], default=SVG_EXPORT_THEME.background_color.hex)


def frame_of(app: "Lamtop") -> Frame:
    """What the app's top screen shows now, whether or not a terminal has it yet.

    All that is private to Textual is asked for here.
    """
    active_app.set(app)  # whoever asks need not be a part of it
    visible_screen_stack.set(app._background_screens)
    strips = app.screen._compositor.render_strips()
    return Frame(app.size.width, tuple(row_of(strip, plain=app.draws_ascii) for strip in strips))


def joined(runs: Iterable[Run]) -> Row:
    """Neighbours that look alike as one."""
    row: list[Run] = []
    for run in runs:
        if row and row[-1].look == run.look:
            row[-1] = Run(row[-1].text + run.text, run.look)
        elif run.text:
            row.append(run)
    return tuple(row)


def row_of(segments: Iterable[Segment], *, plain: bool = False) -> Row:
    """A line of segments as a row; with `plain` in ASCII."""
    runs = (
        Run(clean(in_ascii(text) if plain else text).replace("\n", "␤").replace("\t", " "), look_of(style or _NO_STYLE))
        for text, style, control in segments
        if not control
    )
    return joined(runs)


@lru_cache(4096)
def look_of(style: Style) -> Look:
    """A style as a terminal of many colours shows it; those that a terminal calls its own are given fixed values."""
    theme = SVG_EXPORT_THEME
    front = style.color.get_truecolor(theme).hex if style.color else theme.foreground_color.hex
    ground = style.bgcolor.get_truecolor(theme, foreground=False).hex if style.bgcolor else theme.background_color.hex
    if style.reverse:
        front, ground = ground, front
    if style.dim:  # each terminal has another idea of it: here it is a colour
        front = between(ground, front, _DIM)
    marks = (style.bold, style.italic, style.underline, style.strike)
    return Look(front, ground, *map(bool, marks))


def between(start: str, end: str, part: float) -> str:
    """A colour on the way from one to another; `part` 0 is the start, 1 the end."""
    pairs = ((int(start[at : at + 2], 16), int(end[at : at + 2], 16)) for at in (1, 3, 5))
    return "#" + "".join(f"{round(one + (other - one) * part):02x}" for one, other in pairs)
