"""The life of one request: what can be known of it while it waits, while it runs, and when it has ended."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lamtop.engine.core.event import Ended, Event, Outcome
from lamtop.engine.core.function import EventInvokeConfig, Function
from lamtop.engine.core.invocation import Invocation
from lamtop.engine.store import History, Peek
from lamtop.engine.view import life
from simulation.world import FAILED, RETURNED, Script, World

Row = dict[str, Any]
DEAD = "arn:aws:sqs:us-east-1:000000000000:dead"
NOWHERE = "arn:aws:sqs:us-east-1:000000000000:nowhere"
SECONDS = 0.5


def function(name: str = "orders", **changes: Any) -> Function:
    return Function(name, "app.handler", "/nowhere", **{"dead_letter_queue": DEAD, **changes})


class Lives:
    """A world whose handlers print two lines, and what can be asked about it."""

    def __init__(self, folder: Path, function: Function, outcome: Outcome, *, seconds: float = SECONDS) -> None:
        self.outcome = outcome
        self.seconds = seconds
        self.world = World(folder, [function], self._script)
        self.history = History(folder)
        self.peek = Peek(self.world.store.path)
        self.start = self.world.clock.now()

    @property
    def _script(self) -> Script:
        def run(invocation: Invocation) -> tuple[Outcome, float]:
            first, last = (
                self.history.line(
                    invocation.function.name,
                    invocation.request_id,
                    invocation.attempt,
                    self.world.clock.now(),
                    "output",
                    f"{word} {invocation.attempt}",
                )
                for word in ("begin", "end")
            )
            return self.outcome._replace(first_line=first, last_line=last, duration=self.seconds), self.seconds

        return run

    def of(self, request_id: str) -> Row | None:
        self.history.hand_over()
        return life(
            request_id,
            peek=self.peek,
            history=self.history,
            functions=dict(self.world.dispatcher.functions),
            executing=dict(self.world.environments.executing),
        )

    def known(self, request_id: str) -> Row:
        found = self.of(request_id)
        assert found is not None
        assert json.loads(json.dumps(found)) == found  # plain values: it crosses the wire as it is
        return found

    def run(self, seconds: float = float("inf")) -> None:
        self.world.run(self.world.clock.now() + seconds)

    def after(self, moment: float) -> float:
        """Seconds since the world began."""
        return moment - self.start

    def close(self) -> None:
        self.peek.close()
        self.history.close()
        self.world.store.close()


@pytest.fixture
def lives(tmp_path: Path) -> Iterator[Callable[..., Lives]]:
    made: list[Lives] = []

    def make(function: Function, outcome: Outcome, **more: Any) -> Lives:
        made.append(Lives(tmp_path / "state", function, outcome, **more))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_an_event_that_fails_three_times_tells_of_each_attempt_each_wait_and_its_dead_letter(
    lives: Callable[..., Lives],
) -> None:
    it = lives(function(), FAILED)
    request_id = it.world.send("orders", '{"card":"ü"}'.encode())
    it.run()

    found = it.known(request_id)
    assert (found["id"], found["function"], found["kind"], found["source"]) == (request_id, "orders", "event", "test")
    assert (found["payload"], found["answered"]) == ('{"card":"ü"}', {"status": 202, "after": None})
    assert (found["state"], found["condition"]) == ("discarded", "RetriesExhausted")
    assert (found["tries"], found["errors"], found["throttles"], found["losses"]) == (3, 3, 0, 0)
    assert it.after(found["accepted_at"]) == 0
    assert it.after(found["ended_at"]) == pytest.approx(60 + 120 + 3 * SECONDS)
    assert [(a["number"], it.after(a["started_at"]), it.after(a["ended_at"])) for a in found["attempts"]] == [
        (1, 0, 0.5),
        (2, 60.5, 61),
        (3, 181, 181.5),
    ]
    assert {(a["ended"], a["error"], a["error_type"]) for a in found["attempts"]} == {
        ("function error", "Exception: boom", "Exception")
    }
    assert json.loads(found["attempts"][0]["result"]) == {"errorMessage": "boom"}
    assert found["running"] is None
    assert found["deliveries"] == [{"kind": "dead letter", "target": "dead", "delivered": True, "error": None}]
    assert [(line["attempt"], line["text"]) for line in found["lines"]] == [
        (n, f"{word} {n}") for n in (1, 2, 3) for word in ("begin", "end")
    ]
    assert (found["redriven_from"], found["redriven_as"], found["dropped"]) == (None, None, False)


def test_an_event_that_waits_for_its_second_attempt_says_when_it_is_due(lives: Callable[..., Lives]) -> None:
    it = lives(function(event_invoke_config=EventInvokeConfig(maximum_retry_attempts=1)), FAILED)
    request_id = it.world.send("orders")
    it.run(10)
    found = it.known(request_id)
    assert (found["state"], found["reason"], found["condition"], found["ended_at"]) == ("queued", "retry", None, None)
    assert it.after(found["due_at"]) == 60.5
    assert found["tries"] == 2
    assert [a["number"] for a in found["attempts"]] == [1]
    assert [line["text"] for line in found["lines"]] == ["begin 1", "end 1"]
    assert found["deliveries"] == []


def test_a_running_attempt_is_shown_with_its_lines_so_far(lives: Callable[..., Lives]) -> None:
    it = lives(function(timeout=7.0), FAILED, seconds=5.0)
    request_id = it.world.send("orders")
    it.run(66.0)
    found = it.known(request_id)
    assert (found["state"], len(found["attempts"])) == ("running", 1)
    assert it.after(found["running"].pop("started_at")) == 65
    assert found["running"] == {
        "number": 2, "timeout": 7.0, "version": 1, "cold": False, "environment": "", "injected": "",
    }  # fmt: skip
    assert [line["text"] for line in found["lines"]] == ["begin 1", "end 1", "begin 2", "end 2"]


def test_an_event_that_succeeds_tells_its_result(lives: Callable[..., Lives]) -> None:
    it = lives(function(), RETURNED)
    request_id = it.world.send("orders")
    it.run()
    found = it.known(request_id)
    assert (found["state"], found["condition"], found["errors"]) == ("succeeded", "Success", 0)
    assert [(a["ended"], a["result"], a["error"]) for a in found["attempts"]] == [("returned", '"done"', None)]
    assert found["deliveries"] == []


def test_an_event_with_nowhere_to_go_is_dropped(lives: Callable[..., Lives]) -> None:
    it = lives(function(dead_letter_queue=None), FAILED)
    request_id = it.world.send("orders")
    it.run()
    assert (it.known(request_id)["dropped"], it.known(request_id)["deliveries"]) == (True, [])


def test_a_delivery_that_cannot_be_made_says_why(lives: Callable[..., Lives]) -> None:
    it = lives(function(dead_letter_queue=NOWHERE), FAILED)
    request_id = it.world.send("orders")
    it.run(300)
    [owed] = it.known(request_id)["deliveries"]
    assert (owed["kind"], owed["target"], owed["delivered"]) == ("dead letter", "nowhere", False)
    assert "neither a queue nor a function" in owed["error"]


def test_an_event_that_was_lost_with_its_engine_goes_on(lives: Callable[..., Lives]) -> None:
    it = lives(function(), RETURNED)
    request_id = it.world.send("orders")
    it.world.step()
    it.world.crash_and_start_again()
    it.run()
    found = it.known(request_id)
    assert [a["ended"] for a in found["attempts"]] == ["lost", "returned"]
    assert (found["losses"], found["errors"], found["state"]) == (1, 0, "succeeded")
    assert found["attempts"][0]["error"] == "the engine ended during this attempt"


def test_a_throttled_event_counts_its_throttles(lives: Callable[..., Lives]) -> None:
    it = lives(function(reserved_concurrency=1), RETURNED, seconds=20.0)
    it.world.send("orders")
    it.run(0.1)
    second = it.world.send("orders")
    it.run(2)
    found = it.known(second)
    assert (found["state"], found["reason"], found["throttles"], found["attempts"]) == ("queued", "throttled", 2, [])


def test_a_redriven_event_and_its_successor_know_each_other(lives: Callable[..., Lives]) -> None:
    it = lives(function(event_invoke_config=EventInvokeConfig(maximum_retry_attempts=0)), FAILED)
    first = it.world.send("orders", b'{"n":1}')
    it.run(1)
    [letter], _ = _dead(it)
    [(old, second)], refused = it.world.redrive(letter)
    assert (old, refused) == (first, [])
    it.run(1)
    before, after = it.known(first), it.known(second)
    assert (before["redriven_as"], before["redriven_from"]) == (second, None)
    assert (after["redriven_as"], after["redriven_from"]) == (None, first)
    assert (after["source"], after["payload"], after["state"]) == ("redrive", '{"n":1}', "discarded")
    assert before["deliveries"] == []  # its dead letter went round
    assert len(after["deliveries"]) == 1
    [again], _ = _dead(it)
    [(_, third)], _ = it.world.redrive(again)
    assert it.known(third)["redriven_from"] == second


def _dead(it: Lives) -> tuple[list[str], list[str]]:
    rows = [row for row in it.world.history() if row[0] == "message"]
    return [str(row[1]) for row in rows], [str(row[6]) for row in rows]


def test_the_beginning_of_an_id_is_enough(lives: Callable[..., Lives]) -> None:
    it = lives(function(), RETURNED)
    request_ids = [it.world.send("orders") for _ in range(20)]
    it.run()
    for request_id in request_ids:
        assert it.known(request_id[:13])["id"] == request_id


def test_an_unknown_id_has_no_life(lives: Callable[..., Lives]) -> None:
    it = lives(function(), RETURNED)
    it.world.send("orders")
    it.run()
    for unknown in ("nobody", "%", "_", "ffffffff-ffff-ffff-ffff-ffffffffffff", "'"):
        assert it.of(unknown) is None


def test_nothing_is_not_the_beginning_of_an_id(lives: Callable[..., Lives]) -> None:
    it = lives(function(), RETURNED)
    it.world.send("orders")
    it.run()
    assert it.of("") is None


def synchronous(it: Lives, outcome: Outcome, request_id: str = "11112222-3333") -> Invocation:
    now = it.world.clock.now()
    first, last = (it.history.line("orders", request_id, 1, now, "output", word) for word in ("hello", "bye"))
    invocation = Invocation(
        request_id, function(), b'{"n":1}', lambda: True, print, source="aws-cli", kind="synchronous", accepted_at=now
    )
    it.history.record(
        invocation, outcome._replace(started_at=now + 1, ended_at=now + 3, first_line=first, last_line=last)
    )
    return invocation


def test_a_synchronous_invocation_has_a_life_too(lives: Callable[..., Lives]) -> None:
    it = lives(function(), RETURNED)
    synchronous(it, RETURNED._replace(duration=1.5, memory_used=40, environment="stream"))
    found = it.known("11112222-3333")
    assert (found["kind"], found["source"], found["state"], found["condition"]) == (
        "synchronous", "aws-cli", "succeeded", "Success",
    )  # fmt: skip
    assert (found["payload"], found["answered"]) == ('{"n":1}', {"status": 200, "after": 3})
    [attempt] = found["attempts"]
    assert (attempt["number"], attempt["result"], attempt["error"], attempt["duration"]) == (1, '"done"', None, 1.5)
    assert [line["text"] for line in found["lines"]] == ["hello", "bye"]
    assert (found["tries"], found["running"], found["deliveries"]) == (1, None, [])


def test_a_synchronous_invocation_that_failed_says_so(lives: Callable[..., Lives]) -> None:
    it = lives(function(), RETURNED)
    synchronous(it, Outcome(Ended.FUNCTION_ERROR, b"{}", "KeyError", "'card'"))
    found = it.known("11112222-3333")
    assert (found["state"], found["errors"]) == ("discarded", 1)
    assert found["attempts"][0]["error"] == "KeyError: 'card'"


def test_a_synchronous_invocation_that_was_lost_with_its_engine_is_no_success(lives: Callable[..., Lives]) -> None:
    it = lives(function(), RETURNED)
    synchronous(it, Outcome(Ended.LOST, error_message="the engine stopped"))
    found = it.known("11112222-3333")
    assert (found["state"], found["condition"], found["errors"]) == ("discarded", None, 1)
    assert found["attempts"][0]["error"] == "the engine stopped"


def test_a_synchronous_invocation_is_found_by_the_beginning_of_its_id(lives: Callable[..., Lives]) -> None:
    it = lives(function(), RETURNED)
    synchronous(it, RETURNED)
    assert it.known("1111")["id"] == "11112222-3333"


def test_a_synchronous_invocation_that_runs_is_known(lives: Callable[..., Lives]) -> None:
    it = lives(function(), RETURNED)
    invocation = Invocation(
        "44445555-6666", function(), b"{}", lambda: True, print, kind="synchronous", accepted_at=it.start
    )
    it.history.line("orders", "44445555-6666", 1, it.start, "output", "so far")
    it.world.environments.executing["44445555-6666"] = invocation
    waiting = it.known("44445555-6666")
    assert (waiting["state"], waiting["running"], waiting["answered"]) == ("running", None, None)
    invocation.started_at = it.start + 1
    found = it.known("44445555-6666")
    assert found["running"] == {
        "number": 1, "started_at": it.start + 1, "timeout": 3.0, "version": 1, "cold": False, "environment": "",
        "injected": "",
    }  # fmt: skip
    assert [line["text"] for line in found["lines"]] == ["so far"]


def test_a_payload_of_megabytes_is_cut_for_the_screen(lives: Callable[..., Lives]) -> None:
    it = lives(function(), RETURNED._replace(payload=b'"' + b"y" * 1_000_000 + b'"'))
    request_id = it.world.send("orders", b'"' + b"x" * 1_000_000 + b'"')
    it.run()
    found = it.known(request_id)
    assert len(found["payload"]) == len(found["attempts"][0]["result"]) == 64 * 1024


# -- who called whom, and what it cost ---------------------------------------------------------------------------------


def test_an_event_that_fails_three_times_costs_three_times(lives: Callable[..., Lives]) -> None:
    it = lives(function(memory=1024), FAILED._replace(init_duration=0.25, waited=0.1))
    request_id = it.world.send("orders")
    it.run()
    found = it.known(request_id)
    assert [(a["billed_ms"], a["waited"]) for a in found["attempts"]] == [(750, 0.1)] * 3
    assert found["attempts"][0]["cost"] == pytest.approx(0.75 * 0.0000166667 + 0.2e-6)
    assert found["bill"]["cost"] == pytest.approx(3 * found["attempts"][0]["cost"])
    assert (found["bill"]["requests"], found["bill"]["billed_ms"], found["bill"]["gb_seconds"]) == (3, 2250, 2.25)
    assert found["bill"]["waited_gb_seconds"] == pytest.approx(0.3)


def test_what_has_not_run_costs_nothing_yet(lives: Callable[..., Lives]) -> None:
    it = lives(function(reserved_concurrency=0), RETURNED)
    found = it.known(it_sent(it))
    assert (found["bill"]["requests"], found["bill"]["cost"], found["caller"], found["calls"]) == (0, 0.0, None, [])


def it_sent(it: Lives) -> str:
    request_id = it.world.send("orders")
    it.world.step()
    return request_id


def test_a_request_tells_its_qualifier_the_version_that_ran_and_its_log_group(lives: Callable[..., Lives]) -> None:
    it = lives(function(versions=frozenset({"3"}), aliases={"live": "3"}), RETURNED)
    plain = it.known(it_sent(it))
    assert (plain["qualifier"], plain["executed_version"], plain["log_group"]) == ("", "$LATEST", "/aws/lambda/orders")
    invocation = synchronous(it, RETURNED)
    invocation.invoked_arn, invocation.executed_version = f"{function().arn}:live", "3"
    found = it.known(invocation.request_id)
    assert (found["qualifier"], found["executed_version"]) == ("live", "3")


def called(it: Lives, caller: str, request_id: str, outcome: Outcome = RETURNED) -> None:
    invocation = synchronous(it, outcome, request_id)
    invocation.caller = caller


def test_a_synchronous_call_and_its_caller_know_each_other(lives: Callable[..., Lives]) -> None:
    it = lives(function(), RETURNED)
    synchronous(it, RETURNED._replace(duration=3.0, waited=2.0), "aaaa-1")
    for request_id in ("bbbb-1", "bbbb-2"):
        called(it, "aaaa-1", request_id)
    called(it, "aaaa-11", "cccc-1")
    assert it.known("bbbb-2")["caller"] == {"id": "aaaa-1", "function": "orders", "attempt": 1}
    found = it.known("aaaa-1")
    assert [(call["id"], call["kind"], call["state"]) for call in found["calls"]] == [
        ("bbbb-1", "synchronous", "succeeded"), ("bbbb-2", "synchronous", "succeeded"),
    ]  # fmt: skip
    assert (found["attempts"][0]["waited"], found["bill"]["waited_gb_seconds"]) == (2.0, 0.25)


def test_a_request_of_a_caller_is_found_by_its_own_id_only(lives: Callable[..., Lives]) -> None:
    """The callers' ids stand beside the requests' own in the history."""
    it = lives(function(), RETURNED)
    called(it, "aaaa-1", "bbbb-1")
    assert it.of("aaaa-1") is None
    assert it.of("<aaaa-1") is None


def test_the_attempt_that_called_is_the_one_that_ran_then(lives: Callable[..., Lives]) -> None:
    it = lives(function(), FAILED)
    caller = it_sent(it)
    it.run(62)  # its second attempt has begun at 60.5 s and ended
    called(it, caller, "bbbb-1")
    it.run()
    assert it.known(caller)["attempts"][1]["ended_at"] <= it.known("bbbb-1")["accepted_at"]
    assert it.known("bbbb-1")["caller"] == {"id": caller, "function": "orders", "attempt": 2}


def test_an_event_that_an_invocation_sent_is_among_its_calls(lives: Callable[..., Lives]) -> None:
    it = lives(function(), RETURNED)
    sender = it_sent(it)
    it.run()
    store = it.world.store
    store.begin()
    sent = Event(900, "dddd-1", "orders", "", b"{}", "http", it.world.clock.now(), caller=sender)
    store.insert([sent, sent._replace(seq=901, id="eeee-1", caller="")])
    store.commit()
    assert [(call["id"], call["kind"], call["state"]) for call in it.known(sender)["calls"]] == [
        ("dddd-1", "event", "queued")
    ]
    assert it.known("dddd-1")["caller"] == {"id": sender, "function": "orders", "attempt": 1}


def test_a_caller_that_is_forgotten_is_still_named(lives: Callable[..., Lives]) -> None:
    it = lives(function(), RETURNED)
    called(it, "gone-1", "bbbb-1")
    assert it.known("bbbb-1")["caller"] == {"id": "gone-1", "function": "", "attempt": 1}


def test_the_calls_of_a_request_are_found_by_an_index(lives: Callable[..., Lives]) -> None:
    it = lives(function(), RETURNED)
    sql = "EXPLAIN QUERY PLAN SELECT id FROM event WHERE caller = 'x' AND caller != '' ORDER BY seq LIMIT 9"
    [plan] = it.world.store._connection.execute(sql).fetchall()
    assert "event_caller" in plan[3]


def test_a_family_is_the_callers_from_the_first_one_on_and_all_that_a_request_led_to(
    lives: Callable[..., Lives],
) -> None:
    it = lives(function(), RETURNED)
    synchronous(it, RETURNED._replace(duration=3.0, waited=2.0), "aaaa-1")
    called(it, "aaaa-1", "bbbb-1")
    called(it, "aaaa-1", "sibling-1")
    called(it, "bbbb-1", "cccc-1", FAILED)
    called(it, "cccc-1", "dddd-1")
    called(it, "bbbb-1", "cccc-2")

    def tree(request_id: str) -> list[tuple[int, str]]:
        return [(row["deep"], row["id"]) for row in it.known(request_id)["family"]]

    below = [(1, "bbbb-1"), (2, "cccc-1"), (3, "dddd-1"), (2, "cccc-2")]
    assert tree("bbbb-1") == [(0, "aaaa-1"), *below]
    assert tree("aaaa-1") == [(0, "aaaa-1"), *below, (1, "sibling-1")]
    assert tree("dddd-1") == [(0, "aaaa-1"), (1, "bbbb-1"), (2, "cccc-1"), (3, "dddd-1")]
    rows = {row["id"]: row for row in it.known("aaaa-1")["family"]}
    assert (rows["aaaa-1"]["waited"], rows["aaaa-1"]["ran"], rows["cccc-1"]["state"]) == (2.0, 3.0, "discarded")


def test_a_request_that_stands_alone_has_no_family_and_a_large_one_says_that_more_was_left_out(
    lives: Callable[..., Lives], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lamtop.engine.view.family._BELOW_MAX", 3)
    it = lives(function(), RETURNED)
    synchronous(it, RETURNED, "alone-1")
    for caller, request_id in (("aaaa-1", "bbbb-1"), ("bbbb-1", "cccc-1"), ("cccc-1", "dddd-1"), ("dddd-1", "eeee-1")):
        called(it, caller, request_id)
    assert it.known("alone-1")["family"] == []
    rows = it.known("bbbb-1")["family"]
    assert [(row["id"], row["more"]) for row in rows] == [("bbbb-1", False), ("cccc-1", False), ("dddd-1", False),
                                                          ("eeee-1", True)]  # fmt: skip


def test_the_declared_variables_of_a_function_are_told_but_no_value_that_looks_like_a_secret(
    lives: Callable[..., Lives],
) -> None:
    variables = {"TABLE": "orders", "DB_PASSWORD": "hunter2", "URL": "https://ann:hunter2@example.com"}
    it = lives(function(environment=variables, python="/usr/bin/python3"), RETURNED)
    declared = it.known(it_sent(it))["declared"]
    assert declared["variables"] == [["DB_PASSWORD", None], ["TABLE", "orders"], ["URL", None]]
    assert "hunter2" not in json.dumps(declared)
    assert (declared["interpreter"], declared["memory"]) == ("/usr/bin/python3", 128)
