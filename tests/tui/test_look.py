"""What fits which terminal: colours, letters, the mouse, and the smallest size."""

from collections.abc import Callable

import pytest
from fake_engine import NOW, FakeEngine, dead, function, queued, retry
from stage import Stage, play
from textual import events
from textual.color import Color
from textual.geometry import Offset

from lamtop.tui.ascii_output import in_ascii
from lamtop.tui.colours import OWN_THEMES
from lamtop.tui.format import GLYPHS
from lamtop.tui.look import DARK, LIGHT, TERMINAL, THEMES, theme_for, wants_ascii


@pytest.mark.parametrize(
    ("environ", "plain"),
    [
        ({}, False),
        ({"LANG": "de_DE.UTF-8"}, False),
        ({"LANG": "C"}, True),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True),  # as Python changes a plain C
        ({"LC_CTYPE": "C.UTF-8"}, False),
        ({"LANG": "C", "LC_CTYPE": "en_US.utf8"}, False),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "POSIX"}, True),
        ({"LANG": "en_US.ISO-8859-1"}, True),
    ],
)
def test_a_locale_without_utf_8_gets_ascii(environ: dict[str, str], plain: bool) -> None:
    assert wants_ascii(environ) == plain


@pytest.mark.parametrize(
    ("environ", "wish", "theme"),
    [
        ({"TERM": "xterm-256color"}, None, DARK),
        ({"TERM": "xterm-256color", "COLORFGBG": "0;15"}, None, LIGHT),
        ({"TERM": "xterm-256color", "COLORFGBG": "15;default;0"}, None, DARK),
        ({"TERM": "screen"}, None, TERMINAL),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, None, DARK),
        ({"TERM": "screen"}, LIGHT, LIGHT),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, LIGHT, TERMINAL),
    ],
)
def test_the_colours_fit_the_terminal_unless_the_user_wishes_others(
    environ: dict[str, str], wish: str | None, theme: str
) -> None:
    assert theme_for(environ, wish) == theme


def test_every_kind_of_text_is_readable_and_none_looks_like_another() -> None:
    for theme in OWN_THEMES[:2]:
        colours = theme.to_color_system().generate()
        kinds = [Color.parse(colours[f"text-{kind}"]) for kind in ("primary", "success", "warning", "error", "accent")]
        assert len(set(kinds)) == len(kinds)
        for kind in kinds:
            dark, light = sorted((luminance(kind), luminance(Color.parse(colours["background"]))))
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (theme.name, kind.hex)


def luminance(colour: Color) -> float:
    """How bright a colour is, 0 to 1. Source: WCAG 2.2, "relative luminance"."""
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in colour.normalized)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_every_glyph_has_a_likeness_in_ascii_and_every_cell_keeps_its_place() -> None:
    assert "?" not in in_ascii(GLYPHS + "│─╭╮╰╯═║╔╗╚╝┄…→·▁▂▃▄▅▆▇█↓↑␤")
    assert in_ascii("a日本b\x1b[31m✓") == "a????b\x1b[31mv"


def test_t_goes_through_the_colours() -> None:
    async def story(stage: Stage) -> None:
        seen = [stage.app.theme]
        for _ in range(3):
            await stage.press("T")
            seen.append(stage.app.theme)
        assert len(set(seen)) == 3
        assert seen[0] == seen[-1]
        await stage.shows("colours: ")

    play(story)


def test_what_was_drawn_in_other_colours_is_drawn_anew_in_these() -> None:
    drawn: dict[str, list[list[str]]] = {theme: [] for theme in THEMES}

    async def story(stage: Stage) -> None:
        for _ in THEMES:
            await stage.shows("6 Functions 60")
            table = stage.table("functions")
            x, y, _, height = table.content_region
            lines = [strip.crop(x, x + table.room) for strip in stage.app.screen._compositor.render_strips()]
            drawn[stage.app.look].append([str(part.style) for line in lines[y : y + height] for part in line])
            await stage.press("T")

    for theme in THEMES:
        play(story, busy(), theme=theme)
    for theme, each in drawn.items():
        assert each[0] == each[1] == each[2], theme
    assert drawn[DARK][0] != drawn[LIGHT][0] != drawn[TERMINAL][0]


def test_a_style_that_the_theme_has_not_is_an_error_and_not_plain() -> None:
    async def story(stage: Stage) -> None:
        with pytest.raises(KeyError, match="acent"):
            stage.table("queue").style("acent")

    play(story)


