"""How bad a log line is."""

import pytest

from lamtop.engine.core.level import is_at_least, rank
from lamtop.engine.core.log import LogLine


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[ERROR]\t2026-01-01T00:00:00.000Z\tid\tboom", 2),
        ("[ERROR] KeyError: 'card'\nTraceback (most recent call last):", 2),
        ("[WARNING]\t2026-01-01T00:00:00.000Z\tid\tcareful", 1),
        ('{"timestamp": "t", "level": "CRITICAL", "message": "m"}', 2),
        ('{"time": "t", "log_level": "warn"}', 1),
        ('{"message": "a text that says ERROR"}', 0),
        ("2026-01-01T00:00:00.000Z id Task timed out after 3.00 seconds", 2),
        ("Traceback (most recent call last):", 2),
        ("looking for one umbrella", 0),
        ("ERROR no brackets", 2),
        ("[INFO]\tfine", 0),
        ("", 0),
    ],
)
def test_a_line_is_as_bad_as_it_says(text: str, expected: int) -> None:
    line = LogLine(1, 0.0, "f", "id", 1, "output", text)
    assert rank(line) == expected
    assert is_at_least(line, "")
    assert is_at_least(line, "WARN") == (expected >= 1)
    assert is_at_least(line, "ERROR") == (expected == 2)
