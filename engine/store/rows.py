"""Rows of the queue's tables as the values that they hold."""

import json
from collections.abc import Sequence
from typing import Any

from ..core.event import Condition, Delivery, Event, Message, Reason, State

_STATES: dict[str, State] = {state.value: state for state in State}
_REASONS: dict[str, Reason] = {reason.value: reason for reason in Reason}
_CONDITIONS: dict[str | None, Condition | None] = {None: None, **{each.value: each for each in Condition}}


def as_event(row: Sequence[Any]) -> Event:
    """An event from a row in the order of its fields. Made in one go: a busy queue reads thousands a second."""
    state, reason, condition, dropped = _STATES[row[7]], _REASONS[row[8]], _CONDITIONS[row[15]], bool(row[20])
    return Event._make((*row[:7], state, reason, *row[9:15], condition, *row[16:20], dropped, *row[21:]))


def as_delivery(row: Sequence[Any]) -> Delivery:
    """A delivery from a row in the order of its fields."""
    id_, event, request_id, kind, target, body, attributes, due_at, tries, error = row
    return Delivery(id_, event, request_id, kind, target, body, json.loads(attributes), due_at, tries, error)


def as_message(row: Sequence[Any]) -> Message:
    """A message from a row in the order of its fields."""
    id_, queue, body, attributes, sent_at, request_id = row
    return Message(id_, queue, body, json.loads(attributes), sent_at, request_id)
