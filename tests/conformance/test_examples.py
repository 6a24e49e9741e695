"""The examples deploy to AWS as they are, load here without a warning, and say what to watch."""

import ast
import asyncio
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from engine.live import live, until_awaited
from lamtop.engine import Engine
from lamtop.engine.core.arn import queue_arn
from lamtop.engine.project import Project, load

FOLDER = Path(__file__).resolve().parents[2] / "handlers"
SHARED = {"__init__.py", "invoke.py"}
EXAMPLES = sorted(path for path in FOLDER.glob("*.py") if path.name not in SHARED)
LESSONS = {
    "always-fails", "batch", "batch-item", "chain-a", "chain-b", "charges-again", "charges-once", "crashes",
    "fire-and-forget", "flaky", "folder", "folder-file", "request-response", "slow-import", "thumbnail", "times-out",
}  # fmt: skip


@pytest.fixture(scope="module")
def project() -> Project:
    return load(FOLDER / "template.yaml")


def handler_of(name: str) -> Callable[[Any, Any], Any]:
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    handler: Callable[[Any, Any], Any] = module.lambda_handler
    return handler


def context(request_id: str = "00000000-0000-4000-8000-000000000000") -> SimpleNamespace:
    return SimpleNamespace(
        aws_request_id=request_id, log_stream_name="a stream", get_remaining_time_in_millis=lambda: 3000
    )


