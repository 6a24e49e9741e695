"""Execution environments, with real processes. Each test writes a handler, runs it and looks at what came out."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lamtop.engine.clock import SystemClock
from lamtop.engine.core.event import Ended, Outcome
from lamtop.engine.core.function import Function
from lamtop.engine.core.invocation import Invocation
from lamtop.engine.edges.environments import Environments, end_survivors
from lamtop.engine.edges.environments.processes.survivors import start_time


class Lines:
    """A log sink that keeps everything."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, int, str, str]] = []  # (request id, attempt, kind, text)
        self.next_number = 1
        self.streams: list[str] = []  # of lines outside of an invocation

    def line(
        self, function: str, request_id: str, attempt: int, at: float, kind: str, text: str, stream: str = ""
    ) -> int:
        self.kept.append((request_id, attempt, kind, text))
        self.streams += [stream] if stream else []
        self.next_number += 1
        return self.next_number - 1

    def output(self, request_id: str = "r1") -> list[str]:
        return [text for owner, _, kind, text in self.kept if owner == request_id and kind == "output"]

    def of(self, request_id: str = "r1") -> list[str]:
        return [text for owner, _, _, text in self.kept if owner == request_id]


class Bench:
    """Environments and one function in a folder of its own."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.folder = folder
        self.lines = Lines()
        self.idle: list[str] = []
        self.count = 0
        self.function = Function("fn", "app.handler", str(folder), timeout=10.0)
        self.environments = Environments(
            clock=SystemClock(),
            log=self.lines,
            interpreter=settings.pop("interpreter", sys.executable),
            processes=folder / "state" / "processes",
            environ=dict,
            on_idle=self.idle.append,
            **settings,
        )

    def write(self, code: str, name: str = "app.py") -> None:
        (self.folder / name).write_text(textwrap.dedent(code))

    def configure(self, **changes: Any) -> None:
        self.function = replace(self.function, **changes)

    def send(self, event: Any = None, **fields: Any) -> asyncio.Future[Outcome]:
        """Hand over one invocation; request ids are r1, r2 …"""
        self.count += 1
        outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.last = Invocation(
            f"r{self.count}",
            self.function,
            event if isinstance(event, bytes) else json.dumps(event).encode(),
            fields.pop("may_start", lambda: True),
            outcome.set_result,
            **fields,
        )
        self.environments.run(self.last)
        return outcome

    async def run(self, event: Any = None, **fields: Any) -> Outcome:
        return await asyncio.wait_for(self.send(event, **fields), 20)


Story = Callable[[Bench], Awaitable[None]]


# All is run with forked environments, where the system can fork; what could differ is run with spawned ones too.
both_ways = pytest.mark.parametrize("spawn", [False, True], ids=["forked", "spawned"])


@pytest.fixture
def spawn() -> bool:
    return False


@pytest.fixture
def bench(tmp_path: Path, spawn: bool) -> Callable[..., None]:
    """Runs a story with a bench, then stops it and looks for what was left behind."""

    def run(code: str, story: Story, **settings: Any) -> None:
        async def play() -> None:
            bench = Bench(tmp_path, **{"spawn": spawn, **settings})
            bench.write(code)
            descriptors = len(list(Path("/dev/fd").iterdir()))
            try:
                await story(bench)
            finally:
                await bench.environments.stop(0)
            assert not bench.environments.executing
            assert len(list(Path("/dev/fd").iterdir())) <= descriptors
            assert (tmp_path / "state" / "processes").read_text() == ""
            assert not bench.environments.scratch_root.exists()
            assert children() == before

        before = children()
        asyncio.run(play())

    return run


def result(outcome: Outcome) -> Any:
    assert outcome.ended is Ended.RETURNED, outcome
    return json.loads(outcome.payload)


def failure(outcome: Outcome) -> dict[str, Any]:
    assert outcome.ended is Ended.FUNCTION_ERROR, outcome
    error: dict[str, Any] = json.loads(outcome.payload)
    assert outcome.error_type == error["errorType"]
    assert outcome.error_message == error["errorMessage"]
    return error


async def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.002)


def is_alive(pid: int) -> bool:
    return start_time(pid) is not None


def children() -> set[int]:
    """The processes whose parent this one is, adopted ones among them. None on systems that do not tell."""
    lists = Path("/proc/self/task").glob("*/children")
    return {int(pid) for file in lists for pid in file.read_text().split()}


# --- results ----------------------------------------------------------------------------------------------------------


@both_ways
@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ({"a": [1, 2.5, None, True]}, b'{"a": [1, 2.5, null, true]}'),
        (None, b"null"),
        ("Zoë ☕ 🎉", '"Zoë ☕ 🎉"'.encode()),
    ],
)
def test_a_result_is_json_as_the_runtime_writes_it(bench: Callable[..., None], event: Any, payload: bytes) -> None:
    async def story(b: Bench) -> None:
        outcome = await b.run(event)
        assert outcome.payload == payload
        assert outcome.error is None

    bench("def handler(event, context): return event", story)


def test_older_runtimes_escape_unicode(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        b.configure(runtime="python3.11")
        assert (await b.run("é")).payload == b'"\\u00e9"'

    bench("def handler(event, context): return event", story)


def test_decimals_bytes_and_named_tuples_are_written_as_aws_does(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        expected = b'{"n": 1.10, "b": "x", "nan": NaN, "p": {"x": 1, "y": [2.5]}}'
        assert (await b.run()).payload == expected
        assert (await b.run("raw")).payload == b"\x00raw"

    code = """
        from decimal import Decimal
        from collections import namedtuple
        Point = namedtuple("Point", "x y")
        def handler(event, context):
            if event == "raw":
                return b"\\x00raw"
            return {"n": Decimal("1.10"), "b": b"x", "nan": Decimal("NaN"), "p": Point(1, (Decimal("2.5"),))}
        """
    bench(code, story)


@both_ways
def test_the_context_has_what_aws_documents(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        seen = result(
            await b.run(client_context='{"custom": {"foo": "bar"}}', invoked_arn="arn:x:1", trace_id="Root=1")
        )
        remaining = seen.pop("remaining")
        assert 9_000 < remaining <= 10_000
        assert seen == {
            "aws_request_id": "r1",
            "log_group_name": "/aws/lambda/fn",
            "log_stream_name": b.last.environment,
            "function_name": "fn",
            "memory_limit_in_mb": "128",
            "function_version": "$LATEST",
            "invoked_function_arn": "arn:x:1",
            "tenant_id": None,
            "custom": {"foo": "bar"},
            "identity": None,
            "trace": "Root=1",
        }
        assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", b.last.environment)

    code = """
        import os
        NAMES = ["aws_request_id", "log_group_name", "log_stream_name", "function_name", "memory_limit_in_mb",
                 "function_version", "invoked_function_arn", "tenant_id"]
        def handler(event, context):
            seen = {name: getattr(context, name) for name in NAMES}
            seen["custom"] = context.client_context.custom
            seen["identity"] = context.identity.cognito_identity_id
            seen["remaining"] = context.get_remaining_time_in_millis()
            seen["trace"] = os.environ["_X_AMZN_TRACE_ID"]
            return seen
        """
    bench(code, story)


@both_ways
def test_nothing_of_the_engines_environment_reaches_the_handler(
    bench: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENGINE_SECRET", "hush")

    async def story(b: Bench) -> None:
        b.configure(environment={"TABLE": "orders"})
        seen = result(await b.run())
        assert seen["TABLE"] == "orders"
        assert seen["AWS_LAMBDA_FUNCTION_NAME"] == "fn"
        assert seen["_HANDLER"] == "app.handler"
        ours = {
            "PATH",
            "HOME",
            "LANG",
            "LC_CTYPE",
            "TZ",
            "TABLE",
            "PWD",
            "TMPDIR",
            "_HANDLER",
            "SHLVL",
            "LD_LIBRARY_PATH",
        }
        lambdas = ("AWS_", "LAMBDA_", "_AWS_XRAY_", "LD_")
        assert {name for name in seen if name not in ours and not name.startswith(lambdas)} == set()

    bench("import os\ndef handler(event, context): return dict(os.environ)", story)


def test_five_megabytes_go_in_and_come_out(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        event = "x" * 5_000_000
        assert result(await b.run(event)) == event
        assert result(await b.run("small")) == "small"

    bench("def handler(event, context): return event", story)


def test_a_response_over_six_megabytes_is_refused_and_the_environment_stays(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        assert len((await b.run(6 * 1024 * 1024)).payload) == 6 * 1024 * 1024 + 2
        large = await b.run(7 * 1024 * 1024)
        assert failure(large) == {
            "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
            "errorType": "Function.ResponseSizeTooLarge",
        }
        assert (await b.run(1)).environment == large.environment

    bench("def handler(event, context): return 'x' * event", story)


# --- failures ---------------------------------------------------------------------------------------------------------


def test_an_exception_has_the_users_frames_and_nothing_of_ours(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        outcome = await b.run()
        path = b.folder / "app.py"
        frame = f'  File "{path}", line 2, in handler\n    raise Exception("boom")\n'
        assert list(failure(outcome)) == ["errorMessage", "errorType", "requestId", "stackTrace"]
        assert failure(outcome)["stackTrace"] == [frame]
        assert outcome.error == "Exception: boom"
        gap = "\u00a0"
        assert b.lines.output() == [
            "[ERROR] Exception: boom\nTraceback (most recent call last):\n"
            f'{gap * 2}File "{path}", line 2, in handler\n{gap * 4}raise Exception("boom")'
        ]
        assert "Status" not in b.lines.of()[-1]

    bench('def handler(event, context):\n    raise Exception("boom")\n', story)


def test_an_exception_does_not_restart_the_environment(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        failure(await b.run("fail"))
        assert result(await b.run()) == 2
        assert b.environments.cold_starts == {"fn": 1}

    code = """
        calls = 0
        def handler(event, context):
            global calls
            calls += 1
            if event == "fail":
                raise KeyError("card")
            return calls
        """
    bench(code, story)


@both_ways
@pytest.mark.parametrize(
    ("last_act", "reason"),
    [
        ("sys.exit(0)", "Runtime exited without providing a reason"),
        ("sys.exit(2)", "Runtime exited with error: exit status 2"),
        ("os._exit(3)", "Runtime exited with error: exit status 3"),
        ("os.kill(os.getpid(), 9)", "Runtime exited with error: signal: killed"),
        ("os.abort()", "Runtime exited with error: signal: aborted"),
        ("os.kill(os.getpid(), 11)", "Runtime exited with error: signal: segmentation fault"),
    ],
)
def test_the_end_of_the_process_is_told_in_awss_words(bench: Callable[..., None], last_act: str, reason: str) -> None:
    async def story(b: Bench) -> None:
        outcome = await b.run("go")
        assert failure(outcome) == {
            "errorType": "Runtime.ExitError",
            "errorMessage": f"RequestId: r1 Error: {reason}",
        }
        log = b.lines.of()
        assert log[-4:-1] == ["last words", f"RequestId: r1 Error: {reason}\nRuntime.ExitError", "END RequestId: r1"]
        assert log[-1].endswith("\tStatus: error\tError Type: Runtime.ExitError")
        assert result(await b.run()) == "a new process"

    code = f"""
        import os, sys
        def handler(event, context):
            if event == "go":
                print("last words")
                {last_act}
            return "a new process"
        """
    bench(code, story)


@both_ways
def test_a_timeout_kills_the_process_and_what_it_started(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        b.configure(timeout=0.4)
        outcome = await b.run("hang")
        assert outcome.payload == (
            b'{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: r1 Error: Task timed out after 0.40 seconds"}'
        )
        assert 0.4 <= outcome.duration < 2
        assert outcome.memory_used > 0
        assert b.lines.of()[-1].endswith("\tStatus: timeout")
        grandchild = int(b.lines.output()[0])
        await until(lambda: not is_alive(grandchild))
        assert result(await b.run()) == 1  # the next one finds new globals

    code = """
        import signal, subprocess
        calls = 0
        def handler(event, context):
            global calls
            calls += 1
            if event == "hang":
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                print(subprocess.Popen(["sleep", "60"]).pid)
                while True:
                    pass
            return calls
        """
    bench(code, story)


def test_a_timeout_counts_from_the_start_of_each_invocation(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        b.configure(timeout=0.5)
        for _ in range(3):
            assert result(await b.run(0.3)) == 0.3  # the first one's timer comes due during the second
        assert failure(await b.run(5))["errorType"] == "Sandbox.Timedout"

    bench("import time\ndef handler(event, context):\n    time.sleep(event)\n    return event", story)


NO_MODULE = "Unable to import module '{}': No module named '{}'"
BAD_NAME = "Bad handler 'app': not enough values to unpack (expected 2, got 1)"
BAD_SYNTAX = "Syntax error in module 'app': invalid syntax (app.py, line 3)"


@pytest.mark.parametrize(
    ("handler", "code", "kind", "message"),
    [
        ("app.handler", "import missing_one", "Runtime.ImportModuleError", NO_MODULE.format("app", "missing_one")),
        ("gone.handler", "", "Runtime.ImportModuleError", NO_MODULE.format("gone", "gone")),
        ("app.nope", "", "Runtime.HandlerNotFound", "Handler 'nope' missing on module 'app'"),
        ("app", "", "Runtime.MalformedHandlerName", BAD_NAME),
        ("sys.exit", "", "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys as a handler module"),
        ("app.handler", "x = 1\n\ndef f(:\n", "Runtime.UserCodeSyntaxError", BAD_SYNTAX),
    ],
)  # fmt: skip
def test_code_that_cannot_be_loaded_fails_the_invocation(
    bench: Callable[..., None], handler: str, code: str, kind: str, message: str
) -> None:
    async def story(b: Bench) -> None:
        b.configure(handler=handler)
        outcome = await b.run()
        error = failure(outcome)
        assert (error["errorType"], error["errorMessage"], error["requestId"]) == (kind, message, "")
        assert b.lines.of()[-1].endswith(f"\tStatus: error\tError Type: {kind}")
        assert b.environments.cold_starts == {"fn": 1}  # one failure, one start

    bench(code, story)


def test_an_exception_at_import_has_no_request_id(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        error = failure(await b.run())
        assert (error["errorType"], error["errorMessage"], error["requestId"]) == (
            "ZeroDivisionError",
            "division by zero",
            "",
        )
        assert f'File "{b.folder / "app.py"}", line 1' in error["stackTrace"][-1]
        assert b.lines.of()[-1].endswith("\tError Type: Runtime.Unknown")

    bench("1 / 0", story)


@both_ways
def test_an_exit_during_init_is_an_exit_error(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        assert failure(await b.run())["errorMessage"] == "RequestId: r1 Error: Runtime exited with error: exit status 4"

    bench("import os\nos._exit(4)", story)


def test_each_failing_start_uses_up_one_waiting_invocation(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        outcomes = await asyncio.gather(*(b.send() for _ in range(5)))
        assert {failure(outcome)["errorType"] for outcome in outcomes} == {"Runtime.ImportModuleError"}
        assert b.environments.cold_starts == {"fn": 5}

    bench("import missing_one", story)


@both_ways
def test_an_interpreter_that_is_not_there_fails_the_invocation(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        assert failure(await b.run())["errorType"] == "Runtime.InvalidEntrypoint"

    bench("", story, interpreter="/nowhere/python")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{1}", "Unable to marshal response: Object of type set is not JSON serializable"),
        ("loop", "Unable to marshal response: Circular reference detected"),
    ],
)
def test_a_result_that_is_no_json_is_a_marshal_error(bench: Callable[..., None], value: str, message: str) -> None:
    async def story(b: Bench) -> None:
        error = failure(await b.run())
        expected = {"errorMessage": message, "errorType": "Runtime.MarshalError", "requestId": "r1", "stackTrace": []}
        assert error == expected

    bench(f"loop = []\nloop.append(loop)\ndef handler(event, context): return {value}", story)


@both_ways
@pytest.mark.parametrize(
    "written",
    [
        "b'not an answer' * 10",
        "b'short'",
        "struct.pack('!16scIIHI', b'0' * 16, b'O', 1, 1, 2, 2) + b'r1{}'",  # an answer in all but the nonce
    ],
)
def test_garbage_on_the_answer_channel_fails_that_invocation_only(bench: Callable[..., None], written: str) -> None:
    async def story(b: Bench) -> None:
        outcome = await b.run("write")
        assert failure(outcome)["errorType"] == "Runtime.InvalidResponse"
        assert result(await b.run()) == "fine"

    code = f"""
        import os, stat, struct
        def handler(event, context):
            if event == "write":
                for number in range(3, 1024):
                    try:
                        if stat.S_ISSOCK(os.fstat(number).st_mode):
                            os.write(number, {written})
                    except OSError:
                        pass
            return "fine"
        """
    bench(code, story)


def test_a_forked_child_that_returns_does_not_answer(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        assert result(await b.run()) == "parent"
        assert result(await b.run()) == "parent"
        assert b.environments.cold_starts == {"fn": 1}

    code = """
        import os
        def handler(event, context):
            pid = os.fork()
            if pid == 0:
                return "child"
            os.waitpid(pid, 0)
            return "parent"
        """
    bench(code, story)


# --- logs -------------------------------------------------------------------------------------------------------------


@both_ways
def test_lines_come_in_order_and_belong_to_their_invocation(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        first, second = await b.run("one"), await b.run("two")
        log = b.lines.of("r1")
        assert log[0].startswith(
            f"INIT_START Runtime Version: python:{sys.version_info[0]}.{sys.version_info[1]}.v{sys.version_info[2]}\t"
            "Runtime Version ARN: arn:aws:lambda:us-east-1::runtime:"
        )
        assert log[1:5] == ["loading", "START RequestId: r1 Version: $LATEST", "one", "END RequestId: r1"]
        report = r"REPORT RequestId: r1\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\t"
        report += r"Memory Size: 128 MB\tMax Memory Used: [1-9]\d* MB\t"
        assert re.fullmatch(report + r"Init Duration: \d+\.\d\d ms\t", log[5])
        assert re.fullmatch(report.replace("r1", "r2"), b.lines.of("r2")[3])
        assert b.last.tail == b.lines.of("r2")
        assert (first.first_line, first.last_line, second.first_line, second.last_line) == (1, 6, 7, 10)
        assert first.init_duration
        assert second.init_duration is None

    bench("print('loading')\ndef handler(event, context): print(event, end='')", story)


def test_every_line_is_in_the_log_of_its_own_invocation(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        for number in range(1, 40):
            await b.run(number)
            assert b.lines.output(f"r{number}") == [str(number)] * number

    code = """
        import sys
        def handler(event, context):
            for n in range(event):
                print(event, file=sys.stderr if n % 2 else sys.stdout)
        """
    bench(code, story)


@pytest.mark.skipif(sys.platform != "linux", reason="pipes of other systems cannot be made larger")
def test_all_output_is_taken_before_the_answer(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        for number in (1, 2, 3):
            await b.run()
            assert len(b.lines.output(f"r{number}")) == 500

    code = """
        import fcntl, os
        def handler(event, context):
            fcntl.fcntl(1, 1031, 1024 * 1024)  # F_SETPIPE_SZ: nobody has to read for us to be done
            os.write(1, (b"x" * 999 + b"\\n") * 500)
        """
    bench(code, story)


def test_output_is_seen_while_the_handler_runs(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        running = b.send()
        await until(lambda: b.lines.output() == ["started"])
        assert not running.done()
        assert list(b.environments.executing) == ["r1"]
        (b.folder / "go").touch()
        await running

    code = """
        import os, time
        def handler(event, context):
            print("started")
            while not os.path.exists("go"):
                time.sleep(0.005)
        """
    bench(code, story)


@both_ways
def test_logging_looks_as_on_lambda(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        await b.run()
        line, several = b.lines.output()
        assert re.fullmatch(r"\[WARNING\]\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\tr1\tlow on stock", line)
        assert several.endswith("\tr1\tone\ntwo")

    code = """
        import logging
        def handler(event, context):
            logging.info("not shown")
            logging.warning("low on %s", "stock")
            logging.error("one\\ntwo")
        """
    bench(code, story)


def test_a_grandchild_that_holds_the_output_open_does_not_delay_the_answer(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        outcome = await b.run()
        assert outcome.duration < 5
        assert is_alive(result(outcome))

    bench("import subprocess\ndef handler(event, context): return subprocess.Popen(['sleep', '60']).pid", story)


@both_ways
@pytest.mark.parametrize("way", ["sys.stdout.close(); sys.stderr.close()", "os.close(1); os.close(2)"])
def test_closed_output_does_not_keep_the_answer_back(bench: Callable[..., None], way: str) -> None:
    async def story(b: Bench) -> None:
        assert result(await b.run()) == "fine"
        assert (await b.run("raise")).error_type == "ValueError"

    code = f"""
        import os, sys
        closed = False
        def handler(event, context):
            global closed
            if not closed:
                closed = True
                {way}
            if event == "raise":
                raise ValueError()
            return "fine"
        """
    bench(code, story)


# --- many, and again --------------------------------------------------------------------------------------------------


def test_a_warm_environment_keeps_its_globals_and_an_exit_resets_them(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        assert [result(await b.run()) for _ in range(3)] == [1, 2, 3]
        assert b.last.cold is False
        failure(await b.run("exit"))
        assert result(await b.run()) == 1
        assert b.last.cold is True

    code = """
        import os
        calls = 0
        def handler(event, context):
            global calls
            calls += 1
            if event == "exit":
                os._exit(1)
            return calls
        """
    bench(code, story)


def test_fifty_slow_invocations_run_at_the_same_time(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        (b.folder / "here").mkdir()
        outcomes = [b.send() for _ in range(50)]
        await until(lambda: len(list((b.folder / "here").iterdir())) == 50)  # none of them has returned yet
        assert b.environments.live("fn") == 50
        (b.folder / "go").touch()
        assert {result(outcome) for outcome in await asyncio.gather(*outcomes)} == {0}

    code = """
        import os, time
        def handler(event, context):
            open("here/" + context.aws_request_id, "w").close()
            while not os.path.exists("go"):
                time.sleep(0.02)
            return 0
        """
    bench(code, story)


def test_a_burst_of_short_invocations_does_not_open_an_environment_for_each(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        await b.run()
        await asyncio.gather(*(b.send() for _ in range(500)))
        assert b.environments.cold_starts["fn"] <= 4

    bench("def handler(event, context): pass", story)


def test_no_more_environments_than_allowed_and_it_says_why(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        outcomes = [b.send() for _ in range(4)]
        await until(lambda: b.environments.limited_by is not None)
        assert b.environments.limited_by == "environments_max: 2"
        await asyncio.gather(*outcomes)
        assert b.environments.cold_starts == {"fn": 2}

    bench("import time\ndef handler(event, context): time.sleep(0.1)", story, environments_max=2)


def test_an_idle_environment_makes_room_for_another_function(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        await b.run()
        b.configure(name="other")
        await b.run()
        assert (b.environments.live("fn"), b.environments.live("other")) == (0, 1)

    bench("def handler(event, context): pass", story, environments_max=1)


def test_an_invocation_that_may_not_start_any_more_is_skipped(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        skipped = b.send(may_start=lambda: False)
        await b.run()
        assert not skipped.done()
        assert b.lines.of("r1") == []

    bench("def handler(event, context): pass", story)


def test_synchronous_invocations_go_before_events(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        order: list[str] = []
        outcomes = [b.send(kind=kind) for kind in ("event", "event", "synchronous")]
        for number, outcome in enumerate(outcomes):
            outcome.add_done_callback(lambda _, number=number: order.append(f"r{number + 1}"))
        await asyncio.gather(*outcomes)
        assert order[0] == "r3"

    bench("def handler(event, context): pass", story, environments_max=1)


def test_the_dispatcher_hears_when_an_environment_is_free(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        assert b.environments.capacity("fn") == 1
        await b.run()
        b.idle.clear()
        await b.run()
        assert b.idle == ["fn"]

    bench("def handler(event, context): pass", story)


@both_ways
def test_an_idle_environment_that_dies_costs_nobody_anything(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        pid = result(await b.run())
        os.kill(pid, signal.SIGKILL)
        while is_alive(pid):  # so that it is dead, and the loop has had no time to notice
            continue
        asked = []
        assert result(await b.run(may_start=lambda: asked.append(1) or True)) != pid
        assert asked == [1]
        assert b.environments.live("fn") == 1

    bench("import os\ndef handler(event, context): return os.getpid()", story)


@both_ways
def test_running_and_waiting_invocations_can_be_cancelled(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        running, waiting = b.send(), b.send()
        await until(lambda: b.lines.output() == ["on"])
        assert b.environments.cancel("r2")
        assert (await waiting).ended is Ended.CANCELLED
        assert b.environments.cancel("r1")
        assert (await running).ended is Ended.CANCELLED
        assert not b.environments.cancel("r1")

    bench("import time\ndef handler(event, context):\n    print('on')\n    time.sleep(60)", story, environments_max=1)


# --- new code ---------------------------------------------------------------------------------------------------------


@both_ways
def test_a_reload_switches_when_the_new_code_is_ready(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        assert result(await b.run()) == "old"
        running = b.send("wait")
        await until(lambda: b.lines.output("r2") == ["waiting"])
        b.write("def handler(event, context): return 'new'")
        assert await b.environments.reload(b.function) is None
        assert b.environments.version("fn") == 2
        assert result(await b.run()) == "new"
        assert b.last.version == 2
        (b.folder / "go").touch()
        outcome = await running
        assert (result(outcome), outcome.version) == ("old", 1)
        assert result(await b.run()) == "new"

    code = """
        import os, time
        def handler(event, context):
            if event == "wait":
                print("waiting")
                while not os.path.exists("go"):
                    time.sleep(0.005)
            return "old"
        """
    bench(code, story)


def test_code_that_does_not_load_is_not_switched_to(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        assert result(await b.run()) == "old"
        b.write("x = 1\n\ndef f(:\n")
        line = f"Runtime.UserCodeSyntaxError: {BAD_SYNTAX}"
        assert await b.environments.reload(b.function) == line
        outcomes = await asyncio.gather(*(b.send(0.02) for _ in range(10)))
        assert {result(outcome) for outcome in outcomes} == {"old"}
        assert (b.environments.version("fn"), b.environments.cold_starts["fn"]) == (1, 2)
        b.write("def handler(event, context): return 'mended'")
        assert await b.environments.reload(b.function) is None
        assert result(await b.run()) == "mended"

    bench("import time\ndef handler(event, context):\n    time.sleep(event or 0)\n    return 'old'", story)


@both_ways
def test_a_forgotten_function_leaves_no_process(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        pid = result(await b.run())
        b.environments.forget("fn")
        await until(lambda: not is_alive(pid))
        assert result(await b.run()) != pid

    bench("import os\ndef handler(event, context): return os.getpid()", story)


# --- the end ----------------------------------------------------------------------------------------------------------


def test_stop_lets_running_invocations_finish_and_leaves_no_process(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        idle = result(await b.run())
        short, long = b.send("short"), b.send("long")
        await until(lambda: len(b.environments.executing) == 2)
        (b.folder / "go").touch()
        await b.environments.stop(1.0)
        assert result(short.result()) > 0
        assert long.result().ended is Ended.LOST
        assert not is_alive(idle)
        assert not is_alive(result(short.result()))

    code = """
        import os, time
        def handler(event, context):
            while event == "long" or event == "short" and not os.path.exists("go"):
                time.sleep(0.005)
            return os.getpid()
        """
    bench(code, story)


ENGINE = """
import asyncio, os, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from test_environments import Bench

