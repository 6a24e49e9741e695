"""Invoke as AWS answers it, seen by the clients that people use: boto3, and the AWS CLI where it is installed.

Numbers are those of the conformance list: what real AWS does in each case was recorded there.
"""

import base64
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from engine.running import Engine, Project, dead_letters_to, destination, quick_python, until

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

ARN = "arn:aws:lambda:us-east-1:000000000000:function"
AWS_CLI = shutil.which("aws") or shutil.which("aws", path=str(Path(sys.prefix, "bin")))

CODE = """
import json, logging, os, signal, sys, time
from pathlib import Path

calls = 0

class PaymentRefused(Exception):
    pass

def echo(event, context):
    return event

def nothing(event, context):
    pass

def boom(event, context):
    raise Exception(event["message"] if isinstance(event, dict) and "message" in event else "boom")

def refused(event, context):
    raise PaymentRefused("card 4711")

def late(event, context):
    global calls
    calls += 1
    file = Path(os.environ["MARK"] + "kept")
    if event == "quick":
        return [calls, file.exists()]
    file.touch()
    time.sleep(30)

def leave(event, context):
    sys.exit(0)

def leave_badly(event, context):
    os._exit(3)

def kill(event, context):
    os.kill(os.getpid(), signal.SIGKILL)

def a_set(event, context):
    return set()

def some_bytes(event, context):
    return bytes.fromhex("ff00")

def large(event, context):
    return "x" * event

def deep(event, context):
    found = []
    for _ in range(event):
        found = [found]
    return found

def talk(event, context):
    print("first line")
    logging.getLogger().setLevel("INFO")
    logging.info("told by logging")
    print("x" * event)
    return "done"

def mark(event, context):
    Path(os.environ["MARK"]).write_text("ran")

def tell(event, context):
    before = context.get_remaining_time_in_millis()
    time.sleep(0.01)
    return {
        "request_id": context.aws_request_id, "arn": context.invoked_function_arn, "name": context.function_name,
        "memory": context.memory_limit_in_mb, "version": context.function_version, "group": context.log_group_name,
        "stream": context.log_stream_name, "remaining": [before, context.get_remaining_time_in_millis()],
        "client": context.client_context and [context.client_context.custom, context.client_context.env],
        "environ": dict(os.environ),
    }

def count(event, context):
    global calls
    calls += 1
    return calls

def hold(event, context):
    Path(os.environ["MARK"]).write_text("held")
    while not Path(event).exists():
        time.sleep(0.005)

def once(event, context):
    file = Path(os.environ["MARK"] + context.aws_request_id)
    if not file.exists():
        file.touch()
        raise ValueError("the first time")
    return "the second time"
"""

