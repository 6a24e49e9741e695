"""What the monitor knows: frames in, rows and lines out. No widget takes part."""

import json

import pytest
from fake_engine import NOW, dead, log_line, queued, request_id
from stage import HOSTILE, is_harmless

from lamtop.tui import loglines
from lamtop.tui.model import Model


def frame(**more: object) -> dict[str, object]:
    stamp = {"engine": NOW, "wall": NOW, "rate": 0.0, "mode": "simulated"}
    return {"time": stamp, "totals": {}, "views": {}, "logs": {}, "notices": []} | more


def view(*rows: dict[str, object], total: int | None = None, offset: int = 0, ids: bool = True) -> dict[str, object]:
    found: dict[str, object] = {"total": len(rows) if total is None else total, "offset": offset, "rows": list(rows)}
    return found | ({"ids": [row["id"] for row in rows]} if ids else {})


def test_a_row_that_changed_in_place_is_named_and_the_order_stays() -> None:
    model = Model()
    model.apply(frame(views={"queue": view(queued(1), queued(2))}))
    change = model.apply(frame(views={"queue": view(queued(2, wait="throttled"), total=2, ids=False)}))
    assert change.panes == {"queue": {request_id(2)}}
    assert [row["wait"] for row in model.rows["queue"].window()] == ["waiting for a place", "throttled"]


def test_ids_may_name_a_row_of_an_earlier_frame() -> None:
    model = Model()
    model.apply(frame(views={"queue": view(queued(1), queued(2))}))
    model.apply(frame(views={"queue": {"total": 1, "offset": 0, "ids": [request_id(2)], "rows": []}}))
    model.apply(frame(views={"queue": {"total": 2, "offset": 0, "ids": [request_id(2), request_id(1)], "rows": []}}))
    assert [row["id"] for row in model.rows["queue"].window()] == [request_id(2), request_id(1)]


def test_rows_outside_the_window_are_not_kept_for_ever() -> None:
    model = Model()
    for start in range(0, 8000, 100):
        rows = [queued(start + number) for number in range(100)]
        model.apply(frame(views={"queue": view(*rows, total=8000, offset=start)}))
    assert len(model.rows["queue"].known) < 5000
    assert model.rows["queue"].at(7950) is not None
    assert model.rows["queue"].at(5) is None


def test_engine_time_runs_at_its_rate_and_stands_still_when_simulated(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("lamtop.tui.model.time.monotonic", lambda: now[0])
    model = Model()
    model.apply(frame(time={"engine": NOW, "wall": NOW, "rate": 60.0, "mode": "scaled"}))
    now[0] += 2
    assert model.time.now() == NOW + 120
    model.apply(frame())
    now[0] += 2
    assert model.time.now() == NOW


def test_an_event_of_several_lines_is_several_drawn_lines() -> None:
    model = Model()
    model.apply(
        frame(logs={"logs": {"lines": [log_line(1, "Traceback\n  File\n\tx = 1\n")], "left_out": 0, "total": 1}})
    )
    assert [(line.text, line.first) for line in model.logs.lines] == [
        ("Traceback", True),
        ("  File", False),
        ("    x = 1", False),
    ]


def test_a_line_sent_twice_is_taken_once() -> None:
    model = Model()
    for _ in range(2):
        model.apply(frame(logs={"logs": {"lines": [log_line(1, "one")], "left_out": 0, "total": 1}}))
    assert len(model.logs.lines) == 1


def test_the_log_buffer_is_bounded_and_counts_what_it_dropped() -> None:
    model = Model()
    for start in range(0, 14_000, 1000):
        lines = [log_line(start + number, "x") for number in range(1000)]
        model.apply(frame(logs={"logs": {"lines": lines, "left_out": 0, "total": start + 1000}}))
    assert len(model.logs.lines) <= loglines.CAPACITY * 1.1
    assert model.logs.dropped + len(model.logs.lines) == 14_000


def test_the_newest_notice_is_shown_once() -> None:
    model = Model()
    notices = [
        {"seq": 1, "at": NOW, "level": "info", "text": "old"},
        {"seq": 2, "at": NOW, "level": "error", "text": "new"},
    ]
    model.apply(frame(notices=notices))
    model.say("info", "mine")
    model.apply(frame(notices=notices))
    assert model.notice.text == "mine"


@pytest.mark.parametrize("name", HOSTILE)
def test_foreign_text_is_harmless_wherever_it_comes_in(name: str) -> None:
    text, model = HOSTILE[name], Model()
    model.take_hello({"project": text, "url": "http://127.0.0.1:1", "warnings": [text], "notice": text})
    rows = view(dead(1, error=text, function=text, queue=text))
    lines = {"lines": [log_line(1, text, function=text)], "left_out": 0, "total": 1}
    model.apply(frame(views={"dlq": rows}, logs={"logs": lines}, notices=[{"seq": 1, "level": "info", "text": text}]))
    known = [model.hello, model.notice.text, list(model.rows["dlq"].window())]
    assert is_harmless(json.dumps(known, ensure_ascii=False))
    assert all(is_harmless(line.text + line.function) for line in model.logs.lines)


def test_a_new_connection_forgets_the_rows_of_the_one_before() -> None:
    model = Model()
    model.apply(frame(views={"queue": view(queued(1))}))
    model.take_hello({"project": "p", "url": "u", "warnings": [], "notice": None})
    assert model.rows["queue"].total == 0
    assert list(model.rows["queue"].window()) == []
