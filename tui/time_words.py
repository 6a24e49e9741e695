"""How fast time passes, in words, and the speeds that keys go through."""

from . import format as f
from .model import EngineTime

SPEEDS = (0.0, 0.25, 1.0, 4.0, 16.0, 64.0, 256.0)
_FRACTIONS = {0.25: "1/4", 0.5: "1/2", 0.75: "3/4"}
_SAME = 2.0  # seconds that engine time may be away from the clock on the wall before it is said


def next_speed(rate: float, step: int) -> float:
    """The next faster (1) or slower (-1) speed; the same where there is none."""
    if step > 0:
        return next((speed for speed in SPEEDS if speed > rate), max(rate, SPEEDS[-1]))
    return next((speed for speed in reversed(SPEEDS) if speed < rate), 0.0)


def speed_words(rate: float) -> str:
    """The speed as it is called: "time stands still", "x1/4", "x16"."""
    return f"x{_FRACTIONS.get(rate, format(rate, 'g'))}" if rate else "time stands still"


def time_words(time: EngineTime, *, brief: bool = False) -> str:
    """What is unusual about time, for the header; "" where it is that of the clock on the wall."""
    if time.mode == "replay":
        return ""  # said elsewhere
    is_simulated = time.mode == "simulated"
    words = ["simulated"] if is_simulated else []
    if time.mode == "scaled" and not time.rate:
        words.append("stopped" if brief else speed_words(0.0))
    elif time.rate not in (0, 1):
        words.append(speed_words(time.rate))
    if abs(time.ahead) >= _SAME:
        words.append(("+" if time.ahead > 0 else "-") + f.countdown(abs(time.ahead)))
    return " ".join(words)
