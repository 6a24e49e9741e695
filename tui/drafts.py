"""What stands in the invoke form of each function, and what `i`, `a` and `b` send without it."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .json_text import indented, trouble, visible
from .payload_history import PayloadHistory

SYNCHRONOUS, ASYNCHRONOUS, DRY_RUN = "sync", "async", "dry"
KINDS = {SYNCHRONOUS: "RequestResponse", ASYNCHRONOUS: "Event", DRY_RUN: "DryRun"}
"""How the form calls a mode -> Lambda's invocation type."""


@dataclass(frozen=True)
class Draft:
    """The form's fields. `qualifier` is a version or an alias, "" for none; count and rate are as they were typed."""

    text: str = "{}"
    mode: str = SYNCHRONOUS
    qualifier: str = ""
    count: str = "1"
    rate: str = ""


class Drafts:
    """The last 20 payloads are kept in the engine's state folder, what was not sent only here."""

    def __init__(self) -> None:
        self._drafts: dict[str, Draft] = {}
        self._history = PayloadHistory()
        self._state = ""

    def open(self, hello: dict[str, Any]) -> None:
        """Take the history of the project whose engine this is."""
        state = str(hello.get("state") or "")
        if state != self._state:
            self._state = state
            self._history = PayloadHistory(Path(state) / "payloads.json" if state else None)

    @property
    def history(self) -> PayloadHistory:
        return self._history

    def payload(self, function: str) -> str:
        """What a function is sent: what was kept for it last, if it is JSON, else what it was sent last, else `{}`."""
        draft = self._drafts.get(function)
        if draft is not None and draft.text.strip() and trouble(draft.text) is None:
            return draft.text
        return self._history.last(function) or "{}"

    def draft(self, function: str, like: Draft | None = None) -> Draft:
        """What stands in a function's form; a form that was never open takes mode and number from `like`."""
        if function in self._drafts:
            return self._drafts[function]
        sent = self._history.last(function)
        return replace(like or Draft(), text=visible(indented(sent) if sent else "{}"), qualifier="")

    def keep(self, function: str, draft: Draft) -> None:
        self._drafts[function] = draft
