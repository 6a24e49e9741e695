"""Press i: one call queues 1,000 events for batch-item, which may run 10 at a time and no more.
Watch In-flight stop at 10, and the rest throttled: each waits 1 second, then 2, 4, 8 …; none is lost, some are late."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from invoke import invoke


def lambda_handler(event, context):
    size = event.get("size", 1000) if isinstance(event, dict) else 1000
    queue = partial(invoke, os.environ.get("ITEM_FUNCTION", "batch-item"), kind="Event")
    with ThreadPoolExecutor(8) as threads:  # each of these calls waits for its 202
        list(threads.map(queue, ({"item": item} for item in range(size))))
    print(f"{size} events are queued; the work has hardly begun")
    return {"queued": size}
