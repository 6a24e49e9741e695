"""The result of a synchronous invocation: running, then what came back and what was printed."""

from functools import partial

from textual.timer import Timer

from .. import format as f
from ..json_text import one_line
from ..keymap import bindings
from ..model import Change
from ..widgets.line_view import Part
from ..wishes import Outcome, pretty
from .result_lines import error_lines, log_lines, one_log_line
from .sheet import Lines, Sheet

_LOOK_EVERY = 0.05  # seconds between two looks at an invocation that runs


class ResultScreen(Sheet):
    """Stands over the lower panes, so that what happens in the upper ones can be watched. Closing it stops nothing."""

    BINDINGS = bindings("result")
    PLACE = "result"

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome
        self._printed: Lines = []
        self._timer: Timer | None = None
        self._asking = False

    def on_mount(self) -> None:
        super().on_mount()
        self._timer = self.set_interval(_LOOK_EVERY, self.show_again)

    def show_again(self) -> None:
        if not self.outcome.running and self._timer is not None:
            self._timer.stop()
            self._timer = None
            self._ask_for_log()
        super().show_again()

    def model_changed(self, change: Change | None) -> None:
        if change is not None and self.outcome.request_id in change.requests:
            self._ask_for_log()

    def _ask_for_log(self) -> None:
        if self.outcome.request_id and not self._asking:
            self._asking = True
            self.lamtop.begin(self._take_log)

    async def _take_log(self) -> None:
        life = await self.lamtop.wishes.life(self.outcome.request_id)
        self._asking = False
        self._printed = log_lines(life) if life else []
        if self.is_mounted:
            self.show_again()

    def title_words(self) -> str:
        return f"{self.outcome.target} · synchronous"

    def lines(self) -> Lines:
        outcome = self.outcome
        if outcome.running:
            now = self.lamtop.model.time.ticks()
            ran = f.span(round(now - (now if outcome.started is None else outcome.started), 1))
            sent: Part = ("sent " + f.one_line(one_line(outcome.payload[:2000]))[:500], "dim")
            return [[(f"{f.RUNNING} running… {ran}", "ok")], [sent], *self._live_log()]
        if outcome.answer is None:
            return [[(f"{f.FAILED} {outcome.trouble}", "error")]]
        lines = _answer_lines(outcome.answer)
        return [*lines, [("", "")], [("Log", "title")], *self._printed] if self._printed else lines

    def _live_log(self) -> Lines:
        """What it prints while it runs, if it is plain which of the running ones it is."""
        running = [
            row
            for row in self.lamtop.model.rows["inflight"].window()
            if row["function"] == self.outcome.function and row.get("kind") == "synchronous"
        ]
        if len(running) != 1:
            return []
        printed = [line for line in self.lamtop.model.logs.lines[-500:] if line.request_id == running[0]["id"]]
        return [[("", "")], [("Log", "title")], *(one_log_line(line) for line in printed)] if printed else []

    def action_again(self) -> None:
        if self.outcome.running:
            return
        function = self.outcome.function
        self.outcome = Outcome(function, self.lamtop.wishes.payload(function), self.outcome.qualifier)
        self._printed = []
        self.lamtop.begin(partial(self.lamtop.wishes.invoke, self.outcome))
        self._timer = self._timer or self.set_interval(_LOOK_EVERY, self.show_again)
        self.show_again()

    def action_form(self) -> None:
        from .invoke import InvokeScreen

        self.lamtop.switch_screen(InvokeScreen(self.outcome.function))

    def action_inspect(self) -> None:
        from .inspector import InspectorScreen

        if self.outcome.request_id:
            self.lamtop.switch_screen(InspectorScreen(self.outcome.request_id))

    def action_copy(self) -> None:
        if self.outcome.request_id:
            self.lamtop.copy_to_clipboard(self.outcome.request_id)
            self.lamtop.wishes.say("info", f"copied {self.outcome.request_id}")


def _answer_lines(answer: dict[str, object]) -> Lines:
    took = f.span(float(str(answer["took"])))
    if answer.get("error"):
        lines: Lines = [[(f"{f.FAILED} {answer['status']}, function error after {took}", "error")]]
        return [*lines, *error_lines(str(answer["error"]), str(answer.get("payload") or ""))]
    failed = int(str(answer["status"])) >= 300
    lines = [[(f"{f.FAILED if failed else f.OK} {answer['status']} after {took}", "error" if failed else "ok")]]
    return [*lines, *([(line, "")] for line in pretty(str(answer.get("payload") or "")).split("\n"))]
