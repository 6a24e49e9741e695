"""The invoke form: which function, how, with what, how often."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, TextArea

from ..aws_command import aws_command
from ..drafts import ASYNCHRONOUS, DRY_RUN, KINDS, SYNCHRONOUS, Draft
from ..format import clean, fit
from ..json_text import CHECKED_MAX, Trouble, indented, trouble, visible
from ..keymap import bindings
from ..widgets.choice import Choice, Options
from ..widgets.count_rate import ALLOWED, CountRate
from ..widgets.json_editor import JsonEditor
from ..widgets.text_lines import TextLines
from ..wishes import Outcome

if TYPE_CHECKING:
    from ..app import Lamtop

_MODES = [(SYNCHRONOUS, "synchronous"), (ASYNCHRONOUS, "asynchronous"), (DRY_RUN, "dry run")]


class InvokeScreen(ModalScreen[None], inherit_bindings=False):
    """Whatever way it is left, what was typed is kept for its function. `text` comes in instead of what is kept."""

    BINDINGS = bindings("form")
    PLACE = "form"
    AUTO_FOCUS = "JsonEditor"

    def __init__(self, function: str, text: str | None = None) -> None:
        super().__init__()
        self._function, self._given = function, text
        self._opened = ""

    @property
    def lamtop(self) -> "Lamtop":
        return cast("Lamtop", self.app)

    def compose(self) -> ComposeResult:
        draft = self._draft_of(self._function)
        draft = draft if self._given is None else replace(draft, text=visible(self._given))
        self._opened = draft.text
        names = self.lamtop.model.function_names() or [self._function]
        with Vertical(classes="panel") as panel:
            panel.border_title = Text("invoke")
            yield Choice("function", [(name, name) for name in names], self._function, id="function")
            yield Choice("qualifier", [("", "")], "", id="qualifier")
            yield Choice("mode", _MODES, draft.mode, spread=True, id="mode")
            yield CountRate(draft.count, draft.rate)
            yield JsonEditor(draft.text)
            yield TextLines(id="said")

    def on_mount(self) -> None:
        said = self.query_one("#said", TextLines)
        said.can_focus = False
        self._offer_qualifiers(self._draft_of(self._function).qualifier)
        self._show_mode()
        self._check()

    def on_screen_resume(self) -> None:
        self.lamtop.main.refresh_bars()

    def _draft_of(self, function: str, like: Draft | None = None) -> Draft:
        wishes = self.lamtop.wishes
        wishes.payload(function)  # the history is there from now on
        return wishes.drafts.draft(function, like)

    # what stands in the fields

    @property
    def _editor(self) -> JsonEditor:
        return self.query_one(JsonEditor)

    @property
    def _numbers(self) -> CountRate:
        return self.query_one(CountRate)

    def _draft(self) -> Draft:
        mode, qualifier = self.query_one("#mode", Choice).value, self.query_one("#qualifier", Choice).value
        return Draft(self._editor.text, mode, qualifier, self._numbers.count, self._numbers.rate)

    def _keep(self) -> Draft:
        draft = self._draft()
        self.lamtop.wishes.drafts.keep(self._function, draft)
        return draft

    def _offer_qualifiers(self, chosen: str) -> None:
        row = self.lamtop.model.rows["functions"].known.get(self._function, {})
        options: Options = [("", "$LATEST")]
        options += [(alias, f"{alias} → version {version}") for alias, version in row.get("aliases") or ()]
        options += [(version, f"version {version}") for version in row.get("versions") or ()]
        choice = self.query_one("#qualifier", Choice)
        choice.offer(options, chosen)
        choice.display = len(options) > 1

    def _show_mode(self) -> None:
        self._numbers.display = self.query_one("#mode", Choice).value == ASYNCHRONOUS

    def on_choice_changed(self, message: Choice.Changed) -> None:
        message.stop()
        self._show_mode()
        wanted = self.query_one("#function", Choice).value
        if wanted != self._function:
            self._go_to(wanted)

    def _go_to(self, function: str) -> None:
        draft = self._draft_of(function, like=self._keep())
        self._function, self._opened = function, draft.text
        self._editor.load_text(draft.text)
        self.query_one("#mode", Choice).offer(_MODES, draft.mode)
        self._numbers.show(draft.count, draft.rate)
        self._offer_qualifiers(draft.qualifier)
        self._show_mode()

    # what it says

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        words = "what is typed here is kept"
        if isinstance(event.widget, Choice):
            words = "← → choose, or a first letter · enter invokes"
        elif isinstance(event.widget, Input):
            words = f"{ALLOWED} · enter invokes"
        self.query_one(".panel").border_subtitle = Text(words)

    def on_text_area_changed(self, message: TextArea.Changed) -> None:
        message.stop()
        self._check()

    def on_text_area_selection_changed(self) -> None:
        row, column = self._editor.cursor_location
        self._editor.border_subtitle = Text(f"line {row + 1}, column {column + 1}")

    def _check(self) -> None:
        text = self._editor.text
        if len(text) > CHECKED_MAX:
            self._say("", f"  {len(text):,} characters: checked when they are sent")
            return
        found = trouble(text)
        if found:
            self._say("error", f"✗ {found}")
        else:
            self._say("ok", f"✓ JSON, {len(text.encode(errors='replace')):,} bytes" if text.strip() else "✓ sent as {}")

    def _say(self, style: str, words: str) -> None:
        self.query_one("#said", TextLines).show([[(words, style)]])

    def _refuse(self, found: Trouble) -> None:
        self._editor.focus()
        self._editor.move_cursor((found.line - 1, found.column - 1))
        self._say("error", f"✗ not sent: {found}")

    # keys

    def action_mode(self) -> None:
        self.query_one("#mode", Choice).action_step(1)
        self._show_mode()  # at once: the next key may already be a tab

    def action_field(self, by: int) -> None:
        """To the next field as they stand on the screen, also while one that was just shown has no place yet."""
        numbers = self._numbers.query(Input) if self._numbers.display else ()
        shown = [field for field in (*self.query(Choice), *numbers, self._editor) if field.display]
        at = shown.index(self.focused) if self.focused in shown else -1
        shown[(at + by) % len(shown)].focus()

    def action_format(self) -> None:
        found = trouble(self._editor.text)
        if found:
            self._refuse(found)
        else:
            self._editor.take(indented(self._editor.text) or "{}")

    def action_events(self) -> None:
        from .events import EventsScreen

        def chosen(text: str | None) -> None:
            if text is not None:
                self._editor.take(text)
                self._editor.focus()

        self.app.push_screen(EventsScreen(self._function), chosen)

    def action_command(self) -> None:
        draft = self._draft()
        found = trouble(draft.text)
        if found:
            self._refuse(found)
            return
        count = int(draft.count) if draft.mode == ASYNCHRONOUS and not self._numbers.trouble() else 1
        url = str(self.lamtop.model.hello.get("url") or "http://127.0.0.1:4566")
        try:
            command = aws_command(
                self._function,
                draft.text,
                url=url,
                kind=KINDS[draft.mode],
                qualifier=draft.qualifier,
                count=count,
            )
        except ValueError as error:
            self._say("error", f"✗ {error}")
            return
        self.lamtop.copy_to_clipboard(command)
        self._say("ok", clean(f"✓ copied: {fit(command, 100).rstrip()}"))

    def on_choice_submitted(self) -> None:
        self.action_send()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.action_send()

    def action_send(self) -> None:
        draft = self._keep()
        found = trouble(draft.text)
        if found:
            self._refuse(found)
        elif draft.mode == DRY_RUN:
            self.lamtop.begin(partial(self._ask, self._function, draft.qualifier))
        elif draft.mode == SYNCHRONOUS:
            self._invoke(draft)
        else:
            self._send(draft)

    def _invoke(self, draft: Draft) -> None:
        from .result import ResultScreen

        wishes = self.lamtop.wishes
        outcome = Outcome(self._function, wishes.payload(self._function), draft.qualifier)
        self.lamtop.begin(partial(wishes.invoke, outcome))
        self.lamtop.switch_screen(ResultScreen(outcome))

    def _send(self, draft: Draft) -> None:
        wrong = self._numbers.trouble()
        if wrong:
            self._say("error", f"✗ not sent: {wrong}")
            return
        count, rate = self._numbers.numbers()
        wishes, function = self.lamtop.wishes, self._function
        if count == 1:
            self.lamtop.begin(partial(wishes.send, function, draft.qualifier))
        else:
            self.lamtop.begin(partial(wishes.send_many, function, count, rate, draft.qualifier))
        self.dismiss()

    async def _ask(self, function: str, qualifier: str) -> None:
        level, words = await self.lamtop.wishes.dry_run(function, qualifier)
        if self.is_mounted:
            self._say("error" if level == "error" else "ok", f"{'✗' if level == 'error' else '✓'} {words}")

    def action_help(self) -> None:
        from .help import HelpScreen

        self.app.push_screen(HelpScreen("form"))

    def action_close(self) -> None:
        draft = self._keep()
        if draft.text != self._opened:
            good = trouble(draft.text) is None
            words = "i, a and b send it" if good else "it is not JSON yet: i, a and b send the one before"
            self.lamtop.wishes.say("info" if good else "warning", f"kept for {self._function}; {words}")
        self.dismiss()
