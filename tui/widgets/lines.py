"""The single lines around the panes: header, tab strip, status, footer."""

from collections.abc import Callable
from pathlib import PurePath
from urllib.parse import urlsplit

from .. import format as f
from ..keymap import PANE_KEYS, PANE_TITLES
from ..model import Model
from .line_view import OneLine, Part

LEVELS = {"info": ("✓", "ok"), "warning": ("!", "warning"), "error": ("✗", "error"), "busy": ("…", "accent")}


class Header(OneLine):
    """Whose engine this is, what time it has, how it goes."""

    def __init__(self, model: Model) -> None:
        super().__init__(id="header")
        self._model = model

    def left(self) -> list[Part]:
        hello = self._model.hello
        parts: list[Part] = [(" lamtop ", "title")]
        if not hello:
            return [*parts, (f" {self._model.link}", "warning")]
        path = PurePath(str(hello.get("project", "")))
        wide = self.size.width >= 100
        parts.append((f" {f.fit(_project(path, wide), 24 if wide else 14).rstrip()}", ""))
        parts.append((f" :{urlsplit(str(hello.get('url', ''))).port or '?'}", "accent"))
        parts.append((f" {'python ' if wide else 'py '}{hello.get('python', '')} ", "dim"))
        return parts if self._model.connected else [*parts, (f" {self._model.link}", "error")]

    def right(self) -> list[Part]:
        time, totals = self._model.time, self._model.totals
        if not time.engine:
            return []
        pace = "simulated " if time.mode == "simulated" else f"x{time.rate:g} " if time.rate != 1 and time.rate else ""
        parts: list[Part] = [(f.clock(time.now()) + " ", ""), (pace, "accent"), ("│ ", "dim")]
        good = max(0, int(totals.get("invocations") or 0) - int(totals["errors"]))
        parts.append((f"ok {f.number(good)} ", "ok"))
        parts.append((f" err {f.number(totals['errors'])} ", "error" if totals["errors"] else "dim"))
        word = "throttled" if self.size.width >= 100 else "thr"
        throttles = int(
            totals["throttles" if "throttles" in totals else "throttled"]
        )  # every refusal so far, not those that wait now
        return [*parts, (f" {word} {f.number(throttles)} ", "warning" if throttles else "dim")]


def _project(path: PurePath, wide: bool) -> str:
    return "/".join(path.parts[-2:]) if wide and len(path.parts) > 1 else path.name


class Tabs(OneLine):
    """The panes with their counts, for a screen that shows one list at a time."""

    def __init__(self, model: Model, focused: Callable[[], str]) -> None:
        super().__init__(id="tabs")
        self._model, self._focused = model, focused

    def left(self) -> list[Part]:
        parts: list[Part] = []
        for pane, key in sorted(PANE_KEYS.items(), key=lambda item: item[1]):
            text = f"{key} {PANE_TITLES[pane]}{pane_count(self._model, pane)}"
            here = pane == self._focused()
            style = "title" if here else "error" if pane == "dlq" and self._model.totals["dead_letters"] else "dim"
            parts.append((f"[{text}]" if here else f" {text} ", style))
        return parts


def pane_count(model: Model, pane: str) -> str:
    """What a pane's title counts: " 12", for Retries with the soonest countdown, "" when there is nothing."""
    totals = model.totals
    counts = {"queue": "queued", "inflight": "in_flight", "retries": "retrying", "dlq": "dead_letters"}
    if pane not in counts:
        return ""
    count = int(totals.get(counts[pane]) or 0)
    if pane == "retries" and count and totals.get("soonest_retry"):
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
        room = self.size.width - len(self.right()[0][0]) - 4
        return [(f" {glyph} ", style), (f.fit(f.one_line(notice.text), room).rstrip(), "" if style == "ok" else style)]

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
        return [(f" +{more} more" if more > 0 else "", "warning"), (" n", "accent"), (" notices ", "")]


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