on_both = {"DestinationConfig": {"OnSuccess": destination("done"), "OnFailure": destination("failed")}}
FUNCTIONS: dict[str, dict[str, Any]] = {
    **{name: {"Handler": f"app.{name}"} for name in re.findall(r"^def (\w+)", CODE, re.M)},
    "late": {"Handler": "app.late", "Timeout": 1, **dead_letters_to("dead")},
    "leave": {"Handler": "app.leave", **dead_letters_to("dead")},
    "no-module": {"Handler": "nowhere.handler"},
    "no-handler": {"Handler": "app.nope"},
    "bad-syntax": {"Handler": "broken.handler"},
    "bad-import": {"Handler": "failing.handler"},
    "builtin": {"Handler": "sys.exit"},
    "stopped": {"Handler": "app.mark", "ReservedConcurrentExecutions": 0, "EventInvokeConfig": on_both},
    "alone": {"Handler": "app.hold", "ReservedConcurrentExecutions": 1, "Timeout": 20},
    "fails": {"Handler": "app.boom", **dead_letters_to("dead")},
    "fails-to-both": {"Handler": "app.boom", "EventInvokeConfig": on_both, **dead_letters_to("dead")},
    "fails-once": {"Handler": "app.once", "EventInvokeConfig": on_both},
    "works": {"Handler": "app.echo", "EventInvokeConfig": on_both},
    "hold": {"Handler": "app.hold", "Timeout": 20},
    "counted": {"Handler": "app.count"},
    "passes-on": {
        "Handler": "app.echo",
        "EventInvokeConfig": {
            "DestinationConfig": {"OnSuccess": {"Type": "Lambda", "Destination": f"{ARN}:works"}},
        },
    },
    "no-retry": {"Handler": "app.boom", "EventInvokeConfig": {"MaximumRetryAttempts": 0, **on_both}},
    "one-retry": {"Handler": "app.boom", "EventInvokeConfig": {"MaximumRetryAttempts": 1, **on_both}},
    "age-60": {"Handler": "app.boom", "EventInvokeConfig": {"MaximumEventAgeInSeconds": 60, **on_both}},
    "age-90": {"Handler": "app.boom", "EventInvokeConfig": {"MaximumEventAgeInSeconds": 90, **on_both}},
    "deep-on": {"Handler": "app.deep", "EventInvokeConfig": on_both},
    "bytes-on": {"Handler": "app.some_bytes", "EventInvokeConfig": on_both},
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("conformance")
    code = {"app.py": CODE, "broken.py": "def handler(event, context):\n    return (\n", "failing.py": "1 / 0\n"}
    variables = {"MARK": str(folder / "mark."), "GREETING": "hello"}
    with Project(folder, FUNCTIONS, code, queues=["dead", "done", "failed"], variables=variables) as project:
        engine = project.serve("--speed", "600", "--jitter", "4", "--python", quick_python(folder))
        yield engine
        assert engine.stop() == 0
        assert [line for line in project.errors.read_text().splitlines() if "warning: template.yaml" not in line] == []


@pytest.fixture(scope="module")
def client(engine: Engine) -> "Iterator[LambdaClient]":
    made = boto3.client(
        "lambda", region_name="us-east-1", endpoint_url=engine.url, aws_access_key_id="x", aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip
    yield made
    made.close()


def call(client: "LambdaClient", name: str, event: Any = None, **more: Any) -> tuple[dict[str, Any], Any]:
    """Invoke; the answer and its payload, from JSON."""
    answer: Any = client.invoke(FunctionName=name, Payload=json.dumps(event).encode(), **more)
    payload = answer["Payload"].read()
    return answer, json.loads(payload) if payload else None


def failure(client: "LambdaClient", name: str, event: Any = None) -> dict[str, Any]:
    """The error object of a function that fails."""
    answer, error = call(client, name, event)
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    error["requestId of the answer"] = answer["ResponseMetadata"]["RequestId"]
    found: dict[str, Any] = error
    return found


def refusal(client: "LambdaClient", name: str, payload: bytes = b"{}", **more: Any) -> tuple[int, dict[str, Any]]:
    with pytest.raises(ClientError) as caught:
        client.invoke(FunctionName=name, Payload=payload, **more)
    answer: Any = caught.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer


def send(client: "LambdaClient", name: str, event: Any = None) -> str:
    """Queue an event; its request id."""
    answer, payload = call(client, name, event, InvocationType="Event")
    assert (answer["StatusCode"], payload, answer.get("ExecutedVersion")) == (202, None, None)
    request_id: str = answer["ResponseMetadata"]["RequestId"]
    return request_id


def messages(engine: Engine, request_id: str, number: int) -> dict[str, tuple[Any, dict[str, str]]]:
    """What the queues hold about an event, once it is so many messages: {queue: (body, attributes)}."""
    sql = "SELECT queue, body, attributes FROM message WHERE request_id = ?"
    until(lambda: len(engine.project.query(sql, request_id)) == number, f"{number} messages")
    rows = engine.project.query(sql, request_id)
    assert len({row["queue"] for row in rows}) == number
    return {row["queue"]: (json.loads(row["body"]), json.loads(row["attributes"])) for row in rows}


def log_of(engine: Engine, request_id: str) -> list[str]:
    return [row["text"] for row in engine.page("logs", filter=request_id) if row["request_id"] == request_id]


# -- synchronous: 1-34 -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", [{"k": 1}, [1, 2], "text", 3.5, None, True, {}, {"ü": "€😀", "": "\n"}])
def test_1_17_the_result_comes_back_as_json(client: "LambdaClient", event: Any) -> None:
    answer, payload = call(client, "echo", event)
    assert (answer["StatusCode"], answer["ExecutedVersion"], payload) == (200, "$LATEST", event)
    assert "FunctionError" not in answer


def test_2_an_invocation_without_a_payload_runs_with_an_empty_object(client: "LambdaClient") -> None:
    assert client.invoke(FunctionName="echo")["Payload"].read() == b"{}"


def test_3_none_is_null(client: "LambdaClient") -> None:
    assert client.invoke(FunctionName="nothing")["Payload"].read() == b"null"


def test_4_6_an_exception_is_an_error_object_of_four_keys_with_the_users_frames_only(client: "LambdaClient") -> None:
    error = failure(client, "boom")
    request_id = error.pop("requestId of the answer")
    assert list(error) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert (error["errorMessage"], error["errorType"], error["requestId"]) == ("boom", "Exception", request_id)
    assert len(error["stackTrace"]) == 1
    assert re.fullmatch(r'  File ".*/app\.py", line \d+, in boom\n    raise Exception\(.*\n', error["stackTrace"][0])


def test_5_an_exception_of_ones_own_is_called_by_its_bare_name(client: "LambdaClient") -> None:
    error = failure(client, "refused")
    assert (error["errorType"], error["errorMessage"]) == ("PaymentRefused", "card 4711")


def test_7_8_a_handler_that_takes_too_long_is_timed_out_and_the_next_one_starts_afresh(client: "LambdaClient") -> None:
    error = failure(client, "late")
    text = f"RequestId: {error.pop('requestId of the answer')} Error: Task timed out after 1.00 seconds"
    assert error == {"errorType": "Sandbox.Timedout", "errorMessage": text}
    assert list(error) == ["errorType", "errorMessage"]
    assert call(client, "late", "quick")[1] == [1, True], "globals are reset, files are still there"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("leave", "without providing a reason"),
        ("leave_badly", "with error: exit status 3"),
        ("kill", "with error: signal: killed"),
    ],
)
def test_9_10_11_a_process_that_ends_says_how(client: "LambdaClient", name: str, text: str) -> None:
    for _ in range(2):  # and the next one has a new process
        error = failure(client, name)
        message = f"RequestId: {error.pop('requestId of the answer')} Error: Runtime exited {text}"
        assert error == {"errorType": "Runtime.ExitError", "errorMessage": message}


