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
        standing: Lines = [_line("now", notice) for notice in model.standing]
        said: Lines = [_line(f.clock(notice.at), notice) for notice in reversed(model.notices)]
        if not standing and not said:
            return [[("The engine has not said anything.", "dim")]]
        return [*standing, [("", "")], *said] if standing else said


def _line(when: str, notice: Notice) -> list[tuple[str, str]]:
    glyph, style = LEVELS.get(notice.level, LEVELS["info"])
    return [(f"{when:8} ", "dim"), (f"{glyph} ", style), (f.one_line(notice.text), "" if style == "ok" else style)]
