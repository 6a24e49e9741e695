"""A record that goes to a function goes to the version or alias that its ARN names."""

import json

from lamtop.engine.core.arn import function_arn
from lamtop.engine.core.event import Delivery
from lamtop.engine.core.function import Function
from lamtop.engine.edges.destinations import Destinations
from lamtop.engine.reports import Accept

RECORD = json.dumps({"requestContext": {"functionArn": function_arn("orders", "$LATEST")}}).encode()
BILLING = Function("billing", "app.handler", "/", versions=frozenset({"2"}), aliases={"live": "2"})


def delivered(target: str) -> Accept | None:
    destinations = Destinations(lambda: "id", lambda: 0.0)
    destinations.configure({"billing": BILLING}, {})
    delivery = Delivery(1, 1, "request", "on success", target, RECORD, {}, 0.0)
    found = destinations.deliver(delivery)
    return found if isinstance(found, Accept) else None


def test_a_function_is_invoked_under_the_qualifier_of_the_destination() -> None:
    for qualifier in ("", "live", "2"):
        found = delivered(function_arn("billing", qualifier or None))
        assert found
        assert (found.function.name, found.qualifier) == ("billing", qualifier)
    assert delivered(function_arn("gone", "live")) is None
