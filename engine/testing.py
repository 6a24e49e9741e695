"""lamtop as a pytest plugin: the fixture `lamtop` is an engine of its own for one test, on simulated time.

    def test_an_order_that_fails_three_times_is_a_dead_letter(lamtop):
        order = lamtop.send("orders", {"id": 8812})
        lamtop.advance(minutes=10)
        assert [attempt.error_type for attempt in order.attempts] == ["ValueError"] * 3
        assert order.condition == "RetriesExhausted"
        assert [letter.payload for letter in lamtop.dead_letters()] == [{"id": 8812}]

The handlers are those of the project's template.yaml and run in real processes. Their time, and the engine's, passes
only in `advance` and `settle`, and while somebody waits for a synchronous answer: ten minutes take milliseconds, and
the same test is the same history every time.

Two things are set for all tests, in pytest's configuration and in a fixture, or for one, with a marker:

    lamtop_template = handlers/template.yaml           # pytest's configuration; seen from its root

    @pytest.mark.lamtop(template="other.yaml", seed=7, parameters={"Stage": "test"})     # seen from the test's file

    @pytest.fixture
    def lamtop_environment(tmp_path):                  # variables of all functions, over those of the template
        return {"LEDGER": str(tmp_path / "ledger.txt")}

In an asynchronous test the methods are called like in any other: they block, and the engine runs on a thread.
"""

import asyncio
import json
import threading
from collections.abc import Coroutine, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import pytest

if TYPE_CHECKING:
    from .clock import Simulation
    from .engine import Engine

_PATIENCE = 60.0  # real seconds that one step of a test may take
_LETTERS = 500
_LINES = 500
T = TypeVar("T")


class Attempt(NamedTuple):
    """One run of a handler. Moments are in seconds since the epoch, durations in seconds."""

    number: int
    started_at: float
    ended_at: float
    duration: float
    ended: str  # "returned", "function error", "throttled", …
    error: str | None  # "ValueError: no such order"
    error_type: str | None
    is_cold: bool
    injected: str  # the armed fault that hit it, "timeout (fault 1)", or ""


class Answer(NamedTuple):
    """What a synchronous caller got."""

    payload: Any  # the answer, or AWS's error object
    error: str | None  # AWS's X-Amz-Function-Error, "Unhandled", if the function failed
    request: "Request"


class DeadLetter(NamedTuple):
    """A message of a dead-letter queue, or an event that had nowhere to go (`queue` is "" then)."""

    id: str
    request_id: str
    function: str
    queue: str
    payload: Any
    error: str | None


class LambdaError(Exception):
    """The engine refused a request, as Lambda would: `status` and `type` are Lambda's."""

    def __init__(self, status: int, type_: str, message: str) -> None:
        super().__init__(f"{status} {type_}: {message}")
        self.status = status
        self.type = type_


class Request:
    """An invocation, synchronous or not. What it says is what is known at the moment of asking."""

    def __init__(self, lamtop: "Lamtop", request_id: str) -> None:
        self.id = request_id
        self._lamtop = lamtop

    def __repr__(self) -> str:
        return f"<Request {self.id} {self.state}, {len(self.attempts)} attempts>"

    @property
    def life(self) -> dict[str, Any]:
        """All that the monitor's inspector knows of it."""
        return self._lamtop.life(self.id)

    @property
    def state(self) -> str:
        """ "queued", "running", "succeeded" or "discarded"."""
        return str(self.life["state"])

    @property
    def condition(self) -> str | None:
        """Why it ended: "Success", "RetriesExhausted", "EventAgeExceeded", …; None while it has not."""
        condition: str | None = self.life["condition"]
        return condition

    @property
    def due_at(self) -> float | None:
        """When the next attempt is due, in seconds since the epoch; None if none is."""
        life = self.life
        return life["due_at"] if life["state"] == "queued" else None

    @property
    def attempts(self) -> list[Attempt]:
        return [_attempt(row) for row in self.life["attempts"]]

    @property
    def log(self) -> list[str]:
        """What all its attempts logged, START and REPORT included."""
        return [line["text"] for line in self.life["lines"]]


