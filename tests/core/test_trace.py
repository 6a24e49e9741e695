"""The trace header: who sent a request, and how often its chain came by a function."""

import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamtop.engine.core.function import Function
from lamtop.engine.core.trace import HOPS_MAX, header_of, is_loop, parent_of, sender_of

ORDERS = Function("orders", "app.handler", "/x")
EMAILS = Function("emails", "app.handler", "/x")
NOW = 1_700_000_000.0
HEADER = re.compile(
    r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=[01];"
    r"Lineage=[0-9a-f]{8}:\d+(\|[0-9a-f]{8}:\d+)*"
)


def request_id(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-{number:012x}"


def chain(*functions: Function) -> str:
    """The header that the last of these gets, if each is invoked by the one before it."""
    header = ""
    for number, function in enumerate(functions):
        header = header_of(header, function, request_id(number), NOW)
    return header


def sent(header: str) -> str:
    """The header as botocore sends it along."""
    return quote(header, safe="-=;:+&[]{}\"',")


def root(header: str) -> str:
    return header.partition(";")[0]


def test_an_invocation_that_nobody_of_ours_sent_begins_a_chain() -> None:
    header = header_of("", ORDERS, request_id(7), NOW)
    assert HEADER.fullmatch(header)
    assert root(header).startswith("Root=1-6553f100-")
    assert sender_of(header) == parent_of(request_id(7)) == "8000000000000007"
    assert header.endswith(":1")


def test_a_chain_keeps_its_root_and_each_link_names_itself() -> None:
    first = chain(ORDERS)
    second = header_of(sent(first), EMAILS, request_id(8), NOW + 100)
    assert HEADER.fullmatch(second)
    assert root(second) == root(first)
    assert sender_of(second) == parent_of(request_id(8)) != sender_of(first)


def test_what_the_sender_wants_sampled_stays_sampled() -> None:
    came = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    header = header_of(came, ORDERS, request_id(1), NOW)
    assert header.startswith("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=8000000000000001;Sampled=1;")


def test_a_function_is_stopped_after_sixteen_invocations_in_one_chain() -> None:
    for count in range(HOPS_MAX + 3):
        came = sent(chain(*[ORDERS] * count))
        assert is_loop(came, ORDERS) == (count >= 16)
        assert not is_loop(came, EMAILS)


def test_each_function_of_a_chain_is_counted_for_itself() -> None:
    header = chain(*[ORDERS, EMAILS] * 15)
    assert not is_loop(sent(header), ORDERS)
    header = chain(*[ORDERS, EMAILS] * 16)
    assert is_loop(sent(header), ORDERS)
    assert is_loop(sent(header), EMAILS)


def test_a_function_may_allow_its_recursion() -> None:
    came = chain(*[ORDERS] * 40)
    assert is_loop(came, ORDERS)
    assert not is_loop(came, Function("orders", "app.handler", "/x", recursive_loop="Allow"))


def test_a_long_chain_forgets_the_functions_that_it_came_by_least() -> None:
    others = [Function(f"f{n}", "app.handler", "/x") for n in range(200)]
    header = chain(ORDERS, *(each for other in others for each in (other, ORDERS)))
    assert header.count("|") == 63
    assert is_loop(header, ORDERS)
    full = chain(*others[:64], *others[:64])
    assert header_of(full, ORDERS, request_id(1), NOW).endswith(":1"), "the newest one is counted"


@pytest.mark.parametrize(
    "came",
    [
        "nonsense",
        ";;;=;=",
        "Root=1-xyz;Parent=12;Sampled=?;Lineage=orders:99",
        "Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=1:24d068a8:0",
        "Lineage=" + "|".join(["ffffffff:1"] * 500),
        "Lineage=ffffffff:99999999999999999999999",
        "Lineage=ffffffff:\u00b2|\u0661\u0661\u0661\u0661:\u0661",
        "Parent=53995c3f42cd8ad8\nX",
        "Root=1-5759e988-bd862e3fe1be46a994272793\0;Sampled=1",
    ],
)
def test_a_header_that_makes_no_sense_begins_a_chain_of_its_own(came: str) -> None:
    assert HEADER.fullmatch(header_of(came, ORDERS, request_id(1), NOW))
    assert not is_loop(came, ORDERS)


@given(st.text(st.sampled_from("Root=Parent;Lineage|:%7C0123456789abcdef-1 \n")))
def test_no_header_can_break_anything_and_what_comes_out_is_always_one(came: str) -> None:
    header = header_of(came, ORDERS, request_id(1), NOW)
    assert HEADER.fullmatch(header)
    assert sender_of(header) == parent_of(request_id(1))
    assert sender_of(came) == "" or len(sender_of(came)) == 16
    is_loop(came, ORDERS)


@given(st.lists(st.sampled_from([ORDERS, EMAILS]), max_size=40))
def test_a_chain_counts_every_invocation_of_every_function(functions: list[Function]) -> None:
    came = sent(chain(*functions))
    for function in (ORDERS, EMAILS):
        assert is_loop(came, function) == (functions.count(function) >= HOPS_MAX)
