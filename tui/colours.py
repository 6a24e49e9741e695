"""The monitor's own colours. Each kind of text is readable on its background, and no two kinds look the same."""

from dataclasses import replace

from textual.theme import BUILTIN_THEMES, Theme

_DARK = Theme(
    name="lamtop-dark",
    dark=True,
    primary="#0178D4",
    secondary="#004578",
    warning="#FFA62B",
    error="#E5484D",
    success="#4EBF71",
    accent="#3FB6D6",
    foreground="#E0E0E0",
    background="#121212",
    variables={
        "text-primary": "#6CB2EB",
        "text-warning": "#FFC473",
        "text-error": "#FF8F8F",
        "text-success": "#8AD4A1",
        "text-accent": "#7DCFE8",
    },
)
_LIGHT = Theme(
    name="lamtop-light",
    dark=False,
    primary="#005A9E",
    secondary="#004578",
    warning="#B26A00",
    error="#B3261E",
    success="#1E7B3A",
    accent="#00708C",
    foreground="#1F1F1F",
    background="#FAFAFA",
    surface="#F0F0F0",
    panel="#E8E8E8",
    variables={
        "text-primary": "#00467C",
        "text-warning": "#855000",
        "text-error": "#A8102F",
        "text-success": "#17682F",
        "text-accent": "#00627A",
    },
)
_TERMINAL = replace(BUILTIN_THEMES["ansi-dark"], name="lamtop-terminal", primary="ansi_bright_blue")
"""The usual dark blue can hardly be read on black; the bright one can, on white too."""

OWN_THEMES = (_DARK, _LIGHT, _TERMINAL)
