"""The composition root: the only file that knows everyone. Builds, starts and stops every part."""

import asyncio
import os
import random
from collections.abc import Mapping
from functools import partial
from typing import Any

from . import about, interpreter, registry
from .answer_times import AnswerTimes
from .arming import Arming, targets
from .core.event import Delivery, Message
from .core.fault import ON_INIT
from .core.function import Function
from .dead_letters import DeadLetters
from .debts import Debts
from .debugger import attach_lines, check_debugger, choose_port
from .dispatcher import Dispatcher
from .edges.api import Answer, Server, call
from .edges.contents import Contents
from .edges.destinations import Destinations
from .edges.environments import Environments, end_survivors, surroundings
from .edges.watcher import Watcher
from .faults import Faults
from .greeting import greeting
from .invocations import Invocations
from .loop import Loop
from .metrics import Metrics
from .monitors import Monitors
from .pausing import Pausing
from .project import Debugged, Project, load
from .reload import Reloader
from .reports import Accept
from .settings import Settings
from .store import Absences, Configurations, History, Peek, Store, StoreError, is_new, unmake
from .time_control import TimeControl
from .timekeeping import Timekeeping
from .view import Looking, Notices, Views
from .wall_clock import WallClock

_GRACE = 2.0  # seconds that running handlers get when the engine ends
_ENDING = 10.0  # seconds to wait for the engine before, while it ends
_RESERVE = 8 * 1024 * 1024  # bytes of the disk set aside: room for the outcomes of some thousand attempts


