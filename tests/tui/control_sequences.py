"""What a program told its terminal, taken apart: text, and the commands in between."""

import re

_SEQUENCE = re.compile(
    r"\x1b(?:\[(?P<csi>[0-?]*[ -/]*[@-~])|\](?P<osc>[^\x07\x1b]*)(?:\x07|\x1b\\)"
    r"|(?P<string>[PX^_].*?)\x1b\\|(?P<short>[ -/]*[0-~]))",
    re.DOTALL,
)
_OWN_CSI = re.compile(
    r"[0-9;]*m"  # colours
    r"|[0-9]+;[0-9]+H"  # where the next text goes
    r"|\?[0-9]+(?:\$p|[hl])|>[0-9]+u|<u"  # modes, and the keyboard's
)
_ONCE = "\x1b[?1049l"  # back to the screen from before: the last thing that is done
_HIDDEN = re.compile("[\x80-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff\ufffe]")


def foreign(written: bytes) -> list[str]:
    """The commands in it that a screen of rows has no use for, and hidden characters that a text should not have."""
    text = written.decode(errors="replace").replace("\ufffd", "?")
    found = [
        match[0]
        for match in _SEQUENCE.finditer(text)
        if (match["osc"] is not None and not re.fullmatch("22;[a-z-]*", match["osc"]))  # the pointer's shape
        or match["string"] is not None
        or (match["csi"] is not None and not _OWN_CSI.fullmatch(match["csi"]))
    ]
    found += [_ONCE] * (text.count(_ONCE) - 1)
    rest = _SEQUENCE.sub("", text)
    found += [repr(character) for character in rest if ord(character) < 32 and character not in "\r\n\t\x0f"]
    return found + [repr(one) for one in _HIDDEN.findall(rest)]
