"""Hot reload with real processes and real files: what is saved serves the next invocation, or the old code goes on."""

import asyncio
import json
import math
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.live import live, notices, stopped, until, until_awaited, write
from lamtop.engine import Engine
from lamtop.engine.edges import watcher
from lamtop.engine.edges.watcher import Watcher, folders_of
from lamtop.engine.project import Project
from lamtop.engine.view import parse_view

Row = dict[str, Any]
Tell = Callable[..., None]


def returns(value: str) -> str:
    return f"def handler(event, context):\n    return {value!r}\n"


def template(**functions: Row) -> str:
    resources = {}
    for name, properties in functions.items():
        common = {"FunctionName": name, "Runtime": "python3.11", "CodeUri": ".", "Handler": f"{name}.handler"}
        resources[name.title()] = {"Type": "AWS::Serverless::Function", "Properties": {**common, **properties}}
    return json.dumps({"Transform": "AWS::Serverless-2016-10-31", "Resources": resources})


class Story:
    """A project under a running engine, and a person who saves files."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder

    def save(self, **files: str) -> None:
        write(self.folder, {f"{name}.py": text for name, text in files.items()})

    async def result(self, name: str = "orders") -> Any:
        engine = self.engine
        answered = await engine.invoke(engine.functions[name], b"{}", source="test", request_id=engine.new_request_id())
        return json.loads(answered.outcome.payload)

    async def is_watched(self, note: str = "notes.md") -> None:
        """Wait until the watch is in place: until it has told of a file that concerns nobody."""
        tell = self.engine.watcher._changed
        seen: set[str] = set()

        def changed(paths: set[Path]) -> None:
            seen.update(str(path.relative_to(self.folder)) for path in paths)
            tell(paths)

        self.engine.watcher._changed = changed

        def touched() -> bool:
            (self.folder / note).touch()
            return note in seen

        await until(touched, "the watch")

    async def said(self, *words: str) -> str:
        """The notice that has all of these words, once there is one."""

        def found() -> str:
            return next((text for text in notices(self.engine) if all(word in text for word in words)), "")

        return await until(found, f"a notice with {words}", 6)

    async def has_imported(self, name: str) -> None:
        """Wait until a module has left its mark."""
        await until((self.folder / f"{name}.imported").exists, f"the import of {name}")

    async def rests(self) -> None:
        """Wait until no reload is under way."""
        reloader = self.engine.reloader
        await until(lambda: not reloader._tasks and reloader._timer is None, "rest")

    async def is_there(self, name: str = "orders") -> None:
        await until(lambda: name in self.engine.functions, f"function {name}", 6)

    async def is_served(self, value: Any, name: str = "orders") -> None:
        async def is_there() -> bool:
            return bool(await self.result(name) == value)

        await until_awaited(is_there, f"{value} from {name}", 6)

    def row(self, name: str = "orders") -> Row:
        _, rows = self.engine.views.rows(parse_view("f", {"view": "functions"}))
        return next(row for row in rows if row["id"] == name)


@pytest.fixture
def tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tell:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))

    def run(
        files: dict[str, str], story: Callable[[Story], Awaitable[None]], watched: bool = True, **settings: Any
    ) -> None:
        async def play() -> None:
            folder = tmp_path / "project"
            async with live(folder, files, **{"watch": True, **settings}) as engine:
                told = Story(engine, folder)
                if watched:
                    await told.is_watched()
                await asyncio.wait_for(story(told), 15)

        asyncio.run(play())

    return run


ORDERS = {"template.yaml": template(orders={}), "orders.py": returns("old")}


# -- good saves --------------------------------------------------------------------------------------------------------


def test_what_is_saved_serves_the_next_invocation_and_a_notice_says_so(tell: Tell) -> None:
    async def story(it: Story) -> None:
        assert await it.result() == "old"
        it.save(orders=returns("new"))
        notice = await it.said("orders v2")
        start, middle, end = notice.split(", ")
        assert (start, middle) == ("orders v2", "orders.py changed")
        assert end.removesuffix(" ms").isdigit()
        assert await it.result() == "new"
        assert (it.row()["version"], it.row()["reload_error"]) == (2, None)

    tell(ORDERS, story)


def test_a_file_that_is_written_in_place_is_noticed_too(tell: Tell) -> None:
    async def story(it: Story) -> None:
        (it.folder / "orders.py").write_text(returns("written in place"))
        await it.said("orders v2, orders.py changed")
        assert await it.result() == "written in place"

    tell(ORDERS, story)


def test_a_project_that_is_one_file_is_reloaded_too(tell: Tell, tmp_path: Path) -> None:
    async def story(it: Story) -> None:
        assert await it.result() == "old"
        it.save(orders=returns("new"))
        await it.said("orders v2, orders.py changed")
        assert await it.result() == "new"
        it.save(orders="import prices\n\ndef handler(event, context):\n    return prices.PRICE\n")
        await it.said("orders v3, orders.py changed")
        it.save(prices="PRICE = 22\n")
        await it.said("orders v4, prices.py changed")
        assert await it.result() == 22

    files = {"orders.py": returns("old"), "prices.py": "PRICE = 1\n"}
    tell(files, story, source=tmp_path / "project" / "orders.py")


def test_a_module_that_the_handler_imports_is_reloaded_with_it(tell: Tell) -> None:
    files = {
        **ORDERS,
        "orders.py": "import prices\n\ndef handler(event, context):\n    return prices.PRICE\n",
        "prices.py": "PRICE = 1\n",
    }

    async def story(it: Story) -> None:
        assert await it.result() == 1
        it.save(prices="PRICE = 22\n")
        await it.said("orders v2, prices.py changed")
        assert await it.result() == 22

    tell(files, story)


def test_a_function_that_lies_beside_and_is_not_touched_stays_as_it_is(tell: Tell) -> None:
    files = {"template.yaml": template(orders={}, other={}), "orders.py": returns("old"), "other.py": returns("other")}

    async def story(it: Story) -> None:
        it.save(orders=returns("new"))
        await it.said("orders v2")
        assert (it.row("other")["version"], await it.result("other")) == (1, "other")

    tell(files, story)


def test_a_warm_function_that_does_not_import_the_saved_handler_stays_warm(tell: Tell) -> None:
    template_ = template(orders={}, other={}, third={}, fourth={})
    files = {"template.yaml": template_, "orders.py": returns("old"), "other.py": returns("other")}
    files["third.py"] = "import orders\n" + returns("third")
    files["fourth.py"] = "import shared\n" + returns("fourth")
    files["shared.py"] = ""

    async def story(it: Story) -> None:
        for name in ("orders", "other", "third", "fourth"):
            await it.result(name)
        it.save(orders=returns("new"))
        await it.said("orders v2")
        await it.said("third v2, orders.py changed")
        it.save(shared="import orders\n")
        for name in ("orders v3", "other v2", "third v3", "fourth v2"):
            await it.said(f"{name}, shared.py changed")
        it.save(orders=returns("newer"))
        await it.said("fourth v3, orders.py changed")

    tell(files, story)


def test_a_running_invocation_finishes_on_the_code_it_began_with(tell: Tell, tmp_path: Path) -> None:
    waits = """
        import pathlib, time

        def handler(event, context):
            folder = pathlib.Path(__file__).parent
            (folder / "begun.txt").write_text("")
            while not (folder / "go.txt").exists():
                time.sleep(0.002)
            return "old"
    """

    async def story(it: Story) -> None:
        running = asyncio.create_task(it.result())
        await until((it.folder / "begun.txt").exists, "the handler's start")
        it.save(orders=returns("new"))
        await it.said("orders v2")
        assert await it.result() == "new"
        assert not running.done()
        (it.folder / "go.txt").touch()
        assert await running == "old"
        assert {await it.result() for _ in range(4)} == {"new"}  # its environment is of the past

    tell({"template.yaml": template(orders={"Timeout": 30}), "orders.py": waits}, story)


def test_a_layer_that_is_saved_is_code_that_is_saved(tell: Tell) -> None:
    layer = {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": "layer"}}
    with_layer = json.loads(template(orders={"CodeUri": "src", "Layers": [{"Ref": "Shared"}]}))
    with_layer["Resources"]["Shared"] = layer
    files = {
        "template.yaml": json.dumps(with_layer),
        "src/orders.py": "from shared import value\n\ndef handler(event, context): return value\n",
        "layer/python/shared.py": "value = 'old'\n",
    }

    async def story(it: Story) -> None:
        assert await it.result() == "old"
        write(it.folder, {"layer/python/shared.py": "value = 'new'\n"})
        await it.said("orders v2", "shared.py changed")
        assert await it.result() == "new"

    tell(files, story)


def test_events_that_wait_in_the_queue_run_the_new_code(tell: Tell) -> None:
    async def story(it: Story) -> None:
        request_id = it.engine.new_request_id()
        await it.engine.accept(it.engine.functions["orders"], b"{}", source="test", request_id=request_id)

        async def retrying() -> Row | None:
            life = await it.engine.life(request_id)
            return life if life and life["reason"] == "retry" else None

        await until_awaited(retrying, "the first failure")
        it.save(orders=returns("new"))
        await it.said("orders v2")

        async def ended() -> Row | None:
            life = await it.engine.life(request_id)
            return life if life and life["ended_at"] else None

        life = await until_awaited(ended, "the end of the event")
        assert [(a["ended"], a["version"]) for a in life["attempts"]] == [("function error", 1), ("returned", 2)]
        assert json.loads(life["attempts"][1]["result"]) == "new"

    fails = "def handler(event, context):\n    raise ValueError\n"
    tell({**ORDERS, "orders.py": fails}, story, speed=40.0)  # the retry comes after 1.5 s


def test_a_save_before_the_watch_is_in_place_is_noticed_too(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = threading.Event()

    def folders_then(*roots: Any) -> list[Path]:
        saved.wait(10)
        return folders_of(*roots)

    monkeypatch.setattr(watcher, "folders_of", folders_then)

    async def story(it: Story) -> None:
        assert await it.result() == "old"
        it.save(orders=returns("saved at once"))
        write(it.folder, {"template.yaml": template(orders={"Timeout": 9})})
        saved.set()
        await it.is_served("saved at once")
        await until(lambda: it.row()["timeout"] == 9, "the new timeout")

    tell(ORDERS, story, watched=False)


def test_a_touch_without_a_change_is_no_save(tell: Tell) -> None:
    files = {"template.yaml": template(orders={}, other={}), "orders.py": returns("old"), "other.py": returns("other")}

    async def story(it: Story) -> None:
        assert await it.result() == "old"
        (it.folder / "orders.py").touch()
        it.save(orders=returns("old"))
        it.save(other=returns("newer"))
        await it.said("other v2")
        assert it.row()["version"] == 1

    tell(files, story)


def test_a_submodule_of_the_handlers_package_counts(tell: Tell) -> None:
    files = {
        "template.yaml": template(orders={"Handler": "shop.app.handler"}),
        "shop/__init__.py": "",
        "shop/app.py": "from .prices.table import PRICE\n\ndef handler(event, context):\n    return PRICE\n",
        "shop/prices/__init__.py": "",
        "shop/prices/table.py": "PRICE = 1\n",
    }

    async def story(it: Story) -> None:
        assert await it.result() == 1
        write(it.folder, {"shop/prices/table.py": "PRICE = 22\n"})
        await it.said("orders v2, table.py changed")
        assert await it.result() == 22

    tell(files, story)


READS = """
    import json, pathlib

    PRICE = json.loads((pathlib.Path(__file__).parent / "prices.json").read_text())

    def handler(event, context):
        return PRICE
