"""Functions that call functions, as handlers do it: with boto3, which sends the trace header along by itself."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config

from engine.live import On, aside, until_awaited
from lamtop.engine import Engine
from lamtop.engine.core.arn import queue_arn
from lamtop.engine.core.event import Outcome
from lamtop.engine.core.trace import header_of, parent_of

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

CODE = """
    import http.client, json, os, threading
    from urllib.parse import urlsplit

    def trace(event, context):
        return os.environ.get("_X_AMZN_TRACE_ID")

    def invoke(name, event, kind):
        import boto3
        return boto3.client("lambda").invoke(
            FunctionName=name, Payload=json.dumps(event).encode(), InvocationType=kind
        )

    def asks(event, context):
        answer = invoke("trace", {}, event)
        result = answer["Payload"].read().decode()
        return [os.environ["_X_AMZN_TRACE_ID"], answer["ResponseMetadata"]["RequestId"], result]

    def sends_itself(event, context):
        invoke(context.function_name, event + 1, "Event")
        return event

    def plainly(name, event):
        # What boto3 sends, without the time that it takes to import it in sixteen processes.
        connection = http.client.HTTPConnection(urlsplit(os.environ["AWS_ENDPOINT_URL"]).netloc, timeout=30)
        headers = {"X-Amzn-Trace-Id": os.environ["_X_AMZN_TRACE_ID"]}
        connection.request("POST", f"/2015-03-31/functions/{name}/invocations", json.dumps(event), headers)
        answer = connection.getresponse()
        answer.body = json.loads(answer.read())
        connection.close()
        return answer

    def asks_itself(event, context):
        answer = plainly(context.function_name, event + 1)
        if answer.status == 200:
            return answer.body
        return [event, answer.status, answer.headers["x-amzn-errortype"], answer.body]

    def asks_two_at_once(event, context):
        threads = [threading.Thread(target=plainly, args=("slow", "/")) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def asks_and_goes(event, context):
        plainly("slow", event)

    def slow(event, context):
        import time
        for _ in range(2_000):
            if os.path.exists(event):
                return
            time.sleep(0.01)
"""
NAMES = ["trace", "asks", "sends_itself", "asks_itself", "asks_two_at_once", "asks_and_goes", "slow"]
FUNCTIONS = {
    name: {
        "Type": "AWS::Serverless::Function",
        "Properties": {
            "FunctionName": name, "Runtime": "python3.11", "CodeUri": ".", "Handler": f"app.{name}", "Timeout": 30,
        },
    }
    for name in NAMES
}  # fmt: skip
TEMPLATE = {
    "Transform": "AWS::Serverless-2016-10-31",
    "Resources": {
        "Dead": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "dead"}},
        **{name.title().replace("_", ""): resource for name, resource in FUNCTIONS.items()},
    },
}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, On]]:
    folder = tmp_path_factory.mktemp("callers")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(folder / "home"))
        files = {"app.py": CODE, "template.yaml": json.dumps(TEMPLATE)}
        with aside(folder / "project", files, watch=False) as (engine, on):
            yield engine, on


@pytest.fixture(scope="module")
def client(running: tuple[Engine, On]) -> "Iterator[LambdaClient]":
    made = boto3.client(
        "lambda", region_name="us-east-1", endpoint_url=running[0].server.url, aws_access_key_id="x",
        aws_secret_access_key="x", config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip
    yield made
    made.close()


def call(client: "LambdaClient", name: str, event: Any = None) -> tuple[str, Any]:
    """Invoke; the request id and the result."""
    answer = client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
    result = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, result
    return answer["ResponseMetadata"]["RequestId"], result


def outcomes(running: tuple[Engine, On], patch: pytest.MonkeyPatch) -> dict[str, tuple[Any, Outcome]]:
    """The synchronous invocations from here on, by request id."""
    seen: dict[str, tuple[Any, Outcome]] = {}
    record = running[0].history.record

    def note(invocation: Any, outcome: Outcome) -> None:
        seen[invocation.request_id] = (invocation, outcome)
        record(invocation, outcome)

    patch.setattr(running[0].history, "record", note)
    return seen


async def ended(engine: Engine, request_id: str) -> dict[str, Any]:
    async def over() -> dict[str, Any] | None:
        life = await engine.life(request_id)
        return life if life and life["ended_at"] else None

    found = await until_awaited(over, "the end of the event")
    assert found
    return found


def root(header: str) -> str:
    return header.partition(";")[0]


def test_every_invocation_has_a_trace_header_of_its_own(client: "LambdaClient") -> None:
    first, second = call(client, "trace"), call(client, "trace")
    for request_id, header in (first, second):
        assert f";Parent={parent_of(request_id)};" in header
        assert header.endswith(":1")
    assert root(first[1]) != root(second[1])


def test_a_function_that_calls_another_with_boto3_is_known_as_its_caller(
    running: tuple[Engine, On], client: "LambdaClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = outcomes(running, monkeypatch)
    caller, [own, callee, result] = call(client, "asks", "RequestResponse")
    assert root(json.loads(result)) == root(own)
    assert f";Parent={parent_of(callee)};" in result
    invocation, outcome = seen[callee]
    assert (invocation.caller, invocation.source) == (caller, "function asks")
    assert (seen[caller][0].caller, seen[caller][0].source) == ("", "boto3")

    waited = seen[caller][1].waited
    assert outcome.duration <= waited <= seen[caller][1].duration
    assert outcome.waited == 0.0


def test_an_event_that_a_function_sends_knows_its_caller_and_keeps_nobody_waiting(
    running: tuple[Engine, On], client: "LambdaClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, on = running
    seen = outcomes(running, monkeypatch)
    caller, [own, sent, _] = call(client, "asks", "Event")
    life = on(ended(engine, sent))
    event = engine.peek.event(sent)
    assert event
    assert (event.caller, event.source, root(event.trace_id)) == (caller, "function asks", root(own))
    assert json.loads(life["attempts"][0]["result"]) == event.trace_id
    assert seen[caller][1].waited == 0.0


def test_the_waiting_of_an_event_is_on_record_with_its_attempt(
    running: tuple[Engine, On], client: "LambdaClient"
) -> None:
    engine, on = running
    answer = client.invoke(FunctionName="asks", InvocationType="Event", Payload=b'"RequestResponse"')
    on(ended(engine, answer["ResponseMetadata"]["RequestId"]))
    event = engine.peek.event(answer["ResponseMetadata"]["RequestId"])
    assert event
    [attempt] = engine.peek.attempts(event.seq)
    assert 0 < attempt.outcome.waited <= attempt.outcome.duration


def test_two_answers_that_are_waited_for_at_once_are_waited_for_once(
    running: tuple[Engine, On], client: "LambdaClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = outcomes(running, monkeypatch)
    caller, _ = call(client, "asks_two_at_once")
    callees = [outcome for invocation, outcome in seen.values() if invocation.caller == caller]
    assert len(callees) == 2
    assert max(each.duration for each in callees) <= seen[caller][1].waited <= seen[caller][1].duration


def test_who_ends_while_it_waits_has_waited_until_then_and_its_callee_goes_on(
    running: tuple[Engine, On], client: "LambdaClient", monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    engine, on = running
    seen = outcomes(running, monkeypatch)
    gate = tmp_path / "gate"

    async def callee() -> Any:
        return next((each for each in engine.environments.executing.values() if each.function.name == "slow"), None)

    async def cancel(request_id: str) -> bool:
        return engine.environments.cancel(request_id)

    with ThreadPoolExecutor(1) as pool:
        calling = pool.submit(client.invoke, FunctionName="asks_and_goes", Payload=json.dumps(str(gate)).encode())
        asked = on(until_awaited(callee, "the callee at work"))
        assert on(cancel(asked.caller))
        assert calling.result()["FunctionError"] == "Unhandled"
    outcome = seen[asked.caller][1]
    assert 0 < outcome.waited <= outcome.duration
    gate.touch()

    async def answered() -> bool:
        return asked.request_id in seen

    on(until_awaited(answered, "the callee's end"))
    assert seen[asked.request_id][1].error is None


def configured(running: tuple[Engine, On], name: str, **changes: Any) -> None:
    """Change a function's configuration, as a saved template would."""
    engine, on = running

    async def configure() -> None:
        functions = {**engine.functions, name: replace(engine.functions[name], **changes)}
        engine.dispatcher.configure(functions)
        assert await engine.environments.reload(functions[name]) is None

    on(configure())


def test_84_the_accounts_limit_has_a_reason_of_its_own(running: tuple[Engine, On], client: "LambdaClient") -> None:
    engine, on = running

    async def limit(most: int) -> None:
        engine.dispatcher.configure(engine.functions, most)

    on(limit(1))
    _, [depth, status, code, body] = call(client, "asks_itself", 1)
    on(limit(1_000))
    assert (depth, status, code) == (1, 429, "TooManyRequestsException")
    assert body == {"Type": "User", "Reason": "ConcurrentInvocationLimitExceeded", "message": "Rate Exceeded."}


# -- recursion: 86 -----------------------------------------------------------------------------------------------------


def test_86_a_function_that_asks_itself_is_stopped_after_sixteen_invocations(
    running: tuple[Engine, On], client: "LambdaClient"
) -> None:
    _, [depth, status, code, body] = call(client, "asks_itself", 1)
    assert (depth, status, code) == (16, 400, "RecursiveInvocationException")
    assert list(body) == ["Type", "Message"]
    assert body["Type"] == "User"
    assert "asks_itself was invoked 16 times in one chain" in body["Message"]
    assert running[0].metrics.of("asks_itself").recursive_drops == 1


def test_86_boto3_raises_what_it_knows_the_end_of_a_recursion_by(
    running: tuple[Engine, On], client: "LambdaClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = running[0]
    header = ""
    for number in range(16):
        header = header_of(header, engine.functions["trace"], f"{number:08x}-0000-4000-8000-000000000000", 0.0)
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "trace")  # boto3 takes this process for a function
    monkeypatch.setenv("_X_AMZN_TRACE_ID", header)
    with pytest.raises(client.exceptions.RecursiveInvocationException) as caught:
        client.invoke(FunctionName="trace")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    configured(running, "trace", recursive_loop="Allow")
    assert "FunctionError" not in client.invoke(FunctionName="trace")
    configured(running, "trace", recursive_loop="Terminate")


def test_86_a_function_that_sends_itself_events_is_stopped_after_sixteen_and_the_last_event_is_a_dead_letter(
    running: tuple[Engine, On], client: "LambdaClient"
) -> None:
    engine, on = running
    configured(running, "sends_itself", dead_letter_queue=queue_arn("dead"))
    answer = client.invoke(FunctionName="sends_itself", Payload=b"1", InvocationType="Event")
    assert answer["StatusCode"] == 202

    async def letters() -> Any:
        return (await engine.page({"view": "dlq"}, None))["rows"]

    [letter] = on(until_awaited(letters, "a dead letter", 30.0))
    assert (letter["condition"], letter["attempts"]) == ("RecursiveInvocation", 0)
    life = on(engine.life(letter["request_id"]))
    assert life
    assert (life["payload"], life["source"]) == ("17", "function sends_itself")
    counts = engine.metrics.of("sends_itself")
    assert counts.recursive_drops == 1

    async def all_ended() -> bool:
        return counts.invocations >= 16  # the last one may still have been on its way out

    on(until_awaited(all_ended, "the end of the sixteenth"))
    assert counts.invocations == 16
