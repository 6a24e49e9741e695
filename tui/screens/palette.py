"""The palette: every action that can be done here, with its key; typing narrows it, enter does it."""

from functools import partial
from typing import TYPE_CHECKING, cast

from rich.style import Style
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.geometry import Size
from textual.message import Message
from textual.screen import ModalScreen, Screen
from textual.strip import Strip
from textual.widgets import Input

from ..format import CURSOR, fit
from ..keymap import KEYS, PANE_KEYS, PANE_TITLES, Key, bindings, hints, keys_of
from ..sentences import Known, Sentence, is_begun, problem, sentences
from ..widgets.line_view import LineView, Part

if TYPE_CHECKING:
    from ..app import Lamtop
    from .main import MainScreen

Action = tuple[str, Key]  # where it works, and what it is
_REVERSE = Style(reverse=True)
SENTENCE = "sentence"
"""The place of what is typed instead of looked up; its text stands for the action."""
_COMPLETE, _BEGUN = "complete", "begun"


def _as_action(sentence: Sentence) -> Action:
    return SENTENCE, Key(_COMPLETE if sentence.complete else _BEGUN, "", sentence.text, sentence.does)


def actions_of(place: str, *, replay: bool = False) -> list[Action]:
    """Everything that can be done from a place, its own actions first. From a pane: those of the others too."""
    if place not in PANE_TITLES:
        found = [(one, key) for one in (place, "rows", "everywhere") for key in keys_of(one, replay=replay)]
        return [(one, key) for one, key in found if not key.id.startswith("inspector.call.")]
    others = [pane for pane in PANE_TITLES if pane != place]
    places = [one for one in (place, "main", "rows", *others, "everywhere") if one in KEYS]
    return [(one, key) for one in places for key in keys_of(one, replay=replay)]


def matching(actions: list[Action], typed: str) -> list[Action]:
    """The actions whose words, name or key contain every typed word; first those that contain them in a row, and
    of these the ones whose name begins so: "re" is for reload, not for the result of an invocation."""
    phrase = typed.lower().strip()
    found = [one for one in actions if all(word in _searched(one) for word in phrase.split())]
    return sorted(found, key=lambda one: (phrase not in _searched(one), not _is_called(one, phrase)))


def _is_called(action: Action, phrase: str) -> bool:
    return any(part.startswith(phrase) for part in action[1].id.replace("_", ".").split("."))


def _searched(action: Action) -> str:
    place, key = action
    return f"{key.does} {key.id} {key.shown} {PANE_TITLES.get(place, '')}".lower()