"""


def test_a_json_file_that_the_module_reads_counts(tell: Tell) -> None:
    async def story(it: Story) -> None:
        assert await it.result() == 1
        write(it.folder, {"prices.json": "22"})
        await it.said("orders v2, prices.json changed")
        assert await it.result() == 22

    tell({"template.yaml": template(orders={}), "orders.py": READS, "prices.json": "1"}, story)


@pytest.mark.parametrize("name", [".env", "settings.txt"])
def test_a_file_that_all_functions_take_variables_from_reloads_all_of_them(tell: Tell, name: str) -> None:
    files = {"template.yaml": template(orders={}, other={}), "orders.py": returns("old"), "other.py": returns("other")}

    async def story(it: Story) -> None:
        reloader, aside = it.engine.reloader, it.folder / "aside" / name
        aside.parent.mkdir()
        aside.write_text("COLOUR=red")
        read = reloader._read

        def with_variables() -> Project:
            project = read()
            return replace(project, watched=(*project.watched, aside))

        reloader._read = with_variables
        await it.engine.reload()
        await it.is_watched("aside/notes.md")
        aside.write_text("COLOUR=green")
        await it.said("orders v3")
        await it.said("other v3")

    tell(files, story)


def test_a_save_holds_up_no_other_function_and_a_newer_one_takes_over_from_it(tell: Tell) -> None:
    hangs = "import pathlib, time\nwhile not pathlib.Path('go.now').exists():\n    time.sleep(0.002)\n"
    files = {"template.yaml": template(orders={}, other={}), "orders.py": returns("old"), "other.py": returns("other")}

    async def story(it: Story) -> None:
        assert await it.result() == "old"
        it.save(orders=hangs + returns("slow"))
        await until(lambda: it.engine.reloader._switches, "the slow import")
        it.save(other=returns("other 2"))
        await it.said("other v2")
        assert await it.result() == "old"
        it.save(orders=returns("newer"))
        await it.said("orders v2, orders.py changed")
        assert await it.result() == "newer"
        assert not [text for text in notices(it.engine) if "keeps" in text or "orders v3" in text]

    tell(files, story)


TWO_FILES = "import part\n\ndef handler(event, context):\n    return [{n}, part.NUMBER]\n"


def test_saves_under_load_fail_no_call_and_mix_no_versions(tell: Tell) -> None:
    """Two files are saved one after the other, in two ways, more often than an environment can start."""

    async def story(it: Story) -> None:
        answers: list[list[int]] = []
        saving = True

        async def call() -> None:
            while saving:
                answers.append(await it.result())

        callers = [asyncio.create_task(call()) for _ in range(4)]
        for number in range(1, 41):
            seen = len(answers)
            for name, text in (("orders.py", TWO_FILES.format(n=number)), ("part.py", f"NUMBER = {number}\n")):
                if number % 2:
                    write(it.folder, {name: text})
                else:
                    (it.folder / name).write_text(text)
            await until(lambda seen=seen: len(answers) > seen + 10, "some answers")  # type: ignore[misc]
        await until(lambda: answers[-1] == [40, 40], "the last version")
        saving = False
        await asyncio.gather(*callers)
        assert {len(answer) for answer in answers if isinstance(answer, list)} == {2}, "no call has failed"
        assert [answer for answer in answers if answer[0] != answer[1]] == []

    tell({"template.yaml": template(orders={}), "orders.py": TWO_FILES.format(n=0), "part.py": "NUMBER = 0\n"}, story)


HALTS = """
    import pathlib, time

    import first
    while (pathlib.Path(__file__).parent / "halt.now").exists():
        time.sleep(0.002)
    import second

    def handler(event, context):
        return [first.NUMBER, second.NUMBER]