def busy() -> FakeEngine:
    engine = FakeEngine()
    engine.rows["functions"] = [function(f"function-{number}") for number in range(60)]
    engine.rows["queue"] = [queued(number) for number in range(1, 60)]
    engine.rows["retries"] = [retry(201)]
    engine.rows["dlq"] = [dead(1), dead(2)]
    engine.totals |= {"queued": 59, "retrying": 1, "dead_letters": 2, "soonest_retry": NOW + 59}
    return engine


def test_the_smallest_terminal_names_every_pane() -> None:
    async def story(stage: Stage) -> None:
        await stage.shows("1 Que 59", "2 Run", "3 Retry 1", "4 DLQ 2", "5 Log", "[6 Functions]", "? help", "q quit")
        await stage.press("ctrl+p")
        await stage.shows("invoke the selected function")
        await stage.press("escape", "question_mark")
        await stage.shows("The functions of this project", "RATE")

    play(story, busy(), (60, 15))


def test_a_terminal_that_was_too_small_for_a_while_comes_back_to_the_same_pane() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("3")
        await stage.pilot.resize_terminal(50, 10)
        await stage.shows("please enlarge")
        await stage.pilot.resize_terminal(140, 40)
        await stage.until(lambda: stage.app.focused is stage.table("retries"), "the focus")
        assert stage.app.main.focused_pane == "retries"

    play(story, busy())


# -- the mouse ---------------------------------------------------------------------------------------------------------


async def mouse(stage: Stage, kind: Callable[..., events.MouseEvent], pane: str, y: int) -> None:
    """An event of the mouse, `y` lines below a pane's border."""
    place = stage.table(pane).region.offset + Offset(3, 1 + y)
    stage.app.screen._forward_event(kind(None, place.x, place.y, 0, 0, 1, False, False, False, place.x, place.y))
    await stage.pilot.pause()


def test_a_click_focuses_a_pane_and_its_row() -> None:
    async def story(stage: Stage) -> None:
        await stage.pilot.click("#queue", offset=(5, 4))
        await stage.until(lambda: stage.app.main.focused_pane == "queue", "the pane")
        await stage.until(lambda: stage.table("queue").cursor == 2, "the third row")
        await stage.pilot.click("#functions", offset=(5, 3))
        await stage.until(lambda: stage.app.main.selected == "function-1", "the second function")

    play(story, busy())


def test_the_wheel_scrolls_the_pane_under_it_and_leaves_the_cursor() -> None:
    async def story(stage: Stage) -> None:
        await mouse(stage, events.MouseScrollDown, "queue", 3)
        await stage.until(lambda: stage.table("queue").scroll_offset.y > 0, "further down")
        assert stage.table("queue").cursor == 0
        await mouse(stage, events.MouseScrollUp, "queue", 3)
        await stage.until(lambda: stage.table("queue").scroll_offset.y == 0, "back at the top")

    play(story, busy())


# -- a broken widget ---------------------------------------------------------------------------------------------------


def test_a_pane_that_cannot_be_drawn_says_so_and_the_others_live() -> None:
    engine = busy()

    async def story(stage: Stage) -> None:
        engine.rows["queue"] = [queued(1, due_at="nonsense [/x]\x1b[2J")]
        engine.publish()
        await stage.shows("cannot draw this line", "6 Functions 60")
        stage.app.main.query_one("#footer")._keys = None  # type: ignore[attr-defined]
        stage.app.main.query_one("#header")._model = None  # type: ignore[attr-defined]
        await stage.press("j", "6", "j")
        await stage.shows("cannot draw this line: AttributeError", "cannot draw this line: TypeError", "function-3")
        assert stage.app.return_code is None

    play(story, engine)


def test_what_fails_while_a_frame_is_taken_over_is_said_and_does_not_end_the_program() -> None:
    engine = busy()

    async def story(stage: Stage) -> None:
        def broken(_: object) -> None:
            raise ZeroDivisionError("in the middle of a picture")

        stage.table("queue").sync = broken  # type: ignore[method-assign]
        engine.rows["queue"] = [queued(2)]
        engine.rows["dlq"] = [dead(number) for number in range(1, 6)]
        engine.publish()
        await stage.shows("ZeroDivisionError: in the middle of a picture", "4 DLQ 5")
        stage.app.main.action_sort = broken  # type: ignore[method-assign,assignment]
        await stage.press("4", "s")
        await stage.shows("fault of lamtop: TypeError")
        await stage.press("j", "a")
        await stage.shows("202 accepted")

    play(story, engine)
