"""Where dead letters and invocation records go: this project's own queues, and its functions."""

from collections.abc import Callable, Mapping

from ..core.arn import Reference, resource_name
from ..core.event import Delivery, Event, Message
from ..core.function import Function, Queue
from ..reports import Accept

_NOT_DELIVERED = {"sns": "SNS topics", "events": "EventBridge buses", "s3": "S3 buckets"}


class Destinations:
    """Turns what the outbox owes into a message in a queue or an event for a function."""

    def __init__(self, new_id: Callable[[], str], now: Callable[[], float]) -> None:
        self._new_id = new_id
        self._now = now
        self._queues: dict[str, Queue] = {}  # by ARN
        self._functions: Mapping[str, Function] = {}  # by name

    def configure(self, functions: Mapping[str, Function], queues: Mapping[str, Queue]) -> None:
        self._queues = {queue.arn: queue for queue in queues.values()}
        self._functions = dict(functions)

    def deliver(self, delivery: Delivery) -> Message | Accept | str:
        """A message, an event, or a word why it has to wait: then it is kept and tried again (AWS would drop it)."""
        if queue := self._queues.get(delivery.target):
            body, attributes = delivery.body, delivery.attributes
            return Message(self._new_id(), queue.name, body, attributes, self._now(), delivery.request_id)
        service = delivery.target.split(":")[2:3]
        if service == ["lambda"]:
            return self._to_function(delivery)
        if service and service[0] in _NOT_DELIVERED:
            return f"lamtop does not deliver to {_NOT_DELIVERED[service[0]]} yet"
        return f"{resource_name(delivery.target)} is neither a queue nor a function of this project"

    def _to_function(self, delivery: Delivery) -> Accept | str:
        """The record becomes the event of an asynchronous invocation, under the version or alias that the ARN names."""
        reference = Reference.parse(delivery.target)
        function = self._functions.get(reference.name) if reference else None
        qualifier = (reference.qualifier if reference else None) or ""
        if function is None or function.executed_version(qualifier) is None:
            return f"{delivery.target} is no function of this project"
        return Accept(self._new_id(), function, delivery.body, delivery.kind, _ignore, qualifier)


def _ignore(event: Event) -> None:
    """Nobody waits for the answer."""
