"""Armed faults, on real handlers in real processes: each does what the real thing would do."""

import json
from pathlib import Path
from typing import Any

import pytest

from lamtop.engine.testing import LambdaError, Lamtop

CODE = """
import json
import os
import urllib.error
import urllib.request

def calls(event, context):
    url = f"{os.environ['AWS_ENDPOINT_URL']}/2015-03-31/functions/{event}/invocations"
    try:
        with urllib.request.urlopen(url, b"1", timeout=60) as answer:
            return [answer.headers["X-Amz-Function-Error"], json.loads(answer.read())]
    except urllib.error.HTTPError as error:
        return [error.code, None]

def echo(event, context):
    with open("runs.txt", "a") as file:
        print(context.aws_request_id, file=file)
    print("handling")
    return event
"""
FUNCTIONS = {"orders": "echo", "emails": "echo", "calls": "calls"}
HANDLERS = {
    name: {
        "Type": "AWS::Serverless::Function",
        "Properties": {
            "FunctionName": name,
            "Handler": f"app.{handler}",
            "Timeout": 3 if handler == "echo" else 60,
            "Runtime": "python3.13",
            "DeadLetterQueue": {"Type": "SQS", "TargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}},
        },
    }
    for name, handler in FUNCTIONS.items()
}
TEMPLATE = {"Resources": {**HANDLERS, "Dead": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "dead"}}}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(CODE)
    (tmp_path / "template.yaml").write_text(json.dumps(TEMPLATE))
    return tmp_path


@pytest.fixture
def lab(folder: Path) -> Any:
    engine = Lamtop(folder / "template.yaml", folder / "state")
    yield engine
    engine.close()


def runs(folder: Path) -> list[str]:
    path = folder / "runs.txt"
    return path.read_text().split() if path.exists() else []


FAILS = {  # kind: (what the caller is told, how often the handler has run)
    "error": ("InjectedFault: injected: error (fault 1)", 0),
    "error-after": ("InjectedFault: injected: error-after (fault 1)", 1),
    "timeout": ("Sandbox.Timedout: RequestId: {id} Error: Task timed out after 3.00 seconds", 0),
    "exit": ("Runtime.ExitError: RequestId: {id} Error: Runtime exited with error: exit status 1", 0),
    "kill": ("Runtime.ExitError: RequestId: {id} Error: Runtime exited with error: signal: killed", 0),
    "memory": ("Runtime.ExitError: RequestId: {id} Error: Runtime exited with error: signal: killed", 0),
    "corrupt": ("Runtime.UnmarshalError: Unable to unmarshal input: ", 0),
    "oversize": ("Function.ResponseSizeTooLarge: Response payload size exceeded", 1),
}


@pytest.mark.parametrize("kind", FAILS)
def test_an_invocation_that_is_hit_fails_as_the_real_thing_would(lab: Lamtop, folder: Path, kind: str) -> None:
    told, handled = FAILS[kind]
    lab.inject(f"orders {kind} 1x")
    answer = lab.invoke("orders", 1234)
    (attempt,) = answer.request.attempts
    assert (answer.error, attempt.injected) == ("Unhandled", f"{kind} (fault 1)")
    assert f"lamtop: injected {kind} (fault 1)" in answer.request.log
    assert f"{answer.payload['errorType']}: {answer.payload['errorMessage']}".startswith(
        told.format(id=answer.request.id)
    )
    assert len(runs(folder)) == handled
    assert lab.invoke("orders", 1).payload == 1  # it was one hit


def test_an_event_that_is_hit_is_retried_and_succeeds(lab: Lamtop, folder: Path) -> None:
    for number, kind in enumerate(FAILS, 1):
        lab.inject(f"orders {kind} 2x")
        event = lab.send("orders", {"id": 8812})
        lab.advance(minutes=10)
        assert (event.condition, [attempt.error_type is None for attempt in event.attempts]) == (
            "Success", [False, False, True]
        ), kind  # fmt: skip
        assert [attempt.injected for attempt in event.attempts] == [f"{kind} (fault {number})"] * 2 + [""]
        assert runs(folder).count(event.id) == 2 * FAILS[kind][1] + 1


def test_a_call_by_another_function_is_hit_like_any_other(lab: Lamtop) -> None:
    for kind, (told, _) in FAILS.items():
        lab.inject(f"orders {kind} 1x")
        error, answer = lab.invoke("calls", "orders").payload
        assert (error, answer["errorType"]) == ("Unhandled", told.partition(":")[0]), kind
        assert lab.invoke("calls", "orders").payload == [None, 1]
    for kind, status in (("throttle", 429), ("service", 500)):
        lab.inject(f"orders {kind} 1x")
        assert lab.invoke("calls", "orders").payload == [status, None]


def test_a_delay_counts_and_can_be_too_long(lab: Lamtop) -> None:
    lab.inject("orders delay 1x +2s")
    answer = lab.invoke("orders", 1)
    assert answer.payload == 1
    assert answer.request.attempts[0].duration == pytest.approx(2.001)
    lab.inject("orders delay 1x +4s")
    assert "timed out after 3.00 seconds" in lab.invoke("orders", 1).payload["errorMessage"]


def test_a_log_flood_is_in_the_log(lab: Lamtop) -> None:
    lab.inject("orders logs 1x")
    log = lab.invoke("orders", 1).request.log
    assert sum("log flood" in line for line in log) > 100
    assert any("handling" in line for line in log)


