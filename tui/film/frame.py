"""One picture of the screen: rows of text, each piece in its look. Nothing in it can command a terminal."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import SVG_EXPORT_THEME
from textual._context import visible_screen_stack

from ..ascii_output import in_ascii
from ..format import clean

if TYPE_CHECKING:
    from ..app import Lamtop


class Look(NamedTuple):
    """How letters look: colours as "#rrggbb", and what else a terminal can do with them."""

    front: str
    ground: str
    bold: bool = False
    dim: bool = False
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


def frame_of(app: "Lamtop") -> Frame:
    """What the app's top screen shows now, whether or not a terminal has it yet.

    All that is private to Textual is asked for here.
    """
    below = app._background_screens
    visible_screen_stack.set(below)
    if below:
        app.screen.refresh()  # what lies under a panel is drawn anew only with the panel
    strips = app.screen._compositor.render_strips()
    return Frame(app.size.width, tuple(row_of(strip, plain=app.draws_ascii) for strip in strips))


def row_of(segments: Iterable[Segment], *, plain: bool = False) -> Row:
    """A line of segments as a row; with `plain` in ASCII."""
    runs: list[Run] = []
    for text, style, control in segments:
        if control or not text:
            continue
        look = look_of(style or Style.null())
        shown = clean(in_ascii(text) if plain else text).replace("\n", "␤").replace("\t", " ")
        if runs and runs[-1].look == look:
            runs[-1] = Run(runs[-1].text + shown, look)
        else:
            runs.append(Run(shown, look))
    return tuple(runs)


def look_of(style: Style) -> Look:
    """A style as a terminal of many colours shows it; those that a terminal calls its own are given fixed values."""
    theme = SVG_EXPORT_THEME
    front = style.color.get_truecolor(theme).hex if style.color else theme.foreground_color.hex
    ground = style.bgcolor.get_truecolor(theme, foreground=False).hex if style.bgcolor else theme.background_color.hex
    if style.reverse:
        front, ground = ground, front
    marks = (style.bold, style.dim, style.italic, style.underline, style.strike)
    return Look(front, ground, *map(bool, marks))
