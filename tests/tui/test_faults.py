"""The fault panel, its banner and the keys of time: what they ask the engine for, and that nobody forgets a fault."""

from stage import Stage, play

from lamtop.engine.core.fault import ON_DELIVERY, TIMED, Kind
from lamtop.tui import fault_kinds
from lamtop.tui.fault_draft import PRESETS, FaultDraft
from lamtop.tui.fault_grammar import trouble


def test_the_panel_offers_every_kind_under_a_letter_of_its_own() -> None:
    assert sorted(one.word for one in fault_kinds.KINDS) == sorted(Kind)
    assert len({one.letter for one in fault_kinds.KINDS}) == len(Kind)
    assert fault_kinds.TIMED == TIMED
    assert fault_kinds.ON_DELIVERY == ON_DELIVERY


def test_fields_make_the_sentence_that_the_command_line_takes() -> None:
    draft = FaultDraft("timeout", "orders", percent="50", count="25", lasts="20", seed="7")
    assert draft.sentence() == "orders timeout 50% 25x 20s seed=7"
    assert FaultDraft("delay", "all").of_kind("delay").sentence() == "all delay +2s"
    assert FaultDraft("delay", delay="2..5s", percent="5%").sentence() == "all delay 5% +2s..5s"
    assert FaultDraft("error", delay="2s", request="3f2a").sentence() == "all error request=3f2a"
    assert [trouble(preset.sentence()) for _, preset in PRESETS] == [""] * 4


def test_a_few_keys_arm_a_timeout_for_half_of_the_next_events() -> None:
    async def story(stage: Stage) -> None:
        await stage.press("f", "t", "tab", "tab", *"50", "tab", *"25")
        await stage.shows("arms       always-fails timeout 50% 25x", "the handler hangs until its time is up")
        await stage.press("enter")
        await stage.hides("what is to go wrong")
        assert stage.called("arm") == [("arm", "always-fails timeout 50% 25x")]
        await stage.shows("↯ always-fails: timeout 50%", "↯1 fault", "X clears all")
        await stage.press("X")
        await stage.hides("↯")
        assert stage.called("disarm") == [("disarm", None)]

    play(story)
