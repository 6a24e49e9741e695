"""Functions without a template are found in the text of files, which are never imported."""

import os
from pathlib import Path

import pytest

from lamtop.engine.project.discovery import Discovery


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(folder: Path) -> dict[str, str]:
    return {name: function.handler for name, function in Discovery.of_folder(folder).functions.items()}


def warned(folder: Path) -> list[str]:
    return Discovery.of_folder(folder).warnings


@pytest.mark.parametrize(
    "text",
    [
        "def handler(event, context): ...",
        "handler = make()",
        "handler = module.function",
        "handler: object = lambda event, context: 1",
        "first = handler = make()",
    ],
)
def test_a_file_that_defines_a_handler_is_a_function(folder: Path, text: str) -> None:
    (folder / "orders.py").write_text(text)
    assert found(folder) == {"orders": "orders.handler"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "def other(): ...",
        "handler = 3",
        "handler: int",
        "class A:\n    def handler(self): ...",
        "def outer():\n    def handler(): ...",
        "# def handler",
        "handlers = make()",
    ],
)
def test_a_file_without_one_is_not(folder: Path, text: str) -> None:
    (folder / "orders.py").write_text(text)
    assert found(folder) == {}
    assert warned(folder) == []


def test_lambda_handler_goes_before_handler(folder: Path) -> None:
    (folder / "orders.py").write_text("def handler(e, c): ...\ndef lambda_handler(e, c): ...\n")
    assert found(folder) == {"orders": "orders.lambda_handler"}


def test_a_file_is_read_and_never_run(folder: Path) -> None:
    (folder / "orders.py").write_text("raise SystemExit\ndef handler(e, c): ...\n")
    assert found(folder) == {"orders": "orders.handler"}


def test_a_function_found_has_the_defaults_of_aws_and_its_folder_as_code(folder: Path) -> None:
    (folder / "orders.py").write_text("def handler(e, c): ...\n")
    function = Discovery.of_folder(folder).functions["orders"]
    assert (function.code, function.timeout, function.memory) == (str(folder), 3.0, 128)


def test_an_async_handler_is_told_because_lambda_would_not_await_it(folder: Path) -> None:
    (folder / "orders.py").write_text("async def handler(e, c): ...\n")
    assert found(folder) == {}
    assert warned(folder) == ["orders.py: 'async def handler' is no handler for Lambda, which calls it without await"]


def test_a_file_that_is_broken_while_it_is_edited_stays_a_function(folder: Path) -> None:
    (folder / "orders.py").write_text("def lambda_handler(event, context):\n    return (\n")
    assert found(folder) == {"orders": "orders.lambda_handler"}


def test_a_broken_file_without_a_handler_is_ignored_with_a_warning(folder: Path) -> None:
    (folder / "orders.py").write_text("def (")
    assert found(folder) == {}
    assert warned(folder) == ["orders.py: does not parse as Python; it is ignored"]


@pytest.mark.parametrize(
    ("content", "warning"),
    [
        (b"def handler(e, c): '\xff'", "is not UTF-8 text; it is ignored"),
        (b"x = '\0'", "does not parse as Python; it is ignored"),
        (b"x = " + b"(" * 5000, "does not parse as Python; it is ignored"),
        (b"#" * (1024 * 1024 + 1), "is larger than 1 MB; it is ignored"),
    ],
)
def test_a_file_that_cannot_be_python_is_ignored_with_a_warning(folder: Path, content: bytes, warning: str) -> None:
    (folder / "orders.py").write_bytes(content)
    assert found(folder) == {}
    assert warned(folder) == [f"orders.py: {warning}"]


def test_a_file_may_declare_another_encoding(folder: Path) -> None:
    (folder / "orders.py").write_bytes(b"# coding: latin-1\ndef handler(e, c): return '\xff'\n")
    assert found(folder) == {"orders": "orders.handler"}


def test_a_doubtful_escape_in_a_handler_is_no_warning_of_ours(folder: Path) -> None:
    (folder / "orders.py").write_text('handler = make("\\d")\n')
    assert found(folder) == {"orders": "orders.handler"}


def test_each_folder_may_hold_one_function_in_a_usual_file(folder: Path) -> None:
    for name in ("a/app.py", "b/handler.py", "c/lambda_function.py", "d/index.py", "e/other.py", "f/deep/app.py"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text("def handler(e, c): ...\n")
    assert found(folder) == {
        "a": "app.handler",
        "b": "handler.handler",
        "c": "lambda_function.handler",
        "d": "index.handler",
    }
    assert Discovery.of_folder(folder).functions["a"].code == str(folder / "a")


@pytest.mark.parametrize("name", [".git", ".lamtop", "node_modules", "tests", "venv", "__pycache__", "my-env"])
def test_folders_of_tools_and_tests_are_skipped(folder: Path, name: str) -> None:
    (folder / name).mkdir()
    (folder / name / "app.py").write_text("def handler(e, c): ...\n")
    (folder / "my-env").mkdir(exist_ok=True)
    (folder / "my-env/pyvenv.cfg").touch()
    assert found(folder) == {}


@pytest.mark.parametrize(
    "name", ["__init__.py", "conftest.py", "setup.py", "test_orders.py", "orders_test.py", ".x.py"]
)
def test_files_that_serve_a_package_or_its_tests_are_skipped(folder: Path, name: str) -> None:
    (folder / name).write_text("def handler(e, c): ...\n")
    assert found(folder) == {}


def test_a_name_is_made_to_fit_the_rule_of_aws(folder: Path) -> None:
    (folder / "my orders é.py").write_text("def handler(e, c): ...\n")
    (folder / f"{'x' * 80}.py").write_text("def handler(e, c): ...\n")
    assert found(folder) == {"my-orders--": "my orders é.handler", "x" * 64: f"{'x' * 80}.handler"}


def test_the_second_function_of_one_name_is_ignored_with_a_warning(folder: Path) -> None:
    (folder / "a b.py").write_text("def handler(e, c): ...\n")
    (folder / "a-b.py").write_text("def handler(e, c): ...\n")
    assert found(folder) == {"a-b": "a b.handler"}
    assert warned(folder) == ["a-b.py: a function named 'a-b' is in a b.py already; it is ignored"]


@pytest.mark.parametrize(("name", "shown"), [("v1.2.py", "v1.2.py"), ("\x1b[31m.py", "\\x1b[31m.py")])
def test_a_file_name_that_no_import_can_say_is_a_warning(folder: Path, name: str, shown: str) -> None:
    (folder / name).write_text("def handler(e, c): ...\n")
    assert found(folder) == {}
    assert warned(folder) == [f"{shown}: a module of this name cannot be imported; use letters, digits, '-' and '_'"]


def test_what_is_no_file_and_what_cannot_be_reached_is_passed_over(folder: Path) -> None:
    (folder / "folder.py").mkdir()
    (folder / "dangling.py").symlink_to("gone")
    (folder / "loop.py").symlink_to("loop.py")
    os.mkfifo(folder / "pipe.py")
    assert found(folder) == {}
    assert found(folder / "gone") == {}


def test_a_file_that_may_not_be_read_is_a_warning(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "orders.py").write_text("def handler(e, c): ...\n")

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert warned(folder) == ["orders.py: cannot be read (Permission denied); it is ignored"]


def test_one_file_may_be_named_by_hand_whatever_it_is_called(folder: Path) -> None:
    (folder / "test_orders.py").write_text("def handler(e, c): ...\n")
    assert list(Discovery.of_file(folder / "test_orders.py").functions) == ["test_orders"]
