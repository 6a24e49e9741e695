"""What a tape waits for or asserts: sentences about rows, counts, the log and the screen, true ones and others."""

import asyncio
from typing import Any

import pytest

from lamtop.tui.demo.conditions import parse_condition

PANES = ("queue", "inflight", "retries", "dlq", "functions", "timeline")
DEAD: list[dict[str, Any]] = [
    {"id": "a1", "function": "orders", "error": "OutOfStock: umbrella", "attempts": 3, "rate": 0.5, "ok": True},
    {"id": "b2", "function": "emails", "error": "Task timed out", "attempts": 2, "rate": None, "ok": False},
    {"id": "c3", "function": "orders", "error": None, "attempts": 1, "rate": 12, "ok": True},
]
FUNCTIONS: list[dict[str, Any]] = [
    {"id": "orders", "errors": 2, "version": 1, "fault": "error 2x"},
    {"id": "7", "errors": 0, "version": 3, "fault": ""},
]


class FakeSight:
    """An engine with three dead letters, of which more are counted than are shown, and two functions."""

    async def rows(self, pane: str) -> tuple[int, list[dict[str, Any]]]:
        return {"dlq": (612, DEAD), "functions": (2, FUNCTIONS)}.get(pane, (0, []))

    async def lines(self, function: str) -> list[str]:
        own = {"orders": ["charged: order 17", "no umbrella is left"], "emails": ["sent"], "7": ["lucky"]}
        return own.get(function, []) if function else [line for lines in own.values() for line in lines]

    def totals(self) -> dict[str, Any]:
        return {"errors": 3, "in_flight": 0, "faults": ["orders error 2x"]}

    async def screen(self) -> str:
        return "lamtop\n4 DLQ 612\n202 accepted and sent"


def differs(text: str) -> str:
    """What is there instead; "" if the condition holds."""
    return asyncio.run(parse_condition(text).differs(FakeSight()))


HOLDS = [
    # how many
    "dlq == 612", "dlq.count == 612", "dlq >= 612", "dlq > 611", "dlq <= 612", "dlq < 613", "dlq != 3", "dlq==612",
    "queue == 0", "functions == 2", "dlq == 612.0",
    # a row by its number
    "dlq[0].function == orders", "dlq[1].attempts == 2", "dlq[2].attempts < 2", 'dlq[0].error ~ "umbrella"',
    "dlq[0].error == OutOfStock: umbrella", "dlq[0].rate == 0.5", "dlq[2].rate >= 12", "functions[0].id == orders",
    # by what it is of, or called
    "dlq[emails].attempts == 2", "dlq[a1].attempts == 3", "functions[orders].errors == 2", "dlq[orders].attempts == 3",
    "dlq[orders].attempts == 1",
    # any row
    "dlq[*].function == emails", "dlq[*].attempts > 2", 'dlq[*].error ~ "timed out"', "dlq[*].attempts != 3",
    # totals
    "totals.errors == 3", "totals.in_flight == 0", "totals.faults ~ orders", "totals.faults !~ emails",
    # log and screen
    'log ~ "order 17"', "log[orders] ~ umbrella", "log[*] ~ sent", "log[emails] !~ umbrella", "log[nobody] !~ anything",
    'screen ~ "202 accepted"', 'screen ~ "accepted and sent"', "screen !~ 404",
    # letters large and small, quotes or none
    "log ~ ORDER", 'log ~ "CHARGED"', "dlq[0].function == ORDERS", 'dlq[0].function == "orders"',
    "dlq[1].error == task timed out",
    # nothing, yes and no
    "dlq[2].error == none", 'dlq[2].error == "none"', "dlq[1].rate == none", "dlq[0].error != none",
    "dlq[0].ok == true", "dlq[1].ok == false", "dlq[0].ok != false", 'functions[1].fault == ""',
    # several
    "dlq == 612 and queue == 0", 'dlq == 612  and  log ~ "order" and screen ~ "accepted and sent"',
    'screen ~ "accepted and sent" and dlq == 612', "totals.errors == 3 and totals.in_flight == 0",
    # none of the rows has it
    "dlq[*].error !~ boom", "dlq[orders].function !~ emails", "queue[*].error !~ anything", "log !~ boom",
]  # fmt: skip


