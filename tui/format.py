"""Values to text: durations, sizes, states. Foreign text passes `clean` once, when the model takes it in."""

import re
from datetime import datetime
from typing import Any

from rich.cells import cell_len, set_cell_size

QUEUED, RUNNING, RETRY, OK, FAILED, DEAD, THROTTLED = "·▶↻✓✗■‖"
MARK, CURSOR, FULL, EMPTY, WAITING, AHEAD, INJECTED = "*>█░▒┄↯"
GLYPHS = QUEUED + RUNNING + RETRY + OK + FAILED + DEAD + THROTTLED + MARK + CURSOR + FULL + EMPTY + WAITING + AHEAD
GLYPHS += INJECTED

_PICTURES = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\n\t"}
_PICTURES[0x7F] = "␡"
_HIDDEN = [
    range(0x80, 0xA0),  # C1: an 8-bit terminal takes \x9b for the start of a command
    range(0xD800, 0xE000),  # lone surrogates cannot be encoded
    range(0x200B, 0x2010),  # zero width and direction marks
    range(0x202A, 0x202F),  # direction overrides: the text reads other than it is
    range(0x2060, 0x2070),
    range(0xFFF9, 0xFFFC),
    range(0xE0000, 0xE0080),  # invisible letters
    [0xAD, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180E, 0x3164, 0xFEFF, 0xFFA0],
]
_PICTURES |= {code: "�" for codes in _HIDDEN for code in codes}
_PICTURES |= {0x2028: "␤", 0x2029: "␤"}
_PICTURES |= dict.fromkeys(range(0xFE00, 0xFE10), "")  # they change a character's width after the fact
_FOREIGN = re.compile("[" + "".join(re.escape(chr(code)) for code in sorted(_PICTURES)) + "]")


def clean(text: str) -> str:
    """The text with everything visible that would steer a terminal, turn the writing direction or hide.

    Newlines and tabs stay. Running it twice changes nothing.
    """
    if (text.isascii() and text.isprintable()) or not _FOREIGN.search(text):  # the first is quick, and mostly true
        return text
    return text.replace("\r\n", "\n").translate(_PICTURES)


_HARMLESS = frozenset({int, float, bool, type(None)})


def clean_deep(value: Any) -> Any:
    """A plain value (dicts, lists, text, numbers) with every text in it cleaned, keys too.

    The very same value where nothing is to clean, which its `repr` tells soonest: that escapes what is not printable.
    """
    told = repr(value)
    return value if told.isascii() and "\\" not in told else _cleaned(value)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {_cleaned(key): item if type(item) in _HARMLESS else _cleaned(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cleaned(item) for item in value]
    return value


def one_line(text: str) -> str:
    """The text on one line: newlines become ␤, tabs become spaces."""
    return text.replace("\n", "␤").replace("\t", "    ") if "\n" in text or "\t" in text else text


def clean_line(text: str) -> str:
    """Somebody else's words, safe to show, on one line."""
    return one_line(clean(text))


def fit(text: str, width: int) -> str:
    """The text in exactly `width` cells: padded with spaces, or cut with an ellipsis."""
    text = text[: width * 2 + 2]  # a cell is at least half a character: a megabyte is not measured
    if text.isascii():
        return text.ljust(width) if len(text) <= width else text[: max(0, width - 1)] + "…"[:width]
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, max(0, width - 1)) + "…"[:width]