@pytest.mark.parametrize(
    ("name", "kind", "message"),
    [
        ("no-module", "Runtime.ImportModuleError", "Unable to import module 'nowhere': No module named 'nowhere'"),
        ("no-handler", "Runtime.HandlerNotFound", "Handler 'nope' missing on module 'app'"),
        ("bad-syntax", "Runtime.UserCodeSyntaxError", "Syntax error in module 'broken': "),
        ("bad-import", "ZeroDivisionError", "division by zero"),
        ("builtin", "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys as a handler module"),
    ],
)
def test_12_13_14_37_code_that_does_not_load_says_why(
    client: "LambdaClient", name: str, kind: str, message: str
) -> None:
    error = failure(client, name)
    assert (error["errorType"], error["requestId"]) == (kind, "")
    assert error["errorMessage"].startswith(message)
    assert bool(error["stackTrace"]) == (name.startswith("bad"))


def test_37_a_failed_init_is_run_again_in_the_invocation(client: "LambdaClient", engine: Engine) -> None:
    answer, _ = call(client, "bad-import")
    lines = log_of(engine, answer["ResponseMetadata"]["RequestId"])
    words = [re.split(r"[ \t]", line)[0] for line in lines]
    once = ["[WARNING]", "[ERROR]", "INIT_REPORT"]
    assert words == ["INIT_START", *once, *once, "START", "END", "REPORT"]
    failed = "\tStatus: error\tError Type: Runtime.Unknown"
    assert [lines[n].partition(" ms\t")[2] for n in (3, 6)] == [
        f"Phase: {phase}{failed}" for phase in ("init", "invoke")
    ]
    assert lines[-1].endswith(failed)


def test_16_a_result_that_is_no_json_is_a_marshal_error(client: "LambdaClient") -> None:
    error = failure(client, "a_set")
    text = "Unable to marshal response: Object of type set is not JSON serializable"
    assert (error["errorType"], error["errorMessage"]) == ("Runtime.MarshalError", text)
    assert error["requestId"] == error["requestId of the answer"]
    assert error["stackTrace"] == []


@pytest.mark.parametrize("size", [10, 10_000])
def test_18_102_the_log_tail_is_its_last_four_kilobytes(client: "LambdaClient", size: int) -> None:
    answer, _ = call(client, "talk", size, LogType="Tail")
    log = base64.b64decode(answer["LogResult"]).decode()
    request_id = answer["ResponseMetadata"]["RequestId"]
    assert len(log) <= 4_096
    lines = log.split("\n")
    assert lines[-3] == f"END RequestId: {request_id}"
    assert lines[-2].startswith(f"REPORT RequestId: {request_id}\t")
    assert lines[-1] == ""
    if size == 10:
        start = next(n for n, line in enumerate(lines) if line == f"START RequestId: {request_id} Version: $LATEST")
        assert lines[start + 1] == "first line"
        told = rf"\[INFO\]\t\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z\t{request_id}\ttold by logging"
        assert re.fullmatch(told, lines[start + 2])


def test_19_there_is_no_log_unless_it_is_asked_for(client: "LambdaClient") -> None:
    answer, _ = call(client, "echo")
    assert "LogResult" not in answer


def test_20_a_dry_run_runs_nothing(client: "LambdaClient", engine: Engine) -> None:
    mark = Path(engine.project.variables["MARK"])
    mark.unlink(missing_ok=True)
    answer, payload = call(client, "mark", {}, InvocationType="DryRun")
    assert (answer["StatusCode"], payload, "ExecutedVersion" in answer) == (204, None, False)
    call(client, "mark")  # whatever the dry run might have started would have come before this
    assert mark.read_text() == "ran"
    invocations = {row["id"]: row["invocations"] for row in engine.status()["functions"]}
    assert invocations["mark"] == 1