class Actions(LineView, can_focus=False):
    """The list. The text field above keeps the keys."""

    class Chosen(Message):
        """A line was clicked."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Action] = []
        self.cursor = 0

    def show(self, actions: list[Action]) -> None:
        self.shown, self.cursor = actions, 0
        self.virtual_size = Size(0, len(actions))
        self.jump(0)
        self.refresh()

    def move(self, by: int) -> None:
        self.cursor = max(0, min(self.cursor + by, len(self.shown) - 1))
        top = self.scroll_offset.y
        if not top <= self.cursor < top + self.page:
            self.jump(self.cursor if self.cursor < top else self.cursor - self.page + 1)
        self.refresh()

    def chosen(self) -> Action | None:
        return self.shown[self.cursor] if self.shown else None

    def on_click(self, event: events.Click) -> None:
        at = event.y + self.scroll_offset.y
        if 0 <= at < len(self.shown):
            self.cursor = at
            self.post_message(self.Chosen())

    def draw(self, y: int, width: int) -> Strip:
        at = y + self.scroll_offset.y
        if at >= len(self.shown):
            return self.strip_of([(" nothing is called so", "dim")] if not self.shown and y == 0 else [], width)
        place, key = self.shown[at]
        if place == SENTENCE:
            return self._sentence(key, width, is_chosen=at == self.cursor)
        pane = f"{PANE_TITLES[place]}: " if place in PANE_TITLES else ""
        name = 22 if width >= 80 else 0
        words = fit(pane + key.does, max(1, width - 17 - name)) + " "
        lead = CURSOR if at == self.cursor else " "
        parts: list[Part] = [(f"{lead}{fit(key.shown, 14)} ", "accent"), (words, ""), (fit(key.id, name), "dim")]
        if at == self.cursor:
            return self.strip_of([("".join(text for text, _ in parts), "")], width, _REVERSE)
        return self.strip_of(parts, width)

    def _sentence(self, key: Key, width: int, *, is_chosen: bool) -> Strip:
        """Words to type, and what they do."""
        lead, most = CURSOR if is_chosen else " ", max(10, width * 55 // 100)
        text = fit(key.action, min(most, max(len(one.action) for _, one in self.shown) + 1))
        words = fit(f" {key.does}", max(0, width - 1 - len(text)))
        if is_chosen:
            return self.strip_of([(f"{lead}{text}{words}", "")], width, _REVERSE)
        return self.strip_of([(lead, "accent"), (text, "accent"), (words, "" if key.id else "error")], width)


class PaletteScreen(ModalScreen[Action | None], inherit_bindings=False):
    """Dismissed with the action that was chosen, or None."""

    BINDINGS = bindings("palette")
    PLACE = "palette"

    def __init__(self, place: str, *, replay: bool = False) -> None:
        super().__init__()
        self._replay = replay
        self._actions = actions_of(place, replay=replay)

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel") as panel:
            sentence = "speed …, jump" if self._replay else "fault …, speed …, jump"
            panel.border_title = Text(f"actions to look up, or a sentence: {sentence}")
            panel.border_subtitle = Text(" · ".join(f"{key} {does}" for key, does in hints("palette")))
            yield Input(compact=True)
            yield Actions()

    def on_mount(self) -> None:
        field = self.query_one(Input)
        field.cursor_blink = False
        field.focus()
        self.query_one(Actions).show(self._actions)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._show(event.value)

    def _show(self, typed: str) -> None:
        offered = [_as_action(one) for one in sentences(typed, self._known())]
        if not is_begun(typed):
            self.query_one(Actions).show([*matching(self._actions, typed), *offered])
            return
        wrong = problem(typed) if not offered else ""
        self.query_one(Actions).show(offered or [(SENTENCE, Key("", "", typed.strip(), f"✗ {wrong}"))])

    def _known(self) -> Known:
        model = cast("Lamtop", self.app).model
        names = model.function_names()
        rows = [model.rows["functions"].known.get(name, {}) for name in names]
        told = [row.get(where) for row in rows for where in ("dead_letter_queue", "on_failure", "on_success")]
        return Known(names, [str(one) for one in dict.fromkeys(told) if one], model.faults)

    def on_actions_chosen(self) -> None:
        self.action_run()

    def action_run(self) -> None:
        chosen = self.query_one(Actions).chosen()
        if chosen is None:
            return
        if chosen[0] == SENTENCE and chosen[1].id != _COMPLETE:
            self.action_complete()
        else:
            self.dismiss(chosen)

    def action_complete(self) -> None:
        """Take the sentence under the cursor over, to write on."""
        chosen = self.query_one(Actions).chosen()
        if chosen is not None and chosen[0] == SENTENCE and chosen[1].id:
            field = self.query_one(Input)
            field.value = f"{chosen[1].action} "
            field.cursor_position = len(field.value)

    def action_step(self, by: int) -> None:
        self.query_one(Actions).move(by)

    def action_leaf(self, by: int) -> None:
        actions = self.query_one(Actions)
        actions.move(by * max(1, actions.page - 1))

    def action_close(self) -> None:
        self.dismiss(None)


def open_palette(app: "Lamtop", screen: Screen[None], place: str) -> None:
    """Show the palette over a screen, and do there what is chosen."""

    def chosen(action: Action | None) -> None:
        if action is not None:
            app.call_later(_do, app, screen, *action)

    app.push_screen(PaletteScreen(place, replay=app.model.replay is not None), chosen)


async def _do(app: "Lamtop", screen: Screen[None], place: str, key: Key) -> None:
    if place == SENTENCE:
        app.begin(partial(app.wishes.lab.do, key.action))
        return
    if place in PANE_KEYS:
        cast("MainScreen", screen).focus_pane(place)
    widget = screen.focused if place == "rows" or place in PANE_KEYS else None
    await app.run_action(key.action, widget or screen)
