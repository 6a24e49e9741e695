"""What the user asks the engine for, and what the monitor says about the answer."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import format as f
from .burst import Burst
from .dead_letters import DeadLetters
from .drafts import Drafts
from .keymap import key_for
from .lab import Lab
from .link import Client, Link
from .model import Model
from .rewind import Rewind


@dataclass
class Outcome:
    """One synchronous invocation: running until `answer` or `trouble` is there."""

    function: str
    payload: str
    qualifier: str = ""
    started: float | None = None  # by `EngineTime.ticks`
    answer: dict[str, Any] | None = None
    trouble: str = ""

    @property
    def target(self) -> str:
        """The function as it was called, with its version or alias."""
        return qualified(self.function, self.qualifier)

    @property
    def running(self) -> bool:
        return self.answer is None and not self.trouble

    @property
    def request_id(self) -> str:
        return str(self.answer["request_id"]) if self.answer else ""

    def sentence(self) -> str:
        """How it went, in one line."""
        if self.answer is None:
            return self.trouble
        said = f"{self.answer['status']} in {f.span(float(self.answer['took']))}"
        if self.answer.get("error"):
            return f"{self.target} failed, {said}: {f.one_line(self.answer['error'])}"
        return f"{self.target} answered {said}"

    @property
    def failed(self) -> bool:
        return bool(self.trouble or (self.answer and (self.answer.get("error") or int(self.answer["status"]) >= 300)))


def qualified(function: str, qualifier: str) -> str:
    """A function's name as Lambda takes it, with a version or an alias if one is meant."""
    return f"{function}:{qualifier}" if qualifier else function


class Wishes:
    """The verbs. Each says in the status line what became of it; none raises."""

    def __init__(self, model: Model, link: Link, changed: Callable[[], None]) -> None:
        self.drafts = Drafts()
        self.burst: Burst | None = None
        self._model, self._link, self._changed = model, link, changed
        self.dead_letters = DeadLetters(link, self.say)
        self.lab = Lab(link, model, self.say)
        self.rewind = Rewind(link, model, self.say)

    def payload(self, function: str) -> str:
        """The payload `i`, `a` and `b` send to a function: the last one, `{}` at first."""
        self.drafts.open(self._model.hello)
        return self.drafts.payload(function)

    def say(self, level: str, text: str) -> None:
        self._model.say(level, text)
        self._changed()

    async def send(self, function: str, qualifier: str = "") -> None:
        """Queue one asynchronous event."""
        target = qualified(function, qualifier)
        try:
            payload = self._used(function, self.payload(function))
            answer = f.clean_deep(await self._client().invoke(target, payload, asynchronous=True))
        except Exception as error:  # the reader of the status line decides what to do about it
            self._failed(f"{target} was not queued", error)
            return
        took = f.span(float(answer["took"]))
        if int(answer["status"]) == 202:
            self.say("info", f"202 accepted {f.short_id(answer['request_id'])}… for {target} in {took}")
        else:
            self.say("error", f"{answer['status']} from {target}: {answer.get('error') or answer.get('payload')}")

    async def send_many(self, function: str, count: int, rate: float | None, qualifier: str = "") -> None:
        """Queue many events of the same payload; only one burst at a time."""
        if self.burst is not None:
            self.say("warning", f"not begun: {self.burst.progress()}; press b to stop it")
            return
        burst = self.burst = Burst(qualified(function, qualifier), count, rate)
        payload = self._used(function, self.payload(function))
        try:
            await burst.run(
                lambda: self._client().invoke(burst.target, payload, asynchronous=True),
                self.say,
                self._model.time.ticks,
            )
        finally:
            self.burst = None

    async def dry_run(self, function: str, qualifier: str = "") -> tuple[str, str]:
        """Ask whether an invocation would be taken. Returns the level and the words for it."""
        target = qualified(function, qualifier)
        try:
            payload = self._used(function, self.payload(function))
            answer = f.clean_deep(await self._client().invoke(target, payload, asynchronous=False, dry_run=True))
        except Exception as error:
            return "error", f"{target} was not asked: {_words(error)}"
        if int(answer["status"]) == 204:
            return "info", f"204: {target} is there and would take this; nothing ran"
        return "error", f"{answer['status']} from {target}: {answer.get('error') or answer.get('payload')}"

    def _used(self, function: str, payload: str) -> bytes:
        """What a function is sent now, as bytes; it joins the last payloads."""
        history = self.drafts.history
        if payload != "{}" or history.last(function):
            history.add(function, payload)
        return payload.encode()

    async def invoke(self, outcome: Outcome) -> None:
        """Invoke and wait; the outcome is filled in."""
        outcome.started = self._model.time.ticks()
        try:
            payload = self._used(outcome.function, outcome.payload)
            answer = await self._client().invoke(outcome.target, payload, asynchronous=False)
            outcome.answer = f.clean_deep(answer)
        except Exception as error:
            outcome.trouble = f"{outcome.target} was not invoked: {_words(error)}"
        self.say("error" if outcome.failed else "info", outcome.sentence())

    async def reload(self) -> None:
        """Load changed handlers."""
        self.say("busy", "reloading the handlers…")
        try:
            answer = f.clean_deep(await self._client().reload())
        except Exception as error:
            self._failed("not reloaded", error)
            return
        self.say(*_reload_sentence(answer))

    async def pause_or_resume(self) -> None:
        """Let no asynchronous event begin, or let them begin again."""
        paused = self._model.totals.get("paused_since") is not None
        try:
            await (self._client().resume() if paused else self._client().pause())
        except Exception as error:
            self._failed("not resumed" if paused else "not paused", error)
            return
        again = key_for("pause")
        self.say("info", "resumed: events begin again" if paused else f"PAUSED: events wait; {again} resumes")

    async def older_lines(self, view: dict[str, Any], before: int) -> list[dict[str, Any]]:
        """The log lines of a view in front of this one, oldest first; none, and words, if nobody can be asked."""
        try:
            page = await self._client().page({**view, "before": before})
        except Exception as error:
            self._failed("older lines cannot be read", error)
            return []
        rows: list[dict[str, Any]] = page["rows"]
        return rows

    async def life(self, request_id: str) -> dict[str, Any] | None:
        """Everything known about one request, cleaned; None if nothing is, or nobody can be asked."""
        try:
            found: dict[str, Any] | None = f.clean_deep(await self._client().life(request_id))
        except Exception as error:
            self._failed("cannot be shown", error)
            return None
        return found

    def _client(self) -> Client:
        if self._link.client is None:
            raise ConnectionError("no engine is connected")
        return self._link.client

    def _failed(self, what: str, error: Exception) -> None:
        self.say("error", f"{what}: {_words(error)}")


def _words(error: Exception) -> str:
    return f.clean(str(error) or type(error).__name__)


def _reload_sentence(answer: dict[str, Any]) -> tuple[str, str]:
    if answer.get("error"):
        return "error", f"reload failed: {answer['error']}"
    bad = [one for one in answer.get("reloaded", ()) if one.get("error")]
    if bad:
        kept = "keeps its old code" if bad[0].get("kept", True) else "fails from its next call on"
        return "error", f"{bad[0]['function']} {kept}: {bad[0]['error']}"
    good = [f"{one['function']} v{one['version']}" for one in answer.get("reloaded", ())]
    return "info", f"reloaded {', '.join(good)}" if good else "nothing to reload: no file changed"


def pretty(payload: str) -> str:
    """A JSON text indented; any other text as it is."""
    try:
        return f.clean(json.dumps(json.loads(payload), indent=2, ensure_ascii=False))
    except ValueError:
        return payload
