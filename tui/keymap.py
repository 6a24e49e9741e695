"""Every key of the monitor, in one table: the bindings, the help and the footer all read it."""

from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True)
class Key:
    """One key or several that do the same. `hint` is its word in the footer ("" keeps it out)."""

    id: str
    keys: str
    action: str
    does: str
    hint: str = ""

    @property
    def now(self) -> str:
        """The keys that work now: those of the user's file, else the ones of this table."""
        return REMAPPED.get(self.id, self.keys)

    @property
    def shown(self) -> str:
        """The keys as a person calls them: "j / ↓"."""
        return " / ".join(_NAMES.get(key, key) for key in self.now.split(","))

    @property
    def first(self) -> str:
        """The first of them, short: a footer has little room."""
        key = self.now.split(",")[0]
        return _NAMES.get(key, key).replace("ctrl+", "^")


REMAPPED: dict[str, str] = {}
"""Id -> the keys that the user wants for it. Filled once, before the first picture, from the key files."""

_NAMES = {
    "colon": ":",
    "slash": "/",
    "question_mark": "?",
    "asterisk": "*",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "down": "↓",
    "up": "↑",
    "escape": "esc",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "minus": "-",
    "plus": "+",
    "equals_sign": "=",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "comma": ",",
    "full_stop": ".",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "left_parenthesis": "(",
    "right_parenthesis": ")",
    "delete": "del",
}

PANE_KEYS = {"queue": "1", "inflight": "2", "retries": "3", "dlq": "4", "logs": "5", "functions": "6", "timeline": "7"}
PANE_TITLES = {
    "queue": "Queue",
    "inflight": "In-flight",
    "retries": "Retries",
    "dlq": "DLQ",
    "logs": "Logs",
    "functions": "Functions",
    "timeline": "Timeline",
}

