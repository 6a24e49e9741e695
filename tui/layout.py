"""Which arrangement of the panes fits a terminal."""

WIDE, NORMAL, NARROW, TINY = "wide", "normal", "narrow", "tiny"
LAYOUTS = (WIDE, NORMAL, NARROW, TINY)
SMALLEST = (60, 15)


def layout_for(width: int, height: int) -> str:
    """The arrangement for a terminal of so many cells: three, two or one list beside another, or none."""
    if width < SMALLEST[0] or height < SMALLEST[1]:
        return TINY
    if width >= 130 and height >= 34:
        return WIDE
    return NORMAL if width >= 100 and height >= 28 else NARROW