async def main():
    bench = Bench(Path({folder!r}), spawn={spawn})
    bench.send()
    await asyncio.sleep(60)

asyncio.run(main())
"""


@both_ways
def test_handlers_die_with_a_killed_engine(tmp_path: Path, spawn: bool) -> None:
    code = """
        import re, subprocess, sys, time
        def handler(event, context):
            open("grandchild", "w").write(str(subprocess.Popen(["sleep", "60"]).pid))
            open("pid", "w").write(str(__import__("os").getpid()))
            sys.setswitchinterval(1000)
            re.match("(a+)+b", "a" * 60)  # holds the interpreter lock for ever
        """
    (tmp_path / "app.py").write_text(textwrap.dedent(code))
    program = ENGINE.format(tests=str(Path(__file__).parent), folder=str(tmp_path), spawn=spawn)
    engine = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, "TMPDIR": str(tmp_path)})
    try:
        asyncio.run(until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text() != ""))
    finally:
        engine.kill()
        engine.wait()
    for name in ("pid", "grandchild"):
        pid = int((tmp_path / name).read_text())
        asyncio.run(until(lambda pid=pid: not is_alive(pid)))


def test_survivors_are_ended_and_strangers_spared(tmp_path: Path) -> None:
    survivor = subprocess.Popen(["sleep", "60"], start_new_session=True)
    stranger = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        processes = tmp_path / "processes"
        processes.write_text(f"{survivor.pid} {start_time(survivor.pid)}\n{stranger.pid} 12345\ngarbage\n")
        assert end_survivors(processes) == 1
        assert survivor.wait(5) == -signal.SIGKILL
        assert stranger.poll() is None
        assert processes.read_text() == ""
        assert end_survivors(tmp_path / "nothing") == 0
    finally:
        for process in (survivor, stranger):
            process.kill()
            process.wait()
