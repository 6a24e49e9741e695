"""The life of one request on a time axis."""

import pytest
from fake_engine import NOW, call, life, request_id

from lamtop.tui import axis, life_picture, life_rows
from lamtop.tui.format import clock
from lamtop.tui.life_waits import title_words


def words(told: dict[str, object], now: float = NOW) -> list[str]:
    return [f"{span.label}: {span.words}" for span in life_rows.spans(told, now)]


def test_an_event_that_failed_once_tells_its_caller_its_try_and_the_rule_of_its_wait() -> None:
    told = words(life(1))
    assert told[0] == "caller: 202 after 2 ms · key a"
    assert told[1] == "queued: waiting for a place: 200 ms"
    assert told[2] == "try 1: 3 s + init 100 ms · ValueError: no luck"
    assert told[3] == "wait: next try in 2.0s: function error, 2 of 2 retries left"


def test_a_past_wait_says_how_long_it_was_and_how_many_retries_were_left() -> None:
    first = life(1)["attempts"][0]
    second = first | {"number": 2, "started_at": NOW + 5, "ended_at": NOW + 63}
    third = first | {"number": 3, "started_at": NOW + 183, "ended_at": NOW + 186}
    delivery = {"kind": "dlq", "target": "lamtop-dead-letters", "delivered": True, "error": None}
    end = {"state": "discarded", "condition": "RetriesExhausted", "ended_at": NOW + 186, "deliveries": [delivery]}
    told = words(life(1, attempts=[first, second, third], **end), NOW + 200)
    assert "wait: function error, 2 of 2 retries left: 1 min 5 s" in told
    assert "wait: function error, 1 of 2 retries left: 2 min" in told
    assert told[-1] == "end: RetriesExhausted: 1 of 3 tries failed → dead-letter queue lamtop-dead-letters"


def test_an_answer_whose_time_is_not_known_is_told_without_one() -> None:
    assert words(life(1, answered={"status": 202, "after": None}))[0] == "caller: 202 at once · key a"


def test_a_throttled_event_says_so() -> None:
    told = words(life(1, attempts=[], errors=0, reason="throttled", throttles=2, due_at=NOW + 4))
    assert told[-1] == "queued: next try in 4.0s: concurrency limit reached"


def test_a_lost_attempt_costs_no_retry() -> None:
    lost = life(1)["attempts"][0] | {"ended": "lost", "error": None}
    assert words(life(1, attempts=[lost]))[-1].endswith("attempt lost, costs no retry")


def test_a_dropped_event_says_that_there_was_no_queue() -> None:
    told = words(life(1, state="discarded", condition="EventAgeExceeded", ended_at=NOW))
    assert (
        told[-1] == "end: EventAgeExceeded: the next try would be past its maximum age → dropped: no dead-letter queue"
    )


def test_a_synchronous_call_tells_what_its_caller_got() -> None:
    done = life(1)["attempts"][0] | {"ended": "returned", "error": None}
    told = words(
        life(1, kind="synchronous", state="succeeded", answered={"status": 200, "after": 3.02}, attempts=[done])
    )
    assert told[0] == "caller: 200 after 3.02 s · key a"
    assert told[-1] == "end: Success"


def test_a_call_that_was_sent_away_tells_its_429_and_the_limit() -> None:
    refused = {"state": "discarded", "refused": "throttled: Limit", "answered": {"status": 429, "after": None}}
    told = words(life(1, kind="synchronous", attempts=[], ended_at=NOW - 63.2, **refused))
    assert told == ["caller: 429 at once · key a", "end: throttled: Limit; never began, costs nothing"]


def test_a_running_attempt_counts_against_its_timeout() -> None:
    told = words(life(1, state="running", running={"number": 2, "started_at": NOW - 1.5, "timeout": 3}))
    assert told[-1] == "try 2: running 1.5 s of 3 s"


def test_a_call_lies_under_the_attempt_that_waited_for_it() -> None:
    first = life(1)["attempts"][0]
    second = first | {"number": 2, "started_at": NOW - 10, "ended_at": NOW - 5, "waited": 2.0}
    calls = [call(0x2B), call(0x3C, accepted_at=NOW - 9, ended_at=NOW - 7, error="ValueError: no")]
    rows = life_rows.spans(life(1, attempts=[first, second], calls=calls), NOW)
    told = [f"{row.label}: {row.words}" for row in rows]
    assert told[3] == " → 1: chain-b 002b · 1.5 s"
    assert told[5:7] == [
        "try 2: 3 s + init 100 ms · waited 2 s · ValueError: no luck", " → 2: chain-b 003c · 2 s · ValueError: no"
    ]  # fmt: skip
    assert (rows[6].start, rows[6].end) == (NOW - 9, NOW - 7)


def test_an_event_that_was_sent_takes_no_time_and_a_call_that_runs_goes_on() -> None:
    running = {"number": 2, "started_at": NOW - 1.5, "timeout": 3}
    calls = [
        call(0x2B, kind="event", state="queued", accepted_at=NOW - 1, ended_at=None),
        call(0x3C, accepted_at=NOW - 0.5, ended_at=None, state="running"),
    ]
    rows = life_rows.spans(life(1, state="running", running=running, calls=calls), NOW)
    assert [row.words for row in rows[-2:]] == ["chain-b 002b · 202 at once, queued", "chain-b 003c · 500 ms so far"]
    assert [row.end - row.start for row in rows[-2:]] == [0, 0.5]