@pytest.mark.parametrize("text", HOLDS)
def test_it_holds(text: str) -> None:
    assert differs(text) == ""


OTHERWISE = {
    "dlq == 3": "dlq: 612",
    "dlq.count > 612": "dlq.count: 612",
    "dlq >= 613": "dlq: 612",
    "dlq < 612": "dlq: 612",
    "dlq <= 611": "dlq: 612",
    "dlq != 612": "dlq: 612",
    "queue > 0": "queue: 0",
    "dlq[0].attempts == 2": "dlq[0].attempts: 3",
    "dlq[0].attempts != 3": "dlq[0].attempts: 3",
    "dlq[3].attempts == 2": "dlq[3].attempts: nothing there",
    "dlq[nobody].attempts == 2": "dlq[nobody].attempts: nothing there",
    "dlq[order].attempts == 3": "dlq[order].attempts: nothing there",
    "dlq[orders].attempts == 2": "dlq[orders].attempts: 3 | 1",
    "dlq[*].attempts == 4": "dlq[*].attempts: 3 | 2 | 1",
    "queue[*].error ~ x": "queue[*].error: nothing there",
    "dlq[0].error == OutOfStock": "dlq[0].error: OutOfStock: umbrella",
    "dlq[0].error !~ stock": "dlq[0].error: OutOfStock: umbrella",
    "dlq[*].error !~ timed": "dlq[*].error: OutOfStock: umbrella | Task timed out | None",
    "functions[7].errors == 0": "functions[7].errors: nothing there",
    "totals.errors == 4": "totals.errors: 3",
    "totals.faults ~ emails": "totals.faults: ['orders error 2x']",
    "log ~ boom": "log: charged: order 17 | no umbrella is left | sent",
    "log[emails] ~ umbrella": "log[emails]: sent",
    "log[nobody] ~ x": "log[nobody]: nothing there",
    "log !~ lucky": "log: charged: order 17 | no umbrella is left | sent",
    "screen !~ dlq": "screen: lamtop\n4 DLQ 612\n202 accepted and sent",
    "dlq == 612 and queue == 1": "queue: 0",
    "queue == 1 and dlq == 1": "queue: 0",
    "dlq == 612 and queue == 0 and log ~ boom": "log: charged: order 17 | no umbrella is left | sent",
    "dlq[0].ok == 1": "dlq[0].ok: True",
    "dlq[0].rate == none": "dlq[0].rate: 0.5",
}


@pytest.mark.parametrize("text", OTHERWISE)
def test_where_it_does_not_hold_it_says_what_is_there(text: str) -> None:
    assert differs(text) == OTHERWISE[text]


@pytest.mark.parametrize("sign", [">", ">=", "<", "<="])
@pytest.mark.parametrize("field", ["error", "ok", "function"])
def test_text_is_neither_larger_nor_smaller_than_a_number(field: str, sign: str) -> None:
    assert differs(f"dlq[0].{field} {sign} 1") == f"dlq[0].{field}: {DEAD[0][field]}"


@pytest.mark.parametrize("sign", [">", ">=", "<", "<="])
def test_nothing_is_neither_larger_nor_smaller_than_a_number(sign: str) -> None:
    assert differs(f"dlq[1].rate {sign} 0") == "dlq[1].rate: None"


def test_what_is_there_is_told_in_short() -> None:
    class Long(FakeSight):
        async def lines(self, function: str) -> list[str]:
            return ["a" * 80, "b" * 81, "c", "d"]

    told = asyncio.run(parse_condition("log ~ e").differs(Long()))
    assert told == f"log: {'a' * 80} | {'b' * 79}… | c"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("dlq[0].eror == x", "dlq has no 'eror'; it has attempts, error, function, id, ok, rate"),
        ("dlq[*].eror !~ x", "dlq has no 'eror'; it has attempts, error, function, id, ok, rate"),
        ("functions[orders].count == 1", "functions has no 'count'; it has errors, fault, id, version"),
        ("totals.error == 1", "totals has no 'error'; it has errors, faults, in_flight"),
    ],
)
def test_a_field_that_does_not_exist_names_those_that_do(text: str, told: str) -> None:
    with pytest.raises(ValueError, match="has no") as raised:
        differs(text)
    assert str(raised.value) == told


