"""Tapes as a person writes them: what every line means, and how a line that means nothing is told."""

from pathlib import Path

import pytest

from lamtop.tui.demo import steps
from lamtop.tui.demo.conditions import parse_condition
from lamtop.tui.demo.shelf import NAMES, find_tape
from lamtop.tui.demo.steps import Action
from lamtop.tui.demo.tape import Tape, TapeError, parse_tape, read_tape

FILE = Path("/projects/shop/mine.tape")


def read(*lines: str) -> Tape:
    return parse_tape("\n".join(lines), FILE)


def action(line: str) -> Action:
    """What one line asks for."""
    [step] = read(line).steps
    return step.action


def refused(*lines: str) -> str:
    """What is said of a tape that cannot be read."""
    with pytest.raises(TapeError) as told:
        read(*lines)
    return str(told.value)


# settings


def test_a_tape_without_settings_is_a_dark_one_of_100_by_30_on_the_examples() -> None:
    tape = read("key a")
    assert (tape.file, tape.title, tape.columns, tape.rows, tape.theme) == ("mine.tape", "", 100, 30, "dark")
    assert (tape.seed, tape.fps, tape.typing, tape.project) == (1, 12, 0.09, None)


SETTINGS: dict[str, dict[str, object]] = {
    "title Two ways to call": {"title": "Two ways to call"},
    'title "Two ways"': {"title": "Two ways"},
    "size 140x40": {"columns": 140, "rows": 40},
    "size 60x17": {"columns": 60, "rows": 17},
    "size 300x120": {"columns": 300, "rows": 120},
    "theme dark": {"theme": "dark"},
    "theme light": {"theme": "light"},
    "theme terminal": {"theme": "terminal"},
    "seed 0": {"seed": 0},
    "seed 7": {"seed": 7},
    "fps 1": {"fps": 1},
    "fps 30": {"fps": 30},
    "typing 90ms": {"typing": 0.09},
    "typing 1.5s": {"typing": 1.5},
    "project app.py": {"project": FILE.parent / "app.py"},
    'project "my shop/template.yaml"': {"project": FILE.parent / "my shop" / "template.yaml"},
    "project /elsewhere": {"project": Path("/elsewhere")},
}


@pytest.mark.parametrize("line", SETTINGS)
def test_a_setting_is_read(line: str) -> None:
    tape = read(line, "pause 1s")
    assert {name: getattr(tape, name) for name in SETTINGS[line]} == SETTINGS[line]


# steps

