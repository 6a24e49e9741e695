"""Everything in plain ASCII, for terminals and fonts that show nothing else: each cell keeps its place."""

import re

from rich.cells import cell_len
from textual.driver import Driver

_DRAWN = {
    "·▸•": ".", "▶→⇒›": ">", "↻": "r", "✓✔": "v", "✗✘×": "x", "■●": "#", "‖": "=", "…": "~", "–—": "-", "←‹": "<",
    "↓": "v", "↑": "^", "↯": "!", "␤": "/", "∞": "-", "─╌┄┈━": "-", "│┆┊┃▏▎▍▌▋▊▉▕▐": "|", "═": "=", "║": "|",
    "╭╮╰╯┌┐└┘├┤┬┴┼╔╗╚╝╠╣╦╩╬": "+", "█▇▆▅▓": "#", "▄▃▒▀": "=", "▂▁░": "-", "“”": '"', "‘’": "'",
    "\u00a0": " ", "�": "?",
}  # fmt: skip
_TABLE = {ord(one): plain for many, plain in _DRAWN.items() for one in many}
_FOREIGN = re.compile(r"[^\x00-\x7f]+")


def in_ascii(text: str) -> str:
    """The text in ASCII, every cell of it in its place: what has no likeness becomes "?"."""
    return text if text.isascii() else _FOREIGN.sub(_plain, text)


def _plain(found: "re.Match[str]") -> str:
    return "".join(_TABLE.get(ord(one)) or "?" * cell_len(one) for one in found[0])


def ascii_driver(driver: type[Driver]) -> type[Driver]:
    """The same driver, but what it writes is ASCII."""

    class AsciiDriver(driver):  # type: ignore[misc,valid-type]
        def write(self, data: str) -> None:
            super().write(in_ascii(data))

    return AsciiDriver
