"""The log of real processes: floods, binary output, the JSON format and its levels."""

import json
import resource
import sys
from collections.abc import Callable
from typing import Any

import pytest

from engine.test_environments import Bench, bench, failure, result, spawn
from lamtop.engine.core.function import LoggingConfig

__all__ = ["bench", "spawn"]


def of_kind(b: Bench, kind: str, request_id: str = "r1") -> list[str]:
    return [text for owner, _, what, text in b.lines.kept if (owner, what) == (request_id, kind)]


def test_a_hundred_megabytes_cost_no_memory_and_do_not_keep_the_answer_back(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        await b.run()
        unit = 1 if sys.platform == "darwin" else 1024
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        assert result(await b.run(100)) == "done"
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        assert grown * unit < 50 * 2**20
        found = of_kind(b, "output", "r2")
        assert (found[0], found[-1]) == (f"0 {'x' * 999}", f"99999 {'x' * 999}")
        (mark,) = [text for text in found if text.startswith("[lamtop]")]
        assert mark == f"[lamtop] {100_000 - len(found) + 1} more lines were not kept"
        assert sum(map(len, found)) < 1_400_000
        assert b.lines.of("r2")[-1].startswith("REPORT")

    code = """
        import os
        def handler(event, context):
            for n in range(event or 0):
                os.write(1, b"".join(b"%d %s\\n" % (n * 1000 + m, b"x" * 999) for m in range(1000)))
            return "done"
        """
    bench(code, story)


def test_binary_and_endless_output_is_harmless(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        assert result(await b.run()) == "done"
        found = of_kind(b, "output")
        assert found[0] == "\ufffd\ufffd\x00caf\u00e9 \ufffd"
        assert found[-1].endswith("x")
        assert [text for text in found if text.startswith("[lamtop]")]
        assert sum(map(len, found)) < 1_400_000
        for text in found:
            text.encode()  # no halves of surrogate pairs

    code = """
        import sys
        def handler(event, context):
            sys.stdout.buffer.write(b"\\xff\\xfe\\x00caf\\xc3\\xa9 \\x80\\n")
            print("x" * 50_000_000, end="")
            return "done"
        """
    bench(code, story)


LOGGED = """
    import json, logging
    print("at import")
    def handler(event, context):
        logging.info("informed"); logging.warning("warned", extra={"order": 7})
        print("plain")
        for level in ("debug", "INFO", "warn", "ERROR", "odd", 3):
            print(json.dumps({"level": level, "message": "printed"}))
        print(json.dumps({"message": "no level"}), "{not json", sep="\\n")
        if event == "fail": raise ValueError("boom")
    """


@pytest.mark.parametrize(("level", "levels"), [
    ("DEBUG", ["INFO", "WARNING", "debug", "INFO", "warn", "ERROR", "odd", 3, None]),
    ("INFO", ["INFO", "WARNING", "INFO", "warn", "ERROR", "odd", 3, None]),
    ("WARN", ["WARNING", "warn", "ERROR"]),
    ("FATAL", []),
])  # fmt: skip
def test_the_application_log_level_counts_for_printed_json_too(
    bench: Callable[..., None], level: str, levels: list[Any]
) -> None:
    async def story(b: Bench) -> None:
        b.configure(logging=LoggingConfig("JSON", level))
        await b.run()
        found = of_kind(b, "output")
        assert [json.loads(text).get("level") for text in found if text.endswith("}")] == levels
        assert [text for text in found if not text.endswith("}")] == ["at import", "plain", "{not json"]

    bench(LOGGED, story)


def test_a_json_log_holds_no_text_lines_of_the_platform_and_the_error_has_a_level(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        b.configure(logging=LoggingConfig("JSON", "ERROR", system_level="DEBUG"))
        failure(await b.run("fail"))
        platform = [json.loads(text) for text in of_kind(b, "platform")]
        assert [event["type"].removeprefix("platform.") for event in platform] == [
            "initStart", "initRuntimeDone", "initReport", "start", "runtimeDone", "report",
        ]  # fmt: skip
        version = "python:{}.{}.v{}".format(*sys.version_info)
        assert platform[0]["record"]["runtimeVersion"] == version
        assert platform[-1]["record"]["status"] == "error"
        error = json.loads(of_kind(b, "output")[-1])
        assert list(error) == ["timestamp", "level", "errorMessage", "errorType", "requestId", "stackTrace"]
        assert (error["level"], error["requestId"]) == ("ERROR", "r1")

    bench(LOGGED, story)


@pytest.mark.parametrize(
    "logging", [LoggingConfig(), LoggingConfig("JSON", group="/shop/orders")], ids=["text", "json"]
)
def test_an_exception_never_restarts_the_environment(bench: Callable[..., None], logging: LoggingConfig) -> None:
    async def story(b: Bench) -> None:
        b.configure(logging=logging)
        group = logging.group or "/aws/lambda/fn"
        outcomes = [await b.run(how) for how in ("", "raise", "set", "deep", "key", "")]
        errors = [failure(outcome)["errorType"] for outcome in outcomes[1:-1]]
        assert errors == ["ValueError", "Runtime.MarshalError", "RecursionError", "KeyError"]
        assert [result(outcomes[n]) for n in (0, -1)] == [
            [1, group, outcomes[0].environment], [6, group, outcomes[0].environment],
        ]  # fmt: skip
        assert len({outcome.environment for outcome in outcomes}) == 1
        assert b.environments.cold_starts == {"fn": 1}

    code = """
        calls = 0
        def deeper(): return deeper()
        def handler(event, context):
            global calls
            calls += 1
            if event == "raise": raise ValueError("boom")
            if event == "set": return {1}
            if event == "deep": return deeper()
            if event == "key": return {}["k"]
            return calls, context.log_group_name, context.log_stream_name
        """
    bench(code, story)


def test_a_line_outside_of_any_invocation_names_its_stream(bench: Callable[..., None]) -> None:
    async def story(b: Bench) -> None:
        await b.run()
        b.write("print('never invoked')\ndef handler(event, context): pass")
        assert b.lines.streams == []
        assert await b.environments.reload(b.function) is None
        await b.environments.stop(0)
        assert [text for text in b.lines.of("") if "INIT_START" not in text] == ["never invoked"]
        (stream,) = set(b.lines.streams)
        assert stream not in ("", b.last.environment)

    bench("def handler(event, context): pass", story)