def test_a_request_of_another_invocation_names_it_instead_of_its_client() -> None:
    caller = {"id": request_id(0x1A2B), "function": "chain-a", "attempt": 2}
    assert words(life(1, caller=caller))[0] == "caller: 202 after 2 ms · called by chain-a 1a2b, attempt 2"


@pytest.mark.parametrize("width", [12, 30, 77])
def test_a_short_attempt_in_a_long_life_keeps_its_cell_and_every_row_its_width(width: int) -> None:
    first = life(1)["attempts"][0] | {"started_at": NOW, "ended_at": NOW + 0.003}
    rows = life_rows.spans(life(1, attempts=[first], due_at=NOW + 100_000), NOW + 50_000)
    scale = life_rows.scale_of(rows, width)
    for row in rows:
        text = "".join(part for part, _ in life_picture.drawn(row, scale))
        assert len(text) == width
        assert text.strip()
    assert len(axis.ruler(scale)) == width


def test_proportions_are_real() -> None:
    rows = [life_rows.Span("a", 0, 25, "ok", ""), life_rows.Span("b", 25, 100, "ok", "")]
    scale = life_rows.scale_of(rows, 100)
    assert [scale.cells(row.start, row.end) for row in rows] == [(0, 25), (25, 100)]


@pytest.mark.parametrize("width", [12, 22, 60])
@pytest.mark.parametrize("end", [0.001, 0.0008, 0.004, 0.2, 0.95, 3.0, 61.0, 63.2, 185.0, 1199.0, 7300.0, 4e4, 9e5])
def test_the_ruler_starts_at_zero_and_has_a_second_mark_in_any_room(width: int, end: float) -> None:
    ruler = axis.ruler(axis.Scale(0, end, width))
    marks = ruler.split()
    assert len(ruler) == width
    assert marks[0] == "0"
    assert 2 <= len(marks) <= 8


def late(**more: object) -> list[str]:
    """An event whose second try began 9 minutes after the first had failed."""
    first = life(1)["attempts"][0]
    second = first | {"number": 2, "started_at": NOW + 480, "ended_at": NOW + 483}
    return words(life(1, attempts=[first, second], state="running", **more), NOW + 500)


def test_a_retry_that_was_due_while_no_engine_ran_says_so_and_what_the_rule_was() -> None:
    off = f"{clock(NOW - 30)} to {clock(NOW + 479)}"
    told = late(absences=[[NOW - 30, NOW + 479, True]])
    assert told[3] == f"wait: engine off {off}, retry 1 of 2 was due: 9 min"
    told = late(absences=[[NOW - 30, NOW + 479, False]])
    assert told[3].startswith(f"wait: engine off until {clock(NOW + 479)}, retry 1 of 2 was due")


def test_an_absence_that_was_over_when_the_retry_was_due_is_not_the_reason() -> None:
    told = late(absences=[[NOW - 50, NOW - 10, True]])
    assert told[3] == "wait: function error, 2 of 2 retries left, due after 1 min but began late: 9 min"
    first = life(1)["attempts"][0]
    prompt = life(1, attempts=[first, first | {"number": 2, "started_at": NOW}], absences=[[NOW - 50, NOW - 10, True]])
    assert words(prompt)[3] == "wait: function error, 2 of 2 retries left: 1 min"


def test_a_lost_attempt_and_a_first_wait_name_the_absence_too() -> None:
    lost = life(1)["attempts"][0] | {"ended": "lost", "error": None}
    again = lost | {"number": 2, "started_at": NOW + 480, "ended_at": NOW + 483}
    off = [[NOW - 60, NOW + 479, False]]
    told = words(life(1, attempts=[lost, again], absences=off), NOW + 500)
    assert told[3] == f"wait: engine off until {clock(NOW + 479)} · attempt lost, costs no retry: 9 min"
    told = words(life(1, attempts=[again], accepted_at=NOW - 70, absences=off), NOW + 500)
    assert told[1] == f"queued: engine off until {clock(NOW + 479)}: 9 min 10 s"


@pytest.mark.parametrize(
    ("more", "title"),
    [
        ({"due_at": NOW + 72}, "↻ waiting for retry 1 of 2 in 1:12"),
        ({"due_at": NOW - 1, "errors": 2}, "↻ retry 2 of 2 waits for a place"),
        ({"reason": "throttled", "due_at": NOW + 4}, "‖ throttled, next try in 4.0s"),
        ({"reason": "new", "due_at": NOW - 4}, "· queued, waiting for a place"),
        ({"reason": "lost", "due_at": NOW}, "↻ its attempt was lost, waiting to run again"),
    ],
)
def test_what_waits_is_titled_with_what_it_waits_for(more: dict[str, object], title: str) -> None:
    assert title_words(life(1, **more), NOW) == title


def test_a_sender_is_told_how_long_it_waited_for_its_202() -> None:
    assert words(life(1, answered={"status": 202, "after": 0.002}))[0] == "caller: 202 after 2 ms · key a"
    assert words(life(1, answered={"status": 202, "after": None}))[0] == "caller: 202 at once · key a"


def test_a_dead_letter_that_is_gone_is_not_said_to_be_dropped() -> None:
    gone = words(life(1, state="discarded", condition="Cancelled", ended_at=NOW, dropped=False))
    assert gone[-1] == "end: Cancelled → its dead letter was purged, or taken from the queue"