KEYS: dict[str, tuple[Key, ...]] = {
    "everywhere": (Key("record", "ctrl+r", "app.record", "record the screen into a file; again: end the recording"),),
    "main": (
        Key("invoke.sync", "i", "invoke", "invoke the selected function and wait for its result", "invoke"),
        Key("invoke.async", "a", "send", "send it one asynchronous event", "async"),
        Key("invoke.burst", "b", "burst", "send it many; while they go out: stop them", "burst"),
        Key("invoke.edit", "e", "form", "the invoke form; on a dead letter: edit its payload and retry", "form"),
        Key("reload.now", "r", "reload", "load changed handlers now", "reload"),
        Key("row.inspect", "enter", "inspect", "the life of the request under the cursor", "inspect"),
        Key("fault.panel", "f", "faults", "arm a fault: errors, timeouts, crashes, throttles, … on purpose", "fault"),
        Key("filter", "slash", "filter", "filter this pane (esc clears)", "filter"),
        Key("sort.next", "s", "sort", "sort by the next column", "sort"),
        Key("sort.reverse", "S", "reverse", "reverse the order"),
        Key("copy", "y", "copy", "copy the request id or the function's name", "copy"),
        *(
            Key(f"pane.{name}", key, f"pane('{name}')", f"pane {PANE_TITLES[name]}; again: zoom it")
            for name, key in sorted(PANE_KEYS.items(), key=lambda item: item[1])
        ),
        Key("pane.next", "tab", "next_pane(1)", "next pane"),
        Key("pane.previous", "shift+tab", "next_pane(-1)", "previous pane"),
        Key("pane.zoom", "z", "zoom", "zoom this pane, or back", "zoom"),
        Key("view.overview", "0", "overview", "all panes again, without filters and scope"),
        Key(
            "scope",
            "o",
            "scope",
            "only this request with its callers and calls, or this function; again: all",
            "scope",
        ),
        Key("freeze", "p", "freeze", "hold the picture still while the engine goes on; again: go on", "freeze"),
        Key("pause", "P", "pause", "pause the poller: events are taken and wait, none begins; again: resume"),
        Key("fault.again", "F", "fault_again", "arm the last fault again; while it is armed: clear it"),
        Key("fault.clear_all", "X", "clear_faults", "clear all faults at once, without asking"),
        Key("time.slower", "less_than_sign", "speed(-1)", "time slower: x256, x64, x16, x4, x1, x1/4, standing still"),
        Key("time.faster", "greater_than_sign", "speed(1)", "time faster, for everything that waits"),
        Key("time.jump", "W", "jump", "jump to what is due next; while time stands still: one step"),
        Key("back", "escape", "back", "one step back: marks, filter, scope, zoom"),
        Key("undo", "u", "undo", "bring back what was purged in the last 10 s"),
        Key("notices", "n", "notices", "what the engine has said: reloads, warnings, errors"),
        Key("theme", "T", "theme", "other colours: dark, light, the terminal's own"),
        Key("palette", "ctrl+p,colon", "palette", "every action with its key", "actions"),
        Key("help", "question_mark,f1", "help", "this help", "help"),
        Key("quit", "q", "quit", "quit", "quit"),
    ),
    "rows": (
        Key("row.down", "j,down", "down", "down"),
        Key("row.up", "k,up", "up", "up"),
        Key("row.top", "g,home", "top", "to the top"),
        Key("row.end", "G,end", "end", "to the end; in Logs: follow again"),
        Key("page.down", "pagedown", "page(1)", "page down"),
        Key("page.up", "pageup", "page(-1)", "page up"),
        Key("half.down", "ctrl+d", "half(1)", "half a page down"),
        Key("half.up", "ctrl+u", "half(-1)", "half a page up"),
    ),
    "dlq": (
        Key("dlq.redrive", "m", "screen.redrive", "redrive the marked rows, or the one under the cursor", "redrive"),
        Key("dlq.redrive_all", "M", "screen.redrive_all", "redrive all shown (asks first)"),
        Key("dlq.purge", "d", "screen.purge", "purge the marked rows, or the one under the cursor (asks)", "purge"),
        Key("dlq.purge_all", "D", "screen.purge_all", "purge all shown (asks first)"),
        Key("dlq.mark", "space", "screen.mark", "mark or unmark the row", "mark"),
        Key("dlq.mark_all", "asterisk", "screen.mark_all", "mark all rows, or none"),
        Key("dlq.group", "c", "screen.group", "by error: how many, first, last; enter opens one", "by error"),
        Key("dlq.export", "x", "screen.export", "export the marked rows, or all shown, as JSON lines", "export"),
    ),
    "timeline": (
        Key("timeline.wider", "minus", "span(1)", "a longer time on the axis"),
        Key("timeline.closer", "plus", "span(-1)", "a shorter time on the axis"),
        Key("timeline.own", "equals_sign", "span_own", "as long a time as the rows need"),
    ),
    "logs": (
        Key("logs.error_next", "right_square_bracket", "error(1)", "next error", "error"),
        Key("logs.error_previous", "left_square_bracket", "error(-1)", "previous error"),
        Key("logs.level", "v", "screen.level", "all lines, warnings and worse, errors only", "level"),
        Key("logs.wrap", "w", "wrap", "wrap long lines, or cut them again", "wrap"),
        Key("logs.right", "l,right", "sideways(1)", "on to the right in long lines"),
        Key("logs.left", "h,left", "sideways(-1)", "back to the left"),
    ),
    "inspector": (
        Key("tab.next", "right_square_bracket,tab", "tab(1)", "next section", "section"),
        Key("tab.previous", "left_square_bracket,shift+tab", "tab(-1)", "previous section"),
        Key("attempt.next", "n", "attempt(1)", "next attempt", "attempt"),
        Key("attempt.previous", "N", "attempt(-1)", "previous attempt"),
        Key("inspector.caller", "c", "caller", "the request that called this one", "caller"),
        *(
            Key(f"inspector.call.{number}", str(number), f"call({number})", f"go to call {number} of this request")
            for number in range(1, 10)
        ),
        Key("inspector.source", "enter", "open", "open the traceback's line in $EDITOR; in Calls: the request", "open"),
        Key("inspector.redrive", "m", "redrive", "redrive this event, if it is a dead letter", "redrive"),
        Key("inspector.retry", "e", "retry", "edit the payload and redrive it, if it is a dead letter", "edit"),
        Key("inspector.copy", "y", "copy", "copy the request id", "copy"),
        Key("inspector.fault", "f", "faults", "arm a fault for this request or its function", "fault"),
        Key("inspector.fault_again", "F", "fault_again", "arm the last fault again; while it is armed: clear it"),
        Key("inspector.clear_faults", "X", "clear_faults", "clear all faults at once, without asking"),
        Key("inspector.slower", "less_than_sign", "speed(-1)", "time slower, down to standing still"),
        Key("inspector.faster", "greater_than_sign", "speed(1)", "time faster, for everything that waits"),
        Key("inspector.jump", "W", "jump", "jump to what is due next", "jump"),
        Key("inspector.palette", "ctrl+p,colon", "palette", "every action with its key"),
        Key("inspector.help", "question_mark,f1", "help", "this help", "help"),
        Key("inspector.close", "escape,q", "close", "back", "back"),
    ),
    "replay": (
        Key("replay.play", "p,space", "app.replay_play", "let the recording play, or hold it still", "play"),
        Key("replay.back", "less_than_sign", "app.replay_by(-1)", "10 s back; the more, the faster it plays", "10 s"),
        Key("replay.on", "greater_than_sign", "app.replay_by(1)", "10 s on", "10 s"),
        Key("replay.previous", "comma", "app.replay_to('change', -1)", "to what happened before; there it stands"),
        Key("replay.next", "full_stop,W", "app.replay_to('change', 1)", "to what happens next", "next"),
        Key("replay.failure_next", "f", "app.replay_to('failure', 1)", "to the next failure", "failure"),
        Key("replay.failure_previous", "F", "app.replay_to('failure', -1)", "to the failure before"),
        Key("replay.slower", "left_curly_bracket", "app.replay_speed(-1)", "play slower: x256 … x4, x1, x1/4"),
        Key("replay.faster", "right_curly_bracket", "app.replay_speed(1)", "play faster", "faster"),
        Key("replay.begin", "left_parenthesis,ctrl+home", "app.replay_end(-1)", "to the beginning of the recording"),
        Key("replay.end", "right_parenthesis,ctrl+end", "app.replay_end(1)", "to its end"),
    ),
    "result": (
        Key("result.again", "i", "again", "invoke again", "invoke again"),
        Key("result.form", "e", "form", "the invoke form again, with what was sent", "form"),
        Key("result.inspect", "enter", "inspect", "the life of this request", "inspect"),
        Key("result.copy", "y", "copy", "copy the request id", "copy id"),
        Key("result.close", "escape,q", "close", "close; a running invocation goes on", "close"),
    ),
    "sheet": (Key("sheet.close", "escape,q,question_mark,enter", "close", "close", "close"),),
    "form": (
        Key("form.send", "ctrl+s,ctrl+enter", "send", "invoke as the form says (in one-line fields enter)", "invoke"),
        Key("form.mode", "ctrl+t", "mode", "synchronous, asynchronous, dry run", "mode"),
        Key("form.events", "ctrl+o", "events", "events sent before, files of the project, examples", "events"),
        Key("form.format", "ctrl+f", "format", "indent the JSON", "format"),
        Key("form.command", "ctrl+l", "command", "copy the AWS CLI command that does the same", "AWS CLI"),
        Key("form.previous", "shift+tab", "field(-1)", "previous field"),
        Key("form.next", "tab", "field(1)", "next field", "field"),
        Key("form.help", "f1", "help", "this help"),
        Key("form.close", "escape", "close", "close; what was typed is kept", "close"),
    ),
    "choice": (
        Key("choice.next", "right,down", "step(1)", "next option"),
        Key("choice.previous", "left,up", "step(-1)", "previous option"),
        Key("choice.submit", "enter", "submit", "invoke as the form says"),
    ),
    "events": (
        Key("events.take", "enter", "take", "put it into the form; undo there brings the old one back", "use it"),
        Key("events.close", "escape,q", "close", "back to the form", "back"),
    ),
    "burst": (
        Key("burst.next", "tab", "app.focus_next", "next field", "field"),
        Key("burst.previous", "shift+tab", "app.focus_previous", "previous field"),
        Key("burst.send", "enter", "send", "send them", "send"),
        Key("burst.close", "escape", "close", "send nothing", "cancel"),
    ),
    "fault": (
        Key("fault.arm", "enter", "arm", "arm it as the line at the foot says", "arm"),
        Key("fault.next", "tab", "field(1)", "next field", "field"),
        Key("fault.previous", "shift+tab", "field(-1)", "previous field"),
        Key("fault.close", "escape", "close", "arm nothing", "close"),
    ),
    "kinds": (
        Key("kinds.next", "down", "step(1)", "next kind"),
        Key("kinds.previous", "up", "step(-1)", "previous kind"),
        Key("kinds.right", "right", "across(1)", "the kind beside it"),
        Key("kinds.left", "left", "across(-1)", "the kind beside it"),
        Key("kinds.clear_all", "X", "screen.clear_all", "clear all faults", "clear all"),
    ),
    "armed": (
        Key("armed.clear", "delete,minus", "screen.clear_one", "clear the fault under the cursor", "clear"),
        Key("armed.clear_all", "X", "screen.clear_all", "clear all faults", "clear all"),
    ),
    "ask": (
        Key("ask.yes", "y", "answer(True)", "yes", "yes"),
        Key("ask.no", "n,escape,q", "answer(False)", "no", "no"),
    ),
    "palette": (
        Key("palette.run", "enter", "run", "do it", "do it"),
        Key("palette.next", "down,ctrl+n", "step(1)", "next action", "next"),
        Key("palette.previous", "up,ctrl+p", "step(-1)", "previous action", "previous"),
        Key("palette.page_down", "pagedown", "leaf(1)", "a page down"),
        Key("palette.page_up", "pageup", "leaf(-1)", "a page up"),
        Key("palette.complete", "tab", "complete", "take the words under the cursor over, to write on", "complete"),
        Key("palette.close", "escape", "close", "close", "close"),
    ),
    "count": (
        Key("count.confirm", "enter", "confirm", "do it, if the number is right", "purge"),
        Key("count.close", "escape", "close", "keep them", "keep"),
    ),
    "retry": (
        Key("retry.redrive", "ctrl+s", "redrive", "redrive the dead letter with what stands here", "redrive"),
        Key("retry.close", "escape", "close", "keep it dead", "keep it dead"),
    ),
    "filter": (
        Key("filter.keep", "enter", "keep", "keep the filter", "keep"),
        Key("filter.clear", "escape", "clear", "clear the filter", "clear"),
    ),
}
"""Where a key works -> the keys. "rows" works in every list, "main" everywhere on the main screen, "everywhere" over
whatever is on the screen."""

