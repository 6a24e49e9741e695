"""What the keys of the Logs pane ask of the engine: other lines, or older ones."""

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from ..app import Lamtop
    from .main import MainScreen

_LEVELS = ("", "WARN", "ERROR")
_PAGE = 500  # older lines that are fetched at once


class LogKeys:
    """The whole history is there: going up beyond the first line fetches what is older."""

    _older = False  # asked for, and not there yet

    @property
    def _screen(self) -> "MainScreen":
        return cast("MainScreen", self)

    @property
    def _lamtop(self) -> "Lamtop":
        return self._screen.lamtop

    def action_level(self) -> None:
        at = _LEVELS.index(self._screen.views["logs"].level)
        self.set_level(_LEVELS[(at + 1) % len(_LEVELS)])

    def set_level(self, level: str) -> bool:
        """Show lines of this level and worse; whether that is a change."""
        screen = self._screen
        if screen.views["logs"].level == level:
            return False
        screen.thaw()
        screen.views["logs"].level = level
        screen.model.logs.forget()
        screen.logs.sync()
        screen.watch_windows()
        screen.paint_soon()
        return True

    def read_older(self) -> None:
        """Fetch the lines in front of the first one."""
        if not self._older and self._screen.frozen_at is None and self._screen.model.logs.lines:
            self._older = True
            self._lamtop.begin(self._read_older)

    async def _read_older(self) -> None:
        screen, buffer = self._screen, self._screen.model.logs
        view, first = dict(screen.views["logs"].wish(0, _PAGE, screen.scope)), buffer.lines[0].id
        try:
            found: list[dict[str, Any]] = await self._lamtop.wishes.older_lines(view, first)
        finally:
            self._older = False
        is_same = screen.views["logs"].wish(0, _PAGE, screen.scope) == view
        if is_same and buffer.lines and buffer.lines[0].id == first:
            buffer.at_beginning = not found
            screen.logs.take_older(found)
            screen.paint_soon()

    def no_error(self, step: int) -> None:
        """Say that a jump found nothing; upwards there may be more in older lines."""
        if step < 0 and not self._screen.model.logs.at_beginning:
            self.read_older()
            self._lamtop.wishes.say("info", "no error above in the lines read so far: older ones are fetched")
        else:
            self._lamtop.wishes.say("info", f"no error {'below' if step > 0 else 'above'}")
