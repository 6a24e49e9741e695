"""Where dead letters and invocation records go: this project's own queues, and its functions."""

import json
from collections.abc import Callable, Mapping

from ..core.arn import resource_name
from ..core.event import Delivery, Event, Message
from ..core.function import Function, Queue
from ..reports import Accept


class Destinations:
    """Turns what the outbox owes into a message in a queue or an event for a function."""

    def __init__(self, new_id: Callable[[], str], now: Callable[[], float]) -> None:
        self._new_id = new_id
        self._now = now
        self._queues: dict[str, Queue] = {}  # by ARN
        self._functions: dict[str, Function] = {}  # by ARN

    def configure(self, functions: Mapping[str, Function], queues: Mapping[str, Queue]) -> None:
        self._queues = {queue.arn: queue for queue in queues.values()}
        self._functions = {function.arn: function for function in functions.values()}

    def deliver(self, delivery: Delivery) -> Message | Accept | str:
        """A message, an event, or a word why it has to wait: then it is kept and tried again (AWS would drop it)."""
        if queue := self._queues.get(delivery.target):
            body, attributes = delivery.body, delivery.attributes
            return Message(self._new_id(), queue.name, body, attributes, self._now(), delivery.request_id)
        arn, qualifier = _unqualified(delivery.target)
        if function := self._functions.get(arn):
            source = f"{delivery.kind} of {_function_of(delivery)}"
            return Accept(self._new_id(), function, delivery.body, source, _ignore, qualifier)
        return f"{resource_name(delivery.target)} is neither a queue nor a function of this project"


def _unqualified(arn: str) -> tuple[str, str]:
    """A function's own ARN, and the version or alias behind it."""
    parts = arn.split(":")
    return ":".join(parts[:7]), ":".join(parts[7:])


def _function_of(delivery: Delivery) -> str:
    try:
        return resource_name(json.loads(delivery.body)["requestContext"]["functionArn"].removesuffix(":$LATEST"))
    except (ValueError, KeyError, TypeError):
        return "an event"


def _ignore(event: Event) -> None:
    """Nobody waits for the answer."""