NOTHING_RUNS = frozenset(
    {"invoke.sync", "invoke.async", "invoke.burst", "invoke.edit", "reload.now", "pause", "undo", "dlq.redrive",
     "dlq.redrive_all", "dlq.purge", "dlq.purge_all", "inspector.redrive", "inspector.retry", "fault.panel",
     "fault.again", "fault.clear_all", "inspector.fault", "inspector.fault_again", "inspector.clear_faults"}
)  # fmt: skip
"""What is not done in a replay."""
_REPLACED = {"freeze", "dlq.mark", "time.slower", "time.faster", "time.jump"}
_REPLACED |= {"inspector.slower", "inspector.faster", "inspector.jump"}

TYPING = {"everywhere", "form", "burst", "fault", "filter", "palette", "retry"}
"""Places where letters are typed: their keys come first, before the text field's own."""
_AFTER_TYPING = {"form.send", "form.events", "form.format", "form.command", "form.close", "burst.send", "fault.arm"}
"""They use what is typed, so they wait until the field has taken the letters that came before them."""


_AROUND: dict[str, tuple[str, ...]] = {"rows": (), "choice": ("form",), "kinds": ("fault",), "armed": ("fault", "rows")}


def bindings(where: str) -> list[BindingType]:
    """The Textual bindings of one place."""
    return [
        Binding(key.keys, key.action, key.does, show=bool(key.hint), id=key.id, priority=_comes_first(where, key))
        for key in KEYS[where]
    ]


