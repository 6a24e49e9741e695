"""Rows of the queue's tables as the values that they hold."""

import json
from collections.abc import Sequence
from typing import Any

from ..core.event import Condition, Delivery, Event, Message, Reason, State


def as_event(row: Sequence[Any]) -> Event:
    """An event from a row in the order of its fields."""
    event = Event(*row)
    return event._replace(
        state=State(event.state),
        reason=Reason(event.reason),
        condition=Condition(event.condition) if event.condition else None,
        dropped=bool(event.dropped),
    )


def as_delivery(row: Sequence[Any]) -> Delivery:
    """A delivery from a row in the order of its fields."""
    id_, event, request_id, kind, target, body, attributes, due_at, tries, error = row
    return Delivery(id_, event, request_id, kind, target, body, json.loads(attributes), due_at, tries, error)


def as_message(row: Sequence[Any]) -> Message:
    """A message from a row in the order of its fields."""
    id_, queue, body, attributes, sent_at, request_id = row
    return Message(id_, queue, body, json.loads(attributes), sent_at, request_id)
