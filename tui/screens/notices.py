"""What the engine has said: what stands first, then everything else, newest first."""

from .. import format as f
from ..model import Change, Notice
from ..widgets.lines import LEVELS
from .sheet import Lines, Sheet


class NoticesScreen(Sheet):
    def title_words(self) -> str:
        return "notices"

    def model_changed(self, _change: Change | None) -> None:
        if self.is_mounted:
            self.show_again()

    def lines(self) -> Lines:
        model = self.lamtop.model
        standing: Lines = [line for notice in model.standing for line in _lines("now", notice)]
        said: Lines = [line for notice in reversed(model.notices) for line in _lines(f.clock(notice.at), notice)]
        if not standing and not said:
            return [[("The engine has not said anything.", "dim")]]
        return [*standing, [("", "")], *said] if standing else said


def _lines(when: str, notice: Notice) -> Lines:
    glyph, style = LEVELS.get(notice.level, LEVELS["info"])
    words = [(f.one_line(line), "" if style == "ok" else style) for line in notice.text.split("\n")]
    return [[(f"{when:8} ", "dim"), (f"{glyph} ", style), words[0]], *[[(" " * 11, ""), more] for more in words[1:]]]
