"""The fault panel: what goes wrong, for whom, how often; the sentence that says so; and everything that is armed."""

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, cast

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input

from .. import armed
from .. import format as f
from ..fault_draft import PRESETS, FaultDraft
from ..fault_grammar import trouble
from ..fault_kinds import ON_DELIVERY, offer_of, takes
from ..keymap import bindings, hints
from ..model import Change
from ..widgets.choice import Choice, Options
from ..widgets.fault_fields import ALLOWED, FaultFields
from ..widgets.kind_grid import KindGrid
from ..widgets.pick_list import PickList
from ..widgets.text_lines import TextLines

if TYPE_CHECKING:
    from ..app import Lamtop

_ALL, _REQUEST = "all", "this request"


class ArmedList(PickList):
    """What is armed now."""

    BINDINGS = bindings("armed")


class FaultScreen(ModalScreen[None], inherit_bindings=False):
    """Aimed at a function, or at one request of it. Whatever way it is left, its fields come back the next time."""

    BINDINGS = bindings("fault")
    PLACE = "fault"
    AUTO_FOCUS = "KindGrid"

    def __init__(self, function: str, request_id: str = "") -> None:
        super().__init__()
        self._function, self._request = function, request_id
        self._wanted = _REQUEST if request_id else function  # the target, for kinds that can be aimed at it
        self._refused = ""  # the sentence that the engine did not take, and why

    @property
    def lamtop(self) -> "Lamtop":
        return cast("Lamtop", self.app)

    def compose(self) -> ComposeResult:
        draft = self.lamtop.wishes.lab.draft
        with Vertical(classes="panel") as panel:
            panel.border_title = Text("fault: what is to go wrong")
            yield KindGrid(draft.kind)
            yield TextLines([[("  presets    ", "dim"), *_presets()]], id="presets")
            yield Choice("target", [("", "")], "", id="target")
            yield FaultFields(draft)
            yield TextLines(id="said")
            yield ArmedList([])

    def on_mount(self) -> None:
        for lines in self.query(TextLines):
            lines.can_focus = False
        self._offer_targets()
        self.query_one(FaultFields).fit_to(self._kind)
        self._show_armed()
        self._check()

    def on_screen_resume(self) -> None:
        self.lamtop.main.refresh_bars()

    def model_changed(self, _change: Change | None) -> None:
        if self.is_mounted and self.query("ArmedList"):
            self._show_armed()

    # what stands in the fields

    @property
    def _kind(self) -> str:
        return self.query_one(KindGrid).kind

    def _draft(self) -> FaultDraft:
        target = self.query_one("#target", Choice).value
        texts = self.query_one(FaultFields).texts()
        if target == _REQUEST:
            return FaultDraft(self._kind, self._function or _ALL, self._request, **texts)
        return FaultDraft(self._kind, target, **texts)

    def _offer_targets(self) -> None:
        """Whom this kind can be aimed at: functions, or where dead letters and records go."""
        kind, functions = self._kind, self.lamtop.model.rows["functions"].known
        if kind in ON_DELIVERY:
            row = functions.get(self._function, {})
            told = (row.get("dead_letter_queue"), row.get("on_failure"), row.get("on_success"))
            names = [str(name).rpartition(" ")[2] for name in dict.fromkeys(told) if name]
        else:
            others = [name for name in self.lamtop.model.function_names() if name != self._function]
            names = [self._function, *others] if self._function else others
        options: Options = [(name, name) for name in names[:1]]
        if self._request and takes(kind, "request"):
            options.append((_REQUEST, f"{_REQUEST}, {f.short_id(self._request)}"))
        options += [(_ALL, "all"), *((name, name) for name in names[1:])]
        self.query_one("#target", Choice).offer(options, self._wanted)

    def _show(self, draft: FaultDraft) -> None:
        self.query_one(KindGrid).show(draft.kind)
        self._offer_targets()
        self.query_one(FaultFields).show(draft)
        self._check()

    def on_kind_grid_changed(self) -> None:
        self._show(self._draft().of_kind(self._kind))

    def on_kind_grid_preset(self, message: KindGrid.Preset) -> None:
        if 1 <= message.number <= len(PRESETS):
            draft = PRESETS[message.number - 1][1]
            self._show(draft)
            if draft.payload:
                self.query_one("#payload", Input).focus()

    def on_choice_changed(self, message: Choice.Changed) -> None:
        message.stop()
        self._wanted = self.query_one("#target", Choice).value
        self._check()

    def on_choice_submitted(self) -> None:
        self.action_arm()

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        self._check()

    def on_input_submitted(self) -> None:
        self.action_arm()

    # what it says

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self._hint(event.widget)

    def _hint(self, widget: Widget) -> None:
        keys = [f"{key} {does}" for key, does in hints(self.PLACE)]
        if isinstance(widget, KindGrid):
            keys = ["a letter: what, 1-4: presets", *keys]
        elif isinstance(widget, ArmedList):
            keys = [f"{key} {does}" for key, does in hints("armed")] + keys[-2:]
        elif isinstance(widget, Choice):
            keys = ["← → choose", *keys]
        elif widget.id in ALLOWED:
            keys = [ALLOWED[widget.id]]
        self.query_one(".panel").border_subtitle = Text(" · ".join(keys))

    def _check(self) -> str:
        """Show the sentence, or what is wrong with it; returns the latter."""
        sentence = self._draft().sentence()
        wrong = trouble(sentence)
        if self._refused and sentence != self._refused:
            self._refused = ""
        if wrong:
            self._say(sentence, f"✗ {wrong}", "error")
        elif not self._refused:
            self._say(sentence, offer_of(self._kind).what, "dim")
        return wrong

    def _say(self, sentence: str, words: str, style: str) -> None:
        shown = f.one_line(f.clean(sentence))
        self.query_one("#said", TextLines).show([[("  arms       ", "dim"), (shown, "title")], [(f"  {words}", style)]])

    def _show_armed(self) -> None:
        faults, now = self.lamtop.model.faults, self.lamtop.model.time.now()
        lines = self.query_one(ArmedList)
        width = max(30, lines.room - 34)
        entries = [(f"armed ({len(faults)})", "")] if faults else []
        for fault in faults:
            words = f"{fault['number']:>3}  {f.fit(f.one_line(armed.brief(fault)), width)} {armed.facts(fault, now)}"
            entries.append((words, str(fault["number"])))
        lines.offer(entries)
        lines.display = bool(faults)

    # keys

    def action_field(self, by: int) -> None:
        """To the next field as they stand on the screen."""
        fields: list[Widget] = [self.query_one(KindGrid), self.query_one("#target")]
        fields += self.query_one(FaultFields).fields()
        fields += [self.query_one(ArmedList)] if self.query_one(ArmedList).display else []
        at = fields.index(self.focused) if self.focused in fields else -1
        fields[(at + by) % len(fields)].focus()

    def action_arm(self) -> None:
        if not self._check():
            self.lamtop.begin(partial(self._arm, self._draft().sentence()), takes_keys=True)

    async def _arm(self, sentence: str) -> None:
        wrong = await self.lamtop.wishes.lab.arm(sentence)
        if not wrong:
            self.action_close()
        elif self.is_mounted:
            self._refused = sentence
            self._say(sentence, f"✗ {wrong}", "error")

    def action_clear_one(self) -> None:
        number = self.query_one(ArmedList).key
        if number:
            self.lamtop.begin(partial(self.lamtop.wishes.lab.clear, int(number)))

    def action_clear_all(self) -> None:
        self.lamtop.begin(self.lamtop.wishes.lab.clear)

    def action_close(self) -> None:
        self.lamtop.wishes.lab.draft = replace(self._draft(), request="")
        self.dismiss()


def _presets() -> list[tuple[str, str]]:
    return [part for at, (name, _) in enumerate(PRESETS, 1) for part in ((f"{at} ", "accent"), (f"{name}  ", ""))]