"""
MARK = "import pathlib\npathlib.Path(__file__).with_suffix('.imported').touch()\n"
FIRST = MARK + "NUMBER = 0\n"
HALTED = {"template.yaml": template(orders={"Timeout": 30}), "orders.py": HALTS}


def numbers(number: int) -> dict[str, str]:
    return {"first": f"NUMBER = {number}\n", "second": f"NUMBER = {number}\n"}


def test_a_reload_that_has_imported_an_older_file_and_a_newer_one_does_not_serve(tell: Tell) -> None:
    async def story(it: Story) -> None:
        halt = it.folder / "halt.now"
        halt.unlink()
        assert await it.result() == [0, 0]
        halt.touch()
        (it.folder / "first.imported").unlink()
        it.save(first=MARK + "NUMBER = 1\n")
        await until(lambda: it.engine.environments._pools["orders"]._reload.candidate, "the candidate")
        await it.has_imported("first")
        it.save(**numbers(2))
        halt.unlink()
        answers = [await it.result()]
        while answers[-1] != [2, 2]:
            answers.append(await it.result())
        assert [answer for answer in answers if answer not in ([0, 0], [2, 2])] == []

    tell({**HALTED, "halt.now": "", "first.py": FIRST, "second.py": "NUMBER = 0\n"}, story)


def test_a_cold_start_that_has_imported_an_older_file_and_a_newer_one_does_not_serve(tell: Tell) -> None:
    async def story(it: Story) -> None:
        halt = it.folder / "halt.now"
        answer = asyncio.create_task(it.result())
        await it.has_imported("first")
        it.save(**numbers(1))
        await until(lambda: it.engine.reloader._switches, "the reload")
        halt.unlink()
        assert await answer == [1, 1]

    tell({**HALTED, "halt.now": "", "first.py": FIRST, "second.py": "NUMBER = 0\n"}, story)


def test_reloading_by_hand_while_files_are_saved_ends_with_the_newest(tell: Tell) -> None:
    async def story(it: Story) -> None:
        for number in range(6):
            it.save(orders=returns(f"save {number}"))
            await asyncio.gather(it.engine.reload(), it.engine.reload(), it.result())
        await it.is_served("save 5")
        assert notices(it.engine, "error") == []

    tell(ORDERS, story)


# -- what a handler writes ---------------------------------------------------------------------------------------------


def test_what_a_handler_writes_again_and_again_reloads_it_no_more(tell: Tell) -> None:
    writes = """
        import pathlib

        def handler(event, context):
            count = pathlib.Path(__file__).parent / "count.json"
            count.write_text(str(int(count.read_text()) + 1))
            return int(count.read_text())
    """

    async def story(it: Story) -> None:
        async def is_told() -> bool:
            await it.result()
            return any("orders writes count.json itself" in text for text in notices(it.engine))

        await until_awaited(is_told, "the habit's notice")
        await it.rests()
        version = it.row()["version"]
        assert version <= 3
        before = await it.result()
        await it.is_watched("more.md")
        await it.rests()
        assert (it.row()["version"], await it.result()) == (version, before + 1)

    tell({"template.yaml": template(orders={}), "orders.py": writes, "count.json": "0"}, story)


def test_new_files_that_a_handler_makes_reload_nothing(tell: Tell) -> None:
    makes = """
        import pathlib

        def handler(event, context):
            (pathlib.Path(__file__).parent / f"{context.aws_request_id}.json").write_text("{}")
    """

    async def story(it: Story) -> None:
        for _ in range(5):
            await it.result()
        await it.is_watched("more.md")
        await it.rests()
        assert it.row()["version"] == 1

    tell({"template.yaml": template(orders={}), "orders.py": makes}, story)


def test_a_module_that_writes_a_file_when_it_is_imported_does_not_reload_for_ever(tell: Tell) -> None:
    writes = """
        import pathlib, uuid

        (pathlib.Path(__file__).parent / "import.json").write_text(uuid.uuid4().hex)

        def handler(event, context):
            return "imported"
    """

    async def story(it: Story) -> None:
        assert await it.result() == "imported"
        await it.engine.reload()
        await it.said("orders writes import.json itself")
        await it.rests()
        version = it.row()["version"]
        await it.engine.reload()
        await it.is_watched("more.md")
        await it.rests()
        assert it.row()["version"] == version + 1

    tell({"template.yaml": template(orders={}), "orders.py": writes, "import.json": "0"}, story)


# -- bad saves ---------------------------------------------------------------------------------------------------------

BAD_SAVES = {
    "syntax error": ("def handler(event, context):\n    return 1 +\n", ("Runtime.UserCodeSyntaxError", "orders.py")),
    "import error": ("import no_such_module\n\n" + returns("x"), ("Runtime.ImportModuleError", "no_such_module")),
    "raises": ("raise KeyError('config')\n" + returns("x"), ("KeyError", "config")),
    "handler removed": ("def something_else(event, context):\n    pass\n", ("Runtime.HandlerNotFound", "handler")),
    "emptied": ("", ("Runtime.HandlerNotFound", "handler")),
}


@pytest.mark.parametrize("save", BAD_SAVES)
def test_a_bad_save_keeps_the_old_code_and_says_what_is_wrong_until_it_is_repaired(tell: Tell, save: str) -> None:
    text, words = BAD_SAVES[save]

    async def story(it: Story) -> None:
        assert await it.result() == "old"
        it.save(orders=text)
        await it.said("orders keeps v1", *words)
        assert all(word in it.row()["reload_error"] for word in words)
        if save == "syntax error":
            assert "line 2" in it.row()["reload_error"]
        assert (await it.result(), it.row()["version"]) == ("old", 1)
        assert not [text for text in notices(it.engine, "info") if text.startswith("orders v")]
        it.save(orders=returns("repaired"))
        await it.said("orders v2, orders.py changed")
        assert (await it.result(), it.row()["reload_error"]) == ("repaired", None)

    tell(ORDERS, story)


def test_two_modules_that_import_each_other_keep_the_old_code(tell: Tell) -> None:
    async def story(it: Story) -> None:
        assert await it.result() == "old"
        write(it.folder, {"prices.py": "from orders import handler\nPRICE = 1\n"})
        it.save(orders="from prices import PRICE\n" + returns("new"))
        await it.said("orders keeps v1", "cannot import name 'handler'", "circular import")
        assert await it.result() == "old"

    tell(ORDERS, story)


@pytest.mark.parametrize("wrong", ["def handler(:\n", "\n\nraise ValueError('no')\n", "import none_such\n"])
def test_a_bad_save_of_a_cold_function_does_not_say_that_old_code_is_kept(tell: Tell, wrong: str) -> None:
    async def story(it: Story) -> None:
        it.save(orders=wrong)
        text = await it.said("orders fails from its next call on")
        assert not [text for text in notices(it.engine) if "keeps" in text]
        if "none_such" not in wrong:
            assert f"(orders.py, line {len(wrong.splitlines())})" in text
        assert (await it.result())["errorMessage"] in text
        it.save(orders=returns("new"))
        await it.is_served("new")
        await until(lambda: it.row()["reload_error"] is None, "the end of the error")

    tell(ORDERS, story)


def test_while_a_bad_save_stands_one_environment_of_the_old_code_stays_warm(tell: Tell) -> None:
    async def story(it: Story) -> None:
        assert await it.result() == "old"
        pool = it.engine.environments._pools["orders"]
        it.save(orders="import none_such\n")
        await it.said("orders keeps v1")
        pool.sweep(math.inf)
        assert await it.result() == "old"
        it.save(orders=returns("new"))
        await it.said("orders v2")
        pool.sweep(math.inf)
        assert it.engine.environments.live("orders") == 0

    tell(ORDERS, story)


def test_a_bad_save_under_load_fails_no_call_while_more_environments_are_wanted(tell: Tell) -> None:
    waits = "import time\n\ndef handler(event, context):\n    time.sleep(0.02)\n    return 'old'\n"

    async def story(it: Story) -> None:
        assert await it.result() == "old"
        it.save(orders="def handler(:\n")  # not noticed yet
        answers = await asyncio.gather(*(it.result() for _ in range(30)))
        await it.said("orders keeps v1")
        assert {str(answer) for answer in answers} == {"old"}

    tell({**ORDERS, "orders.py": waits}, story)


def test_a_deleted_file_keeps_the_old_code_until_it_is_back(tell: Tell) -> None:
    async def story(it: Story) -> None:
        assert await it.result() == "old"
        (it.folder / "orders.py").rename(it.folder / "elsewhere.py")
        await it.said("orders keeps v1", "No module named 'orders'")
        assert await it.result() == "old"
        (it.folder / "elsewhere.py").rename(it.folder / "orders.py")
        await it.said("orders v2")
        assert (await it.result(), it.row()["reload_error"]) == ("old", None)

    tell(ORDERS, story)


def test_a_helper_that_is_repaired_ends_the_error_of_a_function_without_environments(tell: Tell) -> None:
    files = {**ORDERS, "orders.py": "import prices\n" + returns("fine"), "prices.py": "PRICE = 1\n"}

    async def story(it: Story) -> None:
        assert await it.result() == "fine"
        it.save(prices="PRICE = \n")
        await it.said("orders keeps v1", "prices.py, line 1")
        it.engine.environments._pools["orders"].retire_idle(math.inf)
        await until(lambda: it.engine.environments.live("orders") == 0, "the end of the last environment")
        it.save(prices="PRICE = 22\n")
        await it.said("orders v2, prices.py changed")
        assert it.row()["reload_error"] is None

    tell(files, story)


def test_without_a_template_a_file_that_is_replaced_in_two_steps_is_not_deleted(tell: Tell) -> None:
    async def story(it: Story) -> None:
        (it.folder / "orders.py").unlink()
        it.save(other=returns("other 2"))
        await it.said("other v2")
        assert (await it.result(), "orders" in it.engine.functions) == ("old", True)
        it.save(orders=returns("new"))
        await it.is_served("new")
        (it.folder / "orders.py").unlink()
        await until(lambda: "orders" not in it.engine.functions, "the function's end")

    async def warm(it: Story) -> None:
        assert await it.result() == "old"
        await story(it)

    tell({"orders.py": returns("old"), "other.py": returns("other")}, warm)


def test_without_a_template_an_emptied_file_keeps_the_old_code_too(tell: Tell) -> None:
    async def story(it: Story) -> None:
        assert await it.result() == "old"
        it.save(orders="")
        it.save(other=returns("other 2"))
        await it.said("other v2")
        assert "orders" in it.engine.functions
        assert await it.result() == "old"
        assert it.row()["reload_error"]

    tell({"orders.py": returns("old"), "other.py": returns("other")}, story)


# -- the template ------------------------------------------------------------------------------------------------------


def test_a_change_of_the_template_applies_to_the_next_invocation(tell: Tell) -> None:
    shows = "import os\ndef handler(event, context):\n    return os.environ.get('COLOUR')\n"

    async def story(it: Story) -> None:
        assert await it.result() is None
        changed = template(orders={"Timeout": 9, "Environment": {"Variables": {"COLOUR": "green"}}})
        write(it.folder, {"template.yaml": changed})
        await it.said("orders v2")
        await until(lambda: it.row()["timeout"] == 9, "the new timeout", 6)
        assert await it.result() == "green"

    tell({**ORDERS, "orders.py": shows}, story)


def test_a_template_with_an_error_keeps_the_last_good_configuration(tell: Tell) -> None:
    async def story(it: Story) -> None:
        write(it.folder, {"template.yaml": template(orders={"Timeout": "soon"})})
        notice = await it.said("the last good configuration keeps running", "Timeout", "soon")
        assert "template.yaml" in notice
        assert (await it.result(), it.row()["timeout"], it.row()["version"]) == ("old", 3, 1)
        write(it.folder, {"template.yaml": template(orders={"Timeout": 5})})
        await until(lambda: it.row()["timeout"] == 5, "the repaired template", 6)

    tell(ORDERS, story)


def test_code_is_reloaded_while_the_template_is_wrong_and_its_repair_is_told(tell: Tell) -> None:
    async def story(it: Story) -> None:
        write(it.folder, {"template.yaml": "Resources: ["})
        await it.said("the last good configuration keeps running", "template.yaml")
        it.save(orders=returns("new"))
        await it.said("orders v2, orders.py changed")
        assert await it.result() == "new"
        write(it.folder, {"template.yaml": template(orders={})})
        await it.said("template.yaml is good again")
        assert it.row()["version"] == 2

    tell(ORDERS, story)


def test_a_function_that_is_removed_while_it_reloads_is_gone_without_a_word(tell: Tell) -> None:
    both = {"template.yaml": template(orders={}, other={}), "orders.py": returns("old"), "other.py": returns("other")}

    async def story(it: Story) -> None:
        it.save(orders="import time\ntime.sleep(60)\n" + returns("slow"))
        await until(lambda: it.engine.reloader._switches, "the slow import")
        write(it.folder, {"template.yaml": template(other={})})
        await until(lambda: list(it.engine.functions) == ["other"], "the new configuration")
        await until(lambda: not it.engine.reloader._tasks, "the end of the reloads")
        assert [text for text in notices(it.engine) if "orders" in text] == []
        write(it.folder, {"template.yaml": template(orders={}, other={}), "orders.py": returns("new")})
        await it.is_there()
        await it.is_served("new")

    tell(both, story)


def test_the_engine_stops_while_a_slow_import_reloads(tell: Tell) -> None:
    async def story(it: Story) -> None:
        assert await it.result() == "old"
        it.save(orders="import time\ntime.sleep(60)\n")
        await until(lambda: it.engine.reloader._switches, "the slow import")
        by_hand = asyncio.create_task(it.engine.reload())
        await stopped(it.engine, 3)
        await by_hand

    tell(ORDERS, story)


def test_a_configuration_whose_code_does_not_load_waits_for_it(tell: Tell) -> None:
    """Code and configuration belong together: the old code never runs with the new timeout."""

    async def story(it: Story) -> None:
        assert await it.result() == "old"
        it.save(orders="import no_such_module\n")
        await it.said("orders keeps v1")
        write(it.folder, {"template.yaml": template(orders={"Timeout": 9}, other={})})
        await until(lambda: "other" in it.engine.functions, "the new configuration")
        assert (it.row()["timeout"], it.row()["version"], await it.result()) == (3, 1, "old")
        it.save(orders=returns("new"))
        await until(lambda: it.row()["timeout"] == 9, "the new timeout")
        assert await it.result() == "new"

    tell({**ORDERS, "other.py": returns("other")}, story)


def test_a_function_is_added_and_another_removed(tell: Tell) -> None:
    async def story(it: Story) -> None:
        assert await it.result() == "old"
        it.save(fresh=returns("fresh"))
        write(it.folder, {"template.yaml": template(fresh={})})
        await until(lambda: list(it.engine.functions) == ["fresh"], "the new configuration")
        assert await it.result("fresh") == "fresh"
        await until(lambda: not it.engine.environments.executing, "quiet")
        assert it.engine.environments.live("orders") == 0

    tell(ORDERS, story)


def test_code_in_a_folder_that_the_template_names_only_now_is_watched_from_now_on(tell: Tell) -> None:
    async def story(it: Story) -> None:
        write(it.folder, {"lib/fresh.py": returns("fresh")})
        write(it.folder, {"template.yaml": template(orders={"CodeUri": "src"}, fresh={"CodeUri": "lib"})})
        await until(lambda: "fresh" in it.engine.functions, "the new function")
        assert await it.result("fresh") == "fresh"
        await it.is_watched("lib/notes.md")
        write(it.folder, {"lib/fresh.py": returns("fresher")})
        await it.is_served("fresher", "fresh")

    tell({"template.yaml": template(orders={"CodeUri": "src"}), "src/orders.py": returns("old")}, story)


def test_events_of_a_function_that_was_removed_wait_until_it_is_back(tell: Tell) -> None:
    waits = """
        import pathlib, time

        def handler(event, context):
            while not (pathlib.Path(__file__).parent / "go.txt").exists():
                time.sleep(0.002)
    """
    both = template(orders={"ReservedConcurrentExecutions": 5, "Timeout": 30}, other={})

    async def story(it: Story) -> None:
        function = it.engine.functions["orders"]
        sent = [it.engine.new_request_id() for _ in range(5)]
        for request_id in sent:
            await it.engine.accept(function, b"{}", source="test", request_id=request_id)
        await until(lambda: it.engine.environments.executing, "the first start")
        write(it.folder, {"template.yaml": template(other={})})
        await until(lambda: "orders" not in it.engine.functions, "the function's end")
        (it.folder / "go.txt").touch()
        await until(lambda: not it.engine.environments.executing, "the end of what ran")
        write(it.folder, {"template.yaml": both})

        async def all_ended() -> list[Row]:
            lives = [await it.engine.life(request_id) for request_id in sent]
            return [life for life in lives if life and life["ended_at"]] if None not in lives else []

        await until_awaited(lambda: _have(all_ended, 5), "the end of all five")
        assert {life["condition"] for life in await all_ended()} == {"Success"}

    tell({"template.yaml": both, "orders.py": waits, "other.py": returns("other")}, story)


async def _have(question: Callable[[], Awaitable[list[Row]]], count: int) -> bool:
    return len(await question()) == count


# -- the watcher -------------------------------------------------------------------------------------------------------


def test_folders_that_are_never_code_are_not_watched(tmp_path: Path) -> None:
    for name in (
        "src/deep", "node_modules/a/b", ".git/objects", "__pycache__", "venv/lib", ".venv/lib", ".lamtop", "env/lib",
        "src/node_modules/x", "build/lib", "dist", "lib/site-packages/y", "src/.hidden", "environment",
    ):  # fmt: skip
        (tmp_path / name).mkdir(parents=True)
    found = {str(path.relative_to(tmp_path)) for path in folders_of((tmp_path,))}
    assert found == {".", "src", "src/deep", "lib", "environment"}


def test_a_file_is_watched_by_its_folder_and_a_root_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "build" / "in").mkdir(parents=True)
    (tmp_path / "template.yaml").touch()
    (tmp_path / "aside").mkdir()
    found = folders_of((tmp_path / "template.yaml", tmp_path / "build", tmp_path / "not there"))
    assert found == [tmp_path, tmp_path / "build", tmp_path / "build" / "in"]


def test_not_more_folders_are_watched_than_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher, "_FOLDERS_MAX", 5)
    for n in range(10):
        (tmp_path / str(n)).mkdir()
    assert len(folders_of((tmp_path,))) == 5


def test_a_new_folder_is_noticed_and_watched_and_temporary_files_are_not(tmp_path: Path) -> None:
    async def play() -> None:
        seen: set[str] = set()
        watching = Watcher(lambda paths: seen.update(str(path.relative_to(tmp_path)) for path in paths))
        await watching.watch((tmp_path,))
        count = 0

        def touch(name: str) -> Callable[[], bool]:
            def again() -> bool:
                nonlocal count
                count += 1
                (tmp_path / name).write_text(str(count))  # until the watch is in place
                return name in seen

            return again

        await until(touch("first.py"), "the first file")
        (tmp_path / "package" / "inner").mkdir(parents=True)
        for name in (".first.py.swp", "first.py~", "4913", "module.pyc", "node_modules"):
            (tmp_path / name).touch()
        await until(lambda: "package" in seen, "the new folder")
        await until(touch("package/inner/new.py"), "a file in the new folder")
        await watching.stop()
        assert seen <= {".", "first.py", "package", "package/inner", "package/inner/new.py"}

    asyncio.run(play())


def test_a_folder_that_cannot_be_watched_does_not_keep_the_engine_from_stopping(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may vanish between being listed and being watched, or there may be no watches left."""

    async def play() -> None:
        listed = asyncio.Event()

        def vanished(*_: Any) -> list[Path]:
            loop.call_soon_threadsafe(listed.set)
            return [tmp_path / "vanished"]

        loop = asyncio.get_running_loop()
        monkeypatch.setattr(watcher, "folders_of", vanished)
        watching = Watcher(lambda paths: None)
        await watching.watch((tmp_path,))
        await asyncio.wait_for(listed.wait(), 5)
        for _ in range(200):
            await asyncio.sleep(0)
        await watching.stop()

    asyncio.run(play())
