"""The view subscription and its cursor, against the real dispatcher and store on simulated time."""

import asyncio
import base64
import itertools
import json
from collections.abc import Callable, Coroutine, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lamtop.engine.core.event import Condition, Event, Message, Outcome, Reason, State
from lamtop.engine.core.function import EventInvokeConfig, Function, LoggingConfig
from lamtop.engine.core.invocation import Invocation
from lamtop.engine.core.log import LogLine
from lamtop.engine.store import History, Peek, Store
from lamtop.engine.view import Notices, Subscription, Views, page, parse_view, subscription
from simulation.world import FAILED, RETURNED, Script, World

Row = dict[str, Any]
DEAD = "arn:aws:sqs:us-east-1:000000000000:dead"
LINES_PER_FRAME = 200


def function(name: str = "orders", **changes: Any) -> Function:
    return Function(name, f"{name}.handler", "/nowhere", **{"dead_letter_queue": DEAD, **changes})


def always(outcome: Outcome, seconds: float = 0.0) -> Script:
    return lambda invocation: (outcome, seconds)


_returns = always(RETURNED)


class Pools:
    """What the views ask of execution environments."""

    def __init__(self, executing: dict[str, Invocation], waiting: Callable[[str], int]) -> None:
        self.executing = executing
        self.waiting = waiting
        self.limited_by: str | None = None
        self.cold_starts: dict[str, int] = {}

    def live(self, function: str) -> int:
        return 1

    def version(self, function: str) -> int:
        return 1


class Watched:
    """A world, and everything that looks at it."""

    def __init__(self, folder: Path, functions: Iterable[Function], script: Script, **settings: Any) -> None:
        self.world = World(folder, functions, script, **settings)
        self.history = History(folder)
        self.peek = Peek(self.world.store.path)
        self.pools = Pools(self.world.environments.executing, self.world.environments.waiting)
        self.notices = Notices(self.world.clock.now)
        self.reload_errors: dict[str, str] = {}
        self.views = Views(
            self.world.clock,
            self.world.dispatcher,
            self.pools,
            self.history,
            self.peek,
            self.notices,
            self.reload_errors,
        )

    def close(self) -> None:
        self.peek.close()
        self.history.close()
        self.world.store.close()

    def rows(self, view: str, **wish: Any) -> list[Row]:
        return self.views.rows(parse_view("it", {"view": view, **wish}))[1]

    def total(self, view: str, **wish: Any) -> int:
        return self.views.rows(parse_view("it", {"view": view, **wish}))[0]

    def page(self, view: str, cursor: str | None = None, **wish: Any) -> Row:
        self.history.hand_over()
        return page(self.views, parse_view("page", {"view": view, **wish}), cursor)

    def say(self, text: str, function: str = "orders", request_id: str = "r1") -> None:
        self.history.line(function, request_id, 1, self.world.clock.now(), "output", text)

    def write(self, change: Callable[[Store], object]) -> None:
        """Change the store behind the dispatcher's back, and say that everything has changed."""
        self.world.store.begin()
        change(self.world.store)
        self.world.store.commit()
        self.world.dispatcher.metrics.changed("queue", "retries", "inflight", "dlq", "functions")


class Pane:
    """What a client shows: it applies frames and asks nothing."""

    def __init__(self) -> None:
        self.known: dict[str, Row] = {}
        self.ids: list[str] = []
        self.total = 0

    def apply(self, changes: Row) -> None:
        self.known.update({row["id"]: row for row in changes["rows"]})
        self.ids = changes.get("ids", self.ids)
        self.total = changes["total"]

    @property
    def rows(self) -> list[Row]:
        return [self.known[id_] for id_ in self.ids]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscription, "FRAME_GAP", 0.0)
    monkeypatch.setattr(subscription, "_LOOK_EVERY", 0.0)
    monkeypatch.setattr(subscription, "_REST", 0)


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Callable[..., Watched]]:
    """Makes a watched world; `rows` are put on disk before it opens."""
    made: list[Watched] = []

    def make(
        functions: Iterable[Function] = (), script: Script = _returns, rows: Iterable[Event] = (), **more: Any
    ) -> Watched:
        folder = tmp_path / f"state{len(made)}"
        if rows:
            store = Store(folder)
            store.begin()
            store.insert(rows)
            store.commit()
            store.close()
        made.append(Watched(folder, functions or [function()], script, **more))
        return made[-1]

    yield make
    for watched in made:
        watched.close()