STEPS: dict[str, Action] = {
    "scene A dead letter": steps.Scene("A dead letter"),
    'scene "A dead letter"': steps.Scene("A dead letter"),
    "caption It failed,  twice": steps.Caption("It failed,  twice"),
    'caption "It failed"': steps.Caption("It failed"),
    "caption": steps.Caption(""),
    'caption ""': steps.Caption(""),
    "key a": steps.Press(("a",)),
    "key 7 g enter": steps.Press(("7", "g", "enter")),
    "key j x3": steps.Press(("j",), 3),
    "key e tab x2000": steps.Press(("e", "tab"), 2000),
    "key x": steps.Press(("x",)),
    "key ? : [ / space": steps.Press(("question_mark", "colon", "left_square_bracket", "slash", "space")),
    "key esc return pgup pgdn del ↑ ↓ ← →": steps.Press(
        ("escape", "enter", "pageup", "pagedown", "delete", "up", "down", "left", "right")
    ),
    "key ctrl+s ^p ctrl+enter shift+tab f12": steps.Press(("ctrl+s", "ctrl+p", "ctrl+enter", "shift+tab", "f12")),
    "type fault all engine 1x": steps.Type("fault all engine 1x"),
    'type "  two spaces "': steps.Type("  two spaces "),
    "choose always-fails": steps.Choose("always-fails"),
    "wait dlq == 1": steps.Wait(parse_condition("dlq == 1"), 60.0, 0.0),
    "wait dlq == 1 max 500ms": steps.Wait(parse_condition("dlq == 1"), 0.5, 0.0),
    'wait screen ~ "max 5s"': steps.Wait(parse_condition('screen ~ "max 5s"'), 60.0, 0.0),
    'wait screen ~ "at max speed"': steps.Wait(parse_condition('screen ~ "at max speed"'), 60.0, 0.0),
    'wait log ~ "at speed 8x" max 2m': steps.Wait(parse_condition('log ~ "at speed 8x"'), 120.0, 0.0),
    "until dlq == 1": steps.Wait(parse_condition("dlq == 1"), 600.0, 0.0),
    "until dlq == 1 and queue == 0 max 6h speed 16x": steps.Wait(
        parse_condition("dlq == 1 and queue == 0"), 21_600.0, 16.0
    ),
    "until dlq == 1 speed 0.5x max 4m": steps.Wait(parse_condition("dlq == 1"), 240.0, 0.5),
    "assert dlq[0].attempts == 3": steps.Assert(parse_condition("dlq[0].attempts == 3")),
    "pause 1.5s": steps.Pause(1.5),
    "pause 2m": steps.Pause(120.0),
    "speed 16x": steps.Speed(16.0),
    "speed 0x": steps.Speed(0.0),
    "hide": steps.Hide(),
    "show": steps.Show(),
    "still dead-letter.svg": steps.Still("dead-letter.svg"),
    'still "a dead letter.svg"': steps.Still("a dead letter.svg"),
    "send orders": steps.Send("orders"),
    'send orders {"n": [1,  2]}': steps.Send("orders", '{"n": [1,  2]}'),
    "send orders x20": steps.Send("orders", "{}", 20),
    'send orders {"n": 1} x1000': steps.Send("orders", '{"n": 1}', 1000),
    'send orders "x5"': steps.Send("orders", '"x5"'),
    'edit app.py "\tone" -> "two"': steps.Edit("app.py", "\tone", "two"),
    'edit app.py "return 1" -> "return 2"': steps.Edit("app.py", "return 1", "return 2"),
    r'edit code/app.py "say(\"a\")\n"->""': steps.Edit("code/app.py", 'say("a")\n', ""),
}


@pytest.mark.parametrize("line", STEPS)
def test_a_step_is_read(line: str) -> None:
    assert action(line) == STEPS[line]


def test_every_step_there_is_has_been_read_here() -> None:
    assert {type(one) for one in STEPS.values()} == set(Action.__args__)


def test_a_step_knows_its_line_and_how_it_was_written() -> None:
    tape = read("# a lesson", "", "title T", "  key a  ", "\t# not this", "\tpause 1s")
    assert [(step.line, step.text) for step in tape.steps] == [(4, "key a"), (6, "pause 1s")]


def test_settings_may_stand_in_any_order_before_the_first_step() -> None:
    tape = read("seed 3", "# why", "size 80x24", "", "title T", "fps 6", "key a", "key b")
    assert (tape.seed, tape.columns, tape.rows, tape.title, tape.fps) == (3, 80, 24, "T", 6)


# what is wrong with a line

