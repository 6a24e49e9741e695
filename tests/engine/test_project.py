"""Which functions a person means: what they name, what lies around, or the examples."""

from pathlib import Path

import pytest

from lamtop.engine.project import Found, find, load
from lamtop.engine.project.errors import ConfigurationError

HANDLER = "def handler(event, context): ...\n"
TEMPLATE = """\
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties: {Handler: app.handler, Runtime: python3.13, CodeUri: src}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


# find


def test_a_path_that_is_given_is_taken_as_it_is(folder: Path) -> None:
    write(folder / "template.yaml", TEMPLATE)
    app = write(folder / "app.py", HANDLER)
    assert find(Path("app.py"), folder) == Found(app, copied=False)
    assert find(app, folder / "elsewhere") == Found(app, copied=False)


@pytest.mark.parametrize("name", ["gone.yaml", "x" * 300])
def test_a_path_that_does_not_exist_is_told(folder: Path, name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        find(Path(name), folder)
    assert str(caught.value) == f"{name} does not exist; name a template.yaml, a folder or a .py file"


def test_the_usual_places_are_searched_in_their_order(folder: Path) -> None:
    places = [
        (write(folder / "app.py", HANDLER), folder),
        (write(folder / "handlers/app.py", HANDLER), folder / "handlers"),
        (write(folder / "handlers/template.yaml", TEMPLATE), folder / "handlers/template.yaml"),
        (write(folder / "template.yml", TEMPLATE), folder / "template.yml"),
        (write(folder / "template.yaml", TEMPLATE), folder / "template.yaml"),
    ]
    for written, expected in reversed(places):
        assert find(None, folder) == Found(expected, copied=False)
        written.unlink()


def test_a_handlers_folder_without_handlers_is_passed_over(folder: Path) -> None:
    write(folder / "handlers/signals.py", "def connect(): ...\n")
    write(folder / "app.py", HANDLER)
    assert find(None, folder) == Found(folder, copied=False)


def test_in_a_folder_without_functions_the_examples_are_copied(folder: Path) -> None:
    found = find(None, folder)
    assert found == Found(folder / "lamtop-examples/template.yaml", copied=True)
    project = load(found.path)
    assert "request-response" in project.functions
    assert (folder / "lamtop-examples/thumbnail.json").exists()  # an example reads it
    assert project.warnings == ()
    assert not (folder / "lamtop-examples/__init__.py").exists()


def test_the_examples_are_copied_once_and_never_over_a_file_of_yours(folder: Path) -> None:
    mine = write(folder / "lamtop-examples/flaky.py", "# mine\n")
    assert find(None, folder).copied
    crashes = folder / "lamtop-examples/crashes.py"
    crashes.unlink()
    assert find(None, folder) == Found(folder / "lamtop-examples/template.yaml", copied=False)
    assert mine.read_text() == "# mine\n"
    assert not crashes.exists()


def test_a_place_where_the_examples_cannot_be_copied_is_told(folder: Path) -> None:
    write(folder / "lamtop-examples", "a file")
    with pytest.raises(ConfigurationError) as caught:
        find(None, folder)
    assert str(caught.value) == (
        "the examples cannot be copied to lamtop-examples (File exists); name a template.yaml, a folder or a .py file"
    )


# load


def test_a_template_is_watched_with_the_folders_of_its_code(folder: Path) -> None:
    write(folder / "src/app.py", HANDLER)
    template = write(folder / "template.yaml", TEMPLATE)
    project = load(template)
    assert (project.source, project.root) == (template, folder)
    assert list(project.functions) == ["Orders"]
    assert project.watched == (template, folder / "src")


def test_a_folder_with_a_template_means_the_template(folder: Path) -> None:
    write(folder / "src/app.py", HANDLER)
    template = write(folder / "template.yaml", TEMPLATE)
    write(folder / "other.py", HANDLER)
    assert load(folder).source == template
    assert list(load(folder).functions) == ["Orders"]


def test_a_folder_without_a_template_means_its_files(folder: Path) -> None:
    write(folder / "app.py", HANDLER)
    write(folder / "bad.py", "def (")
    project = load(folder)
    assert (project.source, project.root, project.watched) == (folder, folder, (folder,))
    assert list(project.functions) == ["app"]
    assert project.queues == {}
    assert project.warnings == ("bad.py: does not parse as Python; it is ignored",)


def test_one_file_is_one_function(folder: Path) -> None:
    app = write(folder / "app.py", HANDLER)
    write(folder / "other.py", HANDLER)
    project = load(app)
    assert (project.source, project.root, project.watched) == (app, folder, (folder,))
    assert list(project.functions) == ["app"]


def test_a_link_means_what_it_points_to(folder: Path) -> None:
    app = write(folder / "real/app.py", HANDLER)
    (folder / "link").symlink_to("real")
    assert load(Path("link/app.py")).source == app


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("app.py", "x = 1\n", "app.py: there is no function in it; name one lambda_handler or handler"),
        (
            "app.py",
            "async def handler(e, c): ...\n",
            "app.py: there is no function in it; name one lambda_handler or handler\n"
            "app.py: 'async def handler' is no handler for Lambda, which calls it without await",
        ),
        (
            "notes.txt",
            "",
            "notes.txt is nothing that lamtop can run; name a template.yaml, a folder or a .py file",
        ),
        (
            "empty/notes.txt",
            "",
            "empty: there is no function in it; "
            "add a template.yaml, or a .py file with a function named lambda_handler or handler",
        ),
    ],
)
def test_a_place_without_functions_says_what_to_add(folder: Path, name: str, text: str, message: str) -> None:
    written = write(folder / name, text)
    with pytest.raises(ConfigurationError) as caught:
        load(written.parent if name.startswith("empty") else written)
    assert str(caught.value) == message


def test_a_source_that_has_gone_is_told() -> None:
    with pytest.raises(
        ConfigurationError, match=r"^gone does not exist; name a template.yaml, a folder or a .py file$"
    ):
        load(Path("gone"))


def test_a_project_is_named_as_it_is_seen_from_here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(folder / "shop/template.yaml", "a")
    with pytest.raises(ConfigurationError, match=r"^shop/template.yaml:1: "):
        load(folder / "shop")
    (folder / "here").mkdir()
    monkeypatch.chdir(folder / "here")
    with pytest.raises(ConfigurationError, match=f"^{folder}/shop/template.yaml:1: "):
        load(folder / "shop")
