"""The life of one request: its time axis above, payload, result and log below. Follows while it goes on."""

import subprocess
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from rich.text import Text
from textual.app import ComposeResult, SuspendNotSupported
from textual.screen import Screen

from .. import format as f
from ..alarm import ring
from ..keymap import bindings, hints
from ..life_waits import title_words
from ..model import Change
from ..source import editor_command, newest_frame
from ..widgets.armed_line import Armed
from ..widgets.call_tree import CallTree
from ..widgets.life_axis import LifeAxis
from ..widgets.lines import Footer, Header, Standing, Status
from ..widgets.text_lines import TextLines
from ..widgets.transport import Transport
from .call_lines import call_lines
from .lab_keys import LabKeys
from .paint import Paint
from .result_lines import trace_of
from .sections import CALLS, OF_ONE_ATTEMPT, SECTIONS, attempts_of, section_lines, section_words

if TYPE_CHECKING:
    from ..app import Lamtop

_ASK_OFTEN = 0.1  # seconds between two looks in a replay, where nobody else has anything to do


class InspectorScreen(LabKeys, Screen[None], inherit_bindings=False):
    """Asks the engine for the request's life when a frame names it, at most twice a second."""

    BINDINGS = bindings("inspector")
    AUTO_FOCUS = "#body"

    def __init__(self, request_id: str) -> None:
        super().__init__()
        self.request_id = request_id
        self.life: dict[str, Any] | None = None
        self._tab = 0
        self._attempt: int | None = None  # None: the newest
        self._asked = 0.0
        self._missing = False
        self._paint = Paint(self, self._draw, self._pace)

    @property
    def lamtop(self) -> "Lamtop":
        return cast("Lamtop", self.app)

    def compose(self) -> ComposeResult:
        model = self.lamtop.model
        yield Header(model)
        yield LifeAxis(model.time.now)
        yield TextLines(id="body")
        tree = CallTree(id="tree")
        tree.display = False
        yield tree
        yield Armed(model)
        yield Standing(model)
        yield Transport(model, self.lamtop.go_to_part)
        yield Status(model, lambda: str(self.life["function"]) if self.life else "")
        yield Footer(lambda: hints("inspector", replay=model.replay is not None))

    def on_mount(self) -> None:
        self._ask()
        self._paint.soon()

    # what the engine says

    def model_changed(self, change: Change | None) -> None:
        if change is None or self._replays or self.request_id in change.requests or self._goes_on():
            self._ask_later()
        self._paint.soon()

    @property
    def _replays(self) -> bool:
        """Is it of a recording? Then its life may be shorter at the next look."""
        return self.lamtop.model.replay is not None

    def _goes_on(self) -> bool:
        return self.life is None or self.life["state"] not in ("succeeded", "discarded")

    def _ask_later(self) -> None:
        wait = self._asked + (_ASK_OFTEN if self._replays else self.lamtop.pace.ask) - time.monotonic()
        if wait <= 0:
            self._ask()
        elif not self._waiting:
            self._waiting = True
            ring(self, wait, self._ask)

    _waiting = False

    def _ask(self) -> None:
        self._asked, self._waiting = time.monotonic(), False
        self.lamtop.begin(self._take)

    async def _take(self) -> None:
        life = await self.lamtop.wishes.life(self.request_id)
        self.life = life if self._replays else life or self.life
        self._missing = self.life is None
        if self.is_mounted:
            self._paint.soon()

    # drawing

    def _pace(self) -> float | None:
        if self.life is None or not self._goes_on() or not self.lamtop.model.time.passes:
            return None
        due = float(self.life.get("due_at") or 0) - self.lamtop.model.time.now()
        return 0.1 if self.life.get("running") or self.lamtop.model.time.rate > 1 or 0 < due < 10 else 1.0

    def _draw(self) -> None:
        self.query_one(LifeAxis).show(self.life, f"{f.short_id(self.request_id)} {self._state()}")
        self._draw_section()
        self.query_one(Armed).look()
        self.query_one(Standing).look()
        self.query_one(Transport).look()
        for line in ("#header", "#status"):
            self.query_one(line).refresh()

    def _state(self) -> str:
        if self.life is None:
            missing = "· it has not come yet" if self._replays else "· nothing is known of this request"
            return missing if self._missing else "· looking…"
        qualifier, version = self.life.get("qualifier"), self.life.get("executed_version")
        name = f"{self.life['function']}:{qualifier} → version {version}" if qualifier else self.life["function"]
        if self.life["state"] == "queued":
            return f"{name}  {title_words(self.life, self.lamtop.model.time.now())}"
        glyph = {"succeeded": f.OK, "discarded": f.DEAD, "running": f.RUNNING}.get(str(self.life["state"]), f.QUEUED)
        return f"{name}  {glyph} {self.life['state']}"

    def _draw_section(self) -> None:
        """The section that is chosen: a text, or the tree of calls."""
        tree, body, is_tree = self.query_one(CallTree), self.query_one("#body", TextLines), self._tab == CALLS
        for widget in (tree, body):
            widget.border_title = Text(section_words(self._tab))
        if tree.display != is_tree:
            tree.display, body.display = is_tree, not is_tree
            (tree if is_tree else body).focus()
        if self.life is None:
            body.show([])
        elif is_tree:
            now = self.lamtop.model.time.now()
            tree.show(self.life.get("family") or [], self.life["id"], call_lines(self.life), now)
        else:
            body.show(section_lines(self._tab, self.life, self._shown_attempt()))

    def _shown_attempt(self) -> dict[str, Any] | None:
        attempts = attempts_of(self.life)
        if not attempts:
            return None
        return attempts[-1 if self._attempt is None else min(self._attempt, len(attempts) - 1)]

    # keys

    def aim(self) -> tuple[str, str]:
        """What a fault would be aimed at: its function, and it while more can happen to it."""
        function = str(self.life["function"]) if self.life else self.lamtop.main.selected
        return function, self.request_id if self.life and self._goes_on() else ""

    def action_tab(self, step: int) -> None:
        self._tab = (self._tab + step) % len(SECTIONS)
        self.query_one("#body", TextLines).jump(0)
        self._draw()

    def action_attempt(self, step: int) -> None:
        count = len(attempts_of(self.life))
        if count:
            at = (count - 1 if self._attempt is None else self._attempt) + step
            self._attempt = None if at >= count - 1 else max(0, at)
            self._tab = self._tab if SECTIONS[self._tab] in OF_ONE_ATTEMPT else 0
            self._draw()

    def action_caller(self) -> None:
        caller = self.life.get("caller") if self.life else None
        if caller:
            self.lamtop.push_screen(InspectorScreen(str(caller["id"])))
        else:
            self.lamtop.wishes.say("warning", "it was not called by an invocation of this engine")

    def action_call(self, number: int) -> None:
        calls = self.life.get("calls") or [] if self.life else []
        if number <= len(calls):
            self.lamtop.push_screen(InspectorScreen(str(calls[number - 1]["id"])))
        else:
            self.lamtop.wishes.say("warning", f"it has made {f.counted(len(calls), 'call')}")

    def action_redrive(self) -> None:
        self._with_letter(lambda letter: self.lamtop.begin(partial(self.lamtop.wishes.dead_letters.redrive, [letter])))

    def action_retry(self) -> None:
        self._with_letter(self.lamtop.main.edit_and_retry)

    def _with_letter(self, act: Callable[[str], None]) -> None:
        """Act on the dead letter that tells of this request."""

        async def ask() -> None:
            letter = await self.lamtop.wishes.dead_letters.letter_of(self.request_id)
            if letter is None:
                self.lamtop.wishes.say("warning", "it is no longer a dead letter")
            else:
                act(letter)

        if self.life is not None and self.life["state"] == "discarded":
            self.lamtop.begin(ask)
        else:
            self.lamtop.wishes.say("warning", "only a discarded event can be redriven")

    def action_open(self) -> None:
        """What is under the cursor: a request of the tree, else the line of the traceback."""
        if self._tab != CALLS:
            self._open_source()
            return
        chosen = self.query_one(CallTree).chosen()
        if chosen and chosen != self.request_id:
            self.lamtop.push_screen(InspectorScreen(chosen))
        else:
            self.lamtop.wishes.say("warning", "this is the request that is shown" if chosen else "there is no call")

    def _open_source(self) -> None:
        """Open the line of the traceback in the user's editor; the monitor waits behind it."""
        attempt = self._shown_attempt()
        frame = newest_frame(trace_of(str(attempt.get("result") or ""))) if attempt else None
        command = editor_command(*frame) if frame else None
        if frame is None:
            self.lamtop.wishes.say("warning", "this attempt has no traceback with a file that is there")
        elif command is None:
            self.lamtop.wishes.say("warning", f"set EDITOR to open {frame[0]} at line {frame[1]}")
        else:
            self._edit(command)

    def _edit(self, command: list[str]) -> None:
        try:
            with self.lamtop.suspend():
                subprocess.run(command, check=False)  # noqa: S603 - the user's own EDITOR, and a file that is there
        except (OSError, SuspendNotSupported) as error:
            self.lamtop.wishes.say("error", f"{command[0]} cannot be run: {error}")

    def action_copy(self) -> None:
        self.lamtop.copy_to_clipboard(self.request_id)
        self.lamtop.wishes.say("info", f"copied {self.request_id}")

    def action_palette(self) -> None:
        from .palette import open_palette

        open_palette(self.lamtop, self, "inspector")

    def action_help(self) -> None:
        from .help import HelpScreen

        self.lamtop.push_screen(HelpScreen("inspector"))

    def action_close(self) -> None:
        self.dismiss()
