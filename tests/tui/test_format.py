"""Values to text, and foreign text made harmless."""

import pytest
from rich.cells import cell_len
from stage import HOSTILE, is_harmless

from lamtop.tui import format as f
from lamtop.tui.gauges import gauge_words


@pytest.mark.parametrize("name", HOSTILE)
def test_clean_leaves_nothing_that_steers_a_terminal(name: str) -> None:
    cleaned = f.clean(HOSTILE[name])
    assert is_harmless(cleaned)
    assert f.clean(cleaned) == cleaned
    cleaned.encode()


def test_clean_shows_what_it_found() -> None:
    assert f.clean("\x1b[31m") == "␛[31m"
    assert f.clean("a\rb\x00") == "a␍b␀"
    assert f.clean("\x9b") == "�"


def test_clean_keeps_newlines_tabs_and_plain_text() -> None:
    text = "line\n\ttabbed · naïve 漢字 → ✓"
    assert f.clean(text) is text
    assert f.clean("one\r\ntwo\x07") == "one\ntwo␇"


def test_clean_reaches_into_lists_and_dicts() -> None:
    assert f.clean_deep({"\x1b": ["\x07", 1, None]}) == {"␛": ["␇", 1, None]}
    assert f.clean_deep([{"quoted": 'it\'s "so"', "far": "a\u202eb"}]) == [{"quoted": 'it\'s "so"', "far": "a�b"}]
    harmless = {"a": ["it's", 'said "so"', 1.5, None, {"b": True}]}
    assert f.clean_deep(harmless) is harmless  # a busy engine sends hundreds of rows a second


@pytest.mark.parametrize("code", [*range(32), 0x7F, *range(0x80, 0xA0), 0x200B, 0x202E, 0xD800, 0xFEFF, 0xE0001])
def test_clean_deep_finds_every_character_that_clean_replaces(code: int) -> None:
    text = f"a{chr(code)}b"
    assert f.clean_deep({"text": text}) == {"text": f.clean(text)}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.002, "2 ms"),
        (0.0004, "0.4 ms"),
        (3.02, "3.02 s"),
        (59, "59 s"),
        (119, "1 min 59 s"),
        (120, "2 min"),
        (3900, "1 h 5 min"),
    ],
)
def test_a_span_reads_as_in_a_sentence(seconds: float, text: str) -> None:
    assert f.span(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(119, "1:59"), (59.4, "59s"), (9.44, "9.4s"), (0, "now"), (-3, "now"), (754, "12:34")]
)
def test_a_countdown_fits_its_column(seconds: float, text: str) -> None:
    assert f.countdown(seconds) == text


@pytest.mark.parametrize("seconds", [0, 0.05, 9.94, 9.96, 59.9, 60, 599, 600, 3599, 3600, 86_399, 86_400, 800_000])
def test_an_age_never_takes_more_than_four_cells(seconds: float) -> None:
    assert len(f.age(seconds)) <= 4


@pytest.mark.parametrize(
    ("dollars", "text"),
    [
        (0, "$0"),
        (0.0000002020833, "$0.00000020"),
        (0.0000021, "$0.0000021"),
        (0.00999, "$0.010"),
        (0.034, "$0.034"),
        (0.41, "$0.41"),
        (8.53335, "$8.53"),
        (166.9, "$166.90"),
        (999.7, "$1,000"),
        (150_000.2, "$150,000"),
    ],
)
def test_money_says_two_digits_however_little_it_is(dollars: float, text: str) -> None:
    assert f.money(dollars) == text


@pytest.mark.parametrize("exponent", range(-7, 6))
def test_a_cost_fits_its_column(exponent: int) -> None:
    assert all(len(f.money(digit * 10.0**exponent)) <= 12 for digit in (1.0, 9.94, 9.96, 9.999))
    assert len(f.money(0.2e-6 + 1e-9)) <= 11


@pytest.mark.parametrize(("part", "text"), [(0, "0%"), (0.004, "<1%"), (0.38, "38%"), (1, "100%")])
def test_a_share_is_whole_per_cent(part: float, text: str) -> None:
    assert f.share(part) == text


@pytest.mark.parametrize("count", [0, 999, 1000, 99_949, 99_950, 999_999, 1_000_000, 6_291_556])
def test_a_size_never_takes_more_than_six_cells(count: int) -> None:
    assert len(f.size(count)) <= 6


@pytest.mark.parametrize("text", ["", "short", "exactly ten", "漢字漢字漢字", "mixed 漢 x", "x" * 300_000])
@pytest.mark.parametrize("width", [1, 2, 9, 10, 11])
def test_fit_gives_exactly_the_cells_it_was_asked_for(text: str, width: int) -> None:
    assert cell_len(f.fit(text, width)) == width


@pytest.mark.parametrize("text", ["", "a b c", "word " * 40, "x" * 99, "漢字" * 30, "a\nb\n"])
def test_wrap_loses_nothing_and_stays_within_the_width(text: str) -> None:
    lines = f.wrap(text, 17)
    assert all(cell_len(line) <= 17 for line in lines)
    assert "".join(lines) == text.replace("\n", "")


@pytest.mark.parametrize("text", ["one · two · three · four", "one - two - three - four"])
def test_wrap_breaks_a_line_between_words(text: str) -> None:
    assert [line.strip() for line in f.wrap(text, 17)] == [text[:11], text[12:]]


def test_every_glyph_takes_one_cell() -> None:
    assert [glyph for glyph in f.GLYPHS if cell_len(glyph) != 1] == []


def test_a_gauge_tells_running_of_limit_and_what_is_full_comes_first() -> None:
    told = [["", 3, 1000], ["orders", 2, 2], ["mailer", 1, 4], ["off", 0, 0]]
    assert gauge_words(told, 120) == (
        "orders 2/2 ██████████ full · concurrency 3/1,000 █░░░░░░░░░ · mailer 1/4 ██░░░░░░░░ · off switched off"
    )
    assert gauge_words(told, 41) == "orders 2/2 █████ full"
    assert gauge_words([["", 0, 1000]], 60) == "concurrency 0/1,000 ░░░░░░░░░░"
    assert gauge_words([], 60) == ""