def test_lambda_itself_refuses_a_caller_and_keeps_an_event(lab: Lamtop) -> None:
    lab.inject("orders throttle 1x")
    with pytest.raises(LambdaError, match="429 TooManyRequestsException: Rate Exceeded"):
        lab.invoke("orders")
    lab.inject("orders service 1x")
    with pytest.raises(LambdaError, match="500 ServiceException: injected: service"):
        lab.invoke("orders")
    lab.inject("orders throttle 3x")
    event = lab.send("orders")
    lab.advance(seconds=0.5)
    assert (event.state, event.life["throttles"]) == ("queued", 1)
    lab.advance(minutes=1)
    assert (event.condition, len(event.attempts)) == ("Success", 1)


def test_an_event_that_succeeded_may_come_once_more(lab: Lamtop, folder: Path) -> None:
    lab.inject("orders duplicate")
    event = lab.send("orders")
    lab.advance(minutes=1)
    assert (event.condition, len(event.attempts)) == ("Success", 2)
    assert runs(folder) == [event.id, event.id]


def test_an_init_fails_or_takes_its_time(lab: Lamtop) -> None:
    lab.inject("orders init-error")
    answer = lab.invoke("orders")
    assert answer.payload["errorType"] == "InjectedFault"
    assert answer.request.attempts[0].injected == "init-error (fault 1)"
    assert "lamtop: injected init-error (fault 1)" in answer.request.log
    lab.clear_faults()
    lab.inject("emails init-delay 1x +5s")
    assert lab.invoke("emails", 1).payload == 1
    assert (lab.now.timestamp() % 60) > 5


def test_nothing_gets_through_to_a_dead_letter_queue_that_is_down(lab: Lamtop) -> None:
    lab.inject("orders error")
    lab.inject("dead denied 10m")
    event = lab.send("orders")
    lab.advance(minutes=5)
    assert event.condition == "RetriesExhausted"
    assert lab.dead_letters() == []
    assert "AccessDenied" in str(event.life["deliveries"])
    lab.advance(minutes=30)
    assert [letter.request_id for letter in lab.dead_letters("dead")] == [event.id]


def test_a_queue_that_stalls_keeps_its_events_until_it_flows_again(lab: Lamtop) -> None:
    lab.inject("orders stall 60s")
    event = lab.send("orders")
    lab.advance(seconds=59)
    assert (event.state, event.attempts) == ("queued", [])
    assert lab.invoke("orders", 1).payload == 1
    lab.advance(seconds=2)
    assert event.condition == "Success"


def test_half_of_the_events_are_hit_and_the_same_half_with_the_same_seed(folder: Path) -> None:
    def hit(seed: int, state: str) -> list[bool]:
        lab = Lamtop(folder / "template.yaml", folder / state)
        try:
            lab.inject(f"orders error 50% seed={seed}")
            return [lab.invoke("orders", n).error is not None for n in range(20)]
        finally:
            lab.close()

    first = hit(1, "a")
    assert first == hit(1, "b")
    assert 3 < sum(first) < 17


def test_notices_say_what_was_armed_and_how_it_ended(lab: Lamtop) -> None:
    lab.inject("orders error 1x")
    lab.inject("all delay 1m +1s")
    lab.inject("emails throttle")
    lab.invoke("orders")
    lab.advance(minutes=2)
    lab.clear_faults()
    said = [notice["text"] for notice in lab.notices if notice["text"].startswith("fault")]
    assert said == [
        "fault 1 armed: orders error 1x",
        "fault 2 armed: all delay 60s +1s",
        "fault 3 armed: emails throttle",
        "fault 1 is used up: orders error 1x; 1 hit of 1",
        "fault 2 is over: all delay +1s; 0 hits of 0",
        "fault 3 cleared: emails throttle; 0 hits of 0",
    ]


def test_a_fault_for_a_function_or_queue_that_is_not_there_is_refused(lab: Lamtop) -> None:
    with pytest.raises(ValueError, match=r"'order' is no function .* \(did you mean 'orders'\?\); use one of all, "):
        lab.inject("order error")
    with pytest.raises(ValueError, match="'orders' is no queue or destination of this project; use one of all, dead"):
        lab.inject("orders denied")
    lab.inject("all denied")


def seen(lab: Lamtop, view: str) -> dict[str, Any]:
    """The first row of a view, and the faults that come with every frame."""

    async def look() -> dict[str, Any]:
        subscription = lab._engine.subscribe()
        subscription.watch({view: {"view": view, "limit": 5}})
        frame = await subscription.next_frame()
        subscription.close()
        return {**frame["views"][view]["rows"][0], "faults": frame["totals"]["faults"]}

    return lab._do(look())


def test_who_watches_sees_what_is_armed_and_whom_it_hits_for_good(lab: Lamtop) -> None:
    lab.inject("orders timeout 3x")
    event = lab.send("orders")
    lab.advance(seconds=1)
    row = seen(lab, "inflight")
    assert [(fault["sentence"], fault["hits"]) for fault in row["faults"]] == [("orders timeout 3x", 1)]
    assert row["injected"] == event.life["running"]["injected"] == "timeout (fault 1)"
    assert seen(lab, "timeline")["segments"][-1][2] == "running injected"
    lab.advance(minutes=10)
    row = seen(lab, "timeline")
    assert (row["faults"], row["injected"]) == ([], "timeout (fault 1)")
    assert [kind for *_, kind in row["segments"] if kind != "retry"][-3:] == ["error injected"] * 3
    assert seen(lab, "dlq")["injected"] == "timeout (fault 1)"
    lab.inject("orders delay 1x +1s")
    lab.invoke("orders")
    row = seen(lab, "timeline")
    assert (row["injected"], row["segments"][-1][2]) == ("delay (fault 2)", "ok injected")
