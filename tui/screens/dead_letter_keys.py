"""What the keys of the DLQ pane do: each acts on the marked rows, or on the one under the cursor, or on all shown."""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ..columns import is_group
from ..dead_letters import MOST, letters
from ..views import View

if TYPE_CHECKING:
    from ..app import Lamtop
    from .main import MainScreen

Act = Callable[[list[str]], None]


class DeadLetterKeys:
    """A row may be a dead letter or, by error, all those that ended with it."""

    @property
    def _main(self) -> "MainScreen":
        return cast("MainScreen", self)

    @property
    def _app(self) -> "Lamtop":
        return self._main.lamtop

    # which ones

    def _with_chosen(self, act: Act) -> None:
        """Act on what is marked, or else on the row under the cursor."""
        table = self._main.tables["dlq"]
        row = table.row()
        rows = [table.rows.known[one] for one in table.rows.known if one in table.marks] or ([row] if row else [])
        table.marks.clear()
        if any(map(is_group, rows)):
            self._with_ids(act, [self._all_of(str(row["id"])) for row in rows])
        elif rows:
            act([str(row["id"]) for row in rows])

    def _with_all(self, act: Act) -> None:
        """Act on everything that the pane would show, were it high enough."""
        rows, view = self._main.tables["dlq"].rows, self._main.views["dlq"]
        if view.by_error or rows.total > len(rows.ids):
            self._with_ids(act, [self._all_of(view.error)])
        elif rows.ids:
            act(list(rows.ids))

    def _all_of(self, error: str | None) -> View:
        """All dead letters, or those of one error, as far as the pane's filter and the scope let them be seen."""
        scope, words = self._main.scope, self._main.views["dlq"].filter
        return View("dlq", filter=f"{scope.filter_for('dlq')} {words}".rstrip() if scope else words, error=error)

    def _with_ids(self, act: Act, views: list[View]) -> None:
        async def ask() -> None:
            ids = await self._app.wishes.dead_letters.ids(views)
            if ids:
                act(ids)

        self._app.begin(ask, takes_keys=True)

    def _begin(self, wish: Callable[[], Awaitable[None]]) -> None:
        async def run() -> None:
            await wish()

        self._app.begin(run)

    # redrive

    def action_redrive(self) -> None:
        self._with_chosen(self._redrive)

    def action_redrive_all(self) -> None:
        self._with_all(self._ask_to_redrive)

    def _redrive(self, ids: list[str]) -> None:
        self._begin(partial(self._app.wishes.dead_letters.redrive, ids))

    def _ask_to_redrive(self, ids: list[str]) -> None:
        from .ask import AskScreen

        def answered(yes: bool | None) -> None:
            if yes:
                self._redrive(ids)

        self._app.push_screen(AskScreen(f"Redrive {_all(ids)}?"), answered)

    def edit_dead_letter(self) -> bool:
        """Open the payload of the dead letter under the cursor; False if there is none."""
        row = self._main.tables["dlq"].row() if self._main.focused_pane == "dlq" else None
        if row is None or is_group(row):
            return False
        self.edit_and_retry(str(row["id"]))
        return True

    def edit_and_retry(self, letter_id: str) -> None:
        """Open a dead letter's payload in the editor."""
        from .retry import RetryScreen

        wishes = self._app.wishes

        async def ask() -> None:
            letter = await wishes.dead_letters.letter(letter_id)
            if letter is not None:
                function, payload = str(letter["function"]), str(letter["payload"])
                self._app.push_screen(RetryScreen(letter_id, str(letter["request_id"]), function, payload))

        self._app.begin(ask, takes_keys=True)

    # purge

    def action_purge(self) -> None:
        self._with_chosen(self._ask_to_purge)

    def action_purge_all(self) -> None:
        self._with_all(self._ask_to_purge)

    def _ask_to_purge(self, ids: list[str]) -> None:
        from .count import CountScreen

        def answered(yes: bool | None) -> None:
            if yes:
                self._begin(partial(self._app.wishes.dead_letters.purge, ids))

        self._app.push_screen(CountScreen(f"Purge {_all(ids)}? Type {len(ids)}:", len(ids)), answered)

    def action_undo(self) -> None:
        self._begin(self._app.wishes.dead_letters.undo)

    # export

    def action_export(self) -> None:
        if self._main.tables["dlq"].marks:
            self._with_chosen(self._export)
        else:
            self._with_all(self._export)

    def _export(self, ids: list[str]) -> None:
        self._begin(partial(self._app.wishes.dead_letters.export, ids, Path.cwd()))

    # how they are shown

    def action_mark(self) -> None:
        self._main.tables["dlq"].toggle_mark()
        self._main.paint_soon()

    def action_mark_all(self) -> None:
        table = self._main.tables["dlq"]
        table.marks = set() if table.marks >= set(table.rows.ids) else set(table.rows.ids)
        table.refresh()
        self._main.paint_soon()

    def action_group(self) -> None:
        view = self._main.views["dlq"]
        self._look(by_error=not view.by_error)

    def open_group(self) -> bool:
        """Look at the dead letters of the error under the cursor; False if there is none."""
        row = self._main.tables["dlq"].row() if self._main.focused_pane == "dlq" else None
        if row is None or not is_group(row):
            return False
        self._look(error=str(row["id"]))
        return True

    def close_group(self) -> bool:
        """One step back: from one error to all of them, from there to every dead letter; False if there is none."""
        view = self._main.views["dlq"]
        if self._main.focused_pane != "dlq" or not (view.by_error or view.error is not None):
            return False
        self._look(by_error=view.error is not None)
        return True

    def _look(self, *, by_error: bool = False, error: str | None = None) -> None:
        self._main.thaw()
        view, table = self._main.views["dlq"], self._main.tables["dlq"]
        view.by_error, view.error, view.sort, view.descending = by_error, error, "", False
        table.marks.clear()
        table.action_top()
        self._main.watch_windows()
        self._main.paint_soon()


def _all(ids: list[str]) -> str:
    return f"the first {letters(MOST)}" if len(ids) == MOST else letters(len(ids))
