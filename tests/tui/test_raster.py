"""Frames as pixels: every sign is drawn, lines meet, and colours are those of the screen."""

import re
import unicodedata
from pathlib import Path

import pytest
from pictures import line, screen
from PIL import Image

import lamtop.tui
from lamtop.tui import keymap
from lamtop.tui.ascii_output import _DRAWN
from lamtop.tui.film.frame import Frame, between
from lamtop.tui.film.letters import Letters
from lamtop.tui.film.raster import Area, Canvas, Pen, picture, true_colours
from lamtop.tui.format import GLYPHS, clean
from lamtop.tui.inflow import LEVELS

BOX_SIGNS = [chr(code) for code in range(0x2500, 0x2580)]
SOURCES = Path(lamtop.tui.__file__).parent


def glyphs() -> set[str]:
    """Everything beside ASCII that lamtop itself can draw."""
    known = GLYPHS + LEVELS + "".join(_DRAWN) + "".join(keymap._NAMES.values())
    written = "".join(path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.py"))
    cleaned = clean("".join(map(chr, [*range(32), *range(0x7F, 0xA0), 0x200B, 0x2028])))
    return {char for char in known + written + cleaned if not char.isascii() and char.isprintable()}


@pytest.fixture(scope="module")
def pen() -> Pen:
    return Pen()


def drawn(pen: Pen, letter: str, width: int = 1, **look: bool) -> Image.Image:
    return pen.draw(letter, width, bold=look.get("bold", False), italic=look.get("italic", False))


def edge(mask: Image.Image, side: str) -> list[int]:
    """The ink along one side of a cell."""
    width, height = mask.size
    boxes = {"LEFT": (0, 0, 1, height), "RIGHT": (width - 1, 0, width, height)}
    boxes |= {"UP": (0, 0, width, 1), "DOWN": (0, height - 1, width, height)}
    return list(mask.crop(boxes[side]).tobytes())


def test_every_sign_that_lamtop_draws_is_there(pen: Pen) -> None:
    assert len(glyphs()) > 80
    assert {char for char in glyphs() if not pen.can_draw(char)} == set()


@pytest.mark.parametrize("char", ["注", "👍", "\ue000"])
def test_what_nobody_can_draw_is_an_empty_box_of_its_width(char: str, pen: Pen) -> None:
    assert not pen.can_draw(char)
    one, two = drawn(pen, char), drawn(pen, char, 2)
    assert (one.width, two.width) == (pen.cell.width, 2 * pen.cell.width)
    for box in (one, two):
        left, top, right, bottom = box.getbbox() or (0, 0, 0, 0)
        assert right - left > box.width * 0.6
        assert not any(box.crop((left + 2, top + 2, right - 2, bottom - 2)).tobytes()), "it is hollow"


@pytest.mark.parametrize(("char", "plain"), [("a\u0301", "á"), ("‑", "‐"), ("\u2003", " ")])
def test_other_ways_to_write_a_letter_are_drawn_like_it(char: str, plain: str, pen: Pen) -> None:
    assert drawn(pen, char).tobytes() == drawn(pen, plain).tobytes()


def test_control_characters_have_signs_that_differ(pen: Pen) -> None:
    seen = {drawn(pen, chr(code)).tobytes() for code in (0x2400, 0x241B, 0x240D, 0x2421)}
    assert len(seen) == 4


def test_bold_and_italic_letters_look_so(pen: Pen) -> None:
    looks = ({}, {"bold": True}, {"italic": True}, {"bold": True, "italic": True})
    assert len({drawn(pen, "a", **look).tobytes() for look in looks}) == 4
    assert sum(drawn(pen, "a", bold=True).tobytes()) > sum(drawn(pen, "a").tobytes())


# lines and blocks


@pytest.mark.parametrize("scale", [1, 2, 3])
@pytest.mark.parametrize("side", ["LEFT", "RIGHT", "UP", "DOWN"])
def test_lines_meet_those_of_the_next_cell_without_a_gap(side: str, scale: int) -> None:
    pen = Pen(scale)
    level = side in ("LEFT", "RIGHT")
    lines = {"LIGHT": "─" if level else "│", "HEAVY": "━" if level else "┃", "DOUBLE": "═" if level else "║"}
    wholes = {weight: edge(drawn(pen, sign), side) for weight, sign in lines.items()}
    for sign in BOX_SIGNS:
        name = unicodedata.name(sign)
        if "DASH" not in name and "DIAGONAL" not in name:
            weight = weight_to(side, name)
            expected = wholes[weight] if weight else [0] * len(wholes["LIGHT"])
            assert edge(drawn(pen, sign), side) == pytest.approx(expected, abs=60 if "ARC" in name else 0), name


def weight_to(side: str, name: str) -> str:
    """LIGHT, HEAVY or DOUBLE: what a sign's Unicode name says of one side; "" if it has nothing there."""
    both = "HORIZONTAL" if side in ("LEFT", "RIGHT") else "VERTICAL"
    weight = ""
    for group in name.replace("SINGLE", "LIGHT").split(" AND "):
        weight = next((word for word in group.split() if word in ("LIGHT", "HEAVY", "DOUBLE")), weight)
        if re.search(rf"\b({side}|{both})\b", group):
            return weight
    return ""


def test_a_corner_of_double_lines_is_closed(pen: Pen) -> None:
    columns = [drawn(pen, "╔").crop((x, 0, x + 1, pen.cell.height)).tobytes() for x in range(pen.cell.width)]
    x, y = (int(one) for one in pen.cell.middle)
    assert [x for x, ink in enumerate(columns) if ink[y - 1]] == list(range(x - 1, pen.cell.width)), "the outer line"
    assert [x for x, ink in enumerate(columns) if ink[y + 1]] == [x - 1, *range(x + 1, pen.cell.width)], "the inner"


def test_dashes_leave_gaps_and_repeat_from_cell_to_cell(pen: Pen) -> None:
    for sign, pieces in (("┄", 3), ("┈", 4), ("╌", 2)):
        row = drawn(pen, sign).crop((0, 9, 9, 10)).tobytes() * 2
        assert len(re.findall(b"\xff+", row)) == 2 * pieces, sign


def test_shades_are_quarters_and_even(pen: Pen) -> None:
    assert [set(drawn(pen, sign).tobytes()) for sign in "░▒▓█"] == [{64}, {128}, {191}, {255}]


def test_bars_grow_by_eighths_and_fill_the_cell(pen: Pen) -> None:
    for bars in ("▁▂▃▄▅▆▇█", "▏▎▍▌▋▊▉█"):
        inks = [sum(drawn(pen, bar).tobytes()) for bar in bars]
        assert inks == sorted(set(inks))
    assert set(edge(drawn(pen, "▁"), "DOWN")) == {255}
    assert not any(edge(drawn(pen, "▇"), "UP"))


def test_two_halves_are_a_whole(pen: Pen) -> None:
    for one, other in (("▀", "▄"), ("▌", "▐"), ("▚", "▞"), ("▙", "▝"), ("▟", "▘")):
        both = zip(drawn(pen, one).tobytes(), drawn(pen, other).tobytes(), strict=True)
        assert {a + b for a, b in both} == {255}, one


# pictures


def colours(image: Image.Image) -> set[str]:
    found = image.getcolors(1 << 24)
    assert found is not None
    return {"#{:02x}{:02x}{:02x}".format(*colour) for _, colour in found}


def test_a_picture_has_the_colours_of_its_looks_and_those_between() -> None:
    ground, front = "#102030", "#ffb000"
    image = picture(screen(line(("umbrella █", f"{front} on {ground}"), width=10), width=10))
    assert {ground, front} <= colours(image)
    assert colours(image) <= {between(ground, front, grey / 255) for grey in range(256)}


def test_an_underline_and_a_line_through_are_drawn() -> None:
    plain, under, through = (
        picture(screen(line(("aaa", f"{mark} #ffffff on #000000"), width=3), width=3))
        for mark in ("", "underline", "strike")
    )
    rows = {
        name: [y for y in range(9, 29) if set(image.crop((9, y, 36, y + 1)).convert("L").tobytes()) == {255}]
        for name, image in (("plain", plain), ("under", under), ("through", through))
    }
    assert rows["plain"] == []
    assert len(rows["under"]) == len(rows["through"]) == 1
    assert rows["under"] > rows["through"]


def test_only_what_has_changed_is_drawn_anew() -> None:
    canvas = Canvas((24, 3), true_colours, "RGB", "#292929")
    first = screen("Queue 0", "", "0:00")
    assert canvas.show(first) == Area(9, 9, 9 + 24 * 9, 9 + 3 * 20)
    assert canvas.show(first) is None
    assert canvas.show(screen("Queue 0", "", "0:07")) == Area(9 + 3 * 9, 9 + 2 * 20, 9 + 4 * 9, 9 + 3 * 20)
    assert canvas.image.tobytes() == picture(screen("Queue 0", "", "0:07")).tobytes()


def test_a_wide_letter_that_goes_leaves_nothing_behind() -> None:
    canvas = Canvas((8, 1), true_colours, "RGB", "#292929")
    for text in ("注文 a", "a注文", "ab"):
        frame = screen(line(text, width=8), width=8)
        canvas.show(frame)
        assert canvas.image.tobytes() == picture(frame).tobytes(), text


def test_a_smaller_frame_is_at_the_top_left_of_a_larger_picture() -> None:
    canvas = Canvas((8, 2), true_colours, "RGB", "#292929")
    canvas.show(screen("a" * 8, "b" * 8, width=8))
    canvas.show(screen("c", width=4))
    assert canvas.image.tobytes() == picture(screen("c", "", width=8)).tobytes()


def test_a_picture_twice_as_large_has_the_same_lines() -> None:
    frame = Frame(3, screen("╭─╮", "│x│", "╰─╯", width=3).rows)
    one, two = picture(frame), picture(frame, 2)
    assert two.size == (one.width * 2, one.height * 2)


def test_letters_that_the_font_has_not_got_are_told() -> None:
    letters = Letters(9, 20, 15)
    assert letters.draw("a", bold=False, italic=False) is not None
    assert letters.draw("✓", bold=False, italic=False) is None