def test_the_clauses_behind_one_that_does_not_hold_are_not_looked_at() -> None:
    assert differs("queue == 1 and dlq[0].eror == x") == "queue: 0"


@pytest.mark.parametrize("pane", PANES)
def test_every_pane_can_be_counted(pane: str) -> None:
    assert differs(f"{pane} >= 0") == ""


def test_a_condition_knows_how_the_tape_says_it() -> None:
    condition = parse_condition(' dlq[0].error ~ "a and b"  and queue == 0')
    assert condition.text == ' dlq[0].error ~ "a and b"  and queue == 0'
    first, second = condition.clauses
    assert (first.what, first.row, first.field, first.sign, first.value) == ("dlq", "0", "error", "~", "a and b")
    assert (second.subject, second.sign, second.value) == ("queue", "==", "0")


WRONG = {
    "": "'' is no condition; expected: PANE >= 3",
    "dlq": "'dlq' is no condition; expected: PANE >= 3, PANE[0].field == value",
    "dlq ==": "'dlq ==' is no condition",
    "== 3": "'== 3' is no condition",
    "dlq = 3": "'dlq = 3' is no condition",
    "dlq [0].error == x": "'dlq [0].error == x' is no condition",
    "dlq[].error == x": "'dlq[].error == x' is no condition",
    "DLQ == 3": "'DLQ == 3' is no condition",
    "dlq == 1 and": "'dlq == 1 and': '1 and' is no number: how many rows?",
    "dlq == 1 and queue": "'queue' is no condition",
    "retries == 1 or dlq == 1": "'retries == 1 or dlq == 1': conditions are joined with \"and\" only",
    "dlq[0].state == redriven or dlq == 2": "'dlq[0].state == redriven or dlq == 2': conditions are joined with",
    "letters == 3": "'letters' cannot be looked at; expected: PANE >= 3",
    "logs ~ x": "'logs' cannot be looked at",
    "dlq == many": "'dlq == many': 'many' is no number: how many rows?",
    "dlq ~ 1": "'dlq ~ 1': how many rows can be compared with == != >= <= > <",
    "dlq.count !~ 1": "'dlq.count !~ 1': how many rows can be compared with == != >= <= > <",
    "dlq.error ~ x": "'dlq.error ~ x': of which row? dlq[0].error, or dlq[*].error for any",
    "dlq[0] == 1": "'dlq[0] == 1': which field of the row? dlq[0].error, dlq[0].function …",
    **{
        f"dlq[0].attempts {sign} two": f"'dlq[0].attempts {sign} two': 'two' is no number, and only numbers are larger"
        for sign in (">", "<", ">=", "<=")
    },
    "totals.errors >= many": "'totals.errors >= many': 'many' is no number, and only numbers are larger or smaller",
    "totals == 3": "'totals == 3': which of the totals? totals.errors, totals.in_flight, totals.dead_letters …",
    "totals[0].errors == 3": "'totals[0].errors == 3': the totals have no rows; expected totals.errors",
    "log == x": "'log == x': the log can only be compared with ~ or !~",
    "log.text ~ x": "'log.text ~ x': the log has no fields; expected log or log[FUNCTION]",
    "screen >= 3": "'screen >= 3': the screen can only be compared with ~ or !~",
    "screen[0] ~ x": "'screen[0] ~ x': the screen has no rows and no fields; expected screen",
    "screen.text ~ x": "'screen.text ~ x': the screen has no rows and no fields; expected screen",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_condition_is_told_with_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as raised:
        parse_condition(text)
    assert str(raised.value).startswith(WRONG[text])


def test_what_was_expected_names_every_pane_and_every_sign() -> None:
    with pytest.raises(ValueError, match="expected") as raised:
        parse_condition("?")
    for word in (*PANES, "==", "!=", ">=", "<=", ">", "<", "~", "!~", "and", "totals", "log", "screen"):
        assert word in str(raised.value)
