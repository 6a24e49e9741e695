"""The letters of JetBrains Mono, which comes with the extra "record", as shades of grey."""

import importlib.util
import unicodedata
from functools import cached_property
from pathlib import Path

from .extra import record_extra
from .reel import FilmError

with record_extra():
    from PIL import Image, ImageDraw, ImageFont

_PACKAGE = "fontpkg_jetbrains_mono"
_UPRIGHT, _SLANTED = "JetBrainsMono[wght].ttf", "JetBrainsMono-Italic[wght].ttf"
_REGULAR, _BOLD = 400, 700
_NOBODYS = "\uffff"  # no font has it: what is drawn for it is drawn for everything that is missing

_CONTROLS = """
NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US SP
DEL
""".split()  # noqa: SIM905 - a list of 34 names is 34 lines
_PICTURES = {chr(0x2400 + at): name for at, name in enumerate(_CONTROLS)} | {"␤": "NL"}
"""Signs that stand for control characters, and what those are called."""


class Letters:
    """The letters at one size: `height` is of a cell, in pixels, `size` of the font; its letters are 0.6 of it wide."""

    def __init__(self, width: int, height: int, size: int) -> None:
        self._width, self._height, self._size = width, height, size
        self._fonts: dict[tuple[str, int, int], ImageFont.FreeTypeFont] = {}
        self._missing: dict[bool, bytes] = {}

    def draw(self, letter: str, *, bold: bool, italic: bool) -> "Image.Image | None":
        """One cell with the letter on it, white on black; None if the font has not got it."""
        if letter in _PICTURES:
            return self._picture(_PICTURES[letter])
        found = self._known(letter, italic=italic)
        if found is None:
            return None
        mask = Image.new("L", (self._width, self._height))
        font = self._font(self._size, bold=bold, italic=italic)
        ImageDraw.Draw(mask).text((0, self._baseline), found, 255, font, anchor="ls")
        return mask

    @cached_property
    def _baseline(self) -> int:
        """Pixels from a cell's top to the line that letters stand on."""
        ascent, descent = self._font(self._size, bold=False, italic=False).getmetrics()
        return (self._height - ascent - descent) // 2 + ascent

    def _known(self, letter: str, *, italic: bool) -> str | None:
        """The letter as the font has it: with its accent as one character, or a plainer one of the same meaning."""
        if letter.isspace():
            return " "
        for form in ("NFC", "NFKC"):
            found = unicodedata.normalize(form, letter)
            if len(found) == 1 and self._has(found, italic=italic):
                return found
        return None

    def _has(self, letter: str, *, italic: bool) -> bool:
        font = self._font(self._size, bold=False, italic=italic)
        if italic not in self._missing:
            self._missing[italic] = bytes(font.getmask(_NOBODYS))
        return bytes(font.getmask(letter)) != self._missing[italic]

    def _picture(self, name: str) -> "Image.Image":
        """The first and the last letter of a control character's name, small, one above the other."""
        mask = Image.new("L", (self._width, self._height))
        draw = ImageDraw.Draw(mask)
        font = self._font(round(self._size * 0.6), bold=False, italic=False)
        draw.text((0, self._height * 0.52), name[0], 255, font, anchor="ls")
        draw.text((self._width, self._height * 0.82), name[-1], 255, font, anchor="rs")
        return mask

    def _font(self, size: int, *, bold: bool, italic: bool) -> "ImageFont.FreeTypeFont":
        which = (_SLANTED if italic else _UPRIGHT, size, _BOLD if bold else _REGULAR)
        if which not in self._fonts:
            font = ImageFont.truetype(str(_folder() / which[0]), size, layout_engine=ImageFont.Layout.BASIC)
            font.set_variation_by_axes([which[2]])
            self._fonts[which] = font
        return self._fonts[which]


def _folder() -> Path:
    with record_extra():
        found = importlib.util.find_spec(_PACKAGE)
        if found is None or found.origin is None:
            raise ImportError(_PACKAGE)
    folder = Path(found.origin).parent / "files"
    if not (folder / _UPRIGHT).is_file():
        raise FilmError(f"{folder} has no {_UPRIGHT}: install lamtop[record] anew")
    return folder