WRONG = {
    "press a": "'press' is no step; expected one of title, size, theme, seed, fps, typing, project, scene, caption",
    "Key a": "'Key' is no step",
    "title": "nothing there; expected title WORDS",
    'title ""': "nothing there; expected title WORDS",
    "size big": "size 'big' is not allowed; expected COLUMNSxROWS from 60x17 to 300x120, as in 100x30",
    "size 59x30": "size '59x30' is not allowed",
    "size 100x16": "size '100x16' is not allowed",
    "size 301x30": "size '301x30' is not allowed",
    "size 100x121": "size '100x121' is not allowed",
    "size 100 x 30": "size '100 x 30' is not allowed",
    "theme blue": "theme 'blue' is unknown; expected dark or light or terminal",
    "seed one": "'one' is no whole number from 0 to 2147483648; expected seed NUMBER",
    "seed -1": "'-1' is no whole number",
    "seed ²": "'²' is no whole number",
    "seed 2147483649": "'2147483649' is no whole number",
    "fps 0": "'0' is no whole number from 1 to 30; expected fps NUMBER, pictures a second",
    "fps 31": "'31' is no whole number",
    "fps 12.5": "'12.5' is no whole number",
    "typing fast": "'fast' is no duration (500ms, 2s, 4m, 6h); expected typing DURATION, for each letter, as in 90ms",
    "project": "nothing there; expected project PATH, of a template, a folder or a .py file",
    "scene": "nothing there; expected scene TITLE",
    "key": "no key; expected key KEY … [xN], as in: key f e enter",
    "key shift": "'shift' is no key; expected a character, ctrl+LETTER, or one of backspace, ctrl+down",
    "key ctrl+1": "'ctrl+1' is no key",
    "key x3": "'x3' is no key",
    "key j x0": "'0' is no whole number from 1 to 2000; expected xN",
    "key j x2001": "'2001' is no whole number from 1 to 2000; expected xN",
    "type": "nothing there; expected type TEXT",
    "choose": "'' is not one name; expected choose FUNCTION",
    "choose one two": "'one two' is not one name; expected choose FUNCTION",
    "wait": "no condition; expected wait CONDITION [max DURATION]",
    "wait for it": "'for it' is no condition; expected: PANE >= 3, PANE[0].field == value",
    "wait dlq == 1 max soon": "'soon' is no duration (500ms, 2s, 4m, 6h); expected wait CONDITION [max DURATION]",
    "wait dlq == 1 speed 8x": "'wait' goes on at the speed there is; expected until CONDITION [max DURATION] [speed",
    "wait dlq == 1 speed 0x": "'wait' goes on at the speed there is; expected until",
    "until": "no condition; expected until CONDITION [max DURATION] [speed Nx]",
    "until dlq == 1 speed fast": "'fast' is no speed (0x, 1x, 16x); expected until CONDITION [max DURATION] [speed Nx]",
    "until dlq == 1 speed 0x": "time stands still at '0x', and it never comes to that; expected until CONDITION",
    "until dlq == 1 and": "'dlq == 1 and': '1 and' is no number: how many rows?",
    "assert": "no condition; expected assert CONDITION",
    "assert dlq": "'dlq' is no condition; expected: PANE >= 3",
    "assert letters == 1": "'letters' cannot be looked at; expected: PANE >= 3",
    "pause": "'' is no duration (500ms, 2s, 4m, 6h); expected pause DURATION, as in 1.5s",
    "pause 2": "'2' is no duration",
    "pause -2s": "'-2s' is no duration",
    "pause 2 s": "'2 s' is no duration",
    "speed": "'' is no speed (0x, 1x, 16x); expected speed Nx, as in 8x",
    "speed 16": "'16' is no speed",
    "speed x16": "'x16' is no speed",
    "speed 100001x": "'100001x' is no speed",
    "hide it": "'it' is too much; expected nothing behind it",
    "show it": "'it' is too much; expected nothing behind it",
    "still": "nothing there; expected still NAME.svg",
    "still shot": "'shot' is no file name of a picture; expected still NAME.svg",
    "still shot.png": "'shot.png' is no file name of a picture; expected still NAME.svg",
    "still ../shot.svg": "'../shot.svg' is no file name of a picture; expected still NAME.svg",
    "still .svg": "'.svg' is no file name of a picture; expected still NAME.svg",
    "send": "no function; expected send FUNCTION [JSON] [xN]",
    "send orders {n: 1}": "'{n: 1}' is no JSON (Expecting property name enclosed in double quotes",
    'send orders {"n": 1} x0': "'0' is no whole number from 1 to 2000; expected xN",
    'send orders {"n": 1} x5000': "'5000' is no whole number from 1 to 2000; expected xN",
    "edit": 'expected edit FILE "what stands there" -> "what is to stand there"',
    "edit app.py": 'expected edit FILE "what stands there" -> "what is to stand there"',
    "edit app.py one -> two": 'expected edit FILE "what stands there" -> "what is to stand there"',
    'edit app.py "one" -> "two': 'expected edit FILE "what stands there" -> "what is to stand there"',
    r'edit app.py "\d" -> "1"': r'"\d" is no text; behind a \ is expected one of " \ / n t r uXXXX',
}


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_line_is_named_with_what_was_expected(line: str) -> None:
    first = refused("# a lesson", "", f"  {line}", "key a").split("\n  ")
    assert first[0] == f"mine.tape:3: {line}"
    assert first[1].startswith(WRONG[line].rstrip())
    assert "expected" in first[1] or "how many" in first[1]


