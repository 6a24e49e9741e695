"""When no engine ran on a state folder."""

from pathlib import Path

import pytest

from lamtop.engine.store import Absence, Absences


def opened(folder: Path, now: float, last_written: float = 0.0) -> Absences:
    absences = Absences(folder)
    absences.opened(now, last_written)
    return absences


def test_a_new_folder_has_no_absences_and_a_stop_and_a_start_make_one(tmp_path: Path) -> None:
    first = opened(tmp_path, 1_000.0)
    assert first.between(0.0, 9_999.0) == []
    first.closed(1_100.0)
    again = opened(tmp_path, 1_500.0, 1_090.0)
    assert again.between(0.0, 9_999.0) == [Absence(1_100.0, 1_500.0, True)]
    assert again.between(1_500.0, 9_999.0) == again.between(0.0, 1_100.0) == []
    assert (tmp_path / "absences.json").stat().st_mode & 0o777 == 0o600


def test_the_start_of_an_absence_is_not_exact_if_the_engine_was_killed(tmp_path: Path) -> None:
    opened(tmp_path, 1_000.0)
    assert opened(tmp_path, 1_500.0, 1_020.0).between(0.0, 9_999.0) == [Absence(1_020.0, 1_500.0, False)]


def test_only_the_newest_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lamtop.engine.store.absences._KEPT", 2)
    for at in (10.0, 20.0, 30.0, 40.0):
        absences = opened(tmp_path, at)
        absences.closed(at + 1)
    assert [absence.end for absence in absences.between(0.0, 100.0)] == [30.0, 40.0]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"absences": [[1]]}', '{"absences": 7, "stopped": "x"}'])
def test_a_file_that_cannot_be_read_says_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "absences.json").write_text(content)
    assert opened(tmp_path, 1_500.0, 1_020.0).between(0.0, 9_999.0) == [Absence(1_020.0, 1_500.0, False)]