@pytest.mark.parametrize("kind", ["RequestResponse", "Event", "DryRun"])
def test_21_43_a_function_that_is_not_there_is_a_404(client: "LambdaClient", kind: Any) -> None:
    status, answer = refusal(client, "doesnotexist", InvocationType=kind)
    assert (status, answer["Error"]["Code"]) == (404, "ResourceNotFoundException")
    assert answer["Error"]["Message"] == f"Function not found: {ARN}:doesnotexist:$LATEST"
    assert answer["Type"] == "User"


@pytest.mark.parametrize("payload", [b"not json", b"\xff", b"{"])
@pytest.mark.parametrize("kind", ["RequestResponse", "Event"])
def test_22_23_43_a_payload_that_is_no_json_is_refused_and_nothing_is_queued(
    client: "LambdaClient", engine: Engine, payload: bytes, kind: Any
) -> None:
    before = engine.project.query("SELECT count(*) FROM event")[0][0]
    status, answer = refusal(client, "echo", payload, InvocationType=kind)
    assert (status, answer["Error"]["Code"]) == (400, "InvalidRequestContentException")
    assert answer["Error"]["Message"].startswith("Could not parse request body into json")
    assert engine.project.query("SELECT count(*) FROM event")[0][0] == before


def test_24_an_unknown_invocation_type_is_named(client: "LambdaClient") -> None:
    kind: Any = "Bogus"
    status, answer = refusal(client, "echo", InvocationType=kind)
    assert (status, answer["Error"]["Code"]) == (400, "ValidationException")
    text = (
        "1 validation error detected: Value 'Bogus' at 'invocationType' failed to satisfy constraint: "
        "Member must satisfy enum value set: [Event, RequestResponse, DryRun]"
    )
    assert answer["Error"]["Message"] == text


def test_25_a_name_with_forbidden_letters_is_named(client: "LambdaClient") -> None:
    status, answer = refusal(client, "my function!")
    assert (status, answer["Error"]["Code"]) == (400, "ValidationException")
    message = answer["Error"]["Message"]
    assert message.startswith("1 validation error detected: Value 'my function!' at 'functionName' failed to satisfy")


@pytest.mark.parametrize(
    ("name", "qualifier", "arn"),
    [
        ("tell", None, f"{ARN}:tell"),
        (f"{ARN}:tell", None, f"{ARN}:tell"),
        ("000000000000:function:tell", None, f"{ARN}:tell"),
        ("tell:$LATEST", None, f"{ARN}:tell:$LATEST"),
        (f"{ARN}:tell:$LATEST", None, f"{ARN}:tell:$LATEST"),
        ("tell", "$LATEST", f"{ARN}:tell:$LATEST"),
        ("tell:$LATEST", "$LATEST", f"{ARN}:tell:$LATEST"),
    ],
)
def test_26_a_function_is_called_by_name_and_by_arn_and_sees_how(
    client: "LambdaClient", name: str, qualifier: str | None, arn: str
) -> None:
    more = {"Qualifier": qualifier} if qualifier else {}
    answer, told = call(client, name, **more)
    assert (told["arn"], answer["ExecutedVersion"]) == (arn, "$LATEST")


def test_27_28_a_reference_that_contradicts_itself_or_points_elsewhere_is_refused(client: "LambdaClient") -> None:
    status, answer = refusal(client, f"{ARN}:echo:$LATEST", Qualifier="1")
    assert (status, answer["Error"]["Code"]) == (400, "InvalidParameterValueException")
    text = "The derived qualifier from the function name does not match the specified qualifier."
    assert answer["Error"]["Message"] == text
    elsewhere = ARN.replace("us-east-1", "eu-west-2")
    status, answer = refusal(client, f"{elsewhere}:echo")
    assert (status, answer["Error"]["Code"]) == (404, "ResourceNotFoundException")
    assert answer["Error"]["Message"] == "Functions from 'eu-west-2' are not reachable in this region ('us-east-1')"
    status, answer = refusal(client, "echo", Qualifier="7")
    assert (status, answer["Error"]["Message"]) == (404, f"Function not found: {ARN}:echo:7")
    for qualifier in ("my alias!", "x" * 129):
        status, answer = refusal(client, "echo", Qualifier=qualifier)
        assert (status, answer["Error"]["Code"]) == (400, "ValidationException")
        assert f"Value '{qualifier}' at 'qualifier' failed to satisfy" in answer["Error"]["Message"]


def test_30_a_result_over_six_megabytes_is_an_error_and_the_environment_stays(client: "LambdaClient") -> None:
    _, payload = call(client, "large", 6 * 1024 * 1024)
    assert payload == "x" * 6 * 1024 * 1024
    error = failure(client, "large", 7 * 1024 * 1024)
    del error["requestId of the answer"]
    text = "Response payload size exceeded maximum allowed payload size (6291556 bytes)."
    assert error == {"errorMessage": text, "errorType": "Function.ResponseSizeTooLarge"}
    assert call(client, "large", 1)[1] == "x"


