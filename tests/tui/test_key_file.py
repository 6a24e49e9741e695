"""Keys of one's own: what a file may say, and that the screen goes by it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_engine import FakeEngine
from stage import Stage, play

from lamtop.tui.key_file import KeysError, key_files, use_keys
from lamtop.tui.key_names import key_name
from lamtop.tui.keymap import KEYS, PANE_TITLES, REMAPPED, at_once


@pytest.fixture(autouse=True)
def default_keys() -> Iterator[None]:
    yield
    REMAPPED.clear()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.toml"


def test_no_two_default_keys_that_work_at_the_same_time_are_the_same() -> None:
    for place in KEYS:
        keys = [name for key in at_once(place) for name in key.keys.split(",")]
        assert sorted(set(keys)) == sorted(keys), place


def test_every_default_key_could_stand_in_a_file() -> None:
    for name in (name for keys in KEYS.values() for key in keys for name in key.keys.split(",")):
        assert key_name(name) == name


@pytest.mark.parametrize(
    ("written", "name"),
    [("/", "slash"), ("?", "question_mark"), (":", "colon"), ("Esc", "escape"), ("ctrl+P", "ctrl+p"), ("ä", "ä"),
     (" ", "space"), ("PgDn", "pagedown"), ("F5", "f5"), ("ctrl++", "ctrl+plus"), ("+", "plus"), ("alt+x", "alt+x")],
)  # fmt: skip
def test_a_key_is_written_as_it_is_called(written: str, name: str) -> None:
    assert key_name(written) == name


def test_a_remapped_key_works_its_old_one_does_not_and_every_word_on_the_screen_says_so(file: Path) -> None:
    file.write_text('invoke.async = "t"\n"help" = ["H", "f1"]\npane.logs = "9"\ndlq.redrive = "ctrl+g"\n')
    use_keys([file])

    async def story(stage: Stage) -> None:
        await stage.shows("t async", "H help", "Press t to send", "9 Logs")
        await stage.press("a")
        assert not stage.called("async")
        await stage.press("t")
        await stage.shows("202 accepted")
        await stage.press("4", "H")
        await stage.shows("t               send it", "ctrl+g          redrive", "1 2 3 4 9 6")
        await stage.press("G")
        await stage.shows("H / f1 ")
        await stage.press("escape", "colon", *"asynchronous")
        await stage.shows("t              send it one")

    play(story)


def test_keys_can_change_places(file: Path) -> None:
    file.write_text('invoke.sync = "a"\ninvoke.async = "i"\n')
    use_keys([file])

    async def story(stage: Stage) -> None:
        await stage.press("i")
        await stage.shows("202 accepted")
        await stage.press("a")
        await stage.shows("synchronous")

    play(story)


def test_the_projects_file_wins_over_the_persons(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    own, project = key_files(tmp_path / "state")
    for path, key in ((own, "t"), (project, "Y")):
        path.parent.mkdir(exist_ok=True)
        path.write_text(f'invoke.sync = "{key}"\n')
    use_keys([own, project])
    assert REMAPPED == {"invoke.sync": "Y"}
    use_keys([own, tmp_path / "none"])
    assert REMAPPED == {"invoke.sync": "t"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('\ninvoke.sink = "x"', ["keys.toml:2: invoke.sink", "no such action", "invoke.sync"]),
        ('invoke.sync = "a"', ["keys.toml:1: invoke.sync", "'a' is also the key of invoke.async", "another key"]),
        ('# x\n[invoke]\nsync = "j"', ["keys.toml:3: invoke.sync", "'j' is also the key of row.down"]),
        ('dlq.mark = "s"', ["dlq.mark", "'s' is also the key of sort.next"]),
        ('invoke.sync = ["x", "x"]', ["invoke.sync", "'x' is also the key of itself"]),
        ("invoke.sync = 5", ["keys.toml:1: invoke.sync", "5 is no key", '"x" or ["x", "ctrl+x"]']),
        ("invoke.sync = []", ["invoke.sync", "[] is no key"]),
        ('invoke.sync = "hyper+x"', ["'hyper+x' is no key", "ctrl+, alt+ or shift+"]),
        ('invoke.sync = "f99"', ["'f99' is no key", "enter, space"]),
        ('invoke.sync = "ctrl+m"', ["a terminal sends 'ctrl+m' as enter"]),
        ('"filter.keep" = "x"', ["filter.keep", "text is typed there", "ctrl+"]),
        ("invoke.sync = x", ["keys.toml", "line 1", '"invoke.sync" = "x"']),
    ],
)
def test_a_file_that_cannot_be_used_is_told_by_line_key_and_remedy(file: Path, text: str, says: list[str]) -> None:
    file.write_text(text)
    with pytest.raises(KeysError) as refused:
        use_keys([file])
    assert all(word in str(refused.value) for word in says), refused.value
    assert not REMAPPED


# -- the palette -------------------------------------------------------------------------------------------------------


def test_the_palette_lists_every_action_of_the_main_screen() -> None:
    from lamtop.tui.screens.palette import actions_of, matching

    ids = {key.id for _, key in actions_of("functions")}
    assert ids == {key.id for place in ("main", "rows", *PANE_TITLES, "everywhere") for key in KEYS.get(place, ())}
    assert [key.id for _, key in matching(actions_of("functions"), "ZOOM this back")] == ["pane.zoom"]
    assert [key.id for _, key in matching(actions_of("functions"), "re")][:2] == ["reload.now", "sort.reverse"]


def test_typing_narrows_the_palette_and_enter_does_what_is_left() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("ctrl+p")
        await stage.shows("invoke the selected function", "invoke.sync")
        await stage.press(*"one async")
        await stage.hides("invoke the selected function")
        await stage.press("enter")
        await stage.shows("202 accepted")
        await stage.press("colon", *"nonsense", "enter")
        await stage.shows("nothing is called so")
        await stage.press("escape")
        await stage.hides("nothing is called so")

    play(story)


def test_an_action_of_another_pane_is_done_there() -> None:
    from fake_engine import dead

    engine = FakeEngine()
    engine.rows["dlq"] = [dead(1), dead(2)]

    async def story(stage: Stage) -> None:
        await stage.press("colon", *"unmark", "enter")
        await stage.shows("1 marked")
        assert stage.app.main.focused_pane == "dlq"
        await stage.press("colon", *"to the end", "enter")
        await stage.until(lambda: stage.table("dlq").cursor == 1, "the last row")

    play(story, engine)


def test_the_palette_of_a_request_has_the_requests_actions() -> None:
    from fake_engine import dead, life, request_id

    engine = FakeEngine()
    engine.rows["dlq"], engine.lives[request_id(1)] = [dead(1)], life(1)

    async def story(stage: Stage) -> None:
        await stage.press("4", "enter", "ctrl+p", *"next section", "enter")
        await stage.shows("[Payload]")

    play(story, engine)
