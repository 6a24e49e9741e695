"""How much of each concurrency limit is used: the account's, and those reserved for a function."""

from typing import Any

from . import format as f

_BAR, _BAR_NARROW = 10, 5  # cells


def gauge_words(told: list[list[Any]], room: int) -> str:
    """Running of limit with a bar: what is full, the account, the fullest reserved functions, as many as fit."""
    words = ""
    for name, running, limit in sorted(told, key=lambda one: not 0 < int(one[2]) <= int(one[1])):
        gauge = _gauge(str(name), int(running), int(limit), _BAR if room >= 60 else _BAR_NARROW)
        longer = f"{words} · {gauge}" if words else gauge
        if len(longer) > room:
            break
        words = longer
    return words


def _gauge(name: str, running: int, limit: int, width: int) -> str:
    if not limit:
        return f"{name} switched off"
    full = " full" if running >= limit else ""
    bar = f.bar(max(running / limit, 1 / width if running else 0), width)  # one that runs shows, of a thousand too
    return f"{name or 'concurrency'} {running}/{f.number(limit)} {bar}{full}"
