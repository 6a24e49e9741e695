"""The composition root: the only file that knows everyone. Builds, starts and stops every part, and has the verbs."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, Required, TypedDict, Unpack

from . import interpreter, registry
from .clock import Clock, SystemClock
from .core import calls
from .core.arn import LATEST, function_arn
from .core.calls import with_waits
from .core.concurrency import Throttled
from .core.event import Event, Outcome
from .core.function import Function
from .core.invocation import Invocation
from .core.trace import RecursionStopped, header_of, is_loop
from .debugger import attach_lines, check_debugger, choose_port
from .dispatcher import Dispatcher
from .edges.api import Answer, Server, call
from .edges.contents import Contents
from .edges.destinations import Destinations
from .edges.environments import Environments, end_survivors, surroundings
from .edges.watcher import Watcher
from .loop import Loop
from .metrics import Metrics
from .project import Debugged, Project, load, missing_packages
from .reload import Reloader
from .reports import Accept, Redrive
from .store import KEEP, History, Peek, Retention, Store, StoreError, Unwritable
from .view import Notices, Subscription, Views, life, page, parse_view

_GRACE = 2.0  # seconds that running handlers get when the engine ends
_ALONE_AT_FIRST = 30.0  # seconds until an engine that a monitor started gives up waiting for it
_ENDING = 10.0  # seconds to wait for the engine before, while it ends
_REAL_AWS = (
    "--pass-credentials: handlers reach the real services with your own AWS credentials, only Lambda is here; "
    "the region is us-east-1 unless AWS_REGION says otherwise"
)
_ALONE = 2.0  # seconds that such an engine outlives its last monitor
_RESERVE = 8 * 1024 * 1024  # bytes of the disk set aside: room for the outcomes of some thousand attempts
_ticks = time.perf_counter  # what environments measure durations with


@dataclass(frozen=True)
class Settings:
    """How an engine is run."""

    source: Path  # the template, folder or file
    state: Path  # its state folder
    host: str = "127.0.0.1"
    port: int = 4566  # 0: a free one
    speed: float = 1.0  # engine seconds per real second
    python: str | None = None
    allowed_hosts: frozenset[str] = frozenset()
    env_file: Path | None = None  # variables for all functions
    parameters: Mapping[str, str] = field(default_factory=dict)  # of the template, by name
    debug: str | None = None  # the function that runs under a debugger
    pass_credentials: bool = False  # handlers get the caller's way to AWS
    copied: bool = False  # the source is a fresh copy of the examples
    owned: bool = False  # started by a monitor: ends with the last one
    watch: bool = True  # reload when a file is saved
    jitter: int | None = None  # a seed: retries as late as on AWS. None: exactly when they are due
    retention: Retention = KEEP  # of what is over
    spawn: bool = False  # start every environment as a program of its own, and fork none
    clock: Clock | None = None  # for tests and tapes
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))


class Wishes(TypedDict, total=False):
    """How a function is to be invoked. `trace_id` is the trace header that came with the request."""

    source: Required[str]
    request_id: Required[str]
    qualifier: str
    client_context: str | None
    trace_id: str


class Answered(NamedTuple):
    """A synchronous invocation that has ended."""

    outcome: Outcome
    tail: list[str]


class Engine:
    """Runs the functions of one project. `start`, the verbs, `stop`; `ended` resolves when it should stop, and why.

    Raises ConfigurationError, StoreError, InterpreterError or OSError (a taken port) from the constructor or `start`.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.contents = Contents()
        self.contents.learn((), (settings.source.resolve(),))  # first: it may be saved while it is read
        debugged = Debugged(settings.debug, choose_port()) if settings.debug else None
        project = load(settings.source, settings.env_file, settings.parameters, debugged)
        folders = [project.root, settings.state.parent]
        self.interpreter = interpreter.choose(settings.python, folders, settings.environ)
        self._debugged = project.functions[debugged.function] if debugged else None
        if self._debugged:
            check_debugger(self._debugged, self.interpreter.path)
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.failure: str | None = None  # why it had to end
        self._monitors = 0
        self._alone: asyncio.TimerHandle | None = None
        self._owed: dict[int, Callable[[Unwritable], None]] = {}  # answers that the queue owes: how to refuse each
        self._debts = 0
        self._entry: registry.Entry | None = None
        # An engine that holds the folder and is not in the registry is on its way out.
        ending = registry.find(settings.state) is None
        self.store = Store(settings.state, patience=_ENDING if ending else 0.0, reserve=_RESERVE)
        self.clock = settings.clock or SystemClock(settings.speed, not_before=self.store.engine_time())
        self._build(project)

    def _build(self, project: Project) -> None:
        state, running = self.settings.state, asyncio.get_running_loop()
        end_survivors(state / "processes")
        self.metrics = Metrics()
        self.history = History(state, self.settings.retention)
        self.history.call_later = running.call_later
        self.notices = Notices(self.clock.now)
        self.history.oldest = lambda: self.settings.retention.oldest(self.clock.now(), self.clock.rate)
        self.history.failed = partial(running.call_soon_threadsafe, partial(self.notices.say, "warning"))
        self.environments = Environments(
            clock=self.clock,
            log=self.history,
            interpreter=self.interpreter.path,
            processes=state / "processes",
            environ=self._environ,
            on_idle=self._place_free,
            is_being_saved=self._is_being_saved,
            spawn=self.settings.spawn,
            say=partial(self.notices.say, "warning"),
        )
        self.destinations = Destinations(self.new_request_id, self.clock.now)
        self.dispatcher = Dispatcher(
            self.store,
            self.clock,
            self.environments,
            self.metrics,
            deliver=self.destinations.deliver,
            arrived=self._arrived,
            jitter=self.settings.jitter,
            ticks=_ticks,
        )
        self.loop = Loop(self.store, self.clock, self.dispatcher, self._held_up, self.settings.retention)
        self.peek = Peek(self.store.path)
        self.reloader = Reloader(project, project.again, self.environments, self.contents, self.notices, self._adopt)
        self.views = Views(
            self.clock, self.dispatcher, self.environments, self.history, self.peek, self.notices, self.reloader.errors
        )
        self.token = registry.new_token()
        self.server = Server(self, self.token, self.settings.allowed_hosts)
        self.watcher = Watcher(self.reloader.files_changed, self.settings.state, partial(self.notices.say, "warning"))

    # -- life --------------------------------------------------------------------------------------------------------

    async def start(self, *, listen: bool = True, any_port: bool = False) -> None:
        """Recover, listen and run. Nothing is accepted before what was lost is taken back.

        Raises OSError if the port is taken, unless `any_port` allows another.
        """
        lost = self.dispatcher.recover()
        self._configure(self.project)
        if self.settings.watch:
            await self.reloader.learn()
        self.environments.warm(self.project.functions.values())
        if listen:
            await self._listen(any_port)
        self._running = asyncio.create_task(self.loop.run(self._commit_failed))
        if self.settings.watch:
            await self.watcher.watch(self.project.watched)
        if self.settings.owned:
            self._alone = asyncio.get_running_loop().call_later(_ALONE_AT_FIRST, self.end, "no monitor came")
        if self._debugged:
            self.environments.start_first(self._debugged)
        self._greet(lost)

    async def _listen(self, any_port: bool) -> None:
        host = self.settings.host
        try:
            await self.server.start(host, self.settings.port)
        except OSError:
            if not any_port:
                await self.environments.stop(0)
                self._close_files()
                raise
            await self.server.start(host, 0)
        self._entry = registry.Entry(
            self.server.url, os.getpid(), self.token, str(self.settings.state), str(self.project.source)
        )
        registry.enter(self._entry)

    async def stop(self) -> None:
        """Stop accepting, let running handlers finish for 2 s, settle everything, leave nothing behind."""
        if self._entry is not None:
            registry.leave(self._entry)
        self.dispatcher.start_no_more()
        await self.watcher.stop()
        await self.reloader.stop()
        await self.environments.stop(_GRACE)
        self.loop.stop()
        await self._running
        await self.server.stop()
        self._close_files()

    def end(self, why: str) -> None:
        """Ask whoever runs this engine to stop it."""
        if not self.ended.done():
            self.ended.set_result(why)

    def _close_files(self) -> None:
        self.history.close()
        self.store.close(failed=self.failure is not None)
        self.peek.close()

    def _greet(self, lost: int) -> None:
        if self.settings.copied:
            self.notices.say("info", f"there were no functions here: the examples were copied to {self.project.root}")
        for mended in filter(None, (self.store.mended, self.history.mended)):
            self.notices.say("error", mended)
        for warning in self.project.warnings:
            self.notices.say("warning", warning)
        runtimes = {f.name: f.runtime for f in self.project.functions.values() if f.python is None}
        if text := interpreter.mismatch(self.interpreter, runtimes):
            self.notices.say("warning", text)
        for text in missing_packages(self.functions.values(), self.interpreter.path, interpreter.search_path):
            self.notices.say("warning", text)
        for text in self.attach_lines():
            self.notices.say("info", text)
        if self.settings.pass_credentials:
            self.notices.say("warning", _REAL_AWS)
        if lost:
            self.notices.say(
                "info", f"{lost} attempts were lost with the last engine; they cost no retry and start again"
            )

    def attach_lines(self) -> list[str]:
        """How to attach to the function that is debugged; nothing when none is."""
        return attach_lines(self._debugged) if self._debugged else []

    def _commit_failed(self, error: BaseException) -> None:
        self.failure = str(error) if isinstance(error, StoreError) else f"the queue in {self.store.path}: {error!r}"
        self._refuse(self.failure)
        self.end(self.failure)

    def _held_up(self, why: str | None) -> None:
        """The queue cannot be written for the moment (why), or can again (None)."""
        self.history.paused = why is not None  # what is written there would take the room of the outcomes
        if why is None:
            self.notices.clear("disk")
            self.notices.say("info", "there is room on the disk again: events are accepted and begin")
        else:
            self.notices.keep("disk", "error", f"{why}; events are refused and none begins until there is room")
            self._refuse(why)

    def _refuse(self, why: str) -> None:
        """Tell everyone who waits for the queue that it does not answer."""
        owed, self._owed = self._owed, {}
        for refuse in owed.values():
            refuse(Unwritable(why))

    def _owe(self, answer: Callable[[Any], None], refuse: Callable[[Unwritable], None]) -> Callable[[Any], None]:
        """What gives an answer that the queue owes, unless it was refused meanwhile. Raises Unwritable right now."""
        if self.loop.trouble is not None:
            raise Unwritable(self.loop.trouble)
        self._debts += 1
        number = self._debts
        self._owed[number] = refuse

        def give(value: Any) -> None:
            if self._owed.pop(number, None) is not None:
                answer(value)

        return give

    # -- monitors come and go ----------------------------------------------------------------------------------------

    def attached(self) -> None:
        """A monitor has connected."""
        self._monitors += 1
        if self._alone is not None:
            self._alone.cancel()
            self._alone = None

    def detached(self) -> None:
        """A monitor has gone. The engine that a monitor started ends with the last one."""
        self._monitors -= 1
        if self.settings.owned and self._monitors == 0:
            self._alone = asyncio.get_running_loop().call_later(_ALONE, self.end, "its last monitor has gone")

    # -- the verbs ---------------------------------------------------------------------------------------------------

    @property
    def project(self) -> Project:
        return self.reloader.project

    @property
    def functions(self) -> Mapping[str, Function]:
        return self.dispatcher.functions

    def new_request_id(self) -> str:
        return self.dispatcher.request_id()

    async def invoke(self, function: Function, payload: bytes, **wishes: Unpack[Wishes]) -> Answered:
        """Run a function now and wait for it. Raises as `begin` does."""
        answer: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self.begin(function, payload, partial(_resolve, answer), **wishes)
        return await answer

    def begin(
        self, function: Function, payload: bytes, answer: Callable[[Answered], None], **wishes: Unpack[Wishes]
    ) -> None:
        """Run a function now; `answer` gets what becomes of it.

        Raises Throttled if a concurrency limit stands in the way, RecursionStopped if the chain has come by too often.
        """
        trace_id, qualifier, request_id = wishes.get("trace_id", ""), wishes.get("qualifier", ""), wishes["request_id"]
        if is_loop(trace_id, function):
            self.metrics.recursion_stopped(function.name)
            raise RecursionStopped(function.name)
        if limit := self.dispatcher.admit(function.name):
            raise Throttled(limit)
        now = self.clock.now()
        caller = self.dispatcher.calls.caller(trace_id)
        invocation = Invocation(
            request_id,
            function,
            payload,
            may_start=self._may_start,
            done=_nobody,
            source=f"function {caller.function.name}" if caller else wishes["source"],
            kind="synchronous",
            invoked_arn=function_arn(function.name, qualifier or None),
            executed_version=function.executed_version(qualifier) or LATEST,
            client_context=wishes.get("client_context"),
            trace_id=header_of(trace_id, function, request_id, now),
            caller=caller.request_id if caller else "",
            accepted_at=now,
        )
        invocation.done = partial(self._ended, invocation, caller, answer)
        self.dispatcher.in_flight.start(function.name)
        self.dispatcher.calls.begin(invocation)
        if caller is not None:
            calls.wait(caller, _ticks())
        self.environments.run(invocation)

    def _may_start(self) -> bool:
        """A synchronous invocation was admitted when it came, and starts as soon as an environment is free."""
        self.metrics.changed("inflight")
        return True

    def _ended(
        self, invocation: Invocation, caller: Invocation | None, answer: Callable[[Answered], None], outcome: Outcome
    ) -> None:
        self.dispatcher.in_flight.end(invocation.function.name)
        if caller is not None:
            calls.answer(caller, _ticks())
        outcome = with_waits(outcome, self.dispatcher.calls.end(invocation.request_id, _ticks()))
        self.metrics.invoked(invocation.function, outcome)
        self.history.record(invocation, outcome)
        answer(Answered(outcome, invocation.tail))

    async def accept(self, function: Function, payload: bytes, **wishes: Unpack[Wishes]) -> Event:
        """Put an event in the queue. Returns when it is on disk; raises Unwritable if it cannot be written now."""
        answer: asyncio.Future[Event] = asyncio.get_running_loop().create_future()
        self.send(function, payload, partial(_resolve, answer), partial(_fail, answer), **wishes)
        return await answer

    def send(
        self,
        function: Function,
        payload: bytes,
        answer: Callable[[Event], None],
        refuse: Callable[[Unwritable], None],
        **wishes: Unpack[Wishes],
    ) -> None:
        """Put an event in the queue. `answer` gets it once it is on disk, `refuse` why it cannot be written now."""
        trace_id = wishes.get("trace_id", "")
        caller = self.dispatcher.calls.caller(trace_id)
        report = Accept(
            wishes["request_id"],
            function,
            payload,
            f"function {caller.function.name}" if caller else wishes["source"],
            self._owe(answer, refuse),
            wishes.get("qualifier", ""),
            trace_id,
            caller.request_id if caller else "",
        )
        self.dispatcher.report(report)

    async def call(self, name: str, payload: bytes, headers: Mapping[str, str]) -> Answer:
        """Lambda's Invoke without HTTP, for callers in this process: the same headers, checks and answers."""
        lower = {header.lower(): value for header, value in headers.items()}
        return await call(self, name, payload, lower, self.new_request_id())

    async def redrive(self, ids: list[str]) -> dict[str, Any]:
        """Send dead letters round again: {"redriven": [[old, new] …], "refused": [[id, why] …]}."""
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        give = self._owe(partial(_resolve, answer), partial(_fail, answer))

        def answered(redriven: list[tuple[str, str]], refused: list[tuple[str, str]]) -> None:
            give({"redriven": list(map(list, redriven)), "refused": list(map(list, refused))})

        self.dispatcher.report(Redrive(tuple(ids), answered))
        return await answer

    def subscribe(self) -> Subscription:
        return Subscription(self.views)

    async def life(self, request_id: str) -> dict[str, Any] | None:
        """The life of one request, by its id or the beginning of it."""
        self.history.hand_over()
        found = partial(
            life,
            request_id,
            peek=self.peek,
            history=self.history,
            functions=dict(self.functions),
            executing=dict(self.environments.executing),
        )
        return await asyncio.to_thread(found)

    async def page(self, wish: Mapping[str, Any], cursor: str | None) -> dict[str, Any]:
        """One page of a view. Raises ValueError for a view or cursor that makes no sense."""
        view = parse_view("page", wish)
        self.history.hand_over()
        return await asyncio.to_thread(page, self.views, view, cursor)

    def hello(self) -> dict[str, Any]:
        """Who this engine is."""
        return {
            "project": str(self.project.source),
            "url": self.server.url,
            "interpreter": self.interpreter.path,
            "python": self.interpreter.version,
            "version": version("lamtop"),
            "pid": os.getpid(),
            "state": str(self.settings.state),
            "owned": self.settings.owned,
            "warnings": list(self.project.warnings),
            "notice": None,
        }

    def status(self) -> dict[str, Any]:
        """Figures for `lamtop status`."""
        _, functions = self.views.rows(parse_view("status", {"view": "functions", "limit": 500}))
        return {
            **self.hello(),
            "time": self.views.time(),
            "totals": self.views.totals(),
            "functions": functions,
            "queues": {name: self.peek.message_counts().get(name, 0) for name in self.project.queues},
            "synchronous": self.store.setting("synchronous"),
            "journal_mode": self.store.setting("journal_mode"),
        }

    async def reload(self) -> dict[str, Any]:
        """Load what is on disk now: {"reloaded": [{"function", "version", "error"} …], "error"}."""
        return await self.reloader.reload()

    # ----------------------------------------------------------------------------------------------------------------

    async def _adopt(self, project: Project) -> None:
        self._configure(project)
        if self.settings.watch and project.watched != self.watcher.roots:
            await self.watcher.watch(project.watched)

    def _is_being_saved(self, function: Function) -> bool:
        """Do a function's modules hold something that no reload has been told of? Then it is told now."""
        if not self.settings.watch:
            return False
        if saved := self.contents.saved_since(function.code):
            self.reloader.files_changed(saved)
        return self.reloader.is_looking

    def _configure(self, project: Project) -> None:
        self.destinations.configure(project.functions, project.queues)
        self.dispatcher.configure(project.functions)

    def _arrived(self) -> None:
        self.loop.arrived()

    def _place_free(self, function: str) -> None:
        self.dispatcher.place_free(function)
        self.metrics.changed("functions")

    def _environ(self) -> dict[str, str]:
        """What every handler finds in its environment, besides AWS's variables and its own: nothing of ours."""
        settings = self.settings
        return surroundings(settings.environ, self.server.url, pass_credentials=settings.pass_credentials)


def _nobody(_: Outcome) -> None:
    """Stands in until there is somebody to tell."""


def _resolve(answer: asyncio.Future[Any], value: object) -> None:
    if not answer.done():
        answer.set_result(value)


def _fail(answer: asyncio.Future[Any], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