def test_the_template_is_clean_for_cfn_lint() -> None:
    command = [sys.executable, "-c", "from cfnlint.runner import main; main()", str(FOLDER / "template.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_every_example_is_a_function_of_the_template_and_none_is_doubtful(project: Project) -> None:
    assert project.warnings == ()
    assert set(project.functions) == LESSONS
    assert {f"{function.handler.partition('.')[0]}.py" for function in project.functions.values()} == {
        path.name for path in EXAMPLES
    }


def test_the_failing_ones_send_their_dead_letters_to_a_queue_and_one_sends_its_results(project: Project) -> None:
    failing = {"always-fails", "charges-again", "charges-once", "crashes", "flaky", "times-out"}
    assert failing <= set(project.queues["lamtop-dead-letters"].dead_letters_of)
    destinations = project.functions["fire-and-forget"].event_invoke_config
    assert destinations.on_success == destinations.on_failure == queue_arn("lamtop-results")


def test_the_one_that_times_out_does_so_at_the_default(project: Project) -> None:
    assert project.functions["times-out"].timeout == 3.0
    assert project.functions["request-response"].timeout == 10.0


def test_the_batch_has_reserved_concurrency_to_run_against(project: Project) -> None:
    assert project.functions["batch-item"].reserved_concurrency == 10


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short_and_its_two_opening_lines_say_what_to_watch(path: Path) -> None:
    text = path.read_text()
    opening = ast.get_docstring(ast.parse(text)) or ""
    assert len(opening.splitlines()) == 2
    assert opening.splitlines()[1].startswith("Watch")
    assert 10 <= len(text.splitlines()) <= 30


@pytest.mark.parametrize("event", [{}, {"seconds": 0}, [], "text", None, 3])
@pytest.mark.parametrize(
    "name",
    ["batch_item", "chain_b", "fire_and_forget", "folder_file", "request_response", "slow_import", "times_out"],
)
def test_an_example_takes_any_event(name: str, event: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    assert handler_of(name)(event, context())


@pytest.mark.parametrize("event", [{}, {"item": "hat"}, [], None])
def test_the_failing_example_always_fails(event: object) -> None:
    with pytest.raises(Exception, match=r"^no \w+ left$"):
        handler_of("always_fails")(event, context())


def test_the_flaky_example_fails_as_often_as_its_seed_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    handler = handler_of("flaky")

    def attempts(request_id: str) -> int:
        for attempt in range(1, 5):
            try:
                assert handler({}, context(request_id)) == {"succeeded_at_attempt": attempt}
            except ConnectionError:
                continue
            return attempt
        raise AssertionError("it never succeeds")

    assert {attempts(f"request-{number}") for number in range(40)} == {1, 2, 3, 4}


def test_the_crashing_example_ends_its_process() -> None:
    code = f"import runpy; runpy.run_path({str(FOLDER / 'crashes.py')!r})['lambda_handler'](None, None)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stdout == b"about to leave without a word\n"


# -- what the lessons show, in real processes --------------------------------------------------------------------------

QUICK = {
    "IMPORT_SECONDS: 2": "IMPORT_SECONDS: 0.2",
    "ReservedConcurrentExecutions: 10": "ReservedConcurrentExecutions: 2",
}
WITHOUT_BOTO3 = "raise ImportError('there is no boto3 here')\n"
Row = dict[str, Any]


class Lessons:
    """The examples under a running engine, with files that handlers leave in `files`."""

    def __init__(self, engine: Engine, files: Path) -> None:
        self.engine = engine
        self.files = files

    async def invoke(self, name: str, event: Any, **headers: str) -> Any:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        answer = await self.engine.call(name, json.dumps(event).encode(), named)
        assert "X-Amz-Function-Error" not in answer.headers, answer.body
        return json.loads(answer.body)

    async def send(self, name: str) -> Row:
        """Send one event, and what has become of it once it is over."""
        answer = await self.engine.call(name, b"{}", {"X-Amz-Invocation-Type": "Event"})
        return await until_awaited(lambda: self._ended(answer.headers["x-amzn-RequestId"]), "the end of the event")

    async def _ended(self, request_id: str) -> Row | None:
        life = await self.engine.life(request_id)
        return life if life and life["ended_at"] else None

    async def said(self, name: str) -> list[str]:
        page = await self.engine.page({"view": "logs", "function": name, "limit": 500}, None)
        return [row["text"] for row in page["rows"]]


@pytest.fixture
def lessons(tmp_path: Path) -> Callable[..., None]:
    def run(story: Callable[[Lessons], Awaitable[None]], *, boto3: bool = False, **settings: Any) -> None:
        async def play() -> None:
            folder, files = tmp_path / "lessons", tmp_path / "files"
            shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
            files.mkdir()
            template = (folder / "template.yaml").read_text()
            for shipped, quick in QUICK.items():
                template = template.replace(shipped, quick)
            changed = {"template.yaml": template}
            if not boto3:
                changed["boto3.py"] = WITHOUT_BOTO3
            variables = tmp_path / "ledgers.env"
            variables.write_text(f"LEDGERS={files}\n")
            environ = {"PATH": os.environ["PATH"]}
            async with live(folder, changed, watch=False, environ=environ, env_file=variables, **settings) as engine:
                await asyncio.wait_for(story(Lessons(engine, files)), 20)

        asyncio.run(play())

    return run


def test_only_the_first_call_waits_for_the_slow_import(lessons: Callable[..., None]) -> None:
    async def story(it: Lessons) -> None:
        function = it.engine.functions["slow-import"]
        cold, warm = [
            await it.engine.invoke(function, b"{}", source="test", request_id=it.engine.new_request_id())
            for _ in range(2)
        ]
        assert cold.outcome.init_duration is not None
        assert cold.outcome.init_duration >= 0.2
        assert warm.outcome.init_duration is None
        answers = [json.loads(answered.outcome.payload) for answered in (cold, warm)]
        assert [answer["call"] for answer in answers] == [1, 2]
        assert answers[0]["environment"] == answers[1]["environment"]

    lessons(story)


def test_without_a_key_each_attempt_charges_again(lessons: Callable[..., None]) -> None:
    async def story(it: Lessons) -> None:
        life = await it.send("charges-again")
        assert (life["condition"], len(life["attempts"])) == ("RetriesExhausted", 3)
        assert (it.files / "lamtop-charges-again.txt").read_text() == f"order 17 paid, request {life['id']}\n" * 3
        assert "charged again: order 17, 3 times now" in await it.said("charges-again")

    lessons(story, speed=400.0)


def test_with_the_request_id_as_key_it_charges_once(lessons: Callable[..., None]) -> None:
    async def story(it: Lessons) -> None:
        life = await it.send("charges-once")
        assert (life["condition"], len(life["attempts"])) == ("Success", 2)
        assert (it.files / "lamtop-charges-once.txt").read_text() == f"order 17 paid, request {life['id']}\n"
        assert "charged already: order 17, nothing to do" in await it.said("charges-once")

    lessons(story, speed=400.0)


@pytest.mark.parametrize("boto3", [True, False])
def test_the_chain_waits_for_its_second_link_and_passes_the_trace_on(lessons: Callable[..., None], boto3: bool) -> None:
    root = "Root=1-5759e988-bd862e3fe1be46a994272793"

    async def story(it: Lessons) -> None:
        answer = await it.invoke("chain-a", {"seconds": 0.2}, X_Amzn_Trace_Id=root)
        assert answer["waited"] >= answer["answer"]["worked_for"] == 0.2
        assert any(line.startswith("trace ") and root in line for line in await it.said("chain-b"))

    lessons(story, boto3=boto3)


def test_the_picture_event_is_as_s3_sends_it_and_thumbnails_make_no_thumbnails(project: Project) -> None:
    [record] = json.loads((FOLDER / "thumbnail.json").read_text())["Records"]
    assert set(record) == {
        "eventVersion", "eventSource", "awsRegion", "eventTime", "eventName", "userIdentity", "requestParameters",
        "responseElements", "s3",
    }  # fmt: skip
    assert set(record["s3"]) == {"s3SchemaVersion", "configurationId", "bucket", "object"}
    handler = handler_of("thumbnail")
    made = {"bucket": "holiday-pictures", "key": "thumbnails/2026/at the sea (1).jpg"}
    assert handler({}, context()) == handler({"Records": [record]}, context()) == [made]
    record["s3"]["object"]["key"] = "thumbnails/2026/at+the+sea+%281%29.jpg"
    assert handler({"Records": [record]}, context()) == []


def test_a_batch_is_throttled_at_its_reserved_concurrency_and_none_is_lost(lessons: Callable[..., None]) -> None:
    async def story(it: Lessons) -> None:
        most = 0
        assert await it.invoke("batch", {"size": 12}) == {"queued": 12}

        async def all_done() -> bool:
            nonlocal most
            most = max(most, it.engine.dispatcher.in_flight.by_function.get("batch-item", 0))
            return bool(it.engine.views.totals()["succeeded"] == 12)

        await until_awaited(all_done, "the end of the batch")
        assert most <= it.engine.functions["batch-item"].reserved_concurrency == 2
        assert it.engine.views.totals()["throttles"] > 0
        done = [line for line in await it.said("batch-item") if line.endswith("is done")]
        assert sorted(done) == sorted(f"item {item} is done" for item in range(12))

    lessons(story, speed=50.0)


def test_the_files_of_a_folder_are_read_by_several_environments_at_the_same_time(lessons: Callable[..., None]) -> None:
    async def story(it: Lessons) -> None:
        for number in range(4):
            (it.files / f"{number}.txt").write_text("three words each")
        assert await it.invoke("folder", {"folder": str(it.files)}) == {"files": 4, "words": 12}
        assert it.engine.environments.live("folder-file") > 1  # each takes 0.3 s

    lessons(story)