def keys_of(place: str, *, replay: bool = False) -> list[Key]:
    """The keys that do something at a place. In a replay some do nothing, and others are there for it."""
    if not replay:
        return list(KEYS[place])
    own = [key for key in KEYS[place] if key.id not in NOTHING_RUNS | _REPLACED]
    return [*KEYS["replay"], *own] if place in ("main", "inspector") else own


def at_once(place: str, *, replay: bool = False) -> list[Key]:
    """The keys that work at the same time as those of a place, its own first: no two of them may be the same."""
    if place == "everywhere":
        return list(KEYS[place])
    if place in TYPING:
        return [*KEYS[place], *KEYS["everywhere"]]
    around = _AROUND.get(place, ("main", "rows") if place in PANE_TITLES else ("rows",))
    return [key for one in (place, *around, "everywhere") for key in keys_of(one, replay=replay)]


def is_the_replays(action: str) -> bool:
    """Has a replay another use for the key of this action?"""
    taken = {name for key in KEYS["replay"] for name in key.now.split(",")}
    return any(taken & set(key.now.split(",")) for key in _named(action) if key.id in NOTHING_RUNS | _REPLACED)


def runs_something(action: str) -> bool:
    """Would this action run or change something, which a replay does not?"""
    return any(key.id in NOTHING_RUNS for key in _named(action))


def _named(action: str) -> list[Key]:
    return [key for place in ("main", "inspector", "dlq") for key in KEYS[place] if key.action == action]


def key_for(key_id: str) -> str:
    """The first key of an action, as a person calls it, for words such as "press a"."""
    return next(key.first for keys in KEYS.values() for key in keys if key.id == key_id)


def _comes_first(where: str, key: Key) -> bool:
    return where in TYPING and key.id not in _AFTER_TYPING


def hints(*places: str, replay: bool = False) -> list[tuple[str, str]]:
    """Key and word for the footer, in the order of the table."""
    return [(key.first, key.hint) for place in places for key in keys_of(place, replay=replay) if key.hint]