class Lamtop:
    """One engine, on a thread of its own. Every method waits until it is done; none takes simulated time but those
    that say so."""

    def __init__(
        self,
        template: Path,
        state: Path,
        seed: int = 0,
        *,
        environment: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
    ) -> None:
        """Starts it. `environment`: variables of all functions. Raises ConfigurationError, as the engine does."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lamtop", daemon=True)
        self._thread.start()
        try:
            self._engine = self._do(_started(template, state, seed, environment or {}, parameters or {}))
        except BaseException:
            self._end_thread()
            raise

    def close(self) -> None:
        """End it, with everything it started."""
        self._do(self._engine.stop())
        self._end_thread()

    # --- what a test does ---------------------------------------------------------------------------------------------

    @property
    def endpoint_url(self) -> str:
        """Where boto3 and the AWS CLI find this engine. Time passes while such a caller waits for an answer."""
        return self._engine.server.url

    @property
    def now(self) -> datetime:
        """What time it is."""
        return datetime.fromtimestamp(self._engine.clock.now(), UTC)

    def invoke(self, function: str, payload: Any = None) -> Answer:
        """Run a function synchronously. Takes the time that the handler takes. Raises LambdaError if refused."""
        request_id, headers, body = self._ask(function, payload, "RequestResponse")
        return Answer(json.loads(body or b"null"), headers.get("X-Amz-Function-Error"), Request(self, request_id))

    def send(self, function: str, payload: Any = None) -> Request:
        """Put an event into the function's queue. Raises LambdaError if refused."""
        return Request(self, self._ask(function, payload, "Event")[0])

    def advance(self, seconds: float = 0.0, *, minutes: float = 0.0, hours: float = 0.0) -> None:
        """Let time pass, and everything happen that is due by then."""
        self._do(_simulation(self._engine).advance(seconds + 60 * minutes + 3600 * hours))

    def settle(self, *, hours: float = 48.0) -> None:
        """Let time pass until nothing is due any more: every event has ended, every dead letter is in its queue.

        Raises TimeoutError if something still is after so many hours: a queue that is down, a schedule without end.
        """
        self._do(_settle(self._engine, 3600 * hours))

    def inject(self, fault: str) -> int:
        """Arm a fault, "orders timeout 50% 25x", and return its number. Raises ValueError, saying what is allowed."""
        number: int = self._do(self._engine.arm(fault))["number"]
        return number

    def clear_faults(self) -> None:
        """Disarm all."""
        self._do(self._engine.disarm())

    def log(self, function: str = "") -> list[str]:
        """The last 500 lines that a function, or any, has logged, the oldest first."""
        wish = {"view": "logs", "limit": _LINES, "filter": f"fn:{function}" if function else ""}
        return [line["text"] for line in self._do(self._engine.page(wish, None))["rows"]]

    @property
    def notices(self) -> list[dict[str, Any]]:
        """What the engine had to say, the oldest first: "level" ("info", "warning", "error"), "text", "at"."""

        async def since_the_beginning() -> list[dict[str, Any]]:
            return self._engine.notices.since(0)

        return self._do(since_the_beginning())

    def dead_letters(self, queue: str = "") -> list[DeadLetter]:
        """The messages in one dead-letter queue, or all dead events, the oldest first."""
        page = self._do(self._engine.page({"view": "dlq", "sort": "dead_at", "limit": _LETTERS}, None))
        whole = [letter for ids in _by_twenty([row["id"] for row in page["rows"]]) for letter in self._letters(ids)]
        return [letter for letter in whole if queue in ("", letter.queue)]

    def redrive(self, *letters: DeadLetter) -> list[Request]:
        """Send dead letters round again."""
        told = self._do(self._engine.redrive([letter.id for letter in letters]))
        if told["refused"]:
            raise ValueError(f"cannot be redriven: {told['refused']}")
        return [Request(self, new) for _, new in told["redriven"]]

    def life(self, request_id: str) -> dict[str, Any]:
        """All that is known of a request. Raises KeyError if there is none."""
        life = self._do(self._engine.life(request_id))
        if life is None:
            raise KeyError(f"there is no request {request_id}")
        return life

    # ------------------------------------------------------------------------------------------------------------------

    def _ask(self, function: str, payload: Any, kind: str) -> tuple[str, Mapping[str, str], bytes]:
        sent = json.dumps({} if payload is None else payload).encode()
        answer = self._do(self._engine.call(function, sent, {"X-Amz-Invocation-Type": kind}))
        if answer.status >= 400:
            told = json.loads(answer.body)
            raise LambdaError(
                answer.status, answer.headers["x-amzn-ErrorType"], told.get("message") or told.get("Message")
            )
        return answer.headers["x-amzn-RequestId"], answer.headers, answer.body

    def _letters(self, ids: list[str]) -> list[DeadLetter]:
        return [_dead_letter(row) for row in self._do(self._engine.letters(ids))]

    def _do(self, act: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(asyncio.wait_for(act, _PATIENCE), self._loop).result()

    def _end_thread(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _started(
    template: Path, state: Path, seed: int, environment: Mapping[str, str], parameters: Mapping[str, str]
) -> "Engine":
    from .engine import Engine
    from .settings import Settings

    engine = Engine(
        Settings(
            template,
            state,
            port=0,
            simulate=seed,
            watch=False,
            env_file=_env_file(state, environment) if environment else None,
            parameters=parameters,
        )
    )
    await engine.start()
    _simulation(engine).follows_callers = True
    return engine


def _env_file(state: Path, environment: Mapping[str, str]) -> Path:
    path = state.with_name(state.name + ".env")
    path.write_text("".join(f"{key}={json.dumps(value, ensure_ascii=False)}\n" for key, value in environment.items()))
    return path


async def _settle(engine: "Engine", most: float) -> None:
    simulation = _simulation(engine)
    end = engine.clock.now() + most
    await simulation.settle()
    while engine.loop.due_at is not None or engine.environments.executing or engine.dispatcher.ahead:
        due = simulation.clock.next_ring()
        if due is None or due > end:
            raise TimeoutError(f"after {most / 3600:g} hours something is still due; allow more with settle(hours=...)")
        await simulation.advance_to(due)


def _simulation(engine: "Engine") -> "Simulation":
    if engine.simulation is None:
        raise RuntimeError("this engine keeps real time")
    return engine.simulation


def _attempt(row: Mapping[str, Any]) -> Attempt:
    fields = {name: row[name] for name in Attempt._fields if name in row}
    return Attempt(**fields, is_cold=row["init_duration"] is not None)


def _dead_letter(row: Mapping[str, Any]) -> DeadLetter:
    queue, payload = row["queue"] or "", json.loads(row["payload"])
    return DeadLetter(row["id"], row["request_id"], row["function"], queue, payload, row["error"])


def _by_twenty(ids: list[str]) -> Iterator[list[str]]:
    yield from (ids[at : at + 20] for at in range(0, len(ids), 20))


# --- pytest -----------------------------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("lamtop_template", "the template whose functions the `lamtop` fixture runs", default="template.yaml")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "lamtop(template=..., seed=0, parameters={}): which template the `lamtop` fixture runs, with which dice and "
        "values for its parameters",
    )


@pytest.fixture
def lamtop_environment() -> Mapping[str, str]:
    """Environment variables of all functions. Override it in a test module or conftest.py."""
    return {}


@pytest.fixture
def lamtop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, lamtop_environment: Mapping[str, str]
) -> Iterator[Lamtop]:
    """An engine on simulated time for this test alone."""
    marker = request.node.get_closest_marker("lamtop")
    wishes = dict(marker.kwargs) if marker else {}
    template = _template(request, wishes.pop("template", None))
    if unknown := sorted(wishes.keys() - {"seed", "parameters"}):
        pytest.fail(f"@pytest.mark.lamtop: {unknown[0]}: is not known; use template, seed or parameters", pytrace=False)
    engine = Lamtop(template, tmp_path_factory.mktemp("lamtop") / "state", environment=lamtop_environment, **wishes)
    try:
        yield engine
    finally:
        engine.close()


def _template(request: pytest.FixtureRequest, named: str | None) -> Path:
    folder, named = (
        (request.path.parent, named)
        if named
        else (request.config.rootpath, str(request.config.getini("lamtop_template")))
    )
    if not (folder / named).exists():
        pytest.fail(
            f"{folder / named}: there is no such template; name it with lamtop_template in pytest's configuration",
            pytrace=False,
        )
    return folder / named
