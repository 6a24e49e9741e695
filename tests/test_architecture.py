"""The shape of the repository: what is packaged, who imports whom, and what no file may say."""

import ast
import functools
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("engine", "tui", "handlers")

#: What decisions may be made of: values, and nothing that touches the world.
CORE_MAY_IMPORT = frozenset({"abc", "base64", "collections", "dataclasses", "datetime", "enum", "functools", "hashlib",
                             "itertools", "json", "math", "re", "string", "typing"})  # fmt: skip
NAMES_THAT_SAY_NOTHING = frozenset({"utils", "util", "helpers", "helper", "common", "manager", "managers", "models",
                                    "types", "base", "misc"})  # fmt: skip


def sources(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert found
    return found


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@functools.cache
def imports(path: Path) -> list[str]:
    """Every module that this file imports, as it is written; relative ones begin with dots."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append("." * node.level + (node.module or ""))
    return found


# -- packaging ---------------------------------------------------------------------------------------------------------


def folders_with_code() -> set[str]:
    """The packages that there are, under the names that they are installed by."""
    return {
        "lamtop." + ".".join(path.parent.relative_to(ROOT).parts)
        for top in PACKAGES
        for path in (ROOT / top).rglob("*.py")
    }


def test_every_package_is_listed_and_every_listed_one_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = project["tool"]["setuptools"]["packages"]
    assert len(listed) == len(set(listed))
    with_init = {
        "lamtop." + ".".join(path.parent.relative_to(ROOT).parts)
        for top in PACKAGES
        for path in (ROOT / top).rglob("__init__.py")
    }
    assert set(listed) == with_init


def test_no_folder_with_code_is_left_out_of_the_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert folders_with_code() - set(project["tool"]["setuptools"]["packages"]) == set()


def test_every_file_that_is_no_python_is_shipped() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["*"]
    others = [
        path
        for top in PACKAGES
        for path in (ROOT / top).rglob("*")
        if path.is_file()
        and path.suffix not in (".py", ".pyc")
        and path.parent.name not in ("pictures", "lamtop-examples")
    ]
    assert others
    assert [named(path) for path in others if not any(path.match(pattern) for pattern in patterns)] == []


def test_what_is_installed_is_called_lamtop_and_never_engine_or_tui() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["setuptools"]["package-dir"] == {f"lamtop.{top}": top for top in PACKAGES}


# -- what is loaded when -----------------------------------------------------------------------------------------------


def loaded_by(code: str) -> set[str]:
    """The modules in memory after a fresh interpreter has run this."""
    # Without the site's own start-up files nothing is loaded that the code did not ask for.
    program = f"import sys\n{code}\nprint(*sorted(sys.modules), file=sys.__stdout__)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd="/", check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


def families(modules: set[str], *wanted: str) -> list[str]:
    return sorted(m for m in modules if m in wanted or m.startswith(tuple(f"{name}." for name in wanted)))


def test_the_monitor_paints_without_loading_the_engine_or_its_libraries() -> None:
    loaded = loaded_by("import lamtop.tui.app")
    assert "textual" in loaded
    assert families(loaded, "lamtop.engine", "aiohttp", "yaml", "sqlite3", "watchfiles") == []


def test_the_engine_runs_without_loading_the_monitor() -> None:
    loaded = loaded_by("import lamtop.engine.engine")
    assert "lamtop.engine.dispatcher" in loaded
    assert families(loaded, "textual", "rich", "lamtop.tui", "click") == []


def test_the_door_of_the_engine_loads_nothing_behind_it() -> None:
    assert families(loaded_by("import lamtop.engine"), "lamtop.engine") == ["lamtop.engine"]


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["serve", "--help"]])
def test_a_word_about_itself_loads_neither_engine_nor_monitor(arguments: list[str]) -> None:
    loaded = loaded_by(
        "from lamtop.tui.cli import main\n"
        "import contextlib, io\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        f"    main({arguments!r})"
    )
    assert "click" in loaded
    assert families(loaded, "lamtop.engine", "textual", "rich", "aiohttp", "yaml", "sqlite3") == []


# -- who imports whom --------------------------------------------------------------------------------------------------


def test_only_the_store_knows_sql() -> None:
    users = {named(path) for path in sources(*PACKAGES) if "sqlite3" in imports(path)}
    assert users
    assert {user for user in users if not user.startswith("engine/store/")} == set()


def test_the_core_is_made_of_values() -> None:
    for path in sources("engine/core"):
        outside = {name.split(".")[0] for name in imports(path) if not name.startswith(".")}
        assert outside - CORE_MAY_IMPORT == set(), named(path)
        above = {name for name in imports(path) if name.startswith("..")}
        assert above == set(), named(path)


def test_the_core_asks_neither_the_clock_nor_dice() -> None:
    for path in sources("engine/core"):
        called = {
            node.func.id
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        }
        assert called & {"open", "print", "input", "exec", "eval", "__import__"} == set(), named(path)


def test_what_runs_under_the_users_interpreter_needs_the_standard_library_alone() -> None:
    """It is started by its path, where lamtop is not installed."""
    programs = [path for path in sources("engine/edges/environments/runtime") if path.name != "__init__.py"]
    for path in programs:
        for name in imports(path):
            assert not name.startswith("."), f"{named(path)}: {name}"
            assert name.split(".")[0] in sys.stdlib_module_names, f"{named(path)}: {name}"


def test_no_program_of_the_runtime_hides_a_module_of_the_standard_library() -> None:
    """The folder of a program that is started by its path is the first that Python searches."""
    names = {path.stem for path in sources("engine/edges/environments/runtime")}
    assert {"bootstrap", "zygote"} <= names
    assert names & sys.stdlib_module_names == set()


def test_nobody_imports_the_examples() -> None:
    for path in sources("engine", "tui"):
        assert not [name for name in imports(path) if "handlers" in name.split(".")], named(path)


def test_only_the_command_line_and_the_client_of_the_monitor_import_the_engine() -> None:
    users = {named(path) for path in sources("tui") if any(name.startswith("lamtop.engine") for name in imports(path))}
    assert users <= {
        "tui/client.py",
        "tui/engines.py",
        "tui/fault_grammar.py",
        "tui/replay_client.py",
        "tui/commands/meant.py",
        "tui/commands/options.py",
        "tui/commands/replay.py",
        "tui/commands/serve.py",
        "tui/commands/tapes.py",
        "tui/demo/company.py",  # a tape's engine is in its own process
        "tui/demo/door.py",
        "tui/demo/props.py",
    }, users


def test_no_module_has_a_name_that_says_nothing() -> None:
    names = {named(path) for path in sources(*PACKAGES) if {path.stem, path.parent.name} & NAMES_THAT_SAY_NOTHING}
    assert names == set()


# -- what no file may say ----------------------------------------------------------------------------------------------

#: Paths of the machine that somebody happened to work on, and hosts that packages came from.
PRIVATE = re.compile(
    "|".join(
        [
            "/" + r"work/",
            "/tmp/" + r"venv\b",
            "pythonhosted" + r"\.org",
            "index" + r"[-_]url",
            "arti" + "factory",
            r"https?://[^\s\"')]+/" + r"simple\b",
        ]
    )
)


def texts() -> list[Path]:
    found = [ROOT / "README.md", ROOT / "pyproject.toml", ROOT / "CHANGELOG.md"]
    for folder in (*PACKAGES, "tests"):
        found += [
            path
            for path in sorted((ROOT / folder).rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts and path.suffix not in (".pyc", ".png", ".gif")
        ]
    return found


def test_no_file_tells_where_it_was_written_or_where_packages_came_from() -> None:
    told = [
        f"{named(path)}:{number}: {line.strip()}"
        for path in texts()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if PRIVATE.search(line)
    ]
    assert told == []


def test_there_is_no_lock_file() -> None:
    assert [name for name in ("uv.lock", "poetry.lock", "Pipfile.lock") if (ROOT / name).exists()] == []
