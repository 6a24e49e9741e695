"""Tests of a project's handlers, with real processes and no waiting. Copy this folder; `pip install lamtop pytest`."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from lamtop.engine.testing import Lamtop

pytestmark = pytest.mark.lamtop(template="template.yaml")  # or lamtop_template = … in pytest's configuration


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger.txt"


@pytest.fixture
def lamtop_environment(ledger: Path) -> Mapping[str, str]:
    """Variables that all functions get."""
    return {"LEDGER": str(ledger)}


def test_both_retries_of_an_order_that_cannot_be_paid(lamtop: Lamtop) -> None:
    order = lamtop.send("orders", {"id": "8812", "card": "declined"})
    lamtop.advance(seconds=30)
    assert (order.state, len(order.attempts)) == ("queued", 1)
    lamtop.advance(minutes=10)
    assert [attempt.error_type for attempt in order.attempts] == ["ValueError"] * 3
    assert order.condition == "RetriesExhausted"
    assert [letter.payload["id"] for letter in lamtop.dead_letters("failed-orders")] == ["8812"]


def test_an_order_is_charged_once_although_its_first_answer_is_lost(lamtop: Lamtop, ledger: Path) -> None:
    lamtop.inject("orders error-after 1x")
    order = lamtop.send("orders", {"id": "8812", "card": "visa"})
    lamtop.settle()
    assert [attempt.injected for attempt in order.attempts] == ["error-after (fault 1)", ""]
    assert order.attempts[0].duration > 2 > order.attempts[1].duration
    assert ledger.read_text() == "8812"
    assert lamtop.log("mail").count("thank you for order 8812") == 2  # a mail too many: this is what such a test finds


def test_a_dead_letter_succeeds_once_the_bank_is_back(lamtop: Lamtop, ledger: Path) -> None:
    lamtop.inject('orders timeout if {"card": "visa"}')
    lamtop.send("orders", {"id": "8812", "card": "visa"})
    lamtop.settle()
    lamtop.clear_faults()
    (again,) = lamtop.redrive(*lamtop.dead_letters())
    lamtop.settle()
    assert (again.condition, ledger.read_text(), lamtop.dead_letters()) == ("Success", "8812", [])


def test_a_caller_that_waits_gets_the_answer(lamtop: Lamtop) -> None:
    async def buy() -> object:  # as a test of pytest-asyncio or anyio would
        return lamtop.invoke("orders", {"id": "8812", "card": "visa"}).payload

    assert asyncio.run(buy()) == {"charged": "8812"}