def test_31_the_client_context_reaches_the_handler(client: "LambdaClient") -> None:
    context = base64.b64encode(b'{"custom": {"foo": "bar"}, "env": {"a": "b"}}').decode()
    _, told = call(client, "tell", ClientContext=context)
    assert told["client"] == [{"foo": "bar"}, {"a": "b"}]


def test_32_33_the_context_and_the_environment_are_those_of_lambda(client: "LambdaClient") -> None:
    answer, told = call(client, "tell")
    assert told["request_id"] == answer["ResponseMetadata"]["RequestId"]
    assert (told["name"], told["memory"], told["version"]) == ("tell", "128", "$LATEST")
    assert told["group"] == "/aws/lambda/tell"
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", told["stream"])
    before, after = told["remaining"]
    assert 3_000 >= before > after > 2_000
    assert told["client"] is None
    environ = told["environ"]
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for name, value in {
        "AWS_LAMBDA_FUNCTION_NAME": "tell", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "GREETING": "hello",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/tell", "TZ": ":UTC",
        "AWS_LAMBDA_LOG_STREAM_NAME": told["stream"], "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "_HANDLER": "app.tell",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{runtime}",
    }.items():  # fmt: skip
        assert environ[name] == value
    assert {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_TASK_ROOT"} <= set(environ)
    assert "XDG_STATE_HOME" not in environ, "nothing of the engine's own environment"


def test_34_99_100_the_second_call_is_warm(client: "LambdaClient") -> None:
    logs = []
    for number in (1, 2, 3):
        answer, payload = call(client, "count", LogType="Tail")
        assert payload == number
        logs.append(base64.b64decode(answer["LogResult"]).decode())
    assert [log.startswith("INIT_START Runtime Version: python:") for log in logs] == [True, False, False]
    report = (
        r"REPORT RequestId: \S{36}\tDuration: (\d+\.\d\d) ms\tBilled Duration: (\d+) ms\tMemory Size: 128 MB\t"
        r"Max Memory Used: \d+ MB\t(?:Init Duration: (\d+\.\d\d) ms\t)?\n"
    )
    for number, log in enumerate(logs):
        found = re.search(report, log)
        assert found, log
        duration, billed, init = (float(value or 0) for value in found.groups())
        assert (init > 0) == (number == 0), "only a cold start tells of its init"
        assert duration + init <= billed < duration + init + 1.02, "rounded up"


def test_35_two_invocations_at_once_run_in_two_environments(
    client: "LambdaClient", engine: Engine, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(call, client, "hold", str(gate)) for _ in range(2)]
        until(lambda: len(engine.page("inflight", filter="hold")) == 2, "both at work")
        gate.touch()
        answers = [each.result()[0] for each in calls]
    assert ["FunctionError" in answer for answer in answers] == [False, False]
    lives = [engine.life(answer["ResponseMetadata"]["RequestId"]) for answer in answers]
    assert len({life["attempts"][0]["environment"] for life in lives}) == 2


# -- logs: 98-103 ------------------------------------------------------------------------------------------------------


def test_98_the_log_of_an_invocation_is_in_order(client: "LambdaClient", engine: Engine) -> None:
    answer, _ = call(client, "talk", 5)
    log = log_of(engine, answer["ResponseMetadata"]["RequestId"])
    own = [line.partition(" ")[0].partition("\t")[0] for line in log]
    assert [word for word in own if word != "INIT_START"] == ["START", "first", "[INFO]", "xxxxx", "END", "REPORT"]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("late", "Status: timeout"),
        ("boom", ""),
        ("leave", "Status: error\tError Type: Runtime.ExitError"),
        ("echo", ""),
    ],
)
def test_101_the_report_says_how_a_process_ended_and_is_silent_on_an_exception(
    client: "LambdaClient", engine: Engine, name: str, status: str
) -> None:
    answer, _ = call(client, name)
    report = log_of(engine, answer["ResponseMetadata"]["RequestId"])[-1]
    assert re.search(r"Max Memory Used: \d+ MB\t(Init Duration: \S+ ms\t)?" + re.escape(status) + r"\t?$", report)
    assert ("Status" in report) == bool(status)


def test_103_a_traceback_is_one_log_event_indented_with_no_break_spaces(client: "LambdaClient", engine: Engine) -> None:
    answer, _ = call(client, "boom")
    events = [line for line in log_of(engine, answer["ResponseMetadata"]["RequestId"]) if "Traceback" in line]
    assert len(events) == 1
    lines = events[0].splitlines()
    assert lines[:2] == ["[ERROR] Exception: boom", "Traceback (most recent call last):"]
    assert re.match('\u00a0\u00a0File ".*", line \\d+, in boom', lines[2])
    assert lines[3].startswith("\u00a0\u00a0\u00a0\u00a0raise Exception(")


# -- concurrency: 78, 80 -----------------------------------------------------------------------------------------------


