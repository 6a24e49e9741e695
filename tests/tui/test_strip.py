"""The strip under the picture of a tape: a caption, the keys that are pressed, and how fast time passes."""

import re
from itertools import pairwise

import pytest
from rich.cells import cell_len
from stage import HOSTILE, is_harmless

from lamtop.tui.demo.strip import ROWS, Strip
from lamtop.tui.demo.tape import THEMES

LONG = "Three attempts are all it gets, " * 20
WIDE = "三回だけ試みる。" * 20
EMOJI = "👩‍👩‍👧 é́ ⚡ " * 40


def shown(strip: Strip, width: int = 100, at: float = 0.0, rate: float = 1.0) -> tuple[str, str]:
    """The text of its two lines."""
    first, second = ("".join(run.text for run in row) for row in strip.rows(width, at, rate))
    return first, second


def a_strip(caption: str = "", *keys: tuple[str, str, float], theme: str = "dark", note: str = "") -> Strip:
    strip = Strip(theme)
    strip.caption, strip.note = caption, note
    for key, does, at in keys:
        strip.pressed(key, does, at)
    return strip


# its size


@pytest.mark.parametrize("text", ["", "short", LONG, WIDE, f"x{WIDE}", EMOJI, *HOSTILE.values()])
@pytest.mark.parametrize("width", [1, 20, 60, 61, 100, 300])
def test_it_is_two_lines_of_the_width_whatever_is_in_it(text: str, width: int) -> None:
    strip = a_strip(text, ("a", text, 0.0), (text or "b", "send", 0.1), ("c", text, 0.2))
    for rate, strip.note in ((0.0, text), (1.0, ""), (0.25, "note"), (16.0, text), (99_999.5, "")):
        rows = strip.rows(width, 0.2, rate)
        assert len(rows) == ROWS == 2
        for row in rows:
            assert cell_len("".join(run.text for run in row)) == sum(run.width for run in row) == width
            assert all(run.text for run in row)


@pytest.mark.parametrize("text", HOSTILE.values())
def test_nothing_in_it_commands_a_terminal_or_begins_a_line(text: str) -> None:
    strip = a_strip(f"a{text}\nb\tc", (text, text, 0.0), note=text)
    for line in shown(strip, 300):
        assert is_harmless(line)
        assert "\n" not in line
        assert "\t" not in line


@pytest.mark.parametrize("caption", [LONG, WIDE])
def test_a_caption_that_is_too_long_is_cut_where_it_can_be_seen(caption: str) -> None:
    first, _ = shown(a_strip(caption), 60)
    assert first.rstrip().endswith("…")
    assert first.startswith(f" ▌{caption[:20]}")


def test_a_caption_gives_way_to_the_pace() -> None:
    first, _ = shown(a_strip(LONG), 60, rate=16.0)
    assert first.endswith("…▸▸ x16 ")


# captions, notes and the pace


def test_the_caption_is_on_the_first_line_and_the_note_at_the_right_of_the_second() -> None:
    first, second = shown(a_strip("It failed", note="space pauses"), 60)
    assert first == " ▌It failed".ljust(60)
    assert second == "space pauses ".rjust(60)


@pytest.mark.parametrize(
    ("rate", "told"),
    [(16.0, "▸▸ x16 "), (0.25, "▸▸ x1/4 "), (2.5, "▸▸ x2.5 "), (0.0, "▸▸ time stands still "), (1.0, "")],
)
def test_the_pace_is_told_where_it_is_not_that_of_the_clock(rate: float, told: str) -> None:
    first, second = shown(a_strip("It failed"), 60, rate=rate)
    assert first == " ▌It failed".ljust(60 - len(told)) + told
    assert "▸" not in second


# keys


def test_a_key_stands_in_front_of_what_it_does_and_is_gone_after_its_time() -> None:
    strip = a_strip("", ("a", "send it one event", 10.0))
    assert shown(strip, 60, 10.0)[1] == "   a  send it one event".ljust(60)
    assert shown(strip, 60, 11.7)[1] == "   a  send it one event".ljust(60)
    assert shown(strip, 60, 11.8)[1] == " " * 60


