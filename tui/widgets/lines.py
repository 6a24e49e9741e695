"""The single lines around the panes: header, tab strip, status, footer."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import urlsplit

from rich.cells import cell_len

from .. import format as f
from ..film.mark import mark_of
from ..inflow import spark
from ..keymap import PANE_KEYS, PANE_TITLES, key_for
from ..model import Model
from ..rewind import position_words
from ..time_words import time_words
from .line_view import OneLine, Part

LEVELS = {"info": ("✓", "ok"), "warning": ("!", "warning"), "error": ("✗", "error"), "busy": ("…", "accent")}


@dataclass(eq=False)
class _Piece:
    """A part of the header that comes or goes as one; 0 never goes, of the others the lowest first."""

    drop: int
    parts: list[Part]

    @property
    def width(self) -> int:
        return sum(cell_len(text) for text, _ in self.parts)


class Header(OneLine):
    """Whose engine this is, what time it has, how it goes. What matters least gives way where there is no room."""

    def __init__(self, model: Model, looks: Callable[[], list[Part]] = list) -> None:
        super().__init__(id="header")
        self._model, self._looks = model, looks

    def left(self) -> list[Part]:
        return self._sides()[0]

    def right(self) -> list[Part]:
        return self._sides()[1]

    def _sides(self) -> tuple[list[Part], list[Part]]:
        left, right = self._about(), self._how_it_goes()
        room = self.size.width - sum(piece.width for piece in (*left, *right) if not piece.drop)
        for piece in sorted((piece for piece in (*left, *right) if piece.drop), key=lambda piece: -piece.drop):
            if piece.width <= room:
                room -= piece.width
            else:
                (left if piece in left else right).remove(piece)
        return [part for piece in left for part in piece.parts], [part for piece in right for part in piece.parts]

    def _about(self) -> list[_Piece]:
        hello = self._model.hello
        mark = [_Piece(0, [(f" {mark_of(self._model.recorded)} ", "error")])] if self._model.recorded else []
        if not hello:
            return [_Piece(0, [(" lamtop ", "title"), (f" {self._model.link}", "warning")]), *mark]
        path = PurePath(str(hello.get("project", "")))
        wide = self.size.width >= 100
        pieces = [
            _Piece(0, [(" lamtop ", "title")]),
            _Piece(8, [(f" {f.fit(_project(path, wide), 24 if wide else 14).rstrip()}", "")]),
            _Piece(6, [(f" :{urlsplit(str(hello.get('url', ''))).port or '?'}", "accent")]),
            _Piece(2, [(f" {'python ' if wide else 'py '}{hello.get('python', '')} ", "dim")]),
        ]
        if self._model.replay is not None:
            del pieces[2]  # it has no port
            pieces.insert(1, _Piece(0, [(f" {position_words(self._model, brief=not wide)} ", "warning")]))
            if not hello.get("python"):
                pieces.pop()
        lost = [] if self._model.connected else [_Piece(0, [(f" {self._model.link} ", "error")])]
        paused = [_Piece(0, [(" PAUSED ", "warning")])] if self._model.totals.get("paused_since") else []
        return [*pieces, *lost, *paused, *(_Piece(0, [part]) for part in self._looks()), *mark]

    def _how_it_goes(self) -> list[_Piece]:
        time, totals = self._model.time, self._model.totals
        if not time.engine:
            return []
        wide, faults = self.size.width >= 100, self._model.faults
        is_usual = bool(time.rate) or time.mode != "scaled"
        pace = time_words(time, brief=self.size.width < 120)
        count = f"{f.INJECTED}{len(faults)}" + (f" {'fault' if len(faults) == 1 else 'faults'}" if wide else "")
        good = max(0, int(totals.get("invocations") or 0) - int(totals["errors"]))
        errors = int(totals["errors"])
        # every refusal so far, not those that wait now
        throttles = int(totals["throttles" if "throttles" in totals else "throttled"])
        word = "throttled" if wide else "thr"
        return [
            _Piece(7, [(f" {f.clock(time.now())} ", "")]),
            _Piece(9 if is_usual else 0, [(f"{pace} " if pace else "", "accent" if is_usual else "warning")]),
            *([_Piece(1, [("stopped ", "warning")])] if is_usual and time.stands else []),
            *([_Piece(0, [(f"{count} ", "error")])] if faults else []),
            _Piece(0, [("│ ", "dim")]),
            *self._inflow(),
            _Piece(0, [(f"ok {f.number(good)} ", "ok")]),
            _Piece(0, [(f" err {f.number(errors)} ", "error" if errors else "dim")]),
            _Piece(0 if throttles else 2, [(f" {word} {f.number(throttles)} ", "warning" if throttles else "dim")]),
            *self._durations(),
        ]

    def _inflow(self) -> list[_Piece]:
        """Requests of the last seconds; the number is of the last one that is over."""
        counts = self._model.inflow.counts(self._model.time.now())
        if not any(counts):
            return []
        word = "in " if self.size.width >= 100 else ""
        return [_Piece(5, [(word, "dim"), (f"{spark(counts)} {f.number(counts[-2])}/s  ", "accent")])]

    def _durations(self) -> list[_Piece]:
        totals = self._model.totals
        if totals.get("p99") is None:
            return []
        tail = _Piece(4, [(f" p99 {f.short_span(totals['p99'])} ", "")])
        return [_Piece(3, [(f" p50 {f.short_span(totals['p50'])}", "")]), tail]


def _project(path: PurePath, wide: bool) -> str:
    return "/".join(path.parts[-2:]) if wide and len(path.parts) > 1 else path.name


_SHORT = {"inflight": "Run", "timeline": "Time", "functions": "Fn", "retries": "Retry"}  # in the order of need


class Tabs(OneLine):
    """The panes with their counts, for a screen that shows one list at a time."""

    def __init__(self, model: Model, focused: Callable[[], str]) -> None:
        super().__init__(id="tabs")
        self._model, self._focused = model, focused

    def left(self) -> list[Part]:
        names = dict(PANE_TITLES)
        for pane, short in _SHORT.items():
            if sum(len(text) for text, _ in self._parts(names)) > self.size.width:
                names[pane] = short
        if sum(len(text) for text, _ in self._parts(names)) <= self.size.width:
            return self._parts(names)
        shortest = {pane: _SHORT.get(pane, title[:3]) for pane, title in PANE_TITLES.items()}
        return [(text.removeprefix(" "), style) for text, style in self._parts(shortest, brief=True)]

    def _parts(self, names: dict[str, str], *, brief: bool = False) -> list[Part]:
        parts: list[Part] = []
        for pane in sorted(PANE_KEYS, key=PANE_KEYS.__getitem__):
            here = pane == self._focused()
            count = pane_count(self._model, pane, brief=brief)
            text = f"{key_for(f'pane.{pane}')} {PANE_TITLES[pane] if here else names[pane]}{count}"
            style = "title" if here else "error" if pane == "dlq" and self._model.totals["dead_letters"] else "dim"
            parts.append((f"[{text}]" if here else f" {text} ", style))
        return parts


def pane_count(model: Model, pane: str, *, brief: bool = False) -> str:
    """What a pane's title counts: " 12", for Retries with the soonest countdown unless
    it must be brief, "" when there is nothing."""
    totals = model.totals
    counts = {"queue": "queued", "inflight": "in_flight", "retries": "retrying", "dlq": "dead_letters"}
    if pane not in counts:
        return ""
    count = int(totals.get(counts[pane]) or 0)
    if pane == "retries" and count and totals.get("soonest_retry") and not brief:
        return f" {count} {f.until(totals['soonest_retry'] - model.time.now())}"
    return f" {f.number(count)}" if count else ""


class Status(OneLine):
    """The newest sentence at the left, the selected function at the right."""

    def __init__(self, model: Model, selected: Callable[[], str]) -> None:
        super().__init__(id="status")
        self._model, self._selected = model, selected

    def left(self) -> list[Part]:
        notice = self._model.notice
        if not notice.text:
            return []
        glyph, style = LEVELS.get(notice.level, LEVELS["info"])
        when = f"  {f.clock(notice.at)}" if notice.at and self.size.width >= 100 else ""
        room = self.size.width - len(self.right()[0][0]) - 4 - len(when)
        words = f.fit(f.one_line(notice.text), room).rstrip()
        return [(f" {glyph} ", style), (words, "" if style == "ok" else style), (when, "dim")]

    def right(self) -> list[Part]:
        name = self._selected()
        return [(f"function: {name} " if name else "", "title")]


class Standing(OneLine):
    """What is wrong for as long as it is; no line at all when nothing is."""

    def __init__(self, model: Model) -> None:
        super().__init__(id="standing")
        self._model = model

    def look(self) -> None:
        """Come or go, and say what is true now."""
        self.display = bool(self._model.standing)
        self.refresh()

    def left(self) -> list[Part]:
        room = self.size.width - sum(len(text) for text, _ in self.right()) - 3
        parts: list[Part] = []
        for one in self._model.standing[:1]:
            glyph, style = LEVELS.get(one.level, LEVELS["warning"])
            parts.append((f" {glyph} {f.fit(f.one_line(one.text), room).rstrip()}", style))
        return parts

    def right(self) -> list[Part]:
        more = len(self._model.standing) - 1
        return [
            (f" +{more} more" if more > 0 else "", "warning"),
            (f" {key_for('notices')}", "accent"),
            (" notices ", ""),
        ]


class Footer(OneLine):
    """The keys that do something here; the last two always fit."""

    def __init__(self, keys: Callable[[], list[tuple[str, str]]], last: int = 2) -> None:
        super().__init__(id="footer")
        self._keys, self._last = keys, last

    def left(self) -> list[Part]:
        keys = self._keys()
        room = self.size.width - sum(len(key) + len(does) + 3 for key, does in keys[-self._last :])
        parts: list[Part] = []
        for key, does in keys[: -self._last]:
            room -= len(key) + len(does) + 3
            if room < 0:
                break
            parts += _hint(key, does)
        return parts

    def right(self) -> list[Part]:
        return [part for key, does in self._keys()[-self._last :] for part in _hint(key, does)]


def _hint(key: str, does: str) -> list[Part]:
    return [(f" {key}", "accent"), (f" {does} ", "")]