def too_many(answer: dict[str, Any]) -> tuple[str, str, str]:
    return answer["Error"]["Code"], answer["Error"]["Message"], answer["Reason"]


RESERVED = ("TooManyRequestsException", "Rate Exceeded.", "ReservedFunctionConcurrentInvocationLimitExceeded")


def test_78_reserved_concurrency_zero_refuses_every_call(client: "LambdaClient") -> None:
    status, answer = refusal(client, "stopped")
    assert (status, too_many(answer), answer["Type"]) == (429, RESERVED, "User")


def test_58_80_reserved_concurrency_one_refuses_the_second_call_and_lets_an_event_wait(
    client: "LambdaClient", engine: Engine, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    first = send(client, "alone", str(gate))
    until(lambda: engine.life(first)["running"], "the first one at work")
    status, answer = refusal(client, "alone")
    assert (status, too_many(answer)) == (429, RESERVED)
    second = send(client, "alone", str(gate))
    until(lambda: engine.life(second)["throttles"] > 2, "an event that is throttled again and again")
    assert engine.life(second)["attempts"] == []
    gate.touch()
    for request_id in (first, second):
        life = engine.ended(request_id)
        assert (life["state"], life["errors"], len(life["attempts"])) == ("succeeded", 0, 1)


# -- asynchronous: 41-57 -----------------------------------------------------------------------------------------------


def test_41_an_event_is_accepted_at_once_and_runs(client: "LambdaClient", engine: Engine) -> None:
    life = engine.ended(send(client, "echo", {"n": 1}))
    assert (life["state"], life["condition"], json.loads(life["payload"])) == ("succeeded", "Success", {"n": 1})
    assert json.loads(life["attempts"][0]["result"]) == {"n": 1}


def test_44_48_an_event_that_always_fails_is_tried_three_times_and_ends_in_the_dead_letter_queue(
    client: "LambdaClient", engine: Engine
) -> None:
    event = {"message": "no €", "n": [1.0, None]}
    request_id = send(client, "fails", event)
    life = engine.ended(request_id)
    assert (life["condition"], life["errors"]) == ("RetriesExhausted", 3)
    attempts = life["attempts"]
    assert [attempt["number"] for attempt in attempts] == [1, 2, 3]
    gaps = [after["started_at"] - before["ended_at"] for before, after in itertools.pairwise(attempts)]
    assert gaps[0] >= 65  # --jitter: as late as on AWS
    assert gaps[1] >= 125
    starts = [line for line in log_of(engine, request_id) if line.startswith("START")]
    assert starts == [f"START RequestId: {request_id} Version: $LATEST"] * 3
    body, attributes = messages(engine, request_id, 1)["dead"]
    assert body == event
    assert attributes == {"RequestID": request_id, "ErrorCode": "200", "ErrorMessage": "no €"}
    row = next(row for row in engine.page("dlq") if row["request_id"] == request_id)
    assert (row["function"], row["queue"], row["attempts"]) == ("fails", "dead", 3)
    assert (row["condition"], row["error"]) == ("RetriesExhausted", "Exception: no €")


@pytest.mark.parametrize(("name", "attempts"), [("no-retry", 1), ("one-retry", 2)])
def test_45_the_number_of_retries_is_configured(
    client: "LambdaClient", engine: Engine, name: str, attempts: int
) -> None:
    life = engine.ended(send(client, name))
    assert (life["condition"], len(life["attempts"])) == ("RetriesExhausted", attempts)


def test_46_an_event_that_fails_once_succeeds_at_its_second_attempt(client: "LambdaClient", engine: Engine) -> None:
    request_id = send(client, "fails-once", {"order": 4711})
    life = engine.ended(request_id)
    assert [attempt["ended"] for attempt in life["attempts"]] == ["function error", "returned"]
    record, _ = messages(engine, request_id, 1)["done"]
    assert record["requestContext"]["approximateInvokeCount"] == 2
    assert record["requestContext"]["condition"] == "Success"


@pytest.mark.parametrize(("name", "kind"), [("late", "Sandbox.Timedout"), ("leave", "Runtime.ExitError")])
def test_47_a_timeout_and_a_crash_are_retried_as_function_errors(
    client: "LambdaClient", engine: Engine, name: str, kind: str
) -> None:
    request_id = send(client, name)
    until(lambda: engine.life(request_id)["errors"], "the first failure")
    life = engine.life(request_id)
    assert (life["attempts"][0]["ended"], life["attempts"][0]["error_type"]) == ("function error", kind)
    assert life["reason"] == "retry"
    if name == "leave":
        engine.ended(request_id)
        _, attributes = messages(engine, request_id, 1)["dead"]
        assert attributes["ErrorMessage"] == f"RequestId: {request_id} Error: Runtime exited without providing a reason"


def test_49_a_synchronous_failure_never_reaches_the_dead_letter_queue(client: "LambdaClient", engine: Engine) -> None:
    request_id = failure(client, "fails")["requestId"]
    engine.ended(send(client, "fails"))  # this one does
    assert not engine.project.query("SELECT 1 FROM message WHERE request_id = ?", request_id)


def test_50_the_error_message_of_a_dead_letter_is_cut_at_a_kilobyte(client: "LambdaClient", engine: Engine) -> None:
    request_id = send(client, "fails", {"message": "€" * 1_000})
    engine.ended(request_id)
    _, attributes = messages(engine, request_id, 1)["dead"]
    assert attributes["ErrorMessage"] == "€" * 341  # 1,023 bytes: no half of a character


TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def test_52_54_a_failed_event_goes_to_dead_letter_queue_and_destination_with_a_full_record(
    client: "LambdaClient", engine: Engine
) -> None:
    request_id = send(client, "fails-to-both", {"message": "boom", "n": 1})
    life = engine.ended(request_id)
    told = messages(engine, request_id, 2)
    assert told["dead"][0] == {"message": "boom", "n": 1}
    record, attributes = told["failed"]
    assert attributes == {}
    assert list(record) == [
        "version", "timestamp", "requestContext", "requestPayload", "responseContext", "responsePayload"
    ]  # fmt: skip
    assert re.fullmatch(TIME, record.pop("timestamp"))
    assert list(record["requestContext"]) == ["requestId", "functionArn", "condition", "approximateInvokeCount"]
    error = record.pop("responsePayload")
    assert list(error) == ["errorMessage", "errorType", "requestId", "stackTrace"]
    assert error == json.loads(life["attempts"][2]["result"])
    assert record == {
        "version": "1.0",
        "requestContext": {
            "requestId": request_id,
            "functionArn": f"{ARN}:fails-to-both:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": {"message": "boom", "n": 1},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
    }


def test_53_a_successful_event_goes_to_its_destination(client: "LambdaClient", engine: Engine) -> None:
    request_id = send(client, "works", [1, {"two": "€"}])
    record, _ = messages(engine, request_id, 1)["done"]
    assert re.fullmatch(TIME, record.pop("timestamp"))
    assert record == {
        "version": "1.0",
        "requestContext": {
            "requestId": request_id,
            "functionArn": f"{ARN}:works:$LATEST",
            "condition": "Success",
            "approximateInvokeCount": 1,
        },
        "requestPayload": [1, {"two": "€"}],
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "responsePayload": [1, {"two": "€"}],
    }


def test_61_a_destination_that_is_a_function_gets_the_record_as_its_event(
    client: "LambdaClient", engine: Engine
) -> None:
    request_id = send(client, "passes-on", {"n": 1})
    sql = "SELECT id FROM event WHERE source = 'on success of passes-on' AND caller = ?"
    until(lambda: engine.project.query(sql, request_id), "the event that the record becomes")
    [[told]] = engine.project.query(sql, request_id)
    record = json.loads(engine.ended(told)["payload"])
    assert record["requestContext"]["requestId"] == request_id
    assert (record["requestPayload"], record["responsePayload"]) == ({"n": 1}, {"n": 1})
    own, _ = messages(engine, told, 1)["done"]
    assert own["requestPayload"] == record, "and its own record tells of it in turn"


def test_67_a_hundred_events_all_run_exactly_once(client: "LambdaClient", engine: Engine) -> None:
    ids = {engine.send("counted") for _ in range(100)}

    def rows() -> list[Any]:
        return engine.project.query("SELECT id, attempts FROM event WHERE function = 'counted' AND state = 'succeeded'")

    until(lambda: len(rows()) == 100, "a hundred successes")
    assert {row["id"] for row in rows()} == ids
    assert {row["attempts"] for row in rows()} == {1}


def test_55_56_an_event_that_would_be_too_old_at_its_next_try_ends_now(tmp_path: Path) -> None:
    ages = {name: FUNCTIONS[name] for name in ("age-60", "age-90")}
    with Project(tmp_path, ages, {"app.py": CODE}, queues=["done", "failed"]) as project:
        engine = project.serve("--speed", "60")  # a second more or less on a busy machine is a minute
        for name, attempts in (("age-60", 1), ("age-90", 2)):
            engine.invoke(name)  # a cold start takes time, and time is age
            request_id = engine.send(name)
            life = engine.ended(request_id)
            assert (life["condition"], len(life["attempts"])) == ("EventAgeExceeded", attempts)
            assert life["ended_at"] - life["attempts"][-1]["ended_at"] < 60, "without waiting for what cannot be"
            context = messages(engine, request_id, 1)["failed"][0]["requestContext"]
            assert (context["condition"], context["approximateInvokeCount"]) == ("EventAgeExceeded", attempts)


def test_57_an_event_for_a_function_with_reserved_concurrency_zero_ends_untried(
    client: "LambdaClient", engine: Engine
) -> None:
    request_id = send(client, "stopped", {"a": 1})
    life = engine.ended(request_id)
    assert (life["condition"], life["attempts"]) == ("ZeroReservedConcurrency", [])
    record, _ = messages(engine, request_id, 1)["failed"]
    assert list(record) == ["version", "timestamp", "requestContext", "requestPayload"]
    context = record["requestContext"]
    assert (context["condition"], context["approximateInvokeCount"]) == ("ZeroReservedConcurrency", 0)
    throttles = {row["id"]: row["throttles"] for row in engine.status()["functions"]}
    assert throttles["stopped"] <= 1, "this is no throttle (case 78 has made one)"


# -- what no payload and no result may do ------------------------------------------------------------------------------


STRANGE = [
    ("works", b'"\\ud800"'),  # half of a character: JSON can say it, UTF-8 cannot
    ("works", b'{"\\udfff": "\\ud800\\ud800"}'),
    ("fails-to-both", b'{"message": "\\ud800"}'),
    ("works", b"[" * 900 + b"]" * 900),
    ("works", b"[" * 975 + b"]" * 975),
    ("deep-on", b"900"),
    ("deep-on", b"960"),
    ("deep-on", b"975"),
    ("bytes-on", b"{}"),
    ("works", b"9" * 4_000),
    ("works", b"9" * 5_000),
    ("works", b"1e999"),
    ("works", b'{"a": 1, "a": 2}'),
]


def test_no_payload_and_no_result_can_stop_the_engine(tmp_path: Path) -> None:
    functions = {name: FUNCTIONS[name] for name, _ in STRANGE}
    deadly, unanswered = [], []
    with Project(tmp_path, functions, {"app.py": CODE}, queues=["dead", "done", "failed"]) as project:
        engine = project.serve("--speed", "600", "--python", quick_python(tmp_path))
        for number, (name, payload) in enumerate(STRANGE):
            answer = engine.invoke(name, payload, "Event")
            if answer.status not in (202, 400):
                unanswered.append((name, payload, answer.status))
            if answer.status == 202 and not _ends(engine, answer.request_id):
                deadly.append((name, payload))
                project.state = tmp_path / f"state{number}"  # it would die of the old one again
                engine = project.serve("--speed", "600", "--python", quick_python(tmp_path))
        assert (deadly, unanswered) == ([], [])
        assert engine.stop() == 0
        assert [line for line in project.errors.read_text().splitlines() if "warning: template.yaml" not in line] == []


def _ends(engine: Engine, request_id: str) -> bool:
    """Wait until the event has ended and its record is delivered; False if the engine dies of it."""

    def told() -> bool:
        return bool(engine.project.query("SELECT 1 FROM message WHERE request_id = ?", request_id))

    until(lambda: told() or engine.child.poll() is not None, "a record, or the end of the engine")
    return engine.child.poll() is None and engine.life(request_id)["ended_at"] is not None


# -- the AWS CLI: 40, 42 -----------------------------------------------------------------------------------------------


@pytest.mark.skipif(AWS_CLI is None, reason="the AWS CLI is not installed ('aws' is neither on PATH nor in this venv)")
def test_20_40_42_78_the_aws_cli_invokes_synchronously_and_asynchronously(engine: Engine, tmp_path: Path) -> None:
    environ = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_MAX_ATTEMPTS": "1", "AWS_ENDPOINT_URL": engine.url, "AWS_PAGER": "",
    }  # fmt: skip
    out = tmp_path / "out.json"

    def aws(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [str(AWS_CLI), "lambda", "invoke", *arguments, str(out)]
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)

    payload = tmp_path / "event.json"
    payload.write_text('{"k": 1}')
    given = ("--payload", f"fileb://{payload}")  # as the bytes are, for version 1 and version 2
    done = aws("--function-name", "echo", "--qualifier", "$LATEST", "--log-type", "Tail", *given)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert "REPORT RequestId: " in base64.b64decode(told.pop("LogResult")).decode()
    assert told == {"StatusCode": 200, "ExecutedVersion": "$LATEST"}
    assert json.loads(out.read_text()) == {"k": 1}

    done = aws("--function-name", "boom")
    assert done.returncode == 0, "a function that fails is no failure of the call"
    assert json.loads(done.stdout)["FunctionError"] == "Unhandled"
    assert json.loads(out.read_text())["errorMessage"] == "boom"

    done = aws("--function-name", "echo", "--invocation-type", "Event", *given)
    assert (done.returncode, json.loads(done.stdout)) == (0, {"StatusCode": 202})
    assert out.read_bytes() == b""

    done = aws("--function-name", "echo", "--invocation-type", "DryRun")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"StatusCode": 204})

    done = aws("--function-name", "stopped")
    assert done.returncode in (254, 255), "version 2 and version 1"
    assert "(TooManyRequestsException) when calling the Invoke operation" in done.stderr
    assert "Rate Exceeded." in done.stderr
