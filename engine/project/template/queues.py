"""The queues of a template."""

import re

from ...core.arn import queue_arn
from ...core.function import Queue
from ..language.properties import Properties

QUEUE = "AWS::SQS::Queue"
_NAME = re.compile(r"[a-zA-Z0-9-_]{1,80}")
_RULE = "1 to 80 letters, digits, '-' and '_'"


def queue(name: str, properties: Properties) -> Queue | None:
    """A standard queue; None for one that is FIFO or, after noting it, wrong."""
    properties.text("QueueName", _RULE)
    if properties.flag("FifoQueue"):
        return None
    properties.silence("Tags")
    properties.finish()
    if not _NAME.fullmatch(name):
        properties.error("QueueName", f"{name!r} is not allowed; use {_RULE}")
        return None
    return Queue(name, queue_arn(name))