def test_every_word_that_a_line_can_begin_with_is_expected_where_another_stands() -> None:
    expected = refused("press a").partition("expected one of ")[2].split(", ")
    begun = {line.split()[0] for line in (*SETTINGS, *STEPS)}
    assert sorted(expected) == sorted(begun)


@pytest.mark.parametrize(
    "setting", ["title T", "size 80x24", "theme dark", "seed 1", "fps 6", "typing 1s", "project p"]
)
def test_a_setting_after_a_step_or_twice_is_refused(setting: str) -> None:
    name = setting.split()[0]
    late = refused("key a", setting)
    assert late == f"mine.tape:2: {setting}\n  '{name}' is a setting; expected before the first step"
    twice = refused(setting, setting, "key a")
    assert twice == f"mine.tape:2: {setting}\n  '{name}' is set twice; expected once"


def test_of_several_wrong_lines_the_first_is_named() -> None:
    assert refused("key a", "pause", "press b").startswith("mine.tape:2: pause\n")


@pytest.mark.parametrize("text", ["", "\n\n", "# only words", "title T\nsize 80x24"])
def test_a_tape_in_which_nothing_happens_is_refused(text: str) -> None:
    assert refused(text) == ("mine.tape: nothing happens in this tape; expected steps such as 'key a' or 'pause 2s'")


# files


def test_a_tape_is_read_from_its_file_and_its_project_is_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.tape"
    path.write_text("title Grüße\nproject app.py\nkey a\n", encoding="utf-8")
    tape = read_tape(path)
    assert (tape.file, tape.title, tape.project) == ("mine.tape", "Grüße", tmp_path / "app.py")


def test_lines_may_end_as_on_windows(tmp_path: Path) -> None:
    path = tmp_path / "mine.tape"
    path.write_bytes(b"title T\r\ncaption\r\nkey a\r\n")
    assert [step.action for step in read_tape(path).steps] == [steps.Caption(""), steps.Press(("a",))]


def test_a_file_that_is_not_there_or_no_text_or_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "film.tape").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "folder.tape").mkdir()
    said = {"missing.tape": "No such file", "film.tape": "'utf-8' codec can't decode", "folder.tape": "Is a directory"}
    for name, why in said.items():
        with pytest.raises(TapeError) as told:
            read_tape(tmp_path / name)
        assert str(told.value).startswith(f"{tmp_path / name}: cannot be read: {why}")


def test_a_tape_is_found_by_its_name_or_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.tape").write_text("title Mine\nkey a\n")
    (tmp_path / "notes").write_text("title Notes\nkey a\n")
    (tmp_path / "retries").write_text("title Not this one\nkey a\n")
    assert find_tape("mine.tape").title == "Mine"
    assert find_tape("notes").title == "Notes"
    assert "retries" in NAMES
    assert find_tape("retries").title.startswith("1 minute, 2 minutes")
    assert find_tape("./retries").title == "Not this one"


def test_a_name_that_is_neither_is_told_where_names_are_listed() -> None:
    with pytest.raises(TapeError, match=r"there is no tape 'retrys'; 'lamtop demo' lists those that come with lamtop"):
        find_tape("retrys")
    with pytest.raises(TapeError, match=r"mine\.tape: cannot be read: No such file"):
        find_tape("mine.tape")