def _back(fault: str) -> str:
    return f"the engine was killed{f', injected: {fault}' if fault else ''}, and is back"


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
        self._entry: registry.Entry | None = None
        # An engine that holds the folder and is not in the registry is on its way out.
        ending = registry.find(settings.state) is None
        self._is_new = is_new(settings.state)
        self.store = Store(
            settings.state, patience=_ENDING if ending else 0.0, reserve=_RESERVE, durable=not settings.is_driven
        )
        self._left = settings.lifeline.left if settings.lifeline else {}  # by an engine that was killed
        before = max(self.store.engine_time(), self._left.get("time", 0.0))
        speed = self._left.get("speed", settings.speed)
        self._time = Timekeeping(settings, before, speed, self._rests)
        self.clock, self.simulation = self._time.clock, self._time.simulation
        self._build(project)

    def _rests(self) -> bool:
        return self.loop.rests and not self.reloader.is_reading

    def _seed(self) -> int | None:
        """The one asked for. On a folder with a past it goes on from there: no request id may come twice."""
        seed, last = self.settings.simulate, self.store.last_seq()
        if seed is None or not last:
            return seed
        return random.Random(f"{seed}/{last}").getrandbits(64)

    def _build(self, project: Project) -> None:
        state, running = self.settings.state, asyncio.get_running_loop()
        seed = self._seed()
        self._dice = random.Random(seed)
        end_survivors(state / "processes")
        self.metrics = Metrics()
        self.answer_times = AnswerTimes(self.clock.ticks)
        self.history = History(state, self.settings.retention)
        self.history.call_later = running.call_later
        self.notices = Notices(self.clock.now)
        self.history.oldest = lambda: self.settings.retention.oldest(self.clock.now(), self.clock.rate)
        self.history.failed = partial(running.call_soon_threadsafe, partial(self.notices.say, "warning"))
        self.faults = Faults(
            self.clock, self._faults_changed, self._fault_lifted, is_supervised=self.settings.lifeline is not None
        )
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
            new_id=self._new_id,
            turns=self.simulation.turns if self.simulation else None,
            init_fault=partial(self.faults.choose, ON_INIT),
            kill_engine=self.settings.lifeline.die if self.settings.lifeline else lambda _: None,
        )
        self.destinations = Destinations(self.new_request_id, self.clock.now)
        self.dispatcher = Dispatcher(
            self.store,
            self.clock,
            self.environments,
            self.metrics,
            deliver=self._deliver,
            arrived=self._arrived,
            seed=seed,
            jitter=self.settings.jitter,
            faults=self.faults,
        )
        self.loop = Loop(self.store, self.clock, self.dispatcher, self._held_up, self.settings.retention)
        self.peek = Peek(self.store.path)
        self.absences, self.configurations = Absences(state), Configurations(state)
        self.reloader = Reloader(
            project, project.again, self.environments, self.contents, self.notices, self._adopt, self.clock.ticks
        )
        self.views = Views(
            self.clock,
            self.dispatcher,
            self.environments,
            self.history,
            self.peek,
            self.notices,
            self.reloader.errors,
            self.faults.armed,
        )
        self.wall_clock = WallClock(self.notices.say)
        self.monitors = Monitors(self.settings.owned, self.end)
        self._offer()
        self.token = self._left.get("token") or registry.new_token()
        self.server = Server(self, self.token, self.settings.allowed_hosts, self._time.answered)
        self.watcher = Watcher(self.reloader.files_changed, self.settings.state, partial(self.notices.say, "warning"))

    def _offer(self) -> None:
        """The verbs of the parts, where everybody looks for them: at the engine."""
        self._debts = Debts(self.loop)
        invocations = Invocations(
            self.clock,
            self.dispatcher,
            self.environments,
            self.history,
            self.metrics,
            self._debts,
            self.answer_times,
            self.faults,
            self._time.callers_wait,
        )
        self.begin, self.invoke = invocations.begin, invocations.invoke
        self.send, self.accept = invocations.send, invocations.accept
        dead = DeadLetters(self.dispatcher, self.peek, self._debts)
        self.redrive, self.purge, self.undo, self.letters = dead.redrive, dead.purge, dead.undo, dead.letters
        looking = Looking(self.views, self.answer_times.get, self.absences.between)
        pausing = Pausing(self.dispatcher, self.notices)
        self.pause, self.resume = pausing.pause, pausing.resume
        self.subscribe, self.life, self.page = looking.subscribe, looking.life, looking.page
        times = TimeControl(self.clock, self.simulation, self.loop, self._time_changed)
        self.set_speed, self.jump = times.set_speed, times.jump
        arming = Arming(self.faults, lambda: targets(self.functions.values(), self.project.queues), self.notices.say)
        self.arm, self.disarm, self.armed = arming.arm, arming.disarm, arming.armed
        self.attached, self.detached = self.monitors.attached, self.monitors.detached
        self.reload = self.reloader.reload

    # -- life --------------------------------------------------------------------------------------------------------

    async def start(self, *, listen: bool = True, any_port: bool = False) -> None:
        """Recover, listen and run. Nothing is accepted before what was lost is taken back.

        Raises OSError if the port is taken, unless `any_port` allows another.
        """
        lost = self.dispatcher.recover(self._left.get("killed_by", ""))
        self.faults.take_over(self._left.get("faults", ()))
        self._configure(self.project)
        if self.settings.watch:
            await self.reloader.learn()
        self.environments.warm(self.project.functions.values())
        if listen:
            await self._listen(any_port)
        self.absences.opened(self.clock.now(), self.store.engine_time())
        self._running = asyncio.create_task(self.loop.run(self._commit_failed))
        self._time.start()
        if self.settings.watch:
            await self.watcher.watch(self.project.watched)
        if not self.simulation:
            self.wall_clock.watch()
        self.monitors.expect()
        if self._debugged:
            self.environments.start_first(self._debugged)
        self._greet(lost)

    async def _listen(self, any_port: bool) -> None:
        host = self.settings.host
        try:
            await self.server.start(host, self._left.get("port") or self.settings.port)
        except OSError:
            if not any_port:
                await self.environments.stop(0)
                self._close_files()
                if self._is_new:
                    unmake(self.settings.state)
                raise
            await self.server.start(host, 0)
        self._entry = registry.Entry(
            self.server.url, os.getpid(), self.token, str(self.settings.state), str(self.project.source)
        )
        registry.enter(self._entry)
        self._keep(port=self.server.port, token=self.token)

    def _keep(self, **known: Any) -> None:
        """Let the engine know this that would take this one's place."""
        if self.settings.lifeline:
            self.settings.lifeline.keep(**known)

    async def stop(self) -> None:
        """Stop accepting, let running handlers finish for 2 s, settle everything, leave nothing behind."""
        self.dispatcher.start_no_more()
        await self._wind_down(_GRACE)
        self.loop.stop()
        await self._running
        self._time.stop()
        self.absences.closed(self.clock.now())
        await self.server.stop()
        self._close_files()

    async def perish(self) -> None:
        """End as if the process were killed, where others share it: nothing is settled, written or told any more."""
        self._running.cancel()
        self.history.paused = True
        await self._wind_down(0)
        self._time.stop()
        await self.server.stop()
        self._close_files()

    async def _wind_down(self, grace: float) -> None:
        """Be found no more, look at nothing any more, and end all environments, after so many seconds at most."""
        if self._entry is not None:
            registry.leave(self._entry)
        self.wall_clock.stop()
        await self.watcher.stop()
        await self.reloader.stop()
        await self.environments.stop(grace)

    def end(self, why: str) -> None:
        """Ask whoever runs this engine to stop it."""
        if not self.ended.done():
            self.ended.set_result(why)

    def _close_files(self) -> None:
        self.history.close()
        self.peek.close()  # before the store: the last to close copies the log into the file, and a reader cannot
        self.store.close(failed=self.failure is not None)

    def _greet(self, lost: int) -> None:
        mended = (self.store.mended, self.history.mended)
        said = greeting(
            self.settings, self.project, self.interpreter, mended=mended, attach=self.attach_lines(), lost=lost
        )
        if self._left:
            self.notices.say("warning", _back(self._left.get("killed_by", "")))
        for level, text in said:
            self.notices.say(level, text)

    def attach_lines(self) -> list[str]:
        """How to attach to the function that is debugged; nothing when none is."""
        return attach_lines(self._debugged) if self._debugged else []

    def _commit_failed(self, error: BaseException) -> None:
        self.failure = str(error) if isinstance(error, StoreError) else f"the queue in {self.store.path}: {error!r}"
        self._debts.refuse(self.failure)
        self.end(self.failure)

    def _held_up(self, why: str | None) -> None:
        """The queue cannot be written for the moment (why), or can again (None)."""
        self.history.paused = why is not None  # what is written there would take the room of the outcomes
        if why is None:
            self.notices.clear("disk")
            self.notices.say("info", "there is room on the disk again: events are accepted and begin")
        else:
            self.notices.keep("disk", "error", f"{why}; events are refused and none begins until there is room")
            self._debts.refuse(why)

    # -- the verbs ---------------------------------------------------------------------------------------------------

    @property
    def project(self) -> Project:
        return self.reloader.project

    @property
    def functions(self) -> Mapping[str, Function]:
        return self.dispatcher.functions

    def _new_id(self) -> str:
        return f"{self._dice.getrandbits(128):032x}"

    def new_request_id(self) -> str:
        return self.dispatcher.request_id()

    async def call(self, name: str, payload: bytes, headers: Mapping[str, str]) -> Answer:
        """Lambda's Invoke without HTTP, for callers in this process: the same headers, checks and answers."""
        lower = {header.lower(): value for header, value in headers.items()}
        return await call(self, name, payload, lower, self.new_request_id())

    def hello(self) -> dict[str, Any]:
        """Who this engine is."""
        return about.hello(self.settings, self.project, self.interpreter, self.server.url)

    def status(self) -> dict[str, Any]:
        """Figures for `lamtop status`."""
        return {**self.hello(), **about.figures(self.views, self.project, self.store)}

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
        self.configurations.note(self.clock.now(), about.on_record(self.settings, project, self.interpreter))

    def _deliver(self, delivery: Delivery) -> Message | Accept | str:
        """What the outbox owes goes to its destination, unless an armed fault stands between."""
        return self.faults.why_not_delivered(delivery) or self.destinations.deliver(delivery)

    def _time_changed(self, level: str, text: str) -> None:
        self.faults.plan()
        self.notices.say(level, text)
        self._keep(speed=self.clock.rate)

    def _faults_changed(self) -> None:
        self.metrics.changed("functions")
        self._keep(faults=self.faults.to_keep())

    def _fault_lifted(self) -> None:
        self.dispatcher.look_again()

    def _arrived(self) -> None:
        self.loop.arrived()

    def _place_free(self, function: str) -> None:
        self.dispatcher.place_free(function)
        self.metrics.changed("functions")

    def _environ(self) -> dict[str, str]:
        """What every handler finds in its environment, besides AWS's variables and its own: nothing of ours."""
        settings = self.settings
        return surroundings(settings.environ, self.server.url, pass_credentials=settings.pass_credentials)
