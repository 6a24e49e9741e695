"""What the platform writes into a log, as text and as JSON."""

import json

import pytest

from lamtop.engine.core.function import Function, LoggingConfig
from lamtop.engine.edges.environments import failures
from lamtop.engine.edges.environments.logs.lines import Report, platform_lines, runtime_version

ERROR = b'{"errorType": "ValueError", "errorMessage": "x"}'
AT = 1_790_000_000.25
TIME = "2026-09-21T14:13:20.250Z"
FN = Function("fn", "app.handler", "/code", logging=LoggingConfig("JSON", system_level="DEBUG"))
TEXT = platform_lines(Function("fn", "app.handler", "/code"))
JSON = platform_lines(FN)


def report(failed: failures.Failure | None = None, init: float | None = 0.174055) -> Report:
    return Report("r1", 0.011642, init, 128, 67, failed.of("r1") if failed else None, 12)


def test_a_report_bills_init_and_duration_together_and_ends_with_a_tab() -> None:
    assert TEXT.end(AT, report()) == [
        "END RequestId: r1",
        "REPORT RequestId: r1\tDuration: 11.64 ms\tBilled Duration: 186 ms\t"
        "Memory Size: 128 MB\tMax Memory Used: 67 MB\tInit Duration: 174.05 ms\t",
    ]
    warm = TEXT.end(AT, report(init=None))[1]
    assert warm.endswith("\tBilled Duration: 12 ms\tMemory Size: 128 MB\tMax Memory Used: 67 MB\t")


@pytest.mark.parametrize(
    ("failed", "end"),
    [
        (failures.timed_out(3.0), "Status: timeout"),
        (failures.exited(1), "Status: error\tError Type: Runtime.ExitError"),
        (failures.out_of_memory(), "Status: error\tError Type: Runtime.OutOfMemory"),
        (failures.raised(ERROR), ""),
        (failures.init_failed(ERROR), "Status: error\tError Type: Runtime.Unknown"),
    ],
)  # fmt: skip
def test_a_report_says_how_it_ended(failed: failures.Failure, end: str) -> None:
    assert TEXT.end(AT, report(failed))[-1].rpartition("ms\t")[2] == end


def test_out_of_memory_is_a_killed_process_to_the_caller_and_to_the_log() -> None:
    failed = failures.out_of_memory().of("r1")
    text = "RequestId: r1 Error: Runtime exited with error: signal: killed"
    assert json.loads(failed.as_json()) == {"errorType": "Runtime.ExitError", "errorMessage": text}
    assert TEXT.end(AT, report(failures.out_of_memory()))[0] == f"{text}\nRuntime.ExitError"


def test_the_platform_writes_json_with_awss_keys() -> None:
    lines = [*JSON.init_start(AT, "3.13.1"), *JSON.init_end(AT, "init", 0.5, None)]
    lines += [*JSON.start(AT, "r1", "$LATEST"), *JSON.end(AT, report())]
    events = [json.loads(line) for line in lines]
    assert [list(event) for event in events] == [["time", "type", "record"]] * len(events)
    assert {event["time"] for event in events} == {TIME}
    records = {event["type"].removeprefix("platform."): event["record"] for event in events}
    assert records == {
        "initStart": {
            "initializationType": "on-demand", "phase": "init", "runtimeVersion": "python:3.13.v1",
            "runtimeVersionArn": records["initStart"]["runtimeVersionArn"],
            "functionName": "fn", "functionVersion": "$LATEST",
        },
        "initRuntimeDone": {"initializationType": "on-demand", "phase": "init", "status": "success"},
        "initReport": {
            "initializationType": "on-demand", "phase": "init", "status": "success", "metrics": {"durationMs": 500.0},
        },
        "start": {"requestId": "r1", "version": "$LATEST"},
        "runtimeDone": {
            "requestId": "r1", "status": "success", "metrics": {"durationMs": 11.642, "producedBytes": 12},
            "spans": [{"name": "responseLatency", "start": "2026-09-21T14:13:20.238Z", "durationMs": 11.642}],
        },
        "report": {
            "requestId": "r1", "status": "success",
            "metrics": {
                "durationMs": 11.642, "billedDurationMs": 186, "memorySizeMB": 128, "maxMemoryUsedMB": 67,
                "initDurationMs": 174.055,
            },
        },
    }  # fmt: skip


@pytest.mark.parametrize(
    ("failed", "status"),
    [
        (failures.timed_out(3.0), {"status": "timeout"}),
        (failures.exited(1), {"status": "error", "errorType": "Runtime.ExitError"}),
        (failures.out_of_memory(), {"status": "error", "errorType": "Runtime.OutOfMemory"}),
        (failures.raised(ERROR), {"status": "error", "errorType": "Runtime.Unknown"}),
        (failures.too_large(), {"status": "error", "errorType": "Function.ResponseSizeTooLarge"}),
    ],
)  # fmt: skip
def test_a_json_report_says_how_it_ended(failed: failures.Failure, status: dict[str, str]) -> None:
    done, last = (json.loads(line)["record"] for line in JSON.end(AT, report(failed)))
    for record in (done, last):
        assert {key: record[key] for key in ("status", "errorType") if key in record} == status


@pytest.mark.parametrize(
    ("level", "failed", "types"),
    [
        ("DEBUG", False, ["initStart", "initRuntimeDone", "initReport", "start", "runtimeDone", "report"]),
        ("INFO", False, ["initStart", "start", "report"]),
        ("WARN", False, []),
        ("WARN", True, ["initRuntimeDone", "initReport", "runtimeDone", "report"]),
    ],
)
def test_the_system_log_level_lets_failures_through(level: str, failed: bool, types: list[str]) -> None:
    lines = platform_lines(Function("fn", "app.handler", "/code", logging=LoggingConfig("JSON", system_level=level)))
    why = failures.exited(1) if failed else None
    found = [*lines.init_start(AT, "3.13.1"), *lines.init_end(AT, "init", 0.5, why)]
    found += [*lines.start(AT, "r1", "$LATEST"), *lines.end(AT, report(why))]
    assert [json.loads(line)["type"] for line in found] == [f"platform.{name}" for name in types]


@pytest.mark.parametrize(
    ("python", "shown"), [("3.13.1", "python:3.13.v1"), ("3.13", "python:3.13"), ("3.14.0", "python:3.14.v0")]
)
def test_a_python_version_has_awss_form(python: str, shown: str) -> None:
    assert runtime_version(python) == shown
