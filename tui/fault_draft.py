"""A fault as the panel's fields say it, and its sentence. Nothing is checked here: the grammar says what is wrong."""

from dataclasses import dataclass, replace

from .fault_kinds import TIMED, takes

USUAL_DELAY = "2s"


@dataclass(frozen=True)
class FaultDraft:
    """The fields as they were typed; "" leaves one out. `target` is a function's or a queue's name, or "all"."""

    kind: str = "error"
    target: str = "all"
    request: str = ""
    percent: str = ""
    count: str = ""
    lasts: str = ""
    delay: str = ""
    payload: str = ""
    seed: str = ""

    def of_kind(self, kind: str) -> "FaultDraft":
        """The same with another kind; one that waits has a delay."""
        delay = self.delay or USUAL_DELAY if kind in TIMED else self.delay
        return replace(self, kind=kind, delay=delay)

    def sentence(self) -> str:
        """The words that arm it, the same as on the command line."""
        words = {
            "percent": _with("", self.percent, "%"),
            "count": _with("", self.count, "x"),
            "lasts": _seconds(self.lasts),
            "delay": _with("+", "..".join(map(_seconds, self.delay.strip().split(".."))), ""),
            "seed": _with("seed=", self.seed, ""),
            "request": _with("request=", self.request, ""),
            "payload": _with("if ", self.payload, ""),
        }
        said = (word for field, word in words.items() if word and takes(self.kind, field))
        return " ".join([self.target, self.kind, *said])


def _with(head: str, text: str, tail: str) -> str:
    """The text with its mark, whether it was typed with it or not; "" if there is none."""
    text = text.strip().removeprefix(head).removesuffix(tail) if head != "if " else text.strip()
    return f"{head}{text}{tail}" if text else ""


def _seconds(text: str) -> str:
    """A number alone is meant in seconds."""
    text = text.strip()
    return f"{text}s" if text.replace(".", "", 1).isdigit() else text


PRESETS: tuple[tuple[str, FaultDraft], ...] = (
    ("flaky 30 %", FaultDraft("error", percent="30")),
    ("dead dependency", FaultDraft("error")),
    ("slow p99", FaultDraft("delay", percent="5", delay="2s..5s")),
    ("poison", FaultDraft("error", payload='{"id": 13}')),
)
"""What people try first; each has its number in the panel."""