def test_only_the_newest_key_says_what_it_does() -> None:
    strip = a_strip("", ("e", "the invoke form", 0.0), ("↓", "move down", 0.5))
    assert re.sub(" +", " ", shown(strip)[1]) == " e ↓ move down "


def test_a_key_that_does_nothing_of_note_stands_alone() -> None:
    assert re.sub(" +", " ", shown(a_strip("", ("x", "", 0.0), ("y", "", 0.0)))[1]) == " x y "


def test_the_last_three_keys_are_shown() -> None:
    strip = a_strip("", *((key, f"does {key}", 0.1) for key in "abcde"))
    assert re.sub(" +", " ", shown(strip)[1]) == " c d e does e "


def test_the_same_key_again_is_counted() -> None:
    strip = a_strip("", *(("j", "move down", at / 10) for at in range(2)))
    assert re.sub(" +", " ", shown(strip)[1]) == " j move down ×2 "
    strip.pressed("j", "move down", 0.3)
    assert re.sub(" +", " ", shown(strip)[1]) == " j move down ×3 "
    strip.pressed("k", "move up", 0.4)
    assert re.sub(" +", " ", shown(strip)[1]) == " j ×3 k move up "
    strip.pressed("j", "move down", 0.5)
    assert re.sub(" +", " ", shown(strip)[1]) == " j ×3 k j move down "


def test_a_key_that_does_something_else_by_now_is_not_the_same() -> None:
    strip = a_strip("", ("esc", "close the panel", 0.0), ("esc", "clear the filter", 0.1))
    assert re.sub(" +", " ", shown(strip)[1]) == " esc esc clear the filter "


def test_each_key_keeps_those_before_it_a_while_longer() -> None:
    strip = a_strip("", ("a", "", 0.0), ("b", "", 1.7))
    assert re.sub(" +", " ", shown(strip, at=3.4)[1]) == " a b "
    assert shown(strip, at=3.5)[1].strip() == ""


def test_a_key_after_a_pause_begins_anew() -> None:
    strip = a_strip("", ("a", "send", 0.0), ("a", "send", 5.0))
    assert re.sub(" +", " ", shown(strip, at=5.0)[1]) == " a send "


def test_what_a_long_word_leaves_no_room_for_is_left_out() -> None:
    strip = a_strip("", ("e", LONG, 0.0), note="space pauses")
    _, second = shown(strip, 60)
    assert second.endswith("…space pauses ")


# looks


@pytest.mark.parametrize("theme", THEMES)
def test_every_theme_has_words_that_can_be_read_and_keys_that_stand_out(theme: str) -> None:
    strip = a_strip("words", ("a", "send", 0.0), theme=theme, note="note")
    rows = strip.rows(60, 0.0, 16.0)
    looks = {run.text.strip(): run.look for row in rows for run in row if run.text.strip()}
    assert {"▌", "words", "▸▸ x16", "a", "send", "note"} == set(looks)
    grounds = {looks[text].ground for text in ("words", "▸▸ x16", "send", "note")}
    assert len(grounds) == 1
    assert looks["a"].ground not in grounds
    for text, look in looks.items():
        assert contrast(look.front, look.ground) > (3 if text == "▌" else 4.5), text
    assert [text for text, look in looks.items() if look.bold] == ["words", "▸▸ x16", "a"]


def test_a_light_tape_has_a_light_strip() -> None:
    [dark], [light], [terminal] = (
        {run.look.ground for run in Strip(theme).rows(60, 0.0, 1.0)[0]} for theme in ("dark", "light", "terminal")
    )
    assert luminance(dark) < 0.1 < 0.6 < luminance(light)
    assert terminal == dark


def test_neighbours_differ_in_their_look() -> None:
    for row in a_strip("words", ("a", "send", 0.0)).rows(60, 0.0, 2.0):
        assert all(one.look != other.look for one, other in pairwise(row) if one.text.strip() and other.text.strip())


def luminance(colour: str) -> float:
    """As WCAG has it, of "#rrggbb"."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(front: str, ground: str) -> float:
    """From 1 to 21."""
    light, dark = sorted((luminance(front), luminance(ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
