"""What the platform writes into a log, as text and as JSON.

Source: records made on AWS; the Lambda guide, "Working with Lambda function logs", "Lambda Telemetry API Event schema
reference" and "Log-level filtering". The tab at the end of a REPORT line is AWS's.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

from ....core.arn import LATEST, REGION
from ....core.cost import billed_ms
from ....core.function import Function
from ..failures import Failure

SYSTEM_LEVELS = ("DEBUG", "INFO", "WARN")


class Report(NamedTuple):
    """What there is to say at the end of an invocation. Durations in seconds, memory in MB."""

    request_id: str
    duration: float
    init_duration: float | None
    memory: int
    memory_used: int
    failure: Failure | None = None
    produced: int = 0  # bytes of the response

    @property
    def billed(self) -> int:
        """Milliseconds: init and invocation together, rounded up."""
        return billed_ms(self.duration, self.init_duration)


class PlatformLines(Protocol):
    """The platform's lines, in one of the two formats. `at` is engine time, `python` a version like "3.13.1"."""

    def init_start(self, at: float, python: str) -> list[str]:
        """The environment begins to load the code."""
        ...

    def init_end(self, at: float, phase: str, seconds: float, failure: Failure | None) -> list[str]:
        """The code is loaded, or is not. `phase`: "init", or "invoke" when a failed init was repeated."""
        ...

    def start(self, at: float, request_id: str, version: str) -> list[str]:
        """An invocation begins."""
        ...

    def end(self, at: float, report: Report) -> list[str]:
        """An invocation has ended."""
        ...


def platform_lines(function: Function) -> PlatformLines:
    """The format that this function asks for."""
    return JsonLines(function) if function.logging.format == "JSON" else TextLines()


def runtime_version(python: str) -> str:
    """A version of the Python runtime, in AWS's form: the third number stands where AWS counts its releases."""
    major_minor, dot, patch = python.rpartition(".")
    return f"python:{major_minor}.v{patch}" if dot and "." in major_minor else f"python:{python}"


def runtime_arn(python: str) -> str:
    return f"arn:aws:lambda:{REGION}::runtime:{hashlib.sha256(python.encode()).hexdigest()}"


class TextLines:
    """INIT_START, START, END, REPORT. They say no time of their own."""

    def init_start(self, at: float, python: str) -> list[str]:  # noqa: ARG002
        return [f"INIT_START Runtime Version: {runtime_version(python)}\tRuntime Version ARN: {runtime_arn(python)}"]

    def init_end(self, at: float, phase: str, seconds: float, failure: Failure | None) -> list[str]:  # noqa: ARG002
        if failure is None or not failure.status:
            return []
        return [f"INIT_REPORT Init Duration: {seconds * 1000:.2f} ms\tPhase: {phase}\t{failure.status}"]

    def start(self, at: float, request_id: str, version: str) -> list[str]:  # noqa: ARG002
        return [f"START RequestId: {request_id} Version: {version}"]

    def end(self, at: float, report: Report) -> list[str]:  # noqa: ARG002
        failure = report.failure
        crash = [f"{failure.message}\n{failure.type}"] if failure is not None and failure.log else []
        line = (
            f"REPORT RequestId: {report.request_id}\tDuration: {report.duration * 1000:.2f} ms\t"
            f"Billed Duration: {report.billed} ms\tMemory Size: {report.memory} MB\t"
            f"Max Memory Used: {report.memory_used} MB\t"
        )
        if report.init_duration is not None:
            line += f"Init Duration: {report.init_duration * 1000:.2f} ms\t"
        return [*crash, f"END RequestId: {report.request_id}", line + (failure.status if failure is not None else "")]


class JsonLines:
    """platform.initStart, platform.start, platform.report and so on, as far as the system log level lets them."""

    def __init__(self, function: Function) -> None:
        self._function = function
        self._lowest = SYSTEM_LEVELS.index(function.logging.system_level)

    def init_start(self, at: float, python: str) -> list[str]:
        record = {
            "initializationType": "on-demand",
            "phase": "init",
            "runtimeVersion": runtime_version(python),
            "runtimeVersionArn": runtime_arn(python),
            "functionName": self._function.name,
            "functionVersion": LATEST,
        }
        return self._lines(at, ("INFO", "initStart", record))

    def init_end(self, at: float, phase: str, seconds: float, failure: Failure | None) -> list[str]:
        record = {"initializationType": "on-demand", "phase": phase, **_status(failure)}
        level = "DEBUG" if failure is None else "WARN"
        metrics = {"metrics": {"durationMs": _milliseconds(seconds)}}
        return self._lines(at, (level, "initRuntimeDone", record), (level, "initReport", {**record, **metrics}))

    def start(self, at: float, request_id: str, version: str) -> list[str]:
        return self._lines(at, ("INFO", "start", {"requestId": request_id, "version": version}))

    def end(self, at: float, report: Report) -> list[str]:
        failure, request_id = report.failure, {"requestId": report.request_id}
        duration = _milliseconds(report.duration)
        begun = _time(at - report.duration)
        done = {
            **request_id,
            **_status(failure),
            "metrics": {"durationMs": duration, "producedBytes": report.produced},
            "spans": [{"name": "responseLatency", "start": begun, "durationMs": duration}] if failure is None else [],
        }
        metrics: dict[str, Any] = {
            "durationMs": duration,
            "billedDurationMs": report.billed,
            "memorySizeMB": report.memory,
            "maxMemoryUsedMB": report.memory_used,
        }
        if report.init_duration is not None:
            metrics["initDurationMs"] = _milliseconds(report.init_duration)
        return self._lines(
            at,
            ("DEBUG" if failure is None else "WARN", "runtimeDone", done),
            ("INFO" if failure is None else "WARN", "report", {**request_id, "metrics": metrics, **_status(failure)}),
        )

    def _lines(self, at: float, *events: tuple[str, str, dict[str, Any]]) -> list[str]:
        return [
            json.dumps({"time": _time(at), "type": f"platform.{name}", "record": record}, separators=(",", ":"))
            for level, name, record in events
            if SYSTEM_LEVELS.index(level) >= self._lowest
        ]


def _status(failure: Failure | None) -> dict[str, str]:
    if failure is None:
        return {"status": "success"}
    if failure.type == "Sandbox.Timedout":
        return {"status": "timeout"}
    return {"status": "error", "errorType": failure.reported_type}


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 3)


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
