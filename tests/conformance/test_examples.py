"""The examples deploy to AWS as they are, load here without a warning, and say what to watch."""

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lamtop.engine.core.arn import queue_arn
from lamtop.engine.project import Project, load

FOLDER = Path(__file__).resolve().parents[2] / "handlers"
EXAMPLES = sorted(path for path in FOLDER.glob("*.py") if path.name != "__init__.py")
LESSONS = {"always-fails", "crashes", "fire-and-forget", "flaky", "request-response", "times-out"}


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
    return SimpleNamespace(aws_request_id=request_id, get_remaining_time_in_millis=lambda: 3000)


def test_the_template_is_clean_for_cfn_lint() -> None:
    command = [sys.executable, "-c", "from cfnlint.runner import main; main()", str(FOLDER / "template.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_every_example_is_a_function_of_the_template_and_none_is_doubtful(project: Project) -> None:
    assert project.warnings == ()
    assert set(project.functions) >= LESSONS
    assert {f"{function.handler.partition('.')[0]}.py" for function in project.functions.values()} == {
        path.name for path in EXAMPLES
    }


def test_the_failing_ones_send_their_dead_letters_to_a_queue_and_one_sends_its_results(project: Project) -> None:
    failing = {"always-fails", "crashes", "flaky", "times-out"}
    assert failing <= set(project.queues["lamtop-dead-letters"].dead_letters_of)
    destinations = project.functions["fire-and-forget"].event_invoke_config
    assert destinations.on_success == destinations.on_failure == queue_arn("lamtop-results")


def test_the_one_that_times_out_does_so_at_the_default(project: Project) -> None:
    assert project.functions["times-out"].timeout == 3.0
    assert project.functions["request-response"].timeout == 10.0


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_short_and_its_two_opening_lines_say_what_to_watch(path: Path) -> None:
    text = path.read_text()
    opening = ast.get_docstring(ast.parse(text)) or ""
    assert len(opening.splitlines()) == 2
    assert opening.splitlines()[1].startswith("Watch")
    assert 10 <= len(text.splitlines()) <= 30


@pytest.mark.parametrize("event", [{}, {"seconds": 0}, [], "text", None, 3])
@pytest.mark.parametrize("name", ["request_response", "fire_and_forget", "times_out"])
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
