"""Which invocations an armed fault hits, and the words it is armed with."""

import itertools

import pytest

from lamtop.engine.core.fault import ON_INVOCATION, Fault, Kind, Rule, choose, contains
from lamtop.engine.core.fault_words import describe, parse


def hits(rule: Rule, number: int, now: float = 0.0) -> list[bool]:
    rules, found = [rule], []
    for request in range(number):
        rules, fault = choose(rules, ON_INVOCATION, now=now, function="orders", request=str(request))
        found.append(fault is not None)
    return found


def test_the_same_seed_hits_the_same_invocations() -> None:
    def half(seed: int) -> list[bool]:
        return hits(Rule(1, Kind.TIMEOUT, percent=50, seed=seed), 200)

    assert half(1) == half(1)
    assert half(1) != half(2)
    assert 70 < sum(half(1)) < 130


def test_a_rule_is_over_after_its_hits_or_its_time() -> None:
    assert sum(hits(Rule(1, Kind.ERROR, count=3), 10)) == 3
    assert sum(hits(Rule(1, Kind.ERROR, until=5.0), 10, now=4.9)) == 10
    assert sum(hits(Rule(1, Kind.ERROR, until=5.0), 10, now=5.0)) == 0
    assert sum(hits(Rule(1, Kind.ERROR, percent=50, count=3), 100)) == 3


def test_a_rule_hits_only_what_it_is_for() -> None:
    rule = Rule(1, Kind.ERROR, function="orders", request="ab", match={"card": "declined"})
    candidates = itertools.product(("orders", "emails"), ("abc", "xyz"), ({"card": "declined", "n": 1}, {"card": "ok"}))
    hit = [
        candidate
        for candidate in candidates
        if choose([rule], ON_INVOCATION, now=0, function=candidate[0], request=candidate[1], payload=candidate[2])[1]
    ]
    assert hit == [("orders", "abc", {"card": "declined", "n": 1})]


def test_of_several_rules_the_first_that_hits_counts_and_the_others_do_not_move() -> None:
    rules, fault = choose([Rule(1, Kind.KILL), Rule(2, Kind.ERROR)], ON_INVOCATION, now=0, function="f")
    assert fault == Fault(Kind.KILL, 1)
    assert str(fault) == "kill (fault 1)"
    assert [(rule.candidates, rule.hits) for rule in rules] == [(1, 1), (0, 0)]


def test_a_delay_is_as_long_as_its_dice_say() -> None:
    rule = Rule(1, Kind.DELAY, seconds=2, jitter=3, seed=9)
    delays = []
    for _ in range(50):
        rule, fault = rule.throw()
        assert fault
        delays.append(fault.seconds)
    assert all(2 <= seconds <= 5 for seconds in delays)
    assert len(set(delays)) == 50


def test_a_match_looks_into_objects_and_lists() -> None:
    payload = {"order": {"id": 8812, "items": [{"sku": "a"}, {"sku": "b"}]}, "card": None}
    assert contains(payload, {"order": {"items": [{"sku": "b"}]}})
    assert contains(payload, {"card": None})
    assert not contains(payload, {"order": {"items": [{"sku": "c"}]}})
    assert not contains(payload, {"order": {"name": "x"}})
    assert not contains([1], {"order": 1})


def test_a_sentence_becomes_a_rule_and_a_rule_the_sentence() -> None:
    rule = parse("orders timeout 50% 25x 20s seed=7").armed(3, now=100.0)
    assert rule == Rule(3, Kind.TIMEOUT, "orders", percent=50, count=25, until=120.0, seed=7)
    for sentence in (
        "orders timeout 50% 25x 20s seed=7",
        "all kill",
        "all delay +2s..5s",
        "orders init-delay 30% +0.5s",
        'orders error request=ab if {"card": {"number": 4}}',
    ):
        assert describe(parse(sentence).armed(1, now=5.0), now=5.0) == sentence


def test_times_have_units() -> None:
    assert parse("f error 90ms").seconds == pytest.approx(0.09)
    assert parse("f error 2m").seconds == 120
    assert parse("f error 1.5h").seconds == 5400
    assert parse("f delay +250ms").rule.seconds == 0.25


@pytest.mark.parametrize(
    ("sentence", "why"),
    [
        ("orders", "is no fault; say FUNCTION"),
        ("orders explode", "'explode' is no kind of fault; use one of error, error-after"),
        ("orders error 0%", "'0%' is not allowed; use more than 0%"),
        ("orders error 101%", "'101%' is not allowed"),
        ("orders error 0x", "'0x' is not allowed; use at least 1x"),
        ("orders error often", "'often' is not understood; say FUNCTION"),
        ("orders error +2s", "error takes no delay; delay and init-delay do"),
        ("orders delay +901s", "use at most 900s"),
        ("orders stall 5x", "stall takes no number of hits: it holds all events back"),
        ("orders stall 50%", "stall takes no percentage"),
        ('orders init-error if {"a": 1}', "init-error takes no if: it hits environments that start"),
        ("orders init-delay request=ab", "init-delay takes no request="),
        ('dead dlq if {"a": 1}', "dlq takes no if: it hits messages on their way"),
        ("orders delay +5s..2s", "must not be the shorter one"),
        ("orders error if {", "that is not JSON"),
        ("orders error if [1]", "use a JSON object"),
    ],
)
def test_a_sentence_that_makes_no_sense_is_told_why(sentence: str, why: str) -> None:
    with pytest.raises(ValueError, match=why.replace("{", "\\{")):
        parse(sentence)


def test_actions_of_fault_injection_service_are_kinds_too_and_delay_as_long_as_there() -> None:
    assert parse("orders aws:lambda:invocation-error 50%").rule.kind is Kind.ERROR
    rule = parse("orders aws:lambda:invocation-add-delay").rule
    assert (rule.kind, rule.seconds, rule.percent) == (Kind.DELAY, 1.0, 100)


def test_every_kind_can_be_said() -> None:
    for kind in Kind:
        assert parse(f"all {kind}").rule.kind is kind


def test_the_quotes_that_a_shell_needs_around_json_do_no_harm_where_there_is_no_shell() -> None:
    assert parse('orders error if \'{"card": "x"}\'') == parse('orders error if {"card": "x"}')
