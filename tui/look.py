"""How the monitor looks in this terminal: its colours and its letters, from the environment and the user's wish."""

from collections.abc import Mapping

DARK, LIGHT, TERMINAL = "dark", "light", "terminal"
THEMES = {DARK: "lamtop-dark", LIGHT: "lamtop-light", TERMINAL: "lamtop-terminal"}
"""Name -> the theme in `colours`. `terminal` takes the terminal's own 16 colours, so it is dark or light as that is."""


def wants_ascii(environ: Mapping[str, str]) -> bool:
    """Whether the locale says that the terminal shows no UTF-8. An unset locale says nothing."""
    kind, lang = environ.get("LC_CTYPE", ""), environ.get("LANG", "")
    if kind in ("C.UTF-8", "C.utf8", "UTF-8") and lang:  # Python itself sets these instead of a plain C
        kind = ""
    locale = environ.get("LC_ALL") or kind or lang
    return bool(locale) and "utf" not in locale.lower()


def theme_for(environ: Mapping[str, str], wish: str | None) -> str:
    """The colours to begin with: the ones wished for, else what fits the terminal."""
    if wish in THEMES and "NO_COLOR" not in environ:
        return str(wish)
    if "NO_COLOR" in environ or not _has_many_colours(environ):
        return TERMINAL
    return LIGHT if _is_light(environ) else DARK


def _has_many_colours(environ: Mapping[str, str]) -> bool:
    return environ.get("COLORTERM", "").lower() in ("truecolor", "24bit") or "256color" in environ.get("TERM", "")


def _is_light(environ: Mapping[str, str]) -> bool:
    """Some terminals tell the numbers of their colours: "15;0" is white on black."""
    return environ.get("COLORFGBG", "").rpartition(";")[2] in ("7", "15")


def next_theme(theme: str) -> str:
    names = list(THEMES)
    return names[(names.index(theme) + 1) % len(names)]