def events(count: int, start: int = 1, **fields: Any) -> list[Event]:
    """Queued events that come due long after the world begins, several at each moment."""
    now = 1_700_000_000.0
    return [
        Event(
            seq, f"id-{seq * 7919 % 1_000_003:07}", f"fn{seq % 5}", "$LATEST", b"{}", "test", now,
            **{"due_at": now + 1_000 + seq // 3, "reason": Reason.THROTTLED, **fields},
        )
        for seq in range(start, start + count)
    ]  # fmt: skip


async def frame(of: Subscription) -> Row:
    return await asyncio.wait_for(of.next_frame(), 2)


async def is_silent(of: Subscription) -> bool:
    """Does it have nothing to say, however often it looks?"""
    waiting = asyncio.ensure_future(of.next_frame())
    for _ in range(50):
        await asyncio.sleep(0)
    silent = not waiting.done()
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    return silent


def play(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(story)


def subscribed(watched: Watched, **panes: Row) -> Subscription:
    made = Subscription(watched.views)
    made.watch(panes)
    return made


# -- filter, sort, window ----------------------------------------------------------------------------------------------


def busy(watch: Callable[..., Watched], **changes: Any) -> Watched:
    """Three functions, each with rows in every view: one more of each than of the one before."""

    def script(invocation: Invocation) -> tuple[Outcome, float]:
        match invocation.payload:
            case b'"fail"':
                return FAILED._replace(error_message=f"boom in {invocation.function.name}"), 0.0
            case b'"work"':
                return RETURNED, 500.0
            case _:
                return FAILED._replace(error_message="never again"), 0.0

    functions = [function(name, reserved_concurrency=n + 1) for n, name in enumerate(("alpha", "beta", "gamma"))]
    once = EventInvokeConfig(maximum_retry_attempts=0)
    functions.append(function("dies", event_invoke_config=once))
    functions.append(function("drops", event_invoke_config=once, dead_letter_queue=None))
    watched: Watched = watch(functions, script, **changes)
    for n, name in enumerate(("alpha", "beta", "gamma")):
        for _ in range(n + 1):
            watched.world.send(name, b'"fail"')
    for n, name in enumerate(("dies", "drops")):
        for _ in range(n + 1):
            watched.world.send(name, b'"die"')
    watched.world.run(watched.world.clock.now() + 1)
    for n, name in enumerate(("alpha", "beta", "gamma")):
        for _ in range(n + 1):
            watched.world.send(name, b'"work"')
        watched.world.run(watched.world.clock.now() + 1)
        for _ in range(n + 1):
            watched.world.send(name, b'"more"')  # its places are taken: throttled
        watched.world.run(watched.world.clock.now() + 0.1)
        for _ in range(n + 1):
            watched.say(f"a line of {name}", name)
    return watched


VIEWS = ("queue", "inflight", "retries", "dlq", "functions")


@pytest.mark.parametrize("view", ["queue", "inflight", "retries"])
def test_a_word_a_word_to_leave_out_and_a_function_choose_rows(watch: Callable[..., Watched], view: str) -> None:
    watched = busy(watch)
    names = [row["function"] for row in watched.rows(view)]
    assert sorted(names) == ["alpha", "beta", "beta", "gamma", "gamma", "gamma"]
    for wish, expected in {
        "BET": ["beta"] * 2,
        "!gamma": ["alpha", "beta", "beta"],
        "fn:gamma": ["gamma"] * 3,
        "fn:alpha fn:beta": ["alpha", "beta", "beta"],
        "a !alpha !beta": ["gamma"] * 3,
        "alpha beta": [],
        "fn:gam": [],
        "%": [],
        "": sorted(names),
    }.items():
        found = watched.rows(view, filter=wish)
        assert sorted(row["function"] for row in found) == expected, wish
        assert watched.total(view, filter=wish) == len(expected), wish


def test_the_text_of_an_error_and_a_request_id_choose_rows(watch: Callable[..., Watched]) -> None:
    watched = busy(watch)
    assert [row["function"] for row in watched.rows("retries", filter="boom alpha")] == ["alpha"]
    assert {row["function"] for row in watched.rows("dlq", filter="again")} == {"dies", "drops"}
    for view in ("queue", "retries", "inflight"):
        wanted = watched.rows(view)[-1]
        assert [row["id"] for row in watched.rows(view, filter=wanted["id"][:13])] == [wanted["id"]]


def test_dead_letters_are_chosen_by_word_by_queue_and_by_function(watch: Callable[..., Watched]) -> None:
    watched = busy(watch)
    assert sorted((row["function"], row["queue"]) for row in watched.rows("dlq")) == [
        ("dies", "dead"), ("drops", None), ("drops", None)
    ]  # fmt: skip
    for wish, expected in {"dropped": ["drops"] * 2, "!dropped": ["dies"], "fn:dies": ["dies"], "nothing": []}.items():
        assert [row["function"] for row in watched.rows("dlq", filter=wish)] == expected
        assert watched.total("dlq", filter=wish) == len(expected)
    assert watched.views.totals()["dead_letters"] == 3


def test_functions_are_chosen_by_their_name_and_handler(watch: Callable[..., Watched]) -> None:
    watched = busy(watch)
    for wish, expected in {
        "a": ["alpha", "beta", "dies", "drops", "gamma"],  # each has a handler
        "gamma.h": ["gamma"],
        "fn:beta": ["beta"],
        "!d": [],
        "!beta !d": [],
        "!mm !beta.": ["alpha", "dies", "drops"],
    }.items():
        assert [row["id"] for row in watched.rows("functions", filter=wish)] == expected, wish


SORTS = {
    "queue": ("due_at", "function", "accepted_at", "attempt", "size", "source", "error"),
    "retries": ("due_at", "function", "accepted_at", "attempt", "size", "source", "error"),
    "inflight": ("ends_at", "function", "attempt", "started_at", "timeout", "cold", "environment", "source", "id"),
    "dlq": ("dead_at", "function", "attempts", "condition", "error", "queue"),
    "functions": (
        "id", "handler", "version", "timeout", "memory", "reserved", "invocations", "errors", "throttles",
        "cold_starts", "in_flight", "queued", "dead", "environments", "p50", "p99", "reload_error", "limited_by",
        "cost", "cost_per_million", "waited_share", "architecture",
    ),
}  # fmt: skip


def _comparable(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else 0)


@pytest.mark.parametrize("view", SORTS)
def test_every_column_sorts_both_ways(watch: Callable[..., Watched], view: str) -> None:
    watched = busy(watch)
    for sort, descending in itertools.product(SORTS[view], (False, True)):
        rows = watched.rows(view, sort=sort, descending=descending)
        keys = [_comparable(row[sort] or "" if sort == "error" else row[sort]) for row in rows]
        assert len(rows) >= 3
        assert keys == sorted(keys, reverse=descending), (sort, descending)


def test_what_has_no_order_sorts_nothing(watch: Callable[..., Watched]) -> None:
    watched = busy(watch)
    names = [row["id"] for row in watched.rows("functions")]
    for sort in ("metrics", "bill", "layers", "nothing"):
        assert [row["id"] for row in watched.rows("functions", sort=sort)] == names


def test_a_column_of_texts_of_which_one_is_empty_can_be_sorted(watch: Callable[..., Watched]) -> None:
    watched = busy(watch)
    for number, invocation in enumerate(watched.pools.executing.values()):
        invocation.environment = f"stream{number}" if number else ""
    rows = watched.rows("inflight", sort="environment")
    assert [row["environment"] for row in rows] == ["", *(f"stream{n}" for n in range(1, 6))]


def test_dead_letters_come_newest_first_unless_another_order_is_wished(watch: Callable[..., Watched]) -> None:
    watched = busy(watch)
    at = [row["dead_at"] for row in watched.rows("dlq")]
    assert at == sorted(at, reverse=True)
    assert [row["dead_at"] for row in watched.rows("dlq", descending=True)] == sorted(at)
    assert [row["function"] for row in watched.rows("dlq", sort="function")] == ["dies", "drops", "drops"]


@pytest.mark.parametrize("view", VIEWS)
def test_a_window_is_a_cut_of_the_whole(watch: Callable[..., Watched], view: str) -> None:
    watched = busy(watch)
    whole = watched.rows(view)
    for offset, limit in itertools.product(range(8), (0, 1, 2, 500)):
        assert watched.rows(view, offset=offset, limit=limit) == whole[offset : offset + limit], (offset, limit)
        assert watched.total(view, offset=offset, limit=limit) == len(whole)


@pytest.mark.parametrize("wish", [{}, {"sort": "function"}, {"sort": "due_at", "descending": True}])
def test_events_ahead_of_the_environments_stand_where_the_order_puts_them(
    watch: Callable[..., Watched], wish: Row
) -> None:
    """Some of the queue waits in memory, its attempt on record: nobody who looks can tell which."""
    watched = watch([function("zebra"), function("ape")], always(RETURNED, 100.0), most=1)
    for name in ("zebra", "ape"):
        for _ in range(60):
            watched.world.send(name)
            watched.world.step()
    assert 10 < len(watched.world.dispatcher.begun) < 100
    rows = watched.rows("queue", limit=500, **wish)
    assert len(rows) == watched.total("queue") == 118
    if wish:
        keys = [row[wish["sort"]] for row in rows]
        assert keys == sorted(keys, reverse=wish.get("descending", False))
    for offset in (0, 10, 50, 61, 100):
        assert watched.rows("queue", offset=offset, limit=20, **wish) == rows[offset : offset + 20]


def test_an_event_whose_start_is_being_committed_stands_in_the_queue_once(watch: Callable[..., Watched]) -> None:
    now = 1_700_000_000.0
    watched = watch(rows=[e._replace(function="orders", due_at=now, reason=Reason.NEW) for e in events(3)])
    world = watched.world
    world.dispatcher.step()  # begun in memory; on disk they are still queued until the commit
    assert sorted(row["id"] for row in watched.rows("queue")) == sorted(e.id for e in events(3))
    world.store.commit()
    world.dispatcher.release()


def test_the_three_reasons_to_be_queued_are_told_apart(watch: Callable[..., Watched]) -> None:
    def script(invocation: Invocation) -> tuple[Outcome, float]:
        return (FAILED, 0.0) if invocation.function.name == "fails" else (RETURNED, 100.0)

    functions = [function("fails"), function("limited", reserved_concurrency=1), function("crowded")]
    watched = watch(functions, script, most=2)
    failing = watched.world.send("fails")
    watched.world.send("limited")
    watched.world.run(watched.world.clock.now() + 0.1)
    throttled = watched.world.send("limited")
    crowd = [watched.world.send("crowded") for _ in range(3)]
    watched.world.run(watched.world.clock.now() + 0.1)

    assert {row["id"]: row["wait"] for row in watched.rows("queue")} == {
        throttled: "throttled",
        crowd[2]: "waiting for a place",
    }
    [retry] = watched.rows("retries")
    assert (retry["id"], retry["attempt"], retry["due_at"] - retry["waits_since"]) == (failing, 2, 60)
    totals = watched.views.totals()
    counted = {key: totals[key] for key in ("queued", "waiting", "throttled", "retrying", "in_flight")}
    assert counted == {"queued": 2, "waiting": 1, "throttled": 1, "retrying": 1, "in_flight": 3}
    assert totals["soonest_retry"] == retry["due_at"]


@pytest.mark.parametrize(
    ("wish", "names"),
    [
        ({}, ("pane.view", "None", "queue, inflight, retries, dlq, logs, functions")),
        ({"view": "quue"}, ("pane.view", "'quue'", "queue, inflight")),
        ({"view": ["queue"]}, ("pane.view", "['queue']", "queue, inflight")),
        ({"view": "queue", "limit": -1}, ("pane.limit", "-1", "from 0 to 500")),
        ({"view": "queue", "limit": 501}, ("pane.limit", "501", "from 0 to 500")),
        ({"view": "queue", "limit": "ten"}, ("pane.limit", "'ten'", "from 0 to 500")),
        ({"view": "queue", "limit": 1.5}, ("pane.limit", "1.5", "from 0 to 500")),
        ({"view": "queue", "offset": -3}, ("pane.offset", "-3", "from 0")),
        ({"view": "queue", "offset": None}, ("pane.offset", "None", "from 0")),
    ],
)
def test_a_bad_view_is_an_error_that_names_the_key_the_value_and_what_is_allowed(
    wish: Row, names: tuple[str, ...]
) -> None:
    with pytest.raises(ValueError, match="pane") as refused:
        parse_view("pane", wish)
    for name in names:
        assert name in str(refused.value)


def test_a_bad_view_leaves_the_subscription_as_it_was(watch: Callable[..., Watched]) -> None:
    async def story() -> None:
        watched = busy(watch)
        client = subscribed(watched, queue={"view": "queue"})
        await frame(client)
        with pytest.raises(ValueError, match="limit"):
            client.watch({"queue": {"view": "queue", "limit": 501}})
        watched.world.send("alpha", b'"more"')
        watched.world.step()
        assert (await frame(client))["views"]["queue"]["total"] == 7

    play(story())


# -- functions: settings, counts, cost ---------------------------------------------------------------------------------


def test_a_function_tells_its_counts_under_cloudwatchs_names(watch: Callable[..., Watched]) -> None:
    watched = busy(watch)
    told = {row["id"]: row["metrics"] for row in watched.rows("functions")}
    assert told["gamma"] == {
        "Invocations": 3, "Errors": 3, "Throttles": 3, "AsyncEventsReceived": 9, "AsyncEventsDropped": 0,
        "DeadLetterErrors": 0, "DestinationDeliveryFailures": 0, "RecursiveInvocationsDropped": 0,
    }  # fmt: skip
    assert (told["dies"]["AsyncEventsReceived"], told["dies"]["AsyncEventsDropped"]) == (1, 1)
    assert (told["drops"]["AsyncEventsReceived"], told["drops"]["AsyncEventsDropped"]) == (2, 2)


def test_a_function_tells_what_it_costs_and_the_totals_add_up(watch: Callable[..., Watched]) -> None:
    ran = {"front": RETURNED._replace(duration=2.0, waited=1.5), "back": RETURNED._replace(duration=1.5)}
    functions = [function("front", memory=1024), function("back", memory=2048, architecture="arm64")]
    watched = watch(functions, lambda invocation: (ran[invocation.function.name], 0.0))
    for name in ("front", "back", "back"):
        watched.world.send(name)
    watched.world.run()
    back, front = watched.rows("functions")
    assert (front["bill"]["gb_seconds"], back["bill"]["gb_seconds"]) == (2.0, 6.0)
    assert (front["bill"]["waited_gb_seconds"], back["bill"]["waited_gb_seconds"]) == (1.5, 0.0)
    assert front["bill"]["waited_cost"] == pytest.approx(1.5 * 0.0000166667)
    assert back["cost"] == pytest.approx(6 * 0.0000133334 + 2 * 0.2e-6)
    assert back["cost_per_million"] == pytest.approx(back["cost"] / 2 * 1e6)
    assert 0.7 < front["waited_share"] < 0.75
    totals = watched.views.totals()
    assert totals["cost"] == pytest.approx(front["cost"] + back["cost"])
    assert totals["waited_cost"] == front["bill"]["waited_cost"]


def test_a_function_tells_its_settings_and_which_of_them_aws_does_not_have(watch: Callable[..., Watched]) -> None:
    lab = EventInvokeConfig(5, 600.0, retry_delays=(1.0, 2.5))
    functions = [
        function("plain"),
        function(
            "special", layers=("/a", "/b"), logging=LoggingConfig("JSON", "DEBUG", group="/mine"),
            versions=frozenset({"10", "2"}), aliases={"live": "2"}, recursive_loop="Allow", scaling="aws",
            event_invoke_config=lab,
        ),
    ]  # fmt: skip
    plain, special = watch(functions).rows("functions")
    assert (plain["lab"], plain["layers"], plain["versions"], plain["log_group"]) == ([], [], [], "/aws/lambda/plain")
    assert special["lab"] == ["retries after 1 s, 2.5 s", "5 retries, AWS allows 2"]
    assert (special["versions"], special["aliases"]) == (["2", "10"], [["live", "2"]])
    assert (special["log_format"], special["log_level"], special["log_group"]) == ("JSON", "DEBUG", "/mine")
    assert (special["recursive_loop"], special["scaling"], special["layers"]) == ("Allow", "aws", ["/a", "/b"])
    assert (special["retries"], special["dead_letter_queue"]) == (5, "dead")


# -- what stands -------------------------------------------------------------------------------------------------------


def standing(watched: Watched) -> list[str]:
    return [one["text"] for one in watched.views.totals()["standing"]]


def test_a_warning_stands_until_it_is_cleared_and_is_said_once(watch: Callable[..., Watched]) -> None:
    async def story() -> None:
        watched = watch()
        client = subscribed(watched, f={"view": "functions"})
        await frame(client)
        for _ in range(3):
            watched.notices.keep("disk", "error", "the disk is full")
        first = await frame(client)
        assert [notice["text"] for notice in first["notices"]] == ["the disk is full"]
        assert first["totals"]["standing"] == [{"level": "error", "text": "the disk is full"}]
        watched.notices.say("info", "something else")
        assert (await frame(client))["totals"]["standing"] == first["totals"]["standing"]
        watched.notices.clear("disk")
        last = await frame(client)
        assert (last["totals"]["standing"], last["notices"]) == ([], [])
        watched.notices.clear("disk")
        assert await is_silent(client)

    play(story())


def test_code_that_does_not_load_stands_as_long_as_it_does_not(watch: Callable[..., Watched]) -> None:
    watched = watch()
    watched.reload_errors["orders"] = "SyntaxError: invalid syntax (orders.py, line 3)"
    assert standing(watched) == [
        "orders: the newest code does not load: SyntaxError: invalid syntax (orders.py, line 3)"
    ]
    watched.reload_errors.clear()
    assert standing(watched) == []


def test_a_limit_of_this_machine_is_named_only_while_something_waits_for_it(watch: Callable[..., Watched]) -> None:
    watched = watch([function("busy"), function("idle")], always(RETURNED, 100.0), most=1)
    watched.pools.limited_by = "environments_max: 1"
    assert standing(watched) == []
    for _ in range(2):
        watched.world.send("busy")
        watched.world.step()
    assert standing(watched) == ["invocations wait: no more environments, limited by environments_max: 1"]
    assert [row["limited_by"] for row in watched.rows("functions")] == ["environments_max: 1", None]


# -- frames ------------------------------------------------------------------------------------------------------------


def test_the_first_frame_has_everything_and_the_next_only_what_has_changed(watch: Callable[..., Watched]) -> None:
    async def story() -> None:
        watched = busy(watch)
        client = subscribed(watched, f={"view": "functions"}, q={"view": "queue"})
        first = await frame(client)
        assert set(first) == {"time", "totals", "views", "logs", "notices"}
        assert first["views"]["f"]["ids"] == [row["id"] for row in first["views"]["f"]["rows"]]
        assert [row["id"] for row in first["views"]["f"]["rows"]] == ["alpha", "beta", "dies", "drops", "gamma"]
        assert await is_silent(client)

        watched.world.dispatcher.metrics.throttled("beta")
        second = await frame(client)
        assert set(second["views"]) == {"f"}
        assert [row["id"] for row in second["views"]["f"]["rows"]] == ["beta"]
        assert "ids" not in second["views"]["f"]
        assert second["views"]["f"]["total"] == 5
        assert await is_silent(client)

    play(story())


def test_a_row_that_goes_takes_its_id_along_and_sends_no_other_row_again(watch: Callable[..., Watched]) -> None:
    async def story() -> None:
        rows = events(10)
        watched = watch(rows=rows)
        client = subscribed(watched, q={"view": "queue"})
        pane = Pane()
        pane.apply((await frame(client))["views"]["q"])
        gone = rows[4]
        watched.write(lambda store: store.update([gone._replace(state=State.DISCARDED)]))
        changes = (await frame(client))["views"]["q"]
        assert changes["rows"] == []
        assert changes["ids"] == [e.id for e in rows if e is not gone]

    play(story())


def test_a_thousand_changes_between_two_frames_give_one(watch: Callable[..., Watched]) -> None:
    async def story() -> None:
        watched = watch(rows=events(10))
        client = subscribed(watched, q={"view": "queue"}, f={"view": "functions"})
        await frame(client)
        for n in range(1_000):
            watched.write(lambda store, n=n: store.update([events(1)[0]._replace(throttles=n, error=f"error {n}")]))
            watched.world.dispatcher.metrics.throttled("orders")
        changes = await frame(client)
        assert [row["error"] for row in changes["views"]["q"]["rows"]] == ["error 999"]
        assert [row["throttles"] for row in changes["views"]["f"]["rows"]] == [1_000]
        assert await is_silent(client)

    play(story())


def test_two_frames_are_at_least_a_tenth_of_a_second_apart(
    watch: Callable[..., Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "FRAME_GAP", 0.1)

    async def story() -> None:
        watched = watch()
        client = subscribed(watched, f={"view": "functions"})
        at = []
        for _ in range(3):
            watched.world.dispatcher.metrics.throttled("orders")
            await frame(client)
            at.append(asyncio.get_running_loop().time())
        assert at[2] - at[0] > 0.15  # the gap counts from a frame's beginning

    play(story())


def test_what_a_client_newly_wishes_does_not_wait_for_the_next_frame_and_brings_nothing_else(
    watch: Callable[..., Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "FRAME_GAP", 3600.0)

    async def story() -> None:
        watched = watch(rows=events(100))
        panes = {"q": {"view": "queue", "limit": 5}, "f": {"view": "functions"}}
        client = subscribed(watched, **panes)
        assert set((await frame(client))["views"]) == {"q", "f"}
        watched.world.dispatcher.metrics.throttled("orders")
        assert await is_silent(client)
        waiting = asyncio.create_task(frame(client))
        await asyncio.sleep(0)
        client.watch(panes | {"q": {"view": "queue", "limit": 5, "offset": 50}})
        changes = (await waiting)["views"]
        assert set(changes) == {"q"}
        assert changes["q"]["offset"] == 50
        assert await is_silent(client)

    play(story())


def test_a_sorted_window_shows_what_was_written_since_the_last_look(watch: Callable[..., Watched]) -> None:
    async def story() -> None:
        watched = watch(rows=events(30))
        views = watched.views
        wish = parse_view("q", {"view": "queue", "sort": "error", "descending": True, "limit": 3, "filter": "fn"})
        assert views.rows(wish)[0] == 30
        assert [row["seq"] for row in views.rows(wish)[1]] == [30, 29, 28]
        watched.write(lambda store: store.insert(events(1, start=40, error="late")))
        watched.write(lambda store: store.update([events(1, start=30)[0]._replace(state=State.SUCCEEDED)]))
        total, rows = views.rows(wish)
        assert (total, [row["seq"] for row in rows]) == (30, [40, 29, 28])

    play(story())


def test_a_slow_client_gets_a_fresh_window_and_no_backlog(watch: Callable[..., Watched]) -> None:
    async def story() -> None:
        watched = watch(rows=events(100))
        slow = subscribed(watched, q={"view": "queue", "limit": 5}, l={"view": "logs"})
        await frame(slow)
        for n in range(300):
            first = events(100)[n % 100]
            watched.write(lambda store, first=first: store.update([first._replace(state=State.SUCCEEDED)]))
            watched.write(lambda store, n=n: store.insert(events(1, start=1_000 + n)))
            watched.say(f"line {n}")
        changes = await frame(slow)
        assert [row["seq"] for row in changes["views"]["q"]["rows"]] == [1_000, 1_001, 1_002, 1_003, 1_004]
        lines = changes["logs"]["l"]
        assert (len(lines["lines"]), lines["left_out"]) == (LINES_PER_FRAME, 100)
        assert lines["lines"][-1]["text"] == "line 299"
        assert await is_silent(slow)

    play(story())


def test_a_client_that_scrolls_gets_the_new_window_and_what_it_lacks_of_it(watch: Callable[..., Watched]) -> None:
    async def story() -> None:
        rows = events(100)
        watched = watch(rows=rows)
        client = subscribed(watched, q={"view": "queue", "limit": 10}, r={"view": "retries"})
        await frame(client)
        client.watch({"q": {"view": "queue", "limit": 10, "offset": 50}, "r": {"view": "retries"}})
        changes = await frame(client)
        assert set(changes["views"]) == {"q"}
        assert changes["views"]["q"]["offset"] == 50
        assert changes["views"]["q"]["ids"] == [e.id for e in rows[50:60]]
        assert [row["id"] for row in changes["views"]["q"]["rows"]] == [e.id for e in rows[50:60]]
        assert changes["views"]["q"]["total"] == 100

        client.watch({"r": {"view": "retries"}})
        watched.write(lambda store: store.update([rows[55]._replace(error="changed")]))
        assert set((await frame(client))["views"]) == {"r"}

    play(story())


def test_a_window_that_changes_while_a_frame_is_read_does_not_put_its_offset_on_the_old_rows(
    watch: Callable[..., Watched],
) -> None:
    async def story() -> None:
        rows = events(100)
        watched = watch(rows=rows)
        client = subscribed(watched, q={"view": "queue", "limit": 10})

        async def scrolls_meanwhile(read: Callable[[], Row]) -> Row:
            found = read()
            client.watch({"q": {"view": "queue", "limit": 10, "offset": 50}})
            return found

        between = (await client._frame(scrolls_meanwhile))["views"].get("q")
        assert between is None or (between["offset"], between["ids"]) == (0, [e.id for e in rows[:10]])
        after = (await frame(client))["views"]["q"]
        assert (after["offset"], [row["id"] for row in after["rows"]]) == (50, [e.id for e in rows[50:60]])

    play(story())


def test_what_a_client_shows_is_always_what_there_is(watch: Callable[..., Watched]) -> None:
    """A world of retries, throttles and dead letters, a pane of each kind: after every frame they agree."""

    async def story() -> None:
        watched = busy(watch)
        wishes: dict[str, Row] = {
            "queue": {"view": "queue", "limit": 4, "offset": 1},
            "retries": {"view": "retries", "sort": "function", "descending": True},
            "inflight": {"view": "inflight", "filter": "!beta"},
            "dlq": {"view": "dlq", "limit": 3},
            "functions": {"view": "functions", "sort": "queued"},
        }
        client = subscribed(watched, **wishes)
        panes = {name: Pane() for name in wishes}
        for _ in range(40):
            for name, changes in (await frame(client))["views"].items():
                panes[name].apply(changes)
            for name, wish in wishes.items():
                assert panes[name].rows == watched.rows(**wish), name
                assert panes[name].total == watched.total(**wish), name
            watched.world.dispatcher.metrics.throttled("alpha")
            watched.world.run(watched.world.clock.now() + 40)
        assert watched.total("dlq") > 10

    play(story())


def test_a_change_that_is_still_being_committed_reaches_the_client_afterwards(watch: Callable[..., Watched]) -> None:
    """The commit is in a thread of its own: a frame that is read meanwhile must not be the last word."""

    async def story() -> None:
        watched = watch(script=always(FAILED, 1.0))
        world = watched.world
        client = subscribed(watched, r={"view": "retries"}, d={"view": "dlq"})
        request_id = world.send("orders")
        world.step()
        pane = Pane()
        pane.apply((await frame(client))["views"]["r"])
        world.clock.advance_to(world.clock.now() + 1)
        world.environments.end_due()
        assert world.dispatcher.step().wrote
        if client._news():  # whoever looks now sees the state before
            pane.apply((await frame(client))["views"].get("r", {"rows": [], "total": 0}))
        world.store.commit()
        world.dispatcher.release()
        pane.apply((await frame(client))["views"]["r"])
        assert [row["id"] for row in pane.rows] == [request_id]

    play(story())


def test_notices_cross_once(watch: Callable[..., Watched]) -> None:
    async def story() -> None:
        watched = watch()
        watched.notices.say("info", "before")
        client = subscribed(watched, f={"view": "functions"})
        assert [notice["text"] for notice in (await frame(client))["notices"]] == ["before"]
        watched.notices.say("error", "after")
        late = subscribed(watched, f={"view": "functions"})
        assert [notice["text"] for notice in (await frame(client))["notices"]] == ["after"]
        assert [notice["text"] for notice in (await frame(late))["notices"]] == ["before", "after"]
        assert await is_silent(client)

    play(story())


# -- log lines ---------------------------------------------------------------------------------------------------------


def texts(found: Row, pane: str = "l") -> list[str]:
    return [line["text"] for line in found["logs"][pane]["lines"]]


def test_a_filter_never_misses_a_line_before_or_after_subscribing(watch: Callable[..., Watched]) -> None:
    async def story() -> None:
        watched = watch()
        wanted = []
        for n in range(900):
            watched.say(f"needle {n}" if n % 30 == 0 else f"hay {n}")
            wanted += [f"needle {n}"] if n % 30 == 0 else []
        client = subscribed(watched, l={"view": "logs", "filter": "NEEDLE", "limit": 500})
        seen = texts(await frame(client))
        for n in range(900, 2_000):
            watched.say(f"needle {n}" if n % 50 == 0 else f"hay {n}")
            wanted += [f"needle {n}"] if n % 50 == 0 else []
            if n % 111 == 0 and client._news():
                found = await frame(client)
                assert found["logs"]["l"]["left_out"] == 0
                seen += texts(found)
        if client._news():
            seen += texts(await frame(client))
        assert seen == wanted

    play(story())


def test_lines_are_chosen_by_word_function_and_request(watch: Callable[..., Watched]) -> None:
    async def story() -> None:
        watched = watch()
        client = subscribed(
            watched,
            word={"view": "logs", "filter": "paid !test"},
            fn={"view": "logs", "filter": "fn:orders"},
            id={"view": "logs", "filter": "r-77"},
            all={"view": "logs"},
        )
        await frame(client)
        said = [("Paid 1", "orders", "r-1"), ("paid in a test", "orders", "r-2"), ("void", "other", "r-777")]
        for line in said:
            watched.say(*line)
        after = await frame(client)
        expected = {"word": ["Paid 1"], "fn": ["Paid 1", "paid in a test"], "id": ["void"], "all": [s[0] for s in said]}
        assert {pane: texts(after, pane) for pane in after["logs"]} == expected
        again = subscribed(watched, **{name: {"view": "logs", "filter": wish} for name, wish in (
            ("word", "paid !test"), ("fn", "fn:orders"), ("id", "r-77"), ("all", ""))})  # fmt: skip
        before = await frame(again)
        assert {pane: texts(before, pane) for pane in before["logs"]} == expected

    play(story())


def test_of_a_flood_the_newest_lines_cross_and_the_rest_are_counted(watch: Callable[..., Watched]) -> None:
    async def story() -> None:
        watched = watch()
        client = subscribed(watched, l={"view": "logs", "filter": "!skip"})
        watched.say("first")
        assert texts(await frame(client)) == ["first"]
        for n in range(10_000):
            watched.say(f"skip {n}" if n % 2 else f"flood {n}")
        found = await frame(client)
        assert texts(found) == [f"flood {n}" for n in range(9_600, 10_000, 2)]
        assert found["logs"]["l"]["left_out"] == 5_000 - LINES_PER_FRAME
        assert found["logs"]["l"]["total"] == 10_001
        watched.say("last")
        found = await frame(client)
        assert (texts(found), found["logs"]["l"]["left_out"]) == (["last"], 0)

    play(story())


def test_a_flood_between_subscribing_and_the_first_frame_is_counted_as_left_out_only_if_it_is(
    watch: Callable[..., Watched],
) -> None:
    async def story() -> None:
        watched = watch()
        client = subscribed(watched, l={"view": "logs", "limit": 500})
        for n in range(300):
            watched.say(f"line {n}")
        found = await frame(client)
        assert texts(found) == [f"line {n}" for n in range(300)]
        assert found["logs"]["l"]["left_out"] == 0

    play(story())


def test_a_flood_while_the_first_lines_are_read_is_neither_lost_nor_shown_twice(watch: Callable[..., Watched]) -> None:
    async def story() -> None:
        watched = watch()
        watched.say("old")
        client = subscribed(watched, l={"view": "logs", "limit": 500})

        async def flooded_meanwhile(read: Callable[[], Row]) -> Row:
            watched.say("just before")
            found = read()
            for n in range(500):
                watched.say(f"meanwhile {n}")
            return found

        found = await client._frame(flooded_meanwhile)
        shown = texts(found)
        assert len(shown) == len(set(shown))
        assert shown[0] == "old"
        assert shown[-200:] == [f"meanwhile {n}" for n in range(300, 500)]
        assert len(shown) + found["logs"]["l"]["left_out"] == 502

    play(story())


def test_lines_left_out_under_another_filter_are_not_counted_under_the_new_one(watch: Callable[..., Watched]) -> None:
    async def story() -> None:
        watched = watch()
        client = subscribed(watched, l={"view": "logs"})
        await frame(client)
        for n in range(1_000):
            watched.say(f"line {n}")
        client.watch({"l": {"view": "logs", "filter": "999"}})
        found = await frame(client)
        assert (texts(found), found["logs"]["l"]["left_out"]) == (["line 999"], 0)

    play(story())


def test_a_closed_subscription_listens_no_more(watch: Callable[..., Watched]) -> None:
    watched = watch()
    client = subscribed(watched, l={"view": "logs"})
    assert len(watched.history.listeners) == 1
    client.close()
    assert watched.history.listeners == []


# -- paging ------------------------------------------------------------------------------------------------------------

Change = Callable[[int], None]


def pages(watched: Watched, view: str, limit: int, between: Change = lambda n: None, **wish: Any) -> list[Row]:
    """All rows of a view, page by page, with something going on in between."""
    rows: list[Row] = []
    cursor = None
    for n in range(1_000):
        found = watched.page(view, cursor, limit=limit, **wish)
        assert len(found["rows"]) <= limit
        rows += found["rows"]
        cursor = found["cursor"]
        if cursor is None:
            return rows
        between(n)
    raise AssertionError("the last page never came")


@pytest.mark.parametrize(("view", "reason"), [("queue", Reason.THROTTLED), ("retries", Reason.RETRY)])
@pytest.mark.parametrize("sort", ["due_at", "function", "accepted_at", "attempt", "size", "source", "error"])
def test_paging_neither_skips_nor_repeats_an_event_that_stayed(
    watch: Callable[..., Watched], view: str, reason: Reason, sort: str
) -> None:
    """In both directions, one after the other, while events end and others come between two pages."""
    rows = [
        e._replace(
            reason=reason, payload=b"x" * (e.seq % 7), attempts=e.seq % 3, error=f"E{e.seq % 4}" if e.seq % 5 else None
        )
        for e in events(1_000)
    ]
    watched = watch(rows=rows)
    gone: set[str] = set()
    fresh = iter(events(1_000, start=2_000, reason=reason))

    def between(n: int) -> None:
        leaving = [e for e in rows[n::97] if e.id not in gone]
        gone.update(e.id for e in leaving)
        watched.write(lambda store: store.update(e._replace(state=State.SUCCEEDED) for e in leaving))
        watched.write(lambda store: store.insert(itertools.islice(fresh, 5)))

    for descending in (False, True):
        found = [row["id"] for row in pages(watched, view, 120, between, sort=sort, descending=descending)]
        assert len(found) == len(set(found))
        assert {e.id for e in rows} - gone <= set(found)
    assert len(gone) > 50


def test_paging_goes_through_events_ahead_of_the_environments_too(watch: Callable[..., Watched]) -> None:
    watched = watch([function("zebra"), function("ape")], always(RETURNED, 100.0), most=1)
    for name in ("zebra", "ape"):
        for _ in range(60):
            watched.world.send(name)
            watched.world.step()
    for wish in ({}, {"sort": "function"}, {"sort": "accepted_at", "descending": True}):
        found = [row["id"] for row in pages(watched, "queue", 10, **wish)]
        assert len(found) == len(set(found))
        assert len(found) == 118


@pytest.mark.parametrize("sort", ["", "function", "attempts", "condition", "error", "queue"])
def test_paging_neither_skips_nor_repeats_a_dead_letter_that_stayed(watch: Callable[..., Watched], sort: str) -> None:
    ended = {"state": State.DISCARDED, "ended_at": 1_700_000_500.0}
    rows = [
        e._replace(**ended, condition=[*Condition][1 + e.seq % 3], dropped=e.seq % 2 == 0, error=f"E{e.seq % 4}")
        for e in events(1_000)
    ]
    watched = watch(rows=rows)

    def letter(e: Event) -> Message:
        return Message(f"m-{e.seq * 7919 % 1_000_003}", "dead", b"{}", {}, 1_700_000_000.0 + e.seq // 3, e.id)

    kept = [e for e in rows if not e.dropped]
    watched.write(lambda store: store.send(letter(e) for e in kept))
    watched.write(lambda store: store.send([letter(events(1)[0]._replace(seq=5_000, id="unknown"))]))  # by SQS
    gone: set[str] = set()
    numbers = itertools.count(6_000, 2)

    def between(n: int) -> None:
        leaving = [e for e in rows[n::97] if e.id not in gone]
        gone.update(e.id for e in leaving)
        watched.write(lambda store: [store.delete_dead_letters(letter(e).request_id) for e in leaving])
        watched.write(lambda store: store.update(e._replace(dropped=False) for e in leaving))
        fresh = events(2, start=next(numbers), **ended)
        watched.write(lambda store: store.insert(fresh))
        watched.write(lambda store: store.send(map(letter, fresh)))

    for descending in (False, True):
        found = [row["request_id"] for row in pages(watched, "dlq", 120, between, sort=sort, descending=descending)]
        assert len(found) == len(set(found))
        assert {e.id for e in rows} - gone | {"unknown"} <= set(found)
    assert len(gone) > 50


def test_paging_through_lines_goes_back_in_time_while_new_ones_come(watch: Callable[..., Watched]) -> None:
    watched = watch()
    for n in range(1_000):
        watched.say(f"{'even' if n % 2 == 0 else 'odd'} {n}")
    found: list[list[str]] = []
    cursor = None
    while True:
        one = watched.page("logs", cursor, limit=60, filter="even")
        found.insert(0, [line["text"] for line in one["rows"]])
        cursor = one["cursor"]
        if cursor is None:
            break
        for n in range(7):
            watched.say(f"even and new {n}")
    assert [text for part in found for text in part] == [f"even {n}" for n in range(0, 1_000, 2)]


def test_paging_through_what_executes(watch: Callable[..., Watched]) -> None:
    watched = watch([function("a"), function("b")], always(RETURNED, 1_000.0))
    ids = iter([watched.world.send("ab"[n % 2]) for n in range(200)])
    while len(watched.pools.executing) < 200:
        watched.world.step()
    left = dict(watched.pools.executing)

    def between(n: int) -> None:
        ended = next(ids)
        del watched.pools.executing[ended], left[ended]

    for sort, descending in itertools.product(("", "function", "cold", "source", "started_at"), (False, True)):
        found = [row["id"] for row in pages(watched, "inflight", 15, between, sort=sort, descending=descending)]
        assert len(found) == len(set(found))
        assert set(left) <= set(found)


def _as_cursor(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def test_a_text_that_is_no_cursor_is_an_error_that_shows_it(watch: Callable[..., Watched]) -> None:
    watched = busy(watch)
    for view, cursor in itertools.product((*VIEWS, "logs"), ("nonsense", "AAAA", "é", _as_cursor(5), _as_cursor([1]))):
        with pytest.raises(ValueError, match=f"cursor: '{cursor}' is not a cursor"):
            watched.page(view, cursor)


def test_a_cursor_that_nobody_gave_out_is_an_error_that_shows_it(watch: Callable[..., Watched]) -> None:
    watched = busy(watch)
    made_up = [{"a": 1, "b": 2}, "ab", [[1], 2], [{}, {}], [None, None]]
    for view, value in itertools.product((*VIEWS, "logs"), made_up):
        with pytest.raises(ValueError, match=r"cursor: .* is not a cursor"):
            watched.page(view, _as_cursor(value))


def test_a_cursor_of_another_view_is_an_error(watch: Callable[..., Watched]) -> None:
    watched = busy(watch)
    for view, other in itertools.permutations((*VIEWS, "logs"), 2):
        cursor = watched.page(view, limit=1)["cursor"]
        with pytest.raises(ValueError, match=r"cursor: .* is not a cursor"):
            watched.page(other, cursor)


# -- a hundred thousand rows -------------------------------------------------------------------------------------------


def _work(watched: Watched, look: Callable[[], object]) -> int:
    """How many hundreds of instructions SQLite runs for this: rows touched, not time."""
    hundreds = 0

    def count() -> int:
        nonlocal hundreds
        hundreds += 1
        return 0

    connection = watched.peek._connection
    connection.set_progress_handler(count, 100)
    look()
    connection.set_progress_handler(None, 0)
    return hundreds


def test_a_window_on_a_hundred_thousand_rows_touches_only_the_window(watch: Callable[..., Watched]) -> None:
    """Half of them wait for their next attempt, half were throttled, in turn."""

    def rows(count: int) -> Iterator[Event]:
        return (e._replace(reason=[Reason.RETRY, Reason.THROTTLED][e.seq % 2]) for e in events(count))

    few, many = watch(rows=rows(1_000)), watch(rows=rows(100_000))
    for look in (
        lambda watched: watched.rows("queue"),
        lambda watched: watched.rows("retries"),
        lambda watched: watched.rows("queue", offset=200, descending=True),
        lambda watched: watched.rows("retries", offset=200, descending=True),
        lambda watched: watched.page("queue", watched.page("queue")["cursor"]),
        lambda watched: watched.page("retries", watched.page("retries")["cursor"]),
        lambda watched: watched.views.totals(),
    ):
        assert _work(many, lambda: look(many)) <= 2 * _work(few, lambda: look(few)) + 2  # noqa: B023
    assert many.total("queue") == many.total("retries") == 50_000


def test_a_window_on_the_queue_does_not_walk_through_a_hundred_thousand_retries(watch: Callable[..., Watched]) -> None:
    def rows(count: int) -> list[Event]:
        late = events(20, start=count, due_at=1_700_900_000.0)
        return [*events(count - 1, reason=Reason.RETRY), *late]

    few, many = watch(rows=rows(1_000)), watch(rows=rows(10_000))
    assert len(many.rows("queue")) == 20
    assert _work(many, lambda: many.rows("queue")) <= 2 * _work(few, lambda: few.rows("queue")) + 2


def test_crowds_of_one_step_are_not_all_sorted_for_each_window(watch: Callable[..., Watched]) -> None:
    """256 events that were accepted in one step are due at the same moment; the order of acceptance decides."""

    def rows(count: int) -> list[Event]:
        return [e._replace(due_at=1_700_009_000.0 + e.seq // 256) for e in events(count)]

    few, many = watch(rows=rows(1_000)), watch(rows=rows(10_000))
    assert [row["seq"] for row in many.rows("queue", limit=3)] == [1, 2, 3]
    assert _work(many, lambda: many.rows("queue")) <= 2 * _work(few, lambda: few.rows("queue")) + 2


def test_a_frame_carries_no_more_rows_than_its_window(watch: Callable[..., Watched]) -> None:
    async def story() -> None:
        watched = watch(rows=events(5_000))
        client = subscribed(watched, q={"view": "queue", "limit": 25})
        found = (await frame(client))["views"]["q"]
        assert (len(found["rows"]), len(found["ids"]), found["total"]) == (25, 25, 5_000)
        watched.write(lambda store: store.update([events(5_000)[2_345]._replace(error="out of sight")]))
        found = (await frame(client))["views"]["q"]
        assert found["rows"] == []
        assert "ids" not in found

    play(story())


def test_a_row_of_the_log_is_plain_values(watch: Callable[..., Watched]) -> None:
    watched = watch()
    watched.say("hello")
    [line] = watched.page("logs")["rows"]
    assert json.loads(json.dumps(line)) == line
    assert set(line) == {"id", *LogLine._fields} - {"number"}


@pytest.mark.parametrize("view", VIEWS)
def test_every_row_is_plain_values(watch: Callable[..., Watched], view: str) -> None:
    for row in busy(watch).rows(view):
        assert json.loads(json.dumps(row)) == row
