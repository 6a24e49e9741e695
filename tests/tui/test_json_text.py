"""What is said of a JSON text while it is typed, and what is done to it without changing the event."""

import json

import pytest
from stage import HOSTILE, is_harmless

from lamtop.tui.json_text import indented, one_line, trouble, visible


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "line 1, column 2: the text ends too early: a name in double quotes should be here"),
        ('{"a": 1', "line 1, column 8: the text ends too early: } is missing"),
        ('{"a": [1, {"b": "]"}', "line 1, column 21: the text ends too early: ] is missing"),
        ('{"a":', "line 1, column 6: the text ends too early: a value should be here"),
        ('{\n  "a": 1,\n}', "line 2, column 9: no comma before a closing bracket"),
        ("[1,\n 2,]", "line 2, column 3: no comma before a closing bracket"),
        ('{"a" 1}', "line 1, column 6: a colon is missing"),
        ('{"a": 1 "b": 2}', "line 1, column 9: a comma is missing"),
        ("{'a': 1}", 'line 1, column 2: JSON has no single quotes: use "'),
        ("{\"a\": 'b'}", 'line 1, column 7: JSON has no single quotes: use "'),
        ("{} {}", "line 1, column 4: the event ends before this"),
        ('{"a": "b}', "line 1, column 7: this text has no closing quote"),
        ('{"a": "b\n"}', "line 1, column 9: a line break or tab in a text: write \\n or \\t"),
        ('{"a":\n NaN, "NaN": 1}', "line 2, column 2: NaN is no JSON: use null or a number"),
        ('{"a": True}', "line 1, column 7: a value should be here"),
        ("[" * 100_000, "line 1, column 1: it is nested too deeply"),
    ],
)
def test_an_error_is_told_with_its_line_and_column_in_plain_words(text: str, said: str) -> None:
    assert str(trouble(text)) == said


@pytest.mark.parametrize("text", ["{}", "", " \n", "null", "-1.5e300", '"ü"', "[1, {}]", "1" * 5000])
def test_every_json_value_is_an_event_and_so_is_nothing(text: str) -> None:
    assert trouble(text) is None


TEXTS = [
    '{"a": [1, 2, {"b": "x, y: {z}"}], "c": {}, "d": []}',
    '[ ]',
    '"a \\" b"',
    '{"price": 1.10, "big": 123456789012345678901234567890, "a": 1, "a": 2}',
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_indenting_and_joining_change_nothing_but_spaces(text: str) -> None:
    bare = one_line(text)
    assert one_line(indented(text)) == bare
    assert json.loads(indented(text)) == json.loads(text)
    assert "1.10" in bare or "1.10" not in text


def test_indented_json_looks_as_people_expect() -> None:
    assert indented('{"a":[1,{}],"b":{"c":null}}') == json.dumps({"a": [1, {}], "b": {"c": None}}, indent=2)


@pytest.mark.parametrize("name", sorted(set(HOSTILE) - {"surrogate"}))
def test_characters_that_hide_or_steer_become_escapes_of_the_same_event(name: str) -> None:
    text = json.dumps({"a": HOSTILE[name]}, ensure_ascii=False)
    assert is_harmless(visible(text))
    assert json.loads(visible(text)) == {"a": HOSTILE[name]}


def test_a_text_without_hidden_characters_stays_as_it_is() -> None:
    assert visible('{\n\t"ü": "日本"\n}') == '{\n\t"ü": "日本"\n}'
    assert visible("{\r\n}") == "{\n}"
