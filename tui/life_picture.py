"""How the rows of a life are drawn: which cells, and in which style."""

from . import format as f
from .axis import Scale
from .life_rows import Span

_FILL = {
    "caller": f.EMPTY,
    "wait": f.WAITING,
    "retry": f.WAITING,
    "ok": f.FULL,
    "error": f.FULL,
    "running": f.FULL,
    "call": f.WAITING,
}
_STYLE = {
    "caller": "accent",
    "wait": "dim",
    "retry": "warning",
    "ok": "ok",
    "error": "error",
    "running": "ok",
    "call": "warning",
    "end-ok": "ok",
    "end-error": "error",
}


def drawn(row: Span, scale: Scale) -> list[tuple[str, str]]:
    """One row's part of the axis, exactly as wide as the scale: text and style."""
    style = _STYLE[row.kind]
    if row.kind.startswith("end"):
        glyph = (f.OK if row.kind == "end-ok" else f.DEAD) if row.label else " "
        cell = scale.cell(row.start)
        return [(" " * cell + glyph + " " * (scale.width - cell - 1), style)]
    first, last = scale.cells(row.start, row.end)
    past = last if row.ahead is None else max(first, min(last, scale.cell(row.ahead)))
    text = " " * first + _FILL[row.kind] * (past - first) + f.AHEAD * (last - past)
    text = text[: last - len(row.mark)] + row.mark
    return [(text + " " * (scale.width - last), style)]


def style_of(row: Span) -> str:
    """The style its words are drawn in."""
    return {"error": "error", "end-error": "error", "end-ok": "ok", "running": "ok"}.get(row.kind, "")
