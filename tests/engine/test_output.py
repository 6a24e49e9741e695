"""How output becomes log events, and what is kept of a flood."""

import pytest

from lamtop.engine.edges.environments.logs import output
from lamtop.engine.edges.environments.logs.output import Output

AT = 1_790_000_000.25


def kept(*pieces: bytes) -> list[str]:
    out = Output()
    found = [text for piece in pieces for _, text in out.feed(AT, piece)]
    return found + [text for _, text in out.finish(AT)]


def in_pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_lines_are_the_same_however_they_arrive(size: int) -> None:
    data = b"one\n\n  two\r\nthr\ree\ncaf\xc3\xa9 \xff\x00\nlast"
    assert kept(*in_pieces(data, size)) == ["one", "", "  two", "thr\nee", "café \ufffd\x00", "last"]


@pytest.mark.parametrize("size", [999, 65_536])
@pytest.mark.parametrize("number", [output.FIRST_LINES, output.FIRST_LINES + 1, 9_500, 9_501, 100_000])
def test_of_many_lines_the_first_and_the_last_are_kept_and_the_rest_is_counted(number: int, size: int) -> None:
    lines = [str(n) for n in range(number)]
    found = kept(*in_pieces("".join(f"{line}\n" for line in lines).encode(), size))
    marks = [n for n, text in enumerate(found) if text.startswith("[lamtop]")]
    left_out = number - (len(found) - len(marks))
    assert [found[n] for n in marks] == ([f"[lamtop] {left_out} more lines were not kept"] if left_out else [])
    assert found[: output.FIRST_LINES] == lines[: output.FIRST_LINES]
    last = found[marks[0] + 1 :] if marks else found[output.FIRST_LINES :]
    assert last == lines[number - len(last) :]
    assert len(last) == min(number - output.FIRST_LINES, output.LAST_LINES)


def test_of_one_endless_line_the_first_and_the_last_part_are_kept() -> None:
    found = kept(*[b"x" * 65_000] * 769, b"the end")
    assert found[-1].endswith("the end")
    (mark,) = [n for n, text in enumerate(found) if text.startswith("[lamtop]")]
    assert {len(text) for text in found[:mark]} == {output.LINE_MAX}
    left_out = int(found[mark].split()[1])
    assert 50_000_000 - output.LINE_MAX * (left_out + 1) < sum(map(len, found)) < 1_200_000


def test_what_is_held_is_bounded_and_the_next_invocation_starts_anew() -> None:
    out = Output()
    for _ in range(1_000):
        list(out.feed(AT, b"y" * 65_535 + b"\n"))
    assert sum(len(text) for _, text in out.finish(AT)) < output.LAST_BYTES + 2 * output.LINE_MAX
    assert [text for _, text in out.feed(AT, b"next\n")] == ["next"]