def wrap(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells, cut where they are full."""
    lines = []
    for line in text.expandtabs(4).split("\n"):
        lines += _cut(line, max(2, width))
    return lines


def _cut(line: str, width: int) -> list[str]:
    if line.isascii():
        return _cut_ascii(line, width)
    pieces = []
    while cell_len(line) > width:
        take = width
        while cell_len(line[:take]) > width:
            take -= 1
        take = line.rfind(" ", take * 2 // 3, take) + 1 or take
        pieces.append(line[:take])
        line = line[take:]
    return [*pieces, line]


def _cut_ascii(line: str, width: int) -> list[str]:
    pieces = []
    while len(line) > width:
        space = line.rfind(" ", width * 2 // 3, width) + 1
        pieces.append(line[: space or width])
        line = line[space or width :]
    return [*pieces, line]


def span(seconds: float) -> str:
    """A duration for a sentence: "2 ms", "3.02 s", "59 s", "2 min", "1 min 59 s", "3 h 5 min"."""
    if seconds < 0.9995:
        return f"{max(0, seconds) * 1000:.0f} ms" if seconds >= 0.001 else f"{max(0, seconds) * 1000:.1f} ms"
    if seconds < 60:
        return f"{seconds:.2f}".rstrip("0").rstrip(".") + " s"
    whole = round(seconds)
    if whole < 3600:
        return _two(whole // 60, "min", whole % 60, "s")
    return _two(whole // 3600, "h", whole % 3600 // 60, "min")


def _two(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"


def short_span(seconds: float | None) -> str:
    """A duration for a column, at most six characters: "41ms", "1.80s", "12.4s", "–" when unknown."""
    if seconds is None:
        return "–"
    if seconds < 0.9995:
        return f"{seconds * 1000:.1f}ms" if seconds < 0.00995 else f"{seconds * 1000:.0f}ms"
    return f"{seconds:.2f}s" if seconds < 10 else f"{seconds:.1f}s" if seconds < 100 else f"{seconds:.0f}s"


def age(seconds: float) -> str:
    """How long ago, in at most four characters: "4.1s", "59s", "1:59", "12m", "3h", "9d"."""
    seconds = max(0.0, seconds)
    if seconds < 9.95:
        return f"{seconds:.1f}s"
    if seconds < 60:
        return f"{int(seconds)}s"
    if seconds < 600:
        return f"{int(seconds // 60)}:{int(seconds % 60):02}"
    if seconds < 3600:
        return f"{int(seconds // 60)}m"
    return f"{int(seconds // 3600)}h" if seconds < 86_400 else f"{int(seconds // 86_400)}d"


def countdown(seconds: float) -> str:
    """How long until, for a column: "1:59", "59s", "9.4s", "now"."""
    if seconds <= 0:
        return "now"
    return age(seconds) if seconds < 600 else f"{int(seconds // 60)}:{int(seconds % 60):02}"


def clock_left(seconds: float) -> str:
    """What is left, as a clock counts it down: "0:18", "2:00", "1:00:05"."""
    whole = max(0, round(seconds))
    minutes = f"{whole // 60 % 60}:{whole % 60:02}"
    return f"{whole // 3600}:{minutes:0>5}" if whole >= 3600 else minutes


def until(seconds: float) -> str:
    """How long until, for a title: "in 1:59", "in 59s", "now"."""
    return "now" if seconds <= 0 else f"in {countdown(seconds)}"


def clock(when: float) -> str:
    """A time of day in this machine's zone: "14:03:21"."""
    return _local(when).strftime("%H:%M:%S")


def clock_ms(when: float) -> str:
    """A time of day with milliseconds: "14:03:21.042"."""
    return _local(when).strftime("%H:%M:%S.%f")[:-3]


def _local(when: float) -> datetime:
    return datetime.fromtimestamp(when).astimezone()


def size(count: float) -> str:
    """Bytes in at most five characters: "612B", "1.1K", "3.4M"."""
    if count < 1000:
        return f"{count:.0f}B"
    if count < 1_000_000:
        return f"{count / 1000:.1f}K" if count < 99_950 else f"{count / 1000:.0f}K"
    return f"{count / 1_000_000:.1f}M"


def number(count: int) -> str:
    """A count with thousands separated: "1,204"."""
    return f"{count:,}"


def money(dollars: float) -> str:
    """Dollars with two digits at least that say something: "$0", "$0.0000021", "$0.034", "$8.53", "$1,204"."""
    if dollars < 1e-12:
        return "$0"
    if dollars >= 999.5:
        return f"${dollars:,.0f}"
    digits = max(2, 1 - int(f"{dollars:.1e}".partition("e")[2]))
    return f"${dollars:.{digits}f}"


def share(part: float) -> str:
    """A part of a whole, 0 to 1, in per cent: "38%", "<1%"."""
    return "<1%" if 0 < part < 0.01 else f"{part * 100:.0f}%"


def counted(count: int, noun: str) -> str:
    """ "1 event", "3 events"."""
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def injected(hit: str) -> str:
    """That an armed fault did it, for good: "↯ injected: timeout (fault 2)"; "" if none did."""
    return f"{INJECTED} injected: {hit}" if hit else ""


def short_id(request_id: str) -> str:
    """The first four characters of a request id: enough to follow one by eye."""
    return request_id[:4]


def bar(part: float, width: int) -> str:
    """A gauge `width` cells wide, `part` of it (0 to 1) filled."""
    filled = round(max(0.0, min(1.0, part)) * width)
    return FULL * filled + EMPTY * (width - filled)
